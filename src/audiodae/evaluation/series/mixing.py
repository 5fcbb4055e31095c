"""Noisy ECG of two protocols: the arithmetic, without files.

snr
    The start of each record with one kind of noise, or with all at equal power, at given signal-to-noise ratios.
beats
    Single beats in frames of 512 samples with noise of 0.2 to 1.99 times the beat's range, as in fperdigon/DeepFilter
    (Romero et al. 2021, doi:10.1016/j.bspc.2021.102992).

Nothing is random: which stretch of noise goes where follows from the names, so a condition does not depend on which
others are made. Signals are float64, shape (samples,), in mV at 360 Hz.
"""

import zlib
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from audiodae.errors import SignalError
from audiodae.evaluation.series.records import SAMPLE_RATE_HZ, EcgRecord, Floats

FRAME_SAMPLES = 512
FRAME_LEAD_SAMPLES = 16  # zeros in front of each beat
BEAT_START_BEFORE_R_S = 0.24  # stands in for 40 ms before the P wave, which is not annotated
SCALE_SEED = 1234  # DeepFilter's
SCALE_PERCENT = (20, 200)
ALL_NOISES = "all"


def noise_segment(noise: Floats, name: str, samples: int) -> Floats:
    """Cut a stretch of one lead, without its mean; start and lead follow from the name by its CRC.

    Parameters
    ----------
    noise : float64, shape (samples, leads)
    name : of the record and kind, such as 100_bw
    samples : int

    Raises
    ------
    SignalError
        The noise is shorter than that.
    """
    if len(noise) < samples:
        seconds = len(noise) / SAMPLE_RATE_HZ
        raise SignalError(
            f"noise for {name}: {seconds:g} s, {samples / SAMPLE_RATE_HZ:g} s needed: take --seconds {seconds:g}"
        )
    number = zlib.crc32(name.encode())
    start = (number >> 1) % (len(noise) - samples + 1)
    segment = noise[start : start + samples, number % noise.shape[1]]
    return np.asarray(segment - segment.mean(), np.float64)


def noises_for(record: str, noises: Mapping[str, Floats], samples: int) -> dict[str, Floats]:
    """A stretch of each kind of noise for a record, and where there are several kinds, all of them at equal power.

    Raises
    ------
    SignalError
        A noise is too short or constant.
    """
    parts = {kind: noise_segment(noise, f"{record}_{kind}", samples) for kind, noise in noises.items()}
    for kind, part in parts.items():
        if np.ptp(part) == 0:
            raise SignalError(f"noise {kind}: constant, nothing to add")
    if len(parts) > 1:
        # Python's sum adds in the order of the kinds, which the last digits depend on.
        parts[ALL_NOISES] = np.asarray(sum(part / part.std() for part in parts.values()), np.float64)
    return parts


def at_snr(clean: Floats, noise: Floats, snr_db: float) -> Floats:
    """Give clean + noise, scaled so that the ratio of their variances is `snr_db`."""
    gain = np.sqrt(clean.var() / (noise.var() * 10 ** (snr_db / 10)))
    return np.asarray(clean + gain * noise, np.float64)


def cut_beats(record: EcgRecord) -> Floats:
    """The beats of a record in frames, shape (beats, 512).

    A beat goes from 240 ms before its R peak to 240 ms before the next. The mean of its two ends is taken off, zeros
    fill the frame. Beats of more than 496 samples (1.38 s) are left out.
    """
    edges = record.beats - round(BEAT_START_BEFORE_R_S * SAMPLE_RATE_HZ)
    edges = edges[edges >= 0]
    frames: list[Floats] = []
    for start, end in pairwise(edges):
        beat = record.reference[start:end]
        if 2 <= len(beat) <= FRAME_SAMPLES - FRAME_LEAD_SAMPLES:
            frame = np.zeros(FRAME_SAMPLES)
            frame[FRAME_LEAD_SAMPLES : FRAME_LEAD_SAMPLES + len(beat)] = beat - (beat[0] + beat[-1]) / 2
            frames.append(frame)
    return np.array(frames).reshape(-1, FRAME_SAMPLES)


def beats_with_noise(frames: Floats, noise: Floats) -> Floats:
    """Add successive pieces of a noise to successive beats, each scaled to 0.2 to 1.99 times the beat's range.

    The offset of a piece stays in it, as in DeepFilter: that is why the noisy rows are so bad.

    Parameters
    ----------
    frames : float64, shape (beats, 512)
    noise : float64, shape (samples,)
    """
    pieces = len(noise) // FRAME_SAMPLES
    if not pieces:
        raise SignalError(f"noise of {len(noise)} samples: beats need {FRAME_SAMPLES} and more")
    piece = noise[: pieces * FRAME_SAMPLES].reshape(pieces, -1)[np.arange(len(frames)) % pieces]
    gain = beat_scales(len(frames)) * np.ptp(frames, axis=1) / np.ptp(piece, axis=1)
    return np.asarray(frames + gain[:, None] * piece, np.float64)


def beat_scales(count: int) -> Floats:
    """The noise of each beat, as a share of its range: always the same numbers."""
    return np.asarray(np.random.RandomState(SCALE_SEED).randint(*SCALE_PERCENT, count) / 100, np.float64)


def beat_noises(noises: Mapping[str, Floats]) -> dict[str, Floats]:
    """The noises of the beats protocol, of the last lead: bw as published; with em, bw + em at equal power as well."""
    last = {kind: noise[:, -1] for kind, noise in noises.items()}
    found = {"bw": last["bw"]} if "bw" in last else {}
    if {"bw", "em"} <= last.keys():
        found["bwem"] = last["bw"] / last["bw"].std() + last["em"] / last["em"].std()
    return found


def in_whole_frames(signals: npt.NDArray[np.floating]) -> Floats:
    """Frames of 512 samples: those that are frames already, shape (frames, 512), or a signal cut, without its rest."""
    values = np.asarray(signals, np.float64)
    if values.ndim == 2:
        return values
    return values[: len(values) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
