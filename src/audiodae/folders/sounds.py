"""Which files of a folder, and of all folders below it, are sounds to work on."""

import os
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from audiodae.errors import AudioFileError

# What reads as sound most often. A name decides here, for thousands of files; the content decides when one is opened.
SOUND_SUFFIXES = frozenset(
    """
    .wav .wave .bwf .rf64 .w64 .aif .aiff .aifc .au .snd .caf .flac .ogg .oga .opus .mp3 .sph .nist .voc
    .m4a .m4b .aac .ac3 .amr .wma .mka .mp4 .m4v .mov .mkv .webm .avi .wmv .3gp
    """.split()  # noqa: SIM905 (a table to read, not a list of quotes)
)


@dataclass(frozen=True)
class SoundTree:
    """What lies in a folder.

    Attributes
    ----------
    sounds : list of Path within the folder, sorted
    others : int, files that are no sounds or were not asked for; hidden ones are not counted
    unreadable : dict, folders that may not be looked into, with the reason
    """

    sounds: list[Path]
    others: int
    unreadable: dict[Path, str]


def find_sounds(
    root: Path, *, include: Collection[str] = ("*",), leave_out: Path | None = None, done_name: str = ""
) -> SoundTree:
    """Find the sounds of a folder: by their suffix, as far as they fit a pattern.

    Hidden files and folders (.name) are passed over. Links are followed, but no folder is entered twice, so that a
    circle of links ends; a folder that lies below root is found where it lies.

    Parameters
    ----------
    include : patterns as a shell has them, one of which the name or the path of a sound must fit, in upper or lower
        case; "*" also stands for "/". One with a suffix of its own ("*.dat") makes files of that suffix sounds
    leave_out : folder not to enter
    done_name : folders below root in which a file of this name lies are not entered either

    Raises
    ------
    AudioFileError
        Root is no folder, or may not be looked into.
    """
    patterns = [pattern.lower() for pattern in include]
    suffixes = SOUND_SUFFIXES | {Path(pattern).suffix for pattern in patterns} - {""}
    sounds, others, unreadable = [], 0, {}
    waiting = deque([Path()])
    entered = {_identity(leave_out)} if leave_out and leave_out.exists() else set()
    while waiting:
        folder = waiting.popleft()
        try:
            if (identity := _identity(root / folder)) in entered:
                continue
            entered.add(identity)
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError as error:
            if folder == Path():
                raise AudioFileError(f"{root}: {error.strerror}; name a folder of sounds") from None
            unreadable[folder] = error.strerror or str(error)
            continue
        if folder != Path() and any(entry.name == done_name for entry in entries):
            continue
        entries = [entry for entry in entries if not entry.name.startswith(".")]
        real, linked = _folders(entries)
        waiting.extendleft(folder / name for name in reversed(real))
        waiting.extend(folder / name for name in linked)  # after all that lies below root
        for name in sorted({entry.name for entry in entries} - {*real, *linked}):
            if Path(name).suffix.lower() in suffixes and _fits(folder / name, patterns):
                sounds.append(folder / name)
            else:
                others += 1
    return SoundTree(sorted(sounds), others, unreadable)


def _folders(entries: Iterable[os.DirEntry[str]]) -> tuple[list[str], list[str]]:
    """Give the names of the folders among entries, and of the links to folders."""
    real = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return real, [entry.name for entry in entries if entry.is_symlink() and os.path.isdir(entry)]


def _fits(path: Path, patterns: Collection[str]) -> bool:
    texts = (path.as_posix().lower(), path.name.lower())
    return any(fnmatchcase(text, pattern) for text in texts for pattern in patterns)


def _identity(folder: Path) -> tuple[int, int]:
    """Tell a folder by what it is, whatever it is called."""
    found = folder.stat()
    return found.st_dev, found.st_ino
