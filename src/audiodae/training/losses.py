"""Losses: pure functions from an estimate and the truth to a scalar, and the weighted sum that a recipe asks for.

Conventions
-----------
Magnitudes have shape (segments, frames, bins), spectra the same and complex, waveforms (segments, samples). All are
float32 (complex64). `loss_terms` first divides both sides by the root mean square of the noisy magnitudes, so that a
quiet talker counts as much as a loud one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from audiodae.training.pesq_loss import pesq_distance
from audiodae.training.recipe import LossSettings
from audiodae.training.spectra import Frames

TINY = 1e-8
SILENCE = 1e-5  # root mean square, relative to the noisy side, under which a target counts as silent


@dataclass(frozen=True)
class Truth:
    """What a segment is judged against. Pairs from shards know magnitudes only; the rest is None."""

    noisy_magnitudes: Tensor
    clean_magnitudes: Tensor
    noisy_spectrum: Tensor | None = None
    clean_spectrum: Tensor | None = None
    clean_waveform: Tensor | None = None


@dataclass(frozen=True)
class Estimate:
    """What the network made of the noisy side: magnitudes, and with the noisy phase a spectrum and a waveform."""

    magnitudes: Tensor
    spectrum: Tensor | None = None
    waveform: Tensor | None = None


def level(magnitudes: Tensor) -> Tensor:
    """Root mean square of each segment's magnitudes, shape (segments, 1, 1), never zero."""
    return magnitudes.square().mean(dim=(1, 2), keepdim=True).sqrt().clamp_min(TINY)


def truth_from_waveforms(noisy: Tensor, clean: Tensor, frames: Frames) -> Truth:
    """Analyse both sides of mixed segments, shape (segments, samples)."""
    noisy_spectrum, clean_spectrum = frames.analyse(noisy), frames.analyse(clean)
    return Truth(noisy_spectrum.abs(), clean_spectrum.abs(), noisy_spectrum, clean_spectrum, clean)


def estimate_from_gains(gains: Tensor, truth: Truth, frames: Frames, *, waveform: bool) -> Estimate:
    """Apply gains to the noisy side; make the waveform only where a loss wants it."""
    magnitudes = gains * truth.noisy_magnitudes
    if truth.noisy_spectrum is None or truth.clean_waveform is None:
        return Estimate(magnitudes)
    spectrum = gains * truth.noisy_spectrum
    return Estimate(
        magnitudes, spectrum, frames.synthesise(spectrum, truth.clean_waveform.shape[1]) if waveform else None
    )


def mse(*, estimate: Tensor, clean: Tensor) -> Tensor:
    """Mean squared error of magnitudes."""
    return F.mse_loss(estimate, clean)


def l1(*, estimate: Tensor, clean: Tensor) -> Tensor:
    """Mean absolute error of magnitudes."""
    return F.l1_loss(estimate, clean)


def huber(*, estimate: Tensor, clean: Tensor) -> Tensor:
    """Huber's loss of magnitudes: squared up to 1, straight beyond."""
    return F.huber_loss(estimate, clean)


def bce(*, estimate: Tensor, clean: Tensor, largest: Tensor) -> Tensor:
    """Binary cross-entropy of magnitudes scaled to [0, 1] by `largest`, shape (segments, 1, 1)."""
    largest = largest.clamp_min(TINY)
    # Away from 0 and 1, where the logarithm has no end.
    scaled = (estimate / largest).clamp(1e-6, 1 - 1e-6)
    return F.binary_cross_entropy(scaled, (clean / largest).clamp(0, 1))


def compress(magnitudes: Tensor, exponent: float) -> Tensor:
    """Raise magnitudes to a power below one, which is nearer to how loud they sound; finite slope at zero."""
    return (magnitudes + 1e-4) ** exponent


def compressed(*, estimate: Tensor, clean: Tensor, exponent: float) -> Tensor:
    """Mean squared error of compressed magnitudes (Ephrat et al. 2018, arXiv:1804.03619)."""
    return F.mse_loss(compress(estimate, exponent), compress(clean, exponent))


