"""Noise for utterances: which piece follows from names and a seed, so every system hears the same.

The signal-to-noise ratio is that of the active speech (frames of 20 ms within 30 dB of the loudest) against the mean
power of the noise.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from audiodae.errors import SignalError
from audiodae.prep.corpus import find_sounds
from audiodae.prep.decode import read_mono

ACTIVE_DB = 30.0
FRAME_SECONDS = 0.02
SILENCE_RMS = 1e-5  # -100 dBFS
HIGHEST_PEAK = 0.99  # what passes full scale would be clipped on its way to a recogniser
DRAWS = 50

Samples = npt.NDArray[np.float32]


def find_noises(folder: Path) -> list[Path]:
    """The recordings of noise below a folder, sorted.

    Raises
    ------
    CorpusError
        The folder is missing or holds none.
    """
    return [folder / sound for sound in find_sounds(folder)]


def draw_noise(paths: Sequence[Path], name: str, *, samples: int, sample_rate: int, seed: int) -> Samples:
    """A piece of noise for an utterance, repeated where the recording is shorter.

    Kinds (the folders that the recordings lie in) are equally likely, whatever number of recordings each has.

    Parameters
    ----------
    paths : recordings
    name : of the utterance; with the seed it decides
    samples, sample_rate : of the piece

    Raises
    ------
    SignalError
        Piece after piece is silent.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    kinds: dict[Path, list[Path]] = {}
    for path in paths:
        kinds.setdefault(path.parent, []).append(path)
    for _ in range(DRAWS):
        kind = sorted(kinds)[rng.integers(len(kinds))]
        recording = read_mono(kinds[kind][rng.integers(len(kinds[kind]))], sample_rate=sample_rate)
        start = rng.integers(max(len(recording) - samples, 0) + 1)
        piece = np.resize(recording[start : start + samples], samples).astype(np.float32)
        if _rms(piece) > SILENCE_RMS:
            return piece
    raise SignalError(f"noise for {name}: {DRAWS} pieces drawn, all silent")


def add_noise(speech: Samples, noise: Samples, *, snr_db: float | None, sample_rate: int) -> Samples:
    """Speech with noise at a ratio, made quieter where it would pass full scale; None for no noise.

    Parameters
    ----------
    speech, noise : float32, shape (samples,); the speech may be longer silent than it speaks
    """
    if snr_db is None:
        return speech
    gain = active_rms(speech, sample_rate) / _rms(noise) * 10 ** (-snr_db / 20)
    noisy = speech + np.float32(gain) * noise
    return np.asarray(noisy * min(1.0, HIGHEST_PEAK / max(float(np.abs(noisy).max()), 1e-9)), np.float32)


def active_rms(speech: Samples, sample_rate: int) -> float:
    """Root mean square of the frames within 30 dB of the loudest."""
    frame = round(FRAME_SECONDS * sample_rate)
    whole = max(len(speech) // frame, 1) * frame
    powers = np.mean(np.resize(speech, whole).reshape(-1, frame).astype(np.float64) ** 2, axis=1)
    return float(np.sqrt(powers[powers >= powers.max() * 10 ** (-ACTIVE_DB / 10)].mean()))


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
