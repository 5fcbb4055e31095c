"""Levels: root mean square, peak and decibels of float samples, full scale = 1 = 0 dBFS."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]


def rms(samples: Array) -> float:
    """Root mean square over all samples; 0 for none."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


def peak(samples: Array) -> float:
    """Largest absolute value; 0 for none."""
    return float(np.max(np.abs(samples))) if samples.size else 0.0


def to_db(amplitude: float) -> float:
    """20 log10 of an amplitude; minus infinity for silence."""
    return float(20 * np.log10(amplitude)) if amplitude > 0 else float("-inf")


def from_db(level_db: float) -> float:
    """The amplitude that `to_db` reads as level_db."""
    return float(10 ** (level_db / 20))
