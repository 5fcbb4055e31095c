"""The measurement: every recogniser on every utterance, with noise at every ratio, as it came and cleaned by settings.

Within an utterance all is compared on the same noise, so differences between settings are not those between noises.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import jiwer
import numpy as np
import numpy.typing as npt

from audiodae.denoiser import Denoiser
from audiodae.errors import SignalError
from audiodae.evaluation.recognition.noises import add_noise, draw_noise
from audiodae.evaluation.recognition.utterances import Utterance
from audiodae.evaluation.scoring import one_thread_in_children
from audiodae.prep.decode import read_mono

Samples = npt.NDArray[np.float32]


class Recogniser(Protocol):
    """What hears words."""

    def recognise(self, utterance: Utterance, samples: Samples) -> tuple[str, ...]:
        """The words heard; of the utterance nothing may be used but who speaks."""


class Task(Hashable, Protocol):
    """A recogniser and what it is tried on; it can be pickled.

    Attributes
    ----------
    utterances : to be recognised
    sample_rate : that the recogniser works at, Hz
    lead_s : seconds of noise before each utterance; the recogniser does not get them
    """

    @property
    def utterances(self) -> tuple[Utterance, ...]: ...  # noqa: D102
    @property
    def sample_rate(self) -> int: ...  # noqa: D102
    @property
    def lead_s(self) -> float: ...  # noqa: D102

    def load(self) -> Recogniser:
        """Make it ready; ModuleNotFoundError where a package is missing."""


@dataclass(frozen=True)
class Setting:
    """How a sound is cleaned: `limit_db` and `mix` as in `Denoiser.clean`."""

    limit_db: float | None
    mix: float

    def __str__(self) -> str:
        """As on the command line."""
        limit = "no limit" if self.limit_db is None else f"limit {self.limit_db:g} dB"
        return limit if self.mix == 1 else f"{limit}, mix {self.mix:g}"


@dataclass(frozen=True)
class Plan:
    """What is tried.

    Attributes
    ----------
    model : name or path of a network; None for the default one
    noises : recordings of noise
    snrs_db : signal-to-noise ratios; None for speech without noise
    settings : of the cleaning
    seed : decides which noise goes where
    """

    model: str | None
    noises: tuple[Path, ...]
    snrs_db: tuple[float | None, ...]
    settings: tuple[Setting, ...]
    seed: int = 0


@dataclass(frozen=True)
class Trial:
    """An utterance as one recogniser heard it.

    Attributes
    ----------
    snr_db : None without noise
    setting : None for the sound as it came
    errors : words replaced, left out or put in
    """

    task: str
    utterance: Utterance
    snr_db: float | None
    setting: Setting | None
    heard: tuple[str, ...]
    errors: int


def measure(
    tasks: Mapping[str, Task],
    plan: Plan,
    *,
    jobs: int = 1,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Trial]:
    """Try every task by the plan; the answer does not depend on `jobs`, the number of processes.

    Raises
    ------
    AudiodaeError
        A file cannot be read or mixed; the message names it.
    """
    items = [(name, task, utterance) for name, task in tasks.items() for utterance in task.utterances]
    trials: list[Trial] = []
    for done, of_item in enumerate(_tried(items, plan, jobs), 1):
        trials += of_item
        on_progress(done, len(items))
    return trials


def _tried(items: Sequence[tuple[str, Task, Utterance]], plan: Plan, jobs: int) -> Iterator[list[Trial]]:
    if jobs == 1:
        yield from map(partial(try_utterance, plan=plan), items)
        return
    # Spawned, not forked: onnxruntime's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        with one_thread_in_children():
            tried = pool.map(partial(try_utterance, plan=plan), items)
        yield from tried


def try_utterance(item: tuple[str, Task, Utterance], plan: Plan) -> list[Trial]:
    """All trials of one utterance by one recogniser."""
    name, task, utterance = item
    recogniser, denoiser = _recogniser(task), _denoiser(plan.model)
    lead = round(task.lead_s * task.sample_rate)
    speech, noise = read_with_noise(task, utterance, plan)
    trials = []
    for snr_db in plan.snrs_db:
        noisy = add_noise(speech, noise, snr_db=snr_db, sample_rate=task.sample_rate)
        for setting in (None, *plan.settings):
            heard = recogniser.recognise(utterance, cleaned(noisy, denoiser, task.sample_rate, setting)[lead:])
            trials.append(Trial(name, utterance, snr_db, setting, heard, word_errors(utterance.words, heard)))
    return trials


def read_with_noise(task: Task, utterance: Utterance, plan: Plan) -> tuple[Samples, Samples]:
    """The utterance after its lead of silence, and as much noise."""
    rate = task.sample_rate
    samples = read_mono(utterance.path, sample_rate=rate)
    if not samples.any():
        raise SignalError(f"{utterance.path}: empty or silent; take it away")
    speech = np.concatenate([np.zeros(round(task.lead_s * rate), np.float32), samples])
    noise = draw_noise(plan.noises, utterance.name, samples=len(speech), sample_rate=rate, seed=plan.seed)
    return speech, noise


def cleaned(noisy: Samples, denoiser: Denoiser, sample_rate: int, setting: Setting | None) -> Samples:
    """The sound by a setting; None leaves it as it came."""
    if setting is None:
        return noisy
    clean = denoiser.clean(noisy, sample_rate, limit_db=setting.limit_db, mix=setting.mix)
    return np.asarray(clean, np.float32)


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words to replace, leave out or put in that make one of the other."""
    compared = jiwer.process_words([" ".join(said)], [" ".join(heard)])
    return int(compared.substitutions + compared.deletions + compared.insertions)


# Kept as long as the process lives: loading takes longer than an utterance.
@lru_cache(maxsize=8)
def _recogniser(task: Task) -> Recogniser:
    return task.load()


@lru_cache(maxsize=1)
def _denoiser(model: str | None) -> Denoiser:
    return Denoiser(model)
