"""Measures of a cleaned ECG against its reference, as papers print them.

Conventions
-----------
`estimate`, `clean` and `noisy` are float, mV, of one shape. SSD, MAD, PRD and cosine are of frames, shape (frames,
samples), 512 samples at 360 Hz, one value a frame; `frame_means` averages them, and cuts a long series into successive
frames first. Ratios are of whole series, along the last axis. None has a hidden floor: what cannot be computed (PRD of
a frame whose reference is flat) is NaN and is left out of the means.

References
----------
SSD, MAD, PRD and cosine: Romero et al. 2021, "DeepFilter: an ECG baseline wander removal filter using deep learning
techniques", doi:10.1016/j.bspc.2021.102992. SNR improvement: Chiang et al. 2019, doi:10.1109/ACCESS.2019.2912036.
"""

import numpy as np
import numpy.typing as npt

from audiodae.errors import SignalError
from audiodae.evaluation.series.mixing import in_whole_frames

LIMIT_DB = 100.0  # what a perfect estimate reads, so that means stay finite

Values = npt.NDArray[np.floating]
Floats = npt.NDArray[np.float64]


def ssd(*, estimate: Values, clean: Values) -> Floats:
    """Sum of squared distances of each frame, mV²; a sum over samples, not over seconds."""
    return np.asarray(np.sum((_wide(estimate) - clean) ** 2, axis=1), np.float64)


def mad(*, estimate: Values, clean: Values) -> Floats:
    """Maximum absolute distance of each frame, mV."""
    return np.asarray(np.max(np.abs(_wide(estimate) - clean), axis=1), np.float64)


def prd(*, estimate: Values, clean: Values) -> Floats:
    """Percentage root-mean-square difference: 100 sqrt(sum error² / sum (clean - mean of its frame)²)."""
    reference = _wide(clean)
    return _percent_root(ssd(estimate=estimate, clean=clean), reference - reference.mean(axis=1, keepdims=True))


def prd_deepfilter(*, estimate: Values, clean: Values) -> Floats:
    """PRD as fperdigon/DeepFilter's code has it, for comparison with its table only.

    Its denominator is sum (estimate - mean of clean)², the mean taken over the whole array of frames. The estimate in
    the denominator rewards too large an output.
    """
    return _percent_root(ssd(estimate=estimate, clean=clean), _wide(estimate) - _wide(clean).mean())


def cosine(*, estimate: Values, clean: Values) -> Floats:
    """Cosine similarity of each frame, -1 to 1; 0 where the estimate is all zero."""
    estimate, clean = _wide(estimate), _wide(clean)
    norms = np.linalg.norm(clean, axis=1) * np.linalg.norm(estimate, axis=1)
    products = np.sum(clean * estimate, axis=1)
    found = np.divide(products, norms, out=np.zeros_like(norms), where=norms > 0)
    return np.where(np.any(clean != 0, axis=1), found, np.nan)


def snr_gain_db(*, estimate: Values, noisy: Values, clean: Values) -> Floats:
    """How much nearer to the clean series the estimate is than the noisy one, dB of squared error, -100 to 100.

    NaN where the noisy series is the clean one: there is nothing to gain.
    """
    before = np.sum((_wide(noisy) - clean) ** 2, axis=-1)
    gained = _ratio_db(before, np.sum((_wide(estimate) - clean) ** 2, axis=-1))
    return np.where(before > 0, gained, np.nan)


def snr_out_db(*, estimate: Values, clean: Values) -> float:
    """Variance of the clean series over the mean squared error, dB, -100 to 100.

    Raises
    ------
    SignalError
        The clean series is constant.
    """
    reference = _wide(clean)
    if np.ptp(reference) == 0:
        raise SignalError("the reference is constant: no signal-to-noise ratio")
    return float(_ratio_db(reference.var(), np.mean((_wide(estimate) - reference) ** 2)))


def frame_means(*, estimate: Values, clean: Values) -> dict[str, float]:
    """Means and standard deviations (NAME_sd) over the frames of ssd, mad, prd, prd_deepfilter and cosine.

    Parameters
    ----------
    estimate, clean : shape (frames, 512), or (samples,): cut into frames, the rest of less than a frame left out

    Raises
    ------
    SignalError
        Shapes differ, there is no whole frame, or the reference is flat throughout.
    """
    if np.shape(estimate) != np.shape(clean):
        raise SignalError(f"the estimate has shape {np.shape(estimate)}, its reference {np.shape(clean)}")
    estimate, clean = in_whole_frames(estimate), in_whole_frames(clean)
    if not len(clean) or not np.any(np.ptp(clean, axis=1)):
        raise SignalError("no whole frame with an ECG in it: nothing to measure")
    measured = {
        measure.__name__: measure(estimate=estimate, clean=clean) for measure in (ssd, mad, prd, prd_deepfilter, cosine)
    }
    means = {name: float(np.nanmean(values)) for name, values in measured.items()}
    return means | {f"{name}_sd": float(np.nanstd(values)) for name, values in measured.items()}


def _percent_root(error: Floats, reference: Floats) -> Floats:
    energy = np.sum(reference**2, axis=1)
    ratio = np.divide(error, energy, out=np.full_like(energy, np.nan), where=energy > 0)
    return np.asarray(100 * np.sqrt(ratio), np.float64)


def _ratio_db(above: Values | np.floating, below: Values | np.floating) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        decibels = 10 * np.log10(above) - 10 * np.log10(below)
    # Both zero: nothing was wrong and nothing is.
    return np.asarray(np.clip(np.nan_to_num(decibels, nan=LIMIT_DB), -LIMIT_DB, LIMIT_DB), np.float64)


def _wide(values: Values) -> Floats:
    return np.asarray(values, np.float64)
