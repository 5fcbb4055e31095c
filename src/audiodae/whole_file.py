"""Files that appear complete or not at all: written beside their place under a hidden name, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; when the block ends well, what lies there takes the place of `path` at once.

    When it ends in an error nothing is left and an old file stays. A kill in between leaves the old file, and a hidden
    `.NAME.PID.part` beside it.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())  # a rename must not reach the disk before what it names
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write bytes to a file, whole or not at all."""
    with whole_file(path) as part:
        part.write_bytes(content)
