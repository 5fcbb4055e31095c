"""A small corpus from nothing, so that every recipe runs without recordings.

    OUT/speech/SPLIT/VOICE/NNN.wav     voices (`audiodae.prep.voices`), each in one split only
    OUT/noise/SPLIT/KIND/NNN.wav       noises (`audiodae.prep.noises`), every kind in every split
    OUT/synthesis.json                 the settings it was made with

16 kHz, 16 bits, mono. The folder appears complete or not at all; the same settings give the same bytes.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import soundfile

from audiodae.errors import CorpusError
from audiodae.prep.decode import SAMPLE_RATE, Samples, to_pcm
from audiodae.prep.noises import NOISES, make_noise
from audiodae.prep.voices import draw_speaker, speak

SETTINGS_FILE = "synthesis.json"
HELD_OUT = 0.125  # of the voices and of each noise, for valid and for test each
UTTERANCE_SECONDS, NOISE_SECONDS = 5.0, 8.0  # a file's length, about
SHORTEST_FILE = 1.0

Progress = Callable[[int, int], None]  # files written, of how many


class SynthesisSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much to make. A speaker for each split is the least.

    Attributes
    ----------
    speakers : 3 or more
    speech_minutes, noise_minutes : of all splits together
    seed : of everything
    """

    speakers: int = 24
    speech_minutes: float = 10.0
    noise_minutes: float = 6.0
    seed: int = 1


class Planned(msgspec.Struct, frozen=True):
    """One file to make: where, how long, and the function that makes it of (seconds, rng)."""

    path: str
    seconds: float
    make: Callable[[float, np.random.Generator], Samples]


def synthesise_corpus(
    settings: SynthesisSettings, out: Path, *, progress: Progress = lambda done, total: None
) -> list[str]:
    """Make the corpus; one that was made with the same settings is left as it is.

    Returns
    -------
    paths : of the files, below out

    Raises
    ------
    CorpusError
        There is something else in the folder, it cannot be written, or there are fewer than three speakers.
    """
    if settings.speakers < 3:
        raise CorpusError(f"{settings.speakers} speakers: need 3 or more, one for each of train, valid and test")
    planned = list(plan(settings))
    _remove_leftovers(out)
    if not _is_made(out, settings):
        part = out.with_name(f".{out.name}.{os.getpid()}.part")
        try:
            part.mkdir(parents=True)
            _write(part, settings, planned, progress)
            if out.exists():
                out.rmdir()  # an empty folder
            part.rename(out)
        except OSError as error:
            raise CorpusError(f"{out}: cannot make a corpus here ({error.strerror})") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return [file.path for file in planned]


def _remove_leftovers(out: Path) -> None:
    """Remove what killed runs left; in a container the next run often has the same process id."""
    part = re.compile(rf"\.{re.escape(out.name)}\.\d+\.part")
    for path in out.parent.glob(".*.part"):
        if part.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


def plan(settings: SynthesisSettings) -> Iterator[Planned]:
    """The files of a corpus, in the order they are made."""
    held_out = max(1, round(HELD_OUT * settings.speakers))
    per_speaker = 60 * settings.speech_minutes / settings.speakers
    for number in range(settings.speakers):
        split = "valid" if number < held_out else "test" if number < 2 * held_out else "train"
        speaker = draw_speaker(np.random.default_rng([settings.seed, 0, number]))
        folder = f"speech/{split}/voice_{number:03d}"
        yield from _files(folder, per_speaker, UTTERANCE_SECONDS, partial(speak, speaker))
    for kind in NOISES:
        for split, share in (("train", 1 - 2 * HELD_OUT), ("valid", HELD_OUT), ("test", HELD_OUT)):
            seconds = 60 * settings.noise_minutes / len(NOISES) * share
            yield from _files(f"noise/{split}/{kind}", seconds, NOISE_SECONDS, partial(make_noise, kind))


def _files(
    folder: str, total: float, each: float, make: Callable[[float, np.random.Generator], Samples]
) -> Iterator[Planned]:
    """Files of equal length, near `each` seconds, that make up the total."""
    count = max(1, round(total / each))
    for number in range(count):
        yield Planned(f"{folder}/{number:03d}.wav", max(total / count, SHORTEST_FILE), make)


def _is_made(out: Path, settings: SynthesisSettings) -> bool:
    """Whether the corpus is there; raises CorpusError if something else is."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        made = msgspec.json.decode((out / SETTINGS_FILE).read_bytes(), type=SynthesisSettings)
    except (OSError, msgspec.MsgspecError) as error:
        raise CorpusError(f"{out}: exists and is no synthesised corpus; choose a new or empty folder") from error
    if made != settings:
        raise CorpusError(f"{out}: holds a corpus made with {made}; choose another folder, or delete this one")
    return True


def _write(part: Path, settings: SynthesisSettings, planned: list[Planned], progress: Progress) -> None:
    for number, file in enumerate(planned):
        # A generator for each file: none depends on how many came before.
        rng = np.random.default_rng([settings.seed, 1, *file.path.encode()])
        path = part / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, to_pcm(file.make(file.seconds, rng)), SAMPLE_RATE, subtype="PCM_16")
        progress(number + 1, len(planned))
    (part / SETTINGS_FILE).write_bytes(msgspec.json.encode(settings) + b"\n")
