"""Measures of what scores of whole sentences do not tell: moments that are lost, levels that waver, peaks that stay.

How much of the speech is kept in a moment is the gain of what came out along the clean speech, <cleaned, clean> /
<clean, clean>: what is left of the noise does not count for speech. In dB, and no less than -60, which is nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audiodae.prep.decode import SAMPLE_RATE

LOST_DB = -60.0
MOMENT_SECONDS = 0.1
ACTIVE_DB = 15.9  # below the loudest tenth of the moments less 4 dB: about the margin of ITU-T P.56
STEP_SECONDS = 0.01
WORD_DB = 25.0  # below the loud parts of a sentence: a weak fricative is a word yet, breath and room are not
PAUSE_SECONDS, WORD_SECONDS = 0.15, 0.25  # the shortest that count
ONSET_SECONDS, REST_SECONDS = 0.1, 0.6
CURVE_SECONDS, CURVE_STEP = 0.5, 0.025
CLICK_SECONDS = 0.004

Floats = npt.NDArray[np.float64]
Span = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """A sentence in a condition.

    Attributes
    ----------
    noisy : what goes in
    clean : what should come out; of sound without speech the same as noisy
    sample_rate : int, Hz
    marks : samples where something begins: clicks, the shout
    """

    noisy: Floats
    clean: Floats
    sample_rate: int = SAMPLE_RATE
    marks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Measure:
    """A row in the table of measures.

    Attributes
    ----------
    name : with its unit
    of : gives of a case and what came out of it any number of values
    low_is_bad : whether the worst decile is the lowest; None where neither side is worse
    """

    name: str
    of: Callable[[Case, Floats], list[float]]
    low_is_bad: bool | None = True


def kept_db(case: Case, cleaned: Floats, span: Span) -> float:
    """How much of the clean speech is left within a span of samples, dB."""
    clean = case.clean[slice(*span)]
    gain = np.dot(cleaned[slice(*span)], clean) / max(float(np.dot(clean, clean)), 1e-30)
    return float(max(20 * np.log10(max(gain, 1e-9)), LOST_DB))


def kept_moments(case: Case, cleaned: Floats) -> list[float]:
    """What is left of the speech in each moment of 100 ms that holds some, dB."""
    length = round(MOMENT_SECONDS * case.sample_rate)
    starts = range(0, case.clean.size - length + 1, length)
    levels = _levels_db(case.clean, length)
    active = levels > np.percentile(levels, 90) - 4 - ACTIVE_DB
    return [kept_db(case, cleaned, (at, at + length)) for at, on in zip(starts, active, strict=True) if on]


def words(case: Case) -> list[Span]:
    """Stretches of speech, in samples, with pauses of 150 ms or more before and after, 250 ms long or more."""
    step = round(STEP_SECONDS * case.sample_rate)
    levels = _levels_db(case.clean, step)
    on = levels > max(np.percentile(levels, 95) - WORD_DB, np.percentile(levels, 5) + 15)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]])))
    spans = [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
    joined: list[Span] = []
    for start, stop in spans:
        if joined and start - joined[-1][1] < PAUSE_SECONDS / STEP_SECONDS:
            joined[-1] = joined[-1][0], stop
        else:
            joined.append((start, stop))
    first, last = PAUSE_SECONDS / STEP_SECONDS, on.size - PAUSE_SECONDS / STEP_SECONDS
    long_enough = WORD_SECONDS / STEP_SECONDS
    return [(a * step, b * step) for a, b in joined if a >= first and b <= last and b - a >= long_enough]


def onsets(case: Case, cleaned: Floats) -> list[float]:
    """How much less is left of the first 100 ms of each word than of the 500 ms after them, dB.

    Words that begin below the noise are passed over.
    """
    first, rest = (round(s * case.sample_rate) for s in (ONSET_SECONDS, REST_SECONDS))
    return [
        kept_db(case, cleaned, (a, a + first)) - kept_db(case, cleaned, (a + first, min(a + rest, b)))
        for a, b in words(case)
        if _above_noise(case, (a, a + first))
    ]


def offsets(case: Case, cleaned: Floats) -> list[float]:
    """How much less is left of the last 100 ms of each word than of the 500 ms before them, dB; else as `onsets`."""
    last, rest = (round(s * case.sample_rate) for s in (ONSET_SECONDS, REST_SECONDS))
    return [
        kept_db(case, cleaned, (b - last, b)) - kept_db(case, cleaned, (max(a, b - rest), b - last))
        for a, b in words(case)
        if _above_noise(case, (b - last, b))
    ]


def onset_curves(case: Case, cleaned: Floats) -> list[list[float]]:
    """What is left in each 25 ms after the onset of a word, or after the mark where there is one, dB."""
    step = round(CURVE_STEP * case.sample_rate)
    steps = round(CURVE_SECONDS / CURVE_STEP)
    length = round(ONSET_SECONDS * case.sample_rate)
    heard = (start for start, _ in words(case) if _above_noise(case, (start, start + length)))
    starts = case.marks or tuple(heard)
    return [
        [kept_db(case, cleaned, (at + n * step, at + (n + 1) * step)) for n in range(steps)]
        for at in starts
        if at + steps * step <= case.clean.size
    ]


def kept_after_mark(seconds: float) -> Callable[[Case, Floats], list[float]]:
    """What is left of so many seconds from each mark on."""

    def measured(case: Case, cleaned: Floats) -> list[float]:
        return [kept_db(case, cleaned, (at, at + round(seconds * case.sample_rate))) for at in case.marks]

    return measured


def level_change(case: Case, cleaned: Floats) -> list[float]:
    """By how much the whole became louder, dB."""
    return [float(max(10 * np.log10((np.mean(cleaned**2) + 1e-30) / np.mean(case.noisy**2)), LOST_DB))]


def wobble(case: Case, cleaned: Floats) -> list[float]:
    """By how much the change of level wavers from one 100 ms to the next: the standard deviation, dB."""
    length = round(MOMENT_SECONDS * case.sample_rate)
    change = _levels_db(cleaned, length) - _levels_db(case.noisy, length)
    return [float(np.std(np.maximum(change, LOST_DB)))]


def click_fall(case: Case, cleaned: Floats) -> list[float]:
    """By how much the peak of each click fell, beside the clean speech, dB."""
    length = round(CLICK_SECONDS * case.sample_rate)
    before, after = np.abs(case.noisy - case.clean), np.abs(cleaned - case.clean)
    return [
        float(20 * np.log10(before[at : at + length].max() / max(after[at : at + length].max(), 1e-9)))
        for at in case.marks
    ]


def _above_noise(case: Case, span: Span) -> bool:
    clean, noisy = case.clean[slice(*span)], case.noisy[slice(*span)]
    return float(np.sum(clean**2)) > float(np.sum((noisy - clean) ** 2))


def _levels_db(samples: Floats, length: int) -> Floats:
    """Levels of the whole frames of so many samples, dB; silence reads -200."""
    frames = samples[: samples.size // length * length].reshape(-1, length)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-20))


KEPT = Measure("speech kept (dB)", kept_moments)
ONSETS = Measure("first 100 ms of words against the rest (dB)", onsets)
OFFSETS = Measure("last 100 ms of words against the rest (dB)", offsets)
FIRST_100_MS = Measure("first 100 ms kept (dB)", kept_after_mark(0.1))
FIRST_500_MS = Measure("first 500 ms kept (dB)", kept_after_mark(0.5))
LEVEL_CHANGE = Measure("level change (dB)", level_change)
NOISE_LEVEL_CHANGE = Measure("level change (dB)", level_change, low_is_bad=False)
MUSIC_LEVEL_CHANGE = Measure("level change (dB)", level_change, low_is_bad=None)
WOBBLE = Measure("wobble of the level (dB)", wobble, low_is_bad=False)
CLICK_FALL = Measure("fall of the clicks (dB)", click_fall)
