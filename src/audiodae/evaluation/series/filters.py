"""What was used before networks: linear filters and wavelet shrinkage, set by hand and not tuned.

All are zero-phase and look at the whole series, and take float, shape (samples,) or (samples, leads), at 360 Hz.

IIR
    Butterworth high-pass of 4th order at 0.67 Hz, then low-pass of 4th order, each forwards and backwards.
FIR
    The same band by Kaiser windows of 0.07 Hz transition and 13.6 dB ripple, each filter applied twice: the design of
    fperdigon/DeepFilter, `digitalFilters/dfilters.py`. At that ripple the window is rectangular.
wavelet
    sym8 in 8 levels. The approximation, below 0.70 Hz, becomes zero; levels 1 and 2 (45 to 180 Hz) are shrunk by the
    universal threshold s sqrt(2 ln n) of Donoho (1995, doi:10.1109/18.382009), levels 3 and 4 (11 to 45 Hz) by half of
    it, with s = median |d| / 0.6745 of the level; levels 5 to 8 are kept.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pywt
from scipy.signal import butter, fftconvolve, firwin, kaiserord, sosfiltfilt

from audiodae.errors import SignalError
from audiodae.evaluation.series.records import SAMPLE_RATE_HZ, Floats

LEAST_SAMPLES = 16  # scipy continues a series by as many
LOWEST_HZ = 0.67  # the slowest heart, 40 beats a minute
IIR_PADDING_SAMPLES = 3600  # 10 s: the high-pass has forgotten what came before
FIR_TRANSITION_HZ = 0.07
FIR_RIPPLE_DB = 61 / 4.5
WAVELET, LEVELS = "sym8", 8
SHRUNK = {1: 1.0, 2: 1.0, 3: 0.5, 4: 0.5}  # level: share of the universal threshold


@dataclass(frozen=True)
class ClassicFilter:
    """A filter with the face of a `Denoiser`.

    Attributes
    ----------
    apply : from and to float64, shape (leads, samples)
    """

    apply: Callable[[Floats], Floats]

    def clean(self, samples: npt.NDArray[np.floating], sample_rate: float) -> npt.NDArray[np.float32]:
        """Filter a series, shape (samples,) or (samples, leads).

        Raises
        ------
        SignalError
            It is not at 360 Hz, or shorter than 16 samples.
        """
        if sample_rate != SAMPLE_RATE_HZ:
            raise SignalError(f"the filters are designed for {SAMPLE_RATE_HZ} Hz, not {sample_rate:g}: resample first")
        if len(samples) < LEAST_SAMPLES:
            raise SignalError(f"{len(samples)} samples: the filters need {LEAST_SAMPLES} and more")
        leads = np.atleast_2d(np.asarray(samples, np.float64).T)
        return self.apply(leads).astype(np.float32).T.reshape(samples.shape)


def classic_filters() -> dict[str, ClassicFilter]:
    """The filters by the names that reports give them."""
    return {
        "IIR 0.67-150 Hz": ClassicFilter(lambda leads: iir(leads, highest_hz=150)),
        "IIR 0.67-40 Hz": ClassicFilter(lambda leads: iir(leads, highest_hz=40)),
        "FIR 0.67-150 Hz": ClassicFilter(lambda leads: fir(leads, highest_hz=150)),
        "wavelet sym8": ClassicFilter(wavelet),
    }


def iir(leads: Floats, *, highest_hz: float) -> Floats:
    """Filter by Butterworth high-pass and low-pass, continued beyond the ends by one odd reflection."""
    padding = min(IIR_PADDING_SAMPLES, leads.shape[1] - 1)
    filtered = _continued(leads, padding)
    for cutoff_hz, kind in ((LOWEST_HZ, "highpass"), (highest_hz, "lowpass")):
        filtered = sosfiltfilt(butter(4, cutoff_hz, kind, fs=SAMPLE_RATE_HZ, output="sos"), filtered)
    return filtered[:, padding : padding + leads.shape[1]]


def fir(leads: Floats, *, highest_hz: float) -> Floats:
    """Filter by Kaiser windows, continued beyond the ends by as many odd reflections as the window is long."""
    kernel = _fir_kernel(highest_hz)
    padding = len(kernel) // 2
    return np.asarray(fftconvolve(_continued(leads, padding), kernel[None], mode="valid", axes=1), np.float64)


def wavelet(leads: Floats) -> Floats:
    """Shrink the details and drop the approximation of the wavelet transform."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Level value")  # in 512 samples the coarsest levels are all border
        parts = pywt.wavedec(leads, WAVELET, level=LEVELS, axis=1)
    parts[0] = np.zeros_like(parts[0])
    universal = np.sqrt(2 * np.log(leads.shape[1]))
    for level, share in SHRUNK.items():
        details = parts[-level]
        spread = np.median(np.abs(details), axis=1, keepdims=True) / 0.6745
        parts[-level] = np.sign(details) * np.maximum(np.abs(details) - share * universal * spread, 0)
    return np.asarray(pywt.waverec(parts, WAVELET, axis=1)[:, : leads.shape[1]], np.float64)


@lru_cache
def _fir_kernel(highest_hz: float) -> Floats:
    """Both filters, each twice, as one kernel of odd length."""
    n_taps, beta = kaiserord(FIR_RIPPLE_DB, FIR_TRANSITION_HZ / (SAMPLE_RATE_HZ / 2))
    window, n_taps = ("kaiser", beta), n_taps | 1
    high = firwin(n_taps, LOWEST_HZ, window=window, pass_zero=False, fs=SAMPLE_RATE_HZ)
    low = firwin(n_taps, highest_hz, window=window, fs=SAMPLE_RATE_HZ)
    once = np.convolve(high, low)
    return np.convolve(once, once)


def _continued(leads: Floats, padding: int) -> Floats:
    return np.pad(leads, ((0, 0), (padding, padding)), "reflect", reflect_type="odd")
