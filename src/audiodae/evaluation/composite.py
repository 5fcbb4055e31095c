"""Composite measures of enhanced speech: CSIG, CBAK and COVL, what listeners say of speech, background and the whole.

They are straight sums of wide-band PESQ, the log-likelihood ratio, the weighted spectral slope and the segmental
signal-to-noise ratio, with weights fitted to listening tests by Hu and Loizou (2008, doi:10.1109/TASL.2007.911054),
computed as in Loizou's `composite.m`, which papers quote: frames of 30 ms every 7.5 ms, Hann window, 16 kHz, the worst
twentieth of the frames left out of two of them. The third kind, the segmental ratio, is held within -10 and 35 dB.
"""

import numpy as np
import numpy.typing as npt

from audiodae.errors import SignalError

Floats = npt.NDArray[np.float64]

RATE = 16_000
WINDOW, SKIP = 480, 120  # samples
LPC_ORDER = 16
N_FFT = 1024
KEPT = 0.95  # of the frames, the best
# Centres and widths of Klatt's critical bands (1982), Hz.
CENTRES_HZ = np.array([
    50.0, 120.0, 190.0, 260.0, 330.0, 400.0, 470.0, 540.0, 617.372, 703.378, 798.717, 904.128, 1020.38, 1148.30,
    1288.72, 1442.54, 1610.70, 1794.16, 1993.93, 2211.08, 2446.71, 2701.97, 2978.04, 3276.17, 3597.63,
])  # fmt: skip
WIDTHS_HZ = np.array([
    70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 77.3724, 86.0056, 95.3398, 105.411, 116.256, 127.914, 140.423, 153.823,
    168.154, 183.457, 199.776, 217.153, 235.631, 255.255, 276.072, 298.126, 321.465, 346.136,
])  # fmt: skip


def composite(
    *, estimate: npt.NDArray[np.floating], clean: npt.NDArray[np.floating], pesq_wb: float
) -> dict[str, float]:
    """Rate an estimate.

    Parameters
    ----------
    estimate, clean : float, shape (samples,), 16 kHz, an eighth of a second or more
    pesq_wb : float, wide-band PESQ of the same two

    Returns
    -------
    rated : csig, cbak, covl from 1 to 5, and ssnr_db from -10 to 35

    Raises
    ------
    SignalError
        Lengths differ, or the signals are too short for a frame.
    """
    if estimate.shape != clean.shape or clean.ndim != 1:
        raise SignalError(f"shapes {estimate.shape} and {clean.shape} differ")
    if clean.size < WINDOW + SKIP:
        raise SignalError(f"{clean.size} samples: composite measures need {WINDOW + SKIP} at {RATE} Hz")
    frames_of_clean, frames_of_estimate = _frames(clean), _frames(estimate)
    slope = _best_mean(_slope_distance(frames_of_clean, frames_of_estimate))
    likelihood = _best_mean(_log_likelihood_ratio(frames_of_clean, frames_of_estimate))
    ssnr_db = _segmental_snr_db(frames_of_clean, frames_of_estimate)
    rated = {
        "csig": 3.093 - 1.029 * likelihood + 0.603 * pesq_wb - 0.009 * slope,
        "cbak": 1.634 + 0.478 * pesq_wb - 0.007 * slope + 0.063 * ssnr_db,
        "covl": 1.594 + 0.805 * pesq_wb - 0.512 * likelihood - 0.007 * slope,
    }
    return {name: float(np.clip(value, 1, 5)) for name, value in rated.items()} | {"ssnr_db": ssnr_db}


def _frames(samples: npt.NDArray[np.floating]) -> Floats:
    """Windowed frames, shape (frames, WINDOW); as many as composite.m looks at."""
    count = int(samples.size / SKIP - WINDOW / SKIP)
    window = np.hanning(WINDOW + 2)[1:-1]  # MATLAB's hann leaves out the zeros at both ends
    cut = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), WINDOW)[::SKIP][:count]
    return np.asarray(cut * window)


def _best_mean(distances: Floats) -> float:
    return float(np.sort(distances)[: round(KEPT * distances.size)].mean())


def _segmental_snr_db(clean: Floats, estimate: Floats) -> float:
    tiny = np.finfo(np.float64).eps
    power, error = (clean**2).sum(axis=1), ((clean - estimate) ** 2).sum(axis=1)
    return float(np.clip(10 * np.log10(power / (error + tiny) + tiny), -10, 35).mean())


