"""What a cleaning did to the levels of a sound, by running sums: an hour needs no more memory than a second.

Levels are root mean squares over all channels in dBFS, full scale 1 (a full-scale sine reads -3.01). None stands for
what is not there to measure: silence has no level.

Time is cut into frames of 32 ms. The speech level follows method B of ITU-T P.56 on the cleaned sound: the mean level
of the active frames, those that lie no more than 15.9 dB below that same mean. All other frames are pauses; how much
quieter the sound became in them is the noise reduction. (Where there are no pauses it is taken over the whole sound.)
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audiodae.frames import WINDOW_MS, Samples

ACTIVE_DB = 15.9  # the margin of P.56 between the speech level and the quietest active frame
MUTED_DB = 40.0  # a frame made quieter by more than this is muted: nothing of it is heard
SILENCE_DB = -140.0  # below the last bit of 23; what lies there is silence, with no level to reduce
# Levels of frames are kept as a histogram, half a dB a bin.
BIN_DB = 0.5
LOWEST_DB, HIGHEST_DB = -200.0, 200.0
N_BINS = int((HIGHEST_DB - LOWEST_DB) / BIN_DB)

Sums = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """The levels of a sound before and after cleaning.

    Attributes
    ----------
    level_before_dbfs, level_after_dbfs : float or None, of the whole sound as it came and of the cleaned one
    speech_level_dbfs : float or None, of the active frames of the cleaned sound
    noise_reduction_db : float or None, how much quieter the pauses became
    muted_share : float, share of the time that was made quieter by more than 40 dB, 0 to 1
    """

    level_before_dbfs: float | None
    level_after_dbfs: float | None
    speech_level_dbfs: float | None
    noise_reduction_db: float | None
    muted_share: float


class LevelMeter:
    """Measures a cleaning while it goes on.

    Parameters
    ----------
    sample_rate : int, Hz
    channels : int
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._frame_length = max(1, round(WINDOW_MS * sample_rate / 1000))
        self._waiting = np.zeros((2, 0, channels), np.float32)
        self._samples = self._frames = self._muted = 0
        self._energy = np.zeros(2)  # of all samples, noisy and clean
        # By the level of the clean frame: how many, and their noisy and clean power.
        self._histogram = np.zeros((3, N_BINS))

    def add(self, noisy: Samples, clean: Samples) -> None:
        """Take the next samples, before and after, shape (samples, channels) both."""
        pair = np.concatenate([self._waiting, np.stack([noisy, clean])], axis=1)
        whole = pair.shape[1] - pair.shape[1] % self._frame_length
        self._waiting = pair[:, whole:].copy()
        self._count(pair[:, :whole], self._frame_length)

    def levels(self) -> Levels:
        """End the sound and give its levels; the rest of less than a frame counts as one."""
        if self._waiting.shape[1]:
            self._count(self._waiting, self._waiting.shape[1])
        before, after = (_dbfs(energy / max(self._samples, 1)) for energy in self._energy)
        speech_level, pauses = self._split()
        return Levels(before, after, speech_level, _reduction_db(pauses), self._muted / max(self._frames, 1))

    def _count(self, pair: Samples, frame_length: int) -> None:
        powers = _frame_powers(pair, frame_length)
        noisy, clean = powers
        self._samples += pair.shape[1]
        self._frames += len(noisy)
        self._energy += powers.sum(axis=1) * frame_length
        heard = noisy > 10 ** (SILENCE_DB / 10)
        noisy, clean = noisy[heard], clean[heard]
        self._muted += int(np.count_nonzero(clean < noisy * 10 ** (-MUTED_DB / 10)))
        level = 10 * np.log10(np.maximum(clean, 10 ** (LOWEST_DB / 10)))
        place = np.clip((level - LOWEST_DB) / BIN_DB, 0, N_BINS - 1).astype(np.int64)
        for row, weights in zip(self._histogram, (None, noisy, clean), strict=True):
            row += np.bincount(place, weights, N_BINS)

    def _split(self) -> tuple[float | None, Sums]:
        """Give the level of the active frames, and the noisy and clean power of the others (of all, if none is)."""
        # From the loudest bin down: the sums of all frames at least as loud.
        count, _, clean = loudest_first = np.cumsum(self._histogram[:, ::-1], axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_db = 10 * np.log10(clean / count)
        floor_db = HIGHEST_DB - BIN_DB * np.arange(1, N_BINS + 1)  # the lower edge of each bin
        reached = np.flatnonzero((count > 0) & (mean_db - floor_db >= ACTIVE_DB))
        split = int(reached[0]) if len(reached) else N_BINS - 1
        every, active = loudest_first[:, -1], loudest_first[:, split]
        pauses = every - active if every[0] > active[0] else every
        return (_dbfs(float(active[2] / active[0])) if active[0] else None), pauses[1:]


def _frame_powers(pair: Samples, length: int) -> Sums:
    """Mean squares of every frame: (2, frames x length, channels) to (2, frames)."""
    frames = pair.reshape(2, -1, length * pair.shape[2])
    # Sums in float32: a frame has too few values for the rounding to be seen in dB.
    powers: Sums = np.einsum("pfs,pfs->pf", frames, frames).astype(np.float64) / frames.shape[2]
    return powers


def _reduction_db(powers: Sums) -> float | None:
    noisy, clean = powers
    if noisy == 0:
        return None
    return float(10 * np.log10(noisy / max(clean, 10 ** (LOWEST_DB / 10))))


def _dbfs(power: float) -> float | None:
    return float(10 * np.log10(power)) if power > 10 ** (LOWEST_DB / 10) else None
