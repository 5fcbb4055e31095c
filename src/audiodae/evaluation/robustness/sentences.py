"""The sentences that a network is tried on: recordings of a folder, or voices from nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from audiodae.errors import CorpusError
from audiodae.levels import LevelMeter
from audiodae.prep.corpus import find_sounds
from audiodae.prep.decode import SAMPLE_RATE, read_mono
from audiodae.prep.voices import draw_speaker, speak

LEVEL_DBFS = -26.0  # that of ITU-T tests
SECONDS = 5.0
SHORTEST_SECONDS = 1.5
SYNTHESISED = "synthesised voices"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sentence:
    """A voice without noise.

    Attributes
    ----------
    name : path below the folder, or of a synthesised voice its number
    group : the first folder of that path, a corpus or language; "" where there is none
    speaker : the folder that it lies in
    samples : float64, shape (samples,), at most 5 s of 16 kHz, at LEVEL_DBFS
    """

    name: str
    group: str
    speaker: str
    samples: Floats


def read_sentences(folder: Path, count: int) -> list[Sentence]:
    """Read the beginnings of recordings, as many of each group, spread over its files.

    Parameters
    ----------
    folder : clean speech of any rate at any depth; of several channels the first is taken
    count : int, how many

    Raises
    ------
    CorpusError
        There are fewer than two recordings of 1.5 s or more that hold sound.
    AudioFileError, SignalError
        A file cannot be read.
    """
    groups: dict[str, list[str]] = {}
    for path in find_sounds(folder):
        parts = PurePosixPath(path).parts
        groups.setdefault(parts[0] if len(parts) > 1 else "", []).append(path)
    queues = [_spread(paths) for paths in groups.values()]
    found: list[Sentence] = []
    while any(queues) and len(found) < count:
        for queue in queues:
            if len(found) < count and (sentence := _next_usable(folder, queue)):
                found.append(sentence)
    if len(found) < 2:
        raise CorpusError(f"{folder}: {len(found)} recordings of {SHORTEST_SECONDS} s or more; need 2, better 12")
    return sorted(found, key=lambda sentence: sentence.name)


def synthesised_sentences(count: int, *, seed: int) -> list[Sentence]:
    """Make voices from nothing, each sentence another speaker; one seed, the same sentences."""
    made = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        samples = speak(draw_speaker(rng), SECONDS, rng)
        name = f"voice {number}"
        made.append(Sentence(name, "", name, at_level(samples.astype(np.float64), LEVEL_DBFS)))
    return made


def active_level_dbfs(samples: Floats, sample_rate: int = SAMPLE_RATE) -> float | None:
    """The level of the active frames; None for silence."""
    meter = LevelMeter(sample_rate, 1)
    column = samples.astype(np.float32)[:, None]
    meter.add(column, column)
    return meter.levels().speech_level_dbfs


def at_level(samples: Floats, level_dbfs: float) -> Floats:
    """Scale so that the active frames have the level; silence stays."""
    level = active_level_dbfs(samples)
    return samples if level is None else samples * 10 ** ((level_dbfs - level) / 20)


def _spread(paths: Sequence[str]) -> list[str]:
    """All paths in an order whose every beginning is spread over the whole: by the bits of the place, turned round."""
    bits = max(1, (len(paths) - 1).bit_length())
    order = sorted(range(len(paths)), key=lambda place: f"{place:0{bits}b}"[::-1])
    return [paths[place] for place in order]


def _next_usable(folder: Path, queue: list[str]) -> Sentence | None:
    """Take recordings from the queue until one is long enough and not silent."""
    while queue:
        path = queue.pop(0)
        samples = read_mono(folder / path)[: round(SECONDS * SAMPLE_RATE)].astype(np.float64)
        if samples.size >= SHORTEST_SECONDS * SAMPLE_RATE and np.isfinite(samples).all() and np.ptp(samples) > 0:
            below = PurePosixPath(path)
            group = below.parts[0] if len(below.parts) > 1 else ""
            return Sentence(path, group, below.parent.as_posix(), at_level(samples, LEVEL_DBFS))
    return None
