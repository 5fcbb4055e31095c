"""What a run does with a batch, told apart from how it goes on: the loss, the look at validation, the pictures.

There are two tasks, sound and series; the trainer knows neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from audiodae.training.losses import weigh
from audiodae.training.recipe import LossSettings

Batch = tuple[Tensor, ...]


@dataclass(frozen=True)
class Look:
    """What one look found, means over the validation batches.

    Attributes
    ----------
    loss : float, weighed as the recipe says
    terms : dict, each term of the loss
    figures : dict, name to dB, of the cleaned side and, as `noisy_...`, before; None where pairs hold no waveforms
    """

    loss: float
    terms: dict[str, float]
    figures: dict[str, float | None]


class Task(Protocol):
    """What the trainer asks of a task. Batches are those of `audiodae.training.data.make_pairs`."""

    def terms(self, network: torch.nn.Module, state: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Let the network clean a batch, from this state on; give each term of the loss, not weighted."""

    def look(self, network: torch.nn.Module, batches: Sequence[Batch]) -> Look:
        """Judge the network on the validation batches."""

    def seconds(self, batch: Batch) -> float:
        """How much sound, or how long a series, a batch holds."""

    def draw(self, path: Path, network: torch.nn.Module, batch: Batch) -> None:
        """Draw a few examples of a batch, where there is something to draw."""


@dataclass(frozen=True)
class Judged:
    """What was found of one batch; as in Look."""

    terms: dict[str, Tensor]
    figures: dict[str, float | None]


def mean_look(batches: Sequence[Judged], settings: LossSettings) -> Look:
    """The means over one batch or more."""
    first = batches[0]
    return Look(
        loss=_mean([float(weigh(one.terms, settings)) for one in batches]),
        terms={name: _mean([float(one.terms[name]) for one in batches]) for name in first.terms},
        figures={name: _mean_known([one.figures[name] for one in batches]) for name in first.figures},
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _mean_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _mean(known) if known else None
