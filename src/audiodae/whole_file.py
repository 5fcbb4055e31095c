"""Files that appear complete or not at all: written beside their place under a hidden name, then renamed.

What a killed process left half-written is a hidden `.NAME.TOKEN.part`, and nothing else. A writer keeps its part locked
while it lives; so the next writer of NAME knows which parts are dead, and removes them.
"""

import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

NAME_KEPT = 60  # characters of NAME in the part's: with four bytes each the whole still fits into the usual 255


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; when the block ends well, what lies there takes the place of `path` at once.

    A link stays a link: what it points to is replaced, and keeps its permissions. When the block ends in an error,
    nothing is left and an old file stays. Of two who write one file, the last to end wins.
    """
    target = Path(os.path.realpath(path))
    remove_dead_parts(target)
    part = target.with_name(f".{target.name[:NAME_KEPT]}.{secrets.token_hex(4)}.part")
    lock = None
    try:
        lock = _create_locked(part)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())  # a rename must not reach the disk before what it names
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
        _sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)
        if lock is not None:
            os.close(lock)


def write_whole(path: Path, content: bytes) -> None:
    """Write bytes to a file, whole or not at all."""
    with whole_file(path) as part:
        part.write_bytes(content)


def _create_locked(part: Path) -> int | None:
    """Make the part and lock it; give what holds the lock until it is closed or the process ends."""
    while True:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if sys.platform == "win32":  # where an open file cannot be renamed; dead parts stay there
            os.close(descriptor)
            return None
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Another writer may have found the part before it was locked, and taken it for a dead one.
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)


def remove_dead_parts(path: Path) -> None:
    """Remove what killed writers of a file left: parts that nobody holds a lock on."""
    if sys.platform == "win32":
        return
    target = Path(os.path.realpath(path))
    ours = re.compile(rf"\.{re.escape(target.name[:NAME_KEPT])}\.[0-9a-f]{{8}}\.part")
    with suppress(OSError):  # whatever the matter is, writing will say it better
        for name in filter(ours.fullmatch, os.listdir(target.parent)):
            with suppress(OSError):
                descriptor = os.open(target.with_name(name), os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where its writer lives
                    target.with_name(name).unlink()
                finally:
                    os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
