"""The time stamps of a series: the rate that they tell, and whether they are regular to the end.

Stamps are seconds, float64. Their resolution is the last digit that was written: stamps in ms of a series at 360 Hz
lie 2 or 3 ms apart, and are regular all the same.
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from audiodae.errors import SeriesFileError
from audiodae.series.reading import Floats

JITTER = 0.2  # of a step, that a stamp may be off beyond its resolution
DRIFT = 0.01  # by which the whole may be longer or shorter than its rate says
COARSE = 50  # resolutions
DAY_S = 86_400.0
SNAP = 1e-4  # a rate this near to a whole number is one
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "msec": 1e-3, "milliseconds": 1e-3}
UNITS |= dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0)
UNITS |= {"minutes": 60.0}
WORDS = {"time", "times", "timestamp", "timestamps", "datetime", "date", "elapsed", "t"}
COUNTS = {"index", "idx", "sample", "samples", "n", "no", "nr", "row", "id", "unnamed", "#", ""}
# What no clock in seconds reads before the year 5000, so it counts something finer since 1970.
EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))


def is_time_name(name: str) -> bool:
    """Tell whether a column's name speaks of time: "time", "Elapsed time (s)", "t_ms", "seconds"."""
    words = _words(name)
    return bool(words) and (bool(set(words) & WORDS) or all(word in UNITS for word in words))


def is_count_name(name: str) -> bool:
    """Tell whether a column's name speaks of numbers that only count: "", "index", "sample #"."""
    return all(word in COUNTS for word in _words(name)) or name.strip() == ""


def seconds_per_unit(name: str, unit: str, first: float) -> float:
    """Give what a number in a time column counts, in seconds: by its unit, its name, or how large it is."""
    for word in (*_words(unit), *reversed(_words(name))):
        if word in UNITS:
            return UNITS[word]
    return next((unit for least, unit in EPOCHS if abs(first) > least), 1.0)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-zµμ#]+", name.strip().lower()) if word]


def rate_of(seconds: Floats, resolution: float) -> float | None:
    """Estimate the rate in Hz from the first stamps; None where they do not tell it."""
    steps = np.diff(seconds)
    steps = steps[np.isfinite(steps)]
    if not len(steps):
        return None
    usual = float(np.median(steps))
    steps = steps[np.abs(steps - usual) <= max(0.5 * usual, 1.01 * resolution)]  # what is missing does not count
    total = float(steps.sum())
    # Where several samples share a stamp, many stamps must pass before their rate shows.
    if total <= (COARSE * resolution if (steps == 0).any() else 0):
        return None
    rate = len(steps) / total
    whole = round(rate)
    if whole and abs(rate - whole) <= max(SNAP, 2 * resolution / total) * whole:
        return float(whole)
    return float(f"{rate:.7g}")


class RegularTime:
    """Holds time stamps to a rate, as they come in.

    Parameters
    ----------
    path, column : what messages name
    rate : float, Hz
    resolution : float, seconds
    clock : bool, the stamps are the time of the day, and begin again at midnight
    """

    def __init__(self, path: Path, column: str, rate: float, resolution: float, *, clock: bool = False) -> None:
        self._where = f"{path}: column {column!r}"
        self._step = 1 / rate
        self._resolution = resolution
        self._clock = clock
        self._last: float | None = None
        self._elapsed = 0.0
        self._steps = 0

    def add(self, seconds: Floats, place: Callable[[int], str]) -> None:
        """Take the next stamps; place names one of them in a message, as "line 17".

        Raises
        ------
        SeriesFileError
            One is missing, they go backwards, or they are not regular.
        """
        if not len(seconds):
            return
        if not np.isfinite(seconds).all():
            wrong = int(np.flatnonzero(~np.isfinite(seconds))[0])
            raise SeriesFileError(f"{self._where}, {place(wrong)}: no time stamp; {_REMEDY}")
        steps = np.diff(seconds, prepend=[] if self._last is None else [self._last])
        ahead = len(seconds) - len(steps)
        if self._clock:
            steps = np.where(steps < -DAY_S / 2, steps + DAY_S, steps)
        if (steps < 0).any():
            wrong = int(np.flatnonzero(steps < 0)[0])
            raise SeriesFileError(f"{self._where}, {place(wrong + ahead)}: time goes backwards; {_REMEDY}")
        off = np.abs(steps - self._step) > JITTER * self._step + 1.01 * self._resolution
        if off.any():
            wrong = int(np.flatnonzero(off)[0])
            raise SeriesFileError(
                f"{self._where}, {place(wrong + ahead)}: {steps[wrong]:.4g} s after the one before, where a sample "
                f"comes every {self._step:.6g} s; {_REMEDY}"
            )
        self._last = float(seconds[-1])
        self._elapsed += float(steps.sum())
        self._steps += len(steps)
        due = self._steps * self._step
        if abs(self._elapsed - due) > DRIFT * due + self._step + 2 * self._resolution:
            raise SeriesFileError(
                f"{self._where}, {place(len(seconds) - 1)}: {self._elapsed:.6g} s since the first, where "
                f"{self._steps} samples take {due:.6g} s; {_REMEDY}"
            )


_REMEDY = (
    "time stamps must be regular: resample the series first (numpy.interp, pandas' resample), write a row with empty "
    "cells for each that is missing, or give --time-column none and --rate HZ to take it as regular"
)