def compressed_complex(*, estimate: Tensor, clean: Tensor, exponent: float) -> Tensor:
    """Mean squared distance of spectra with compressed magnitude and their own phase (Braun and Tashev 2020,
    arXiv:2009.12286).
    """
    difference = _compress_complex(estimate, exponent) - _compress_complex(clean, exponent)
    return torch.view_as_real(difference).square().sum(dim=-1).mean()


def si_sdr(*, estimate: Tensor, clean: Tensor) -> Tensor:
    """Negative scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019, arXiv:1811.02508).

    The mean over the segments with a target; a silent target has no ratio. Both sides are made zero-mean. Held within
    30 dB, so that a segment already clean does not drown the others.
    """
    estimate = estimate - estimate.mean(dim=1, keepdim=True)
    clean = clean - clean.mean(dim=1, keepdim=True)
    power = clean.square().sum(dim=1)
    target = clean * ((estimate * clean).sum(dim=1) / power.clamp_min(TINY))[:, None]
    signal = target.square().sum(dim=1)
    error = (estimate - target).square().sum(dim=1)
    limit = 1e-3  # 30 dB
    ratio_db = 10 * torch.log10((signal + TINY) / (error + limit * signal + TINY))
    return -_mean_where_heard(ratio_db, clean)


def pesq(*, estimate: Tensor, clean: Tensor) -> Tensor:
    """Distance for PESQ, the mean over the segments with a target: see `audiodae.training.pesq_loss`."""
    return _mean_where_heard(pesq_distance(estimate=estimate, clean=clean), clean)


def _mean_where_heard(values: Tensor, clean: Tensor) -> Tensor:
    """Mean of one value a segment over the segments whose target is not silent."""
    heard = clean.square().sum(dim=1) > SILENCE**2 * clean.shape[1]
    return (values * heard).sum() / heard.sum().clamp_min(1)


def loss_terms(estimate: Estimate, truth: Truth, settings: LossSettings) -> dict[str, Tensor]:
    """Each term of the loss that has a weight, not yet weighted, on sides normalised by the noisy level."""
    norm = level(truth.noisy_magnitudes)
    sides = {"estimate": estimate.magnitudes / norm, "clean": truth.clean_magnitudes / norm}
    exponent = settings.exponent
    terms: dict[str, Callable[[], Tensor]] = {
        "mse": lambda: mse(**sides),
        "l1": lambda: l1(**sides),
        "huber": lambda: huber(**sides),
        "bce": lambda: bce(**sides, largest=(truth.noisy_magnitudes / norm).amax(dim=(1, 2), keepdim=True)),
        "compressed": lambda: compressed(**sides, exponent=exponent),
    }
    if estimate.spectrum is not None and truth.clean_spectrum is not None:
        spectra = {"estimate": estimate.spectrum / norm, "clean": truth.clean_spectrum / norm}
        terms["complex"] = lambda: compressed_complex(**spectra, exponent=exponent)
    if estimate.waveform is not None and truth.clean_waveform is not None:
        flat = norm[:, 0]  # (segments, 1)
        waveforms = {"estimate": estimate.waveform / flat, "clean": truth.clean_waveform / flat}
        terms["si_sdr"] = lambda: si_sdr(**waveforms)
        terms["pesq"] = lambda: pesq(**waveforms)
    return {name: term() for name, term in terms.items() if getattr(settings, name) > 0}


def weigh(terms: dict[str, Tensor], settings: LossSettings) -> Tensor:
    """The weighted sum of the terms."""
    return torch.stack([getattr(settings, name) * term for name, term in terms.items()]).sum()


def weight_penalty(parameters: list[Tensor], settings: LossSettings) -> Tensor | float:
    """L1 and L2 regularisation: weighted sums of the parameters' absolute values and squares."""
    penalty: Tensor | float = 0.0
    if settings.weight_l1 > 0:
        penalty = penalty + settings.weight_l1 * torch.stack([p.abs().sum() for p in parameters]).sum()
    if settings.weight_l2 > 0:
        penalty = penalty + settings.weight_l2 * torch.stack([p.square().sum() for p in parameters]).sum()
    return penalty


def _compress_complex(spectrum: Tensor, exponent: float) -> Tensor:
    # The modulus has no slope at zero: keep away from it.
    magnitude = (torch.view_as_real(spectrum).square().sum(dim=-1) + 1e-8).sqrt()
    return spectrum * magnitude ** (exponent - 1)
