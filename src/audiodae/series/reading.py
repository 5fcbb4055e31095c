"""What all readers of series share: leads by name, a rate, and parts that are read one after the other.

Values are float64, shape (samples, leads), in the unit of the file; a gap is NaN. A part also carries what its file
holds beside the leads (the text of a CSV's other columns, say), so that a writer of the same kind can put it back.
"""

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from audiodae.errors import SeriesFileError, one_line

Floats = npt.NDArray[np.float64]
PathName = str | os.PathLike[str]
Columns = Sequence[str | int]

NO_TIME = "none"  # as the name of the time column: there is none to look for
RATE_TOLERANCE = 0.01  # by which a rate that is given may differ from the one that a file tells
NAMES_SHOWN = 12


@dataclass(frozen=True)
class SeriesPart:
    """The next samples of a series.

    Attributes
    ----------
    values : float64, shape (samples, leads), NaN for gaps
    kept : what a writer of the same kind needs to write the rest of these samples as it was
    """

    values: Floats
    kept: Any = None


class SeriesReader(ABC):
    """A series that is read once from its beginning to its end; a context manager. Made by `open_series`.

    Attributes
    ----------
    kind : str, the name of the format
    path : Path
    names : str for each lead
    units : str for each lead, "" where the file does not say
    sample_rate : float, Hz
    n_samples : int, or None where the file does not say
    others : names of the columns that are kept as they are, the time column among them
    """

    kind: ClassVar[str]
    path: Path
    names: tuple[str, ...]
    units: tuple[str, ...]
    sample_rate: float
    n_samples: int | None = None
    others: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def parts(self, length: int) -> Iterator[SeriesPart]:
        """Yield part after part; of about `length` samples, where the format lets that be chosen."""

    def close(self) -> None:  # noqa: B027 (most readers hold nothing open)
        """Let go of the file."""

    def blocks(self, length: int) -> Iterator[Floats]:
        """Yield blocks of at most `length` samples: float64, shape (samples, leads), NaN for gaps."""
        for part in self.parts(length):
            for start in range(0, len(part.values), length):
                yield part.values[start : start + length]

    def read(self) -> Floats:
        """Give all of it: float64, shape (samples, leads), NaN for gaps."""
        return np.concatenate([np.zeros((0, len(self.names))), *self.blocks(2**20)])


def choose_columns(
    path: Path, names: Sequence[str], wanted: Columns | None, *, usual: Sequence[int], what: str = "column"
) -> list[int]:
    """Find the columns that someone asked for; where nobody did, the usual ones.

    Parameters
    ----------
    names : of all columns
    wanted : names, or numbers from 1; a number is a name first, if there is one like it
    usual : int, from 0

    Returns
    -------
    chosen : int, from 0, as they were asked for

    Raises
    ------
    SeriesFileError
        There is no such column, or one is named twice.
    """
    if wanted is None:
        return list(usual)
    chosen = [column_number(path, names, one, what=what) for one in wanted]
    if len(set(chosen)) < len(chosen):
        raise SeriesFileError(f"{path}: a {what} is named twice in {', '.join(map(str, wanted))}")
    if not chosen:
        raise SeriesFileError(f"{path}: no {what} is named; need one of {shown_names(names)}")
    return chosen


def column_number(path: Path, names: Sequence[str], wanted: str | int, *, what: str = "column") -> int:
    """Find a column by its name, or by its number from 1; give its number from 0."""
    text = str(wanted).strip()
    if isinstance(wanted, str) and text in names:
        if names.count(text) > 1:
            raise SeriesFileError(f"{path}: several {what}s are called {text!r}; give its number, from 1")
        return names.index(text)
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(names):
        return int(text) - 1
    raise SeriesFileError(f"{path}: no {what} {text!r}; there are {shown_names(names)}")


def shown_names(names: Sequence[str]) -> str:
    """Give names with their numbers, for a message."""
    shown = [f"{number} {one_line(name)!r}" for number, name in enumerate(names[:NAMES_SHOWN], 1)]
    return ", ".join(shown) + (f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else "")


def checked_rate(path: Path, given: float | None, told: float | None, *, by: str = "the file") -> float:
    """Give the rate, Hz: what the file tells, or what is given where it tells nothing.

    Parameters
    ----------
    given : by the user
    told : by the file
    by : what in the file tells it

    Raises
    ------
    SeriesFileError
        It is no rate, neither tells it, or they contradict each other.
    """
    if given is not None and not (math.isfinite(given) and given > 0):
        raise SeriesFileError(f"{path}: a rate of {given:g} Hz; need a number above 0")
    if told is None:
        if given is None:
            raise SeriesFileError(
                f"{path}: does not tell its sample rate: give --rate HZ (rate=), or name the column of time stamps, "
                "--time-column NAME"
            )
        return whole_where_whole(given)
    if given is not None and abs(given - told) > RATE_TOLERANCE * told:
        raise SeriesFileError(
            f"{path}: {by} tells {told:g} Hz, and --rate says {given:g}; leave --rate out, or, where the time stamps "
            f"are wrong, give --time-column {NO_TIME} too"
        )
    return whole_where_whole(told)


def whole_where_whole(rate: float) -> float:
    """Give 360 for 360.0."""
    return int(rate) if rate == int(rate) else float(rate)
