"""Which recordings there are, whose they are, and which split each belongs to.

A corpus is a folder of sound files at any depth. Its layout says the rest::

    speech/train/SPEAKER/a.flac     top folders train, valid, test: the splits are kept
    speech/SPEAKER/a.flac           no such folders: whole speakers are dealt out by a seed
    noise/KIND/a.wav                noises are dealt out recording by recording, within each kind
    rooms/ROOM/a.wav                rooms as speakers, or file by file where there are fewer than three folders

The group of a recording is the folder it lies in, below the split: a kind of noise, a room. That of speech is the
speaker, and which folder that is has to be guessed, for SPEAKER/SESSION/a.wav looks like CORPUS/SPEAKER/a.wav:

    LibriSpeech                SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac says it
    splits are dealt out       the first level of folders with two or more: no speaker is in two splits either way
    splits are given           the first level with ten or more, so that a corpus may be in two splits, else the last
    --speaker-depth N          the Nth folder below the root or the split

A speaker's folder takes in all that lies below it, whatever the level says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from audiodae.errors import CorpusError

Kind = Literal["speech", "noise", "rooms"]
KINDS: tuple[Kind, ...] = ("speech", "noise", "rooms")

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3")
SPLIT_FOLDERS = {"train": "train", "valid": "valid", "val": "valid", "dev": "valid", "test": "test"}
FEWEST_SPEAKERS = 10  # of given splits: a level of fewer folders is one of corpora, if there are folders in them
# The name of a spoken digit, without its suffix.
SPOKEN = re.compile(r"(?P<speaker>[^_/]+)_(?P<digit>\d)_(?P<take>\d+)")
HELD_OUT_SHARE = 0.1  # of the units of a corpus without split folders, for valid and for test each


@dataclass(frozen=True)
class Recording:
    """One sound file of a corpus.

    Attributes
    ----------
    root : the corpus folder
    path : below the root, with forward slashes on every system
    group : speaker, kind of noise or room: a folder below the split
    """

    root: Path
    path: str
    group: str

    @property
    def file(self) -> Path:
        """Where the sound lies."""
        return self.root / self.path


def find_splits(root: Path, kind: Kind, *, seed: int, speaker_depth: int | None = None) -> dict[str, list[Recording]]:
    """Find the recordings of a corpus and the split of each.

    Parameters
    ----------
    root : the corpus folder
    kind : what it holds; speech and rooms are split by group, noise by recording
    seed : int, deals out a corpus that has no split folders
    speaker_depth : int, which folder below the root, or below the split, is the speaker, 1 for the first; None guesses

    Returns
    -------
    splits : recordings sorted by path, by split; those without recordings are left out, train never is

    Raises
    ------
    CorpusError
        The folder is missing, holds no sound, mixes split folders with others, has a speaker in two splits, has nothing
        to train on, or all its speech is of one speaker so that none can be kept apart.
    """
    paths = find_sounds(root)
    tops = {PurePosixPath(path).parts[0].lower() for path in paths}
    if not tops & set(SPLIT_FOLDERS):
        groups = _groups([PurePosixPath(path) for path in paths], kind, speaker_depth, enough=2)
        return _deal(
            [Recording(root, path, group) for path, group in zip(paths, groups, strict=True)], kind, root, seed
        )
    strangers = tops - set(SPLIT_FOLDERS)
    if strangers:
        raise CorpusError(
            f"{root}: {sorted(strangers)[0]!r} lies beside {sorted(tops - strangers)[0]!r}; "
            f"put every recording under train, valid or test, or none"
        )
    splits: dict[str, list[Recording]] = {}
    below = [PurePosixPath(*PurePosixPath(path).parts[1:]) for path in paths]
    groups = _groups(below, kind, speaker_depth, enough=FEWEST_SPEAKERS)
    for path, inside, group in zip(paths, below, groups, strict=True):
        # Who speaks in a file that lies in no folder is not known: each counts as a speaker.
        group = inside.stem if kind == "speech" and len(inside.parts) == 1 else group
        split = SPLIT_FOLDERS[PurePosixPath(path).parts[0].lower()]
        splits.setdefault(split, []).append(Recording(root, path, group))
    if "train" not in splits:
        raise CorpusError(f"{root}: no recordings under train, only under {', '.join(sorted(splits))}")
    if kind == "speech":
        refuse_shared_speakers(splits, root)
    return splits


def find_sounds(root: Path) -> list[str]:
    """The sound files anywhere below a folder, as sorted paths with forward slashes; hidden ones are passed over.

    Raises
    ------
    CorpusError
        The folder is missing or holds none.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder")
    below = (path.relative_to(root) for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    paths = sorted(path.as_posix() for path in below if not any(part.startswith(".") for part in path.parts))
    if not paths:
        raise CorpusError(f"{root}: no recordings ({', '.join(SUFFIXES)}) anywhere below it")
    return paths


def refuse_shared_speakers(splits: Mapping[str, Sequence[Recording]], root: Path) -> None:
    """Raise CorpusError if a speaker is in two splits: a network would be measured on voices that it knows."""
    split_of: dict[str, str] = {}
    for split, recordings in splits.items():
        for recording in recordings:
            other = split_of.setdefault(recording.group, split)
            if other != split:
                raise CorpusError(
                    f"{root}: speaker {recording.group!r} is in {other} and in {split}; keep each speaker in one "
                    "split, or say with --speaker-depth which folder is the speaker"
                )


def _groups(paths: Sequence[PurePosixPath], kind: Kind, speaker_depth: int | None, *, enough: int) -> list[str]:
    """The group of each recording, by its path below the root or split; `enough` folders make a level of speakers."""
    if kind != "speech":
        return [_folder(path).as_posix() for path in paths]
    if speaker_depth is not None:
        return [_cut(path.parent, speaker_depth).as_posix() for path in paths]
    plain = [path.parent for path in paths if _folder(path) == path.parent]
    level = _first_level(plain, enough)
    found = [_cut(folder, level) if (folder := _folder(path)) == path.parent else folder for path in paths]
    speakers = set(found) - {PurePosixPath()}
    # A folder inside that of a speaker, at a level where others have theirs, is no other speaker.
    return [next((f for f in reversed(folder.parents) if f in speakers), folder).as_posix() for folder in found]


def _folder(path: PurePosixPath) -> PurePosixPath:
    """The folder that a recording lies in, or the speaker's where it says that it lies in one of a chapter."""
    parent = path.parent
    return parent.parent if path.name.startswith(f"{parent.parent.name}-{parent.name}-") else parent


def _first_level(folders: Sequence[PurePosixPath], enough: int) -> int:
    """How deep the first level with enough folders lies; the last one where none has."""
    deepest = max((len(folder.parts) for folder in folders), default=0)
    levels = range(1, deepest)
    return next((level for level in levels if len({_cut(f, level) for f in folders if f.parts}) >= enough), deepest)


def _cut(folder: PurePosixPath, depth: int) -> PurePosixPath:
    return PurePosixPath(*folder.parts[:depth])


def _deal(recordings: list[Recording], kind: Kind, root: Path, seed: int) -> dict[str, list[Recording]]:
    """Deal a corpus without split folders out, whole units at a time."""
    groups = sorted({recording.group for recording in recordings})
    if kind == "speech" and len(groups) == 1:
        raise CorpusError(
            f"{root}: all recordings count as one speaker, by their folders, and none can be kept for validation; "
            "make a folder per speaker, or folders train and valid, or say with --speaker-depth which folder it is"
        )
    by_group = kind == "speech" or (kind == "rooms" and len(groups) >= 3)
    units = {r.path: r.group if by_group else r.path for r in recordings}
    decks = [[r for r in recordings if r.group == group] for group in groups]
    # Each kind of noise is dealt out by itself, so that every kind is in every split, unless all kinds are too small.
    if kind != "noise" or all(len(deck) < 3 for deck in decks):
        decks = [recordings]
    split_of = {
        unit: split for deck in decks for unit, split in _deal_units(sorted({units[r.path] for r in deck}), seed)
    }
    splits: dict[str, list[Recording]] = {}
    for recording in recordings:
        splits.setdefault(split_of[units[recording.path]], []).append(recording)
    return splits


def _deal_units(units: Sequence[str], seed: int) -> list[tuple[str, str]]:
    """Names of units and the split each falls in: about a tenth for valid and for test, one of each where possible."""
    held_out = max(1, round(HELD_OUT_SHARE * len(units)))
    n_valid = held_out if len(units) >= 2 else 0
    n_test = held_out if len(units) >= 3 else 0
    order = np.random.default_rng([seed, len(units)]).permutation(len(units))
    names = ["valid"] * n_valid + ["test"] * n_test + ["train"] * (len(units) - n_valid - n_test)
    return [(units[place], name) for place, name in zip(order, names, strict=True)]
