"""Single beats of an ECG in frames, as in fperdigon/DeepFilter (Biomedical Signal Processing and Control 70, 2021).

A beat runs from 240 ms before its R peak to 240 ms before the next; the mean of its end points is taken off, 16 zeros
stand before it and zeros fill the frame of 512 samples. Longer beats than 496 samples (1.38 s at 360 Hz) are left out.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from audiodae.prep.series.bank import SeriesBank

FRAME_SAMPLES = 512
LEAD_SAMPLES = 16
LONGEST_BEAT = FRAME_SAMPLES - LEAD_SAMPLES
BEFORE_R_SECONDS = 0.24  # stands in for 40 ms before the P wave

Values = npt.NDArray[np.float32]


@lru_cache(maxsize=4)
def usable_beats(bank: "SeriesBank") -> tuple[tuple[int, int, int], ...]:
    """The beats of a bank that fit a frame: number of the recording, first sample, samples."""
    before = round(BEFORE_R_SECONDS * bank.header.rate_hz)
    found: list[tuple[int, int, int]] = []
    for recording, peaks in enumerate(bank.beats):
        edges = peaks - before
        edges = edges[(edges >= 0) & (edges <= bank.lengths[recording])]
        lengths = np.diff(edges)
        fits = (lengths >= 2) & (lengths <= LONGEST_BEAT)
        found += [(recording, int(e), int(n)) for e, n in zip(edges[:-1][fits], lengths[fits], strict=True)]
    return tuple(found)


def in_frame(beat: Values) -> Values:
    """Lay a beat of at most `LONGEST_BEAT` samples into a frame.

    Returns
    -------
    frame : float32, shape (512,)
    """
    frame = np.zeros(FRAME_SAMPLES, np.float32)
    frame[LEAD_SAMPLES : LEAD_SAMPLES + len(beat)] = beat - (beat[0] + beat[-1]) / 2
    return frame
