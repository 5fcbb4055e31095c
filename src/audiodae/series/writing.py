"""What all writers of series share: they take part after part and appear complete or not at all."""

from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

from audiodae.errors import SeriesFileError, one_line
from audiodae.series.reading import Floats, SeriesPart
from audiodae.whole_file import whole_file


class SeriesWriter(ABC):
    """A series that is written from its beginning to its end; a context manager.

    Attributes
    ----------
    path : Path
    clipped : int, numbers so far that lay beyond what the file can hold and were held at its limits
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clipped = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            try:
                self._begin(stack)
            except OSError as error:
                raise cannot_write(self.path, error) from None
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            try:
                self._finish()
                self._stack.close()  # the renames
            except OSError as failure:
                raise cannot_write(self.path, failure) from None

    def write(self, part: SeriesPart, values: Floats) -> None:
        """Append what stands in the place of a part's values, float64, shape (samples, leads), NaN for gaps."""
        try:
            self._append(part, values)
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def as_written(self, values: Floats) -> Floats:
        """Give what will be read back of values that were just written."""
        return values

    @abstractmethod
    def _begin(self, stack: ExitStack) -> None:
        """Open what is written to; the stack closes it, and removes it after an error."""

    @abstractmethod
    def _append(self, part: SeriesPart, values: Floats) -> None:
        """Write the next values."""

    def _finish(self) -> None:  # noqa: B027 (most formats need no end)
        """Write what comes last."""


def open_part(stack: ExitStack, path: Path) -> BinaryIO:
    """Open a file that takes the place of path when the stack ends well."""
    part = stack.enter_context(whole_file(path))
    return stack.enter_context(part.open("r+b"))


def cannot_write(path: Path, error: OSError) -> SeriesFileError:
    """Say that a file cannot be written; what says so already stays."""
    if isinstance(error, SeriesFileError):
        return error
    return SeriesFileError(f"{path}: cannot be written ({one_line(error.strerror or str(error))})")


def to_whole(values: Floats, least: int, most: int, gap: int | None = None) -> tuple[npt.NDArray[np.int64], int]:
    """Round to whole numbers within limits; give them, and how many were held at a limit.

    Parameters
    ----------
    gap : what stands for NaN; the least where there is none
    """
    gaps = np.isnan(values)
    rounded = np.rint(np.where(gaps, 0.0, values))
    held = np.clip(rounded, least, most)
    clipped = int(np.count_nonzero(held != rounded))
    whole = held.astype(np.int64)
    whole[gaps] = least if gap is None else gap
    return whole, clipped
