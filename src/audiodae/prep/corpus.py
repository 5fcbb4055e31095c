"""Which recordings there are, whose they are, and which split each belongs to.

A corpus is a folder of sound files at any depth. Its layout says the rest::

    speech/train/SPEAKER/a.flac     top folders train, valid, test: the splits are kept
    speech/SPEAKER/a.flac           no such folders: whole speakers are dealt out by a seed
    noise/KIND/a.wav                noises are dealt out recording by recording, within each kind
    rooms/ROOM/a.wav                rooms as speakers, or file by file where there are fewer than three folders

The group of a recording is the folder it lies in, below the split: a speaker, a kind of noise, a room. LibriSpeech has
a folder per chapter inside that of the speaker and names its files SPEAKER-CHAPTER-NUMBER: there it is the speaker.
"""

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


def find_splits(root: Path, kind: Kind, *, seed: int) -> dict[str, list[Recording]]:
    """Find the recordings of a corpus and the split of each.

    Parameters
    ----------
    root : the corpus folder
    kind : what it holds; speech and rooms are split by group, noise by recording
    seed : int, deals out a corpus that has no split folders

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
        return _deal([Recording(root, path, _group(PurePosixPath(path))) for path in paths], kind, root, seed)
    strangers = tops - set(SPLIT_FOLDERS)
    if strangers:
        raise CorpusError(
            f"{root}: {sorted(strangers)[0]!r} lies beside {sorted(tops - strangers)[0]!r}; "
            f"put every recording under train, valid or test, or none"
        )
    splits: dict[str, list[Recording]] = {}
    for path in paths:
        top, *rest = PurePosixPath(path).parts
        below = PurePosixPath(*rest)
        # Who speaks in a file that lies in no folder is not known: each counts as a speaker.
        group = below.stem if kind == "speech" and len(rest) == 1 else _group(below)
        splits.setdefault(SPLIT_FOLDERS[top.lower()], []).append(Recording(root, path, group))
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
                    f"{root}: speaker {recording.group!r} is in {other} and in {split}; keep each speaker in one split"
                )


def _group(path: PurePosixPath) -> str:
    parent = path.parent
    if path.name.startswith(f"{parent.parent.name}-{parent.name}-"):
        parent = parent.parent
    return parent.as_posix()


def _deal(recordings: list[Recording], kind: Kind, root: Path, seed: int) -> dict[str, list[Recording]]:
    """Deal a corpus without split folders out, whole units at a time."""
    groups = sorted({recording.group for recording in recordings})
    if kind == "speech" and len(groups) == 1:
        raise CorpusError(
            f"{root}: all recordings lie in one folder, so they count as one speaker and none can be kept for "
            "validation; make a folder per speaker, or folders train and valid"
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
