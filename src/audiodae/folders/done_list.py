"""What was done in a folder and need not be done again: a list that grows by a line whenever something is.

`OUT/.audiodae.jsonl` holds two lines for every sound, of which the later holds: one when work on it begins and one when
its files have appeared. So a run that is killed between a file's appearing and its second line still knows the file
for its own. A line::

    {"path": "sub/a.wav", "settings": "5f...", "source": [320044, 1763737000123456789],
     "targets": {"sub/a.wav": [320044, 1763737001123456789]}}

The pairs are size in bytes and time of change in ns; null stands for a file that is not there yet.
"""

import errno
import json
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from audiodae.errors import AudioFileError

DONE_NAME = ".audiodae.jsonl"


class JsonLines:
    """A file of JSON lines that only grows, each written at once. Use as a context manager.

    Raises
    ------
    AudioFileError
        It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open(path, "ab+", buffering=0)  # noqa: SIM115  # __exit__ closes it
            if self._file.seek(0, os.SEEK_END):
                self._file.seek(-1, os.SEEK_END)
                if self._file.read(1) != b"\n":  # torn when a machine stopped: what follows is a line of its own
                    self._write(b"\n")
        except OSError as error:
            raise AudioFileError(f"{path}: cannot be written ({error.strerror})") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, entry: dict[str, Any]) -> None:
        """Add a line."""
        try:
            self._write(json.dumps(entry).encode() + b"\n")
        except OSError as error:
            raise AudioFileError(f"{self.path}: cannot be written ({error.strerror})") from None

    def read(self) -> Iterable[dict[str, Any]]:
        """Yield the lines that hold an object; torn ones are passed over."""
        self._file.seek(0)
        for line in self._file.readall().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry

    def _write(self, line: bytes) -> None:
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class DoneList(JsonLines):
    """The sounds of an input folder that were worked on, by their paths in it.

    Parameters
    ----------
    folder : where the outputs lie, absolute or not, as in all targets here
    settings : str, the same for two runs that make the same of a sound
    """

    def __init__(self, folder: Path, settings: str) -> None:
        super().__init__(folder / DONE_NAME)
        self._folder, self._settings = folder, settings
        self._entries = {entry["path"]: entry for entry in self.read() if _is_entry(entry)}

    def is_done(self, path: Path, source: Path, targets: Iterable[Path]) -> bool:
        """Tell whether all targets are there as they would be made now."""
        entry = self._entries.get(str(path))
        if entry is None or (entry["settings"], entry["source"]) != (self._settings, fingerprint(source)):
            return False
        made = entry["targets"]
        return all(made.get(self._name(target)) == fingerprint(target) is not None for target in targets)

    def may_replace(self, path: Path, targets: Iterable[Path]) -> bool:
        """Tell whether what lies at the targets, if anything, was made here and left alone since."""
        made = self._entries.get(str(path), {}).get("targets", {})
        return all(
            found is None or (self._name(target) in made and made[self._name(target)] in (None, found))
            for target in targets
            for found in [fingerprint(target)]
        )

    def begin(self, path: Path, source: Path, targets: Iterable[Path]) -> None:
        """Note that the targets, if they appear, are ours, made of the source as it is now."""
        self._note(
            {
                "path": str(path),
                "settings": self._settings,
                "source": fingerprint(source),
                "targets": {self._name(target): None for target in targets},
            }
        )

    def finish(self, path: Path, targets: Iterable[Path]) -> None:
        """Note that the targets of a sound that was begun have appeared."""
        made = {self._name(target): fingerprint(target) for target in targets}
        self._note(self._entries[str(path)] | {"targets": made})

    def _note(self, entry: dict[str, Any]) -> None:
        self._entries[entry["path"]] = entry
        self.append(entry)

    def _name(self, target: Path) -> str:
        return str(target.relative_to(self._folder))


def fingerprint(path: Path) -> list[int] | None:
    """Give what a file cannot change without: its size in bytes and its time of change in ns; None if it is missing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _is_entry(entry: dict[str, Any]) -> bool:
    kinds = {"path": str, "settings": str, "source": list | None, "targets": dict}
    return all(isinstance(entry.get(key), kind) for key, kind in kinds.items())