def _log_likelihood_ratio(clean: Floats, estimate: Floats) -> Floats:
    """How much worse the estimate's linear prediction fits the clean frame than its own; 0 for silent frames."""
    correlation = _autocorrelation(clean)
    matrix = correlation[:, np.abs(np.subtract.outer(np.arange(LPC_ORDER + 1), np.arange(LPC_ORDER + 1)))]
    own, other = (
        np.einsum("ti,tij,tj->t", lpc, matrix, lpc)
        for lpc in (_prediction(correlation), _prediction(_autocorrelation(estimate)))
    )
    heard = (own > 0) & (other > 0)
    return np.where(heard, np.log(np.where(heard, other, 1.0) / np.where(heard, own, 1.0)), 0.0)


def _autocorrelation(frames: Floats) -> Floats:
    power = np.abs(np.fft.rfft(frames, 2 * WINDOW)) ** 2
    return np.asarray(np.fft.irfft(power)[:, : LPC_ORDER + 1])


def _prediction(correlation: Floats) -> Floats:
    """Prediction filters of all frames at once, by Levinson and Durbin: shape (frames, LPC_ORDER + 1), the first 1."""
    filters = np.zeros_like(correlation)
    filters[:, 0] = 1.0
    error = correlation[:, 0].copy()
    for order in range(1, LPC_ORDER + 1):
        mismatch = (filters[:, :order] * correlation[:, order:0:-1]).sum(axis=1)
        reflection = -mismatch / np.where(error == 0, np.inf, error)
        filters[:, 1 : order + 1] += reflection[:, None] * filters[:, order - 1 :: -1]
        error *= 1 - reflection**2
    return filters


def _slope_distance(clean: Floats, estimate: Floats) -> Floats:
    """Weighted spectral slope distance of each frame (Klatt 1982), the mean weight of both sides."""
    (slope, weight), (other_slope, other_weight) = _slopes(clean), _slopes(estimate)
    return np.asarray(np.average((slope - other_slope) ** 2, axis=1, weights=weight + other_weight))


def _slopes(frames: Floats) -> tuple[Floats, Floats]:
    """Differences between neighbouring critical bands, dB, and their weights: both (frames, bands - 1)."""
    # composite.m reads 16-bit numbers and divides by full scale here; its ears are those of samples within 1.
    power = np.abs(np.fft.rfft(frames / 32_768, N_FFT)[:, : N_FFT // 2]) ** 2
    energy = 10 * np.log10(np.maximum(power @ _critical_bands().T, 1e-10))
    slope = np.diff(energy, axis=1)
    to_loudest = energy.max(axis=1, keepdims=True) - energy[:, :-1]
    to_peak = _nearest_peak(energy, slope > 0) - energy[:, :-1]
    return slope, 20 / (20 + to_loudest) / (1 + to_peak)


def _critical_bands() -> Floats:
    """Gaussian filters of equal area, shape (bands, N_FFT / 2)."""
    per_hz = N_FFT / RATE
    centre, width = np.floor(CENTRES_HZ * per_hz)[:, None], WIDTHS_HZ[:, None]
    bank = np.exp(-11 * ((np.arange(N_FFT // 2) - centre) / (width * per_hz)) ** 2) * WIDTHS_HZ[0] / width
    return np.asarray(np.where(bank > np.exp(-30 / (2 * 2.303)), bank, 0.0))  # composite.m's floor


def _nearest_peak(energy: Floats, rising: npt.NDArray[np.bool_]) -> Floats:
    """Level of the peak nearest to each band: uphill where the spectrum rises there, back downhill where it falls."""
    rows, last = np.arange(len(energy)), rising.shape[1]
    peak = np.empty(rising.shape)
    top = np.full(len(energy), last)
    for band in reversed(range(last)):
        top = np.where(rising[:, band], top, band)
        peak[:, band] = energy[rows, top - 1]  # one before the top, as composite.m has it
    foot = np.full(len(energy), -1)
    for band in range(last):
        foot = np.where(rising[:, band], band, foot)
        peak[:, band] = np.where(rising[:, band], peak[:, band], energy[rows, foot + 1])
    return peak
