"""A look at the validation set: losses and SI-SDR of the averaged weights on the same examples each time."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from audiodae.training.autoencoder import Autoencoder
from audiodae.training.losses import (
    Estimate,
    Truth,
    estimate_from_gains,
    loss_terms,
    si_sdr,
    truth_from_waveforms,
    weigh,
)
from audiodae.training.recipe import LossSettings
from audiodae.training.spectra import Frames


@dataclass(frozen=True)
class Look:
    """What one look found, means over the validation batches. SI-SDR in dB; None where pairs hold no waveforms."""

    loss: float
    terms: dict[str, float]
    si_sdr_db: float | None
    noisy_si_sdr_db: float | None


def truth_of(noisy: Tensor, clean: Tensor, frames: Frames) -> Truth:
    """The truth of a batch: waveforms (segments, samples) are analysed, magnitudes (segments, frames, bins) kept."""
    return truth_from_waveforms(noisy, clean, frames) if noisy.ndim == 2 else Truth(noisy, clean)


def estimate(network: torch.nn.Module, truth: Truth, state: Tensor, frames: Frames, *, waveform: bool) -> Estimate:
    """Let the network judge the noisy side; its gains come back in float32, and all that follows stays there."""
    gains, _ = network(truth.noisy_magnitudes, state)
    return estimate_from_gains(gains.float(), truth, frames, waveform=waveform)


@torch.no_grad()
def validate(
    network: Autoencoder, batches: Sequence[tuple[Tensor, Tensor]], frames: Frames, settings: LossSettings
) -> Look:
    """Judge the network on the validation batches."""
    network.eval()
    losses: list[float] = []
    terms: dict[str, list[float]] = {}
    ratios: list[tuple[float, float]] = []
    for noisy, clean in batches:
        truth = truth_of(noisy, clean, frames)
        made = estimate(network, truth, network.initial_state(len(noisy)), frames, waveform=True)
        of_batch = loss_terms(made, truth, settings)
        losses.append(float(weigh(of_batch, settings)))
        for name, term in of_batch.items():
            terms.setdefault(name, []).append(float(term))
        if made.waveform is not None:
            ratios.append(
                (-float(si_sdr(estimate=made.waveform, clean=clean)), -float(si_sdr(estimate=noisy, clean=clean)))
            )
    after, before = (_mean([pair[side] for pair in ratios]) if ratios else None for side in (0, 1))
    return Look(_mean(losses), {name: _mean(values) for name, values in terms.items()}, after, before)


@torch.no_grad()
def clean_waveforms(network: Autoencoder, noisy: Tensor, frames: Frames) -> Tensor:
    """Clean whole segments, shape (segments, samples) in and out."""
    spectrum = frames.analyse(noisy)
    gains, _ = network.eval()(spectrum.abs(), network.initial_state(len(noisy)))
    return frames.synthesise(gains * spectrum, noisy.shape[1])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
