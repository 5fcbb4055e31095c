"""Numbers written as text, many at once: read exactly as float() would, and written with as many decimals as came in.

A decimal of up to 15 digits is a whole number below 2**53 divided by a power of ten that float64 holds exactly, so the
quotient is the nearest float64 there is (Clinger 1990, "How to read floating point numbers accurately"). Whole columns
are read by that; what else a cell may hold (exponents, more digits, words for a gap) is looked at cell by cell.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from audiodae.series.reading import Floats

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

EXACT_DIGITS = 15
LONGEST = 64  # characters; no number is longer
SIGNIFICANT = 9  # digits that are written at most: float32 holds no more
GAPS = frozenset(
    (b"", b"na", b"n/a", b"#n/a", b"<na>", b"nan", b"-nan", b"+nan", b"null", b"none", b"nil", b"-", b"--", b"?", b".")
)


class NoNumberError(ValueError):
    """A cell that is neither a number nor a gap.

    Attributes
    ----------
    row : int, from 0
    text : str, what it holds
    """

    def __init__(self, row: int, text: str) -> None:
        super().__init__(text)
        self.row = row
        self.text = text


@dataclass
class NumberFormat:
    """How a column writes its numbers; learnt from those that were read.

    Attributes
    ----------
    decimals : int, the most that a number had after its point
    whole_digits : int, the most that one had before it
    free : bool, some had an exponent or more digits than are kept: decimals are then as many as a number needs
    comma : bool, the decimal point is a comma
    """

    decimals: int = 0
    whole_digits: int = 1
    free: bool = False
    comma: bool = False

    @property
    def fixed(self) -> bool:
        """Whether every number has the same decimals."""
        return not self.free and self.decimals + self.whole_digits <= SIGNIFICANT

    def rounded(self, values: Floats) -> Floats:
        """Give the values as they will be read again (to the ninth digit, where decimals are not fixed)."""
        return np.round(values, self.decimals) + 0.0 if self.fixed else values

    def texts(self, values: Floats) -> list[bytes]:
        """Write numbers; NaN becomes nan."""
        one = b"%%.%df\n" % self.decimals if self.fixed else b"%%.%dg\n" % SIGNIFICANT
        numbers = self.rounded(values)  # no -0.000 comes of it
        text = one * len(numbers) % tuple(numbers.tolist())
        return (text.replace(b".", b",") if self.comma else text).split(b"\n")[:-1]


@dataclass
class _Digits:
    """What the characters of cells add up to, character by character."""

    mantissa: Floats
    scale: Floats
    digits: Places
    decimals: Places
    odd: npt.NDArray[np.bool_]
    pointed: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.pointed = np.zeros(len(self.odd), bool)


def read_numbers(text: Bytes, starts: Places, stops: Places, written: NumberFormat) -> Floats:
    """Read the cells of a column.

    Parameters
    ----------
    text : uint8, the characters of all cells and more
    starts, stops : int64, shape (rows,): where each cell lies in text, without blanks around it
    written : learns how these numbers are written; its comma says what they have for a point

    Returns
    -------
    values : float64, NaN for gaps

    Raises
    ------
    NoNumberError
        A cell holds something else.
    """
    lengths = stops - starts
    if not len(lengths):
        return np.zeros(0)
    found = _digits(text, starts, lengths, ord("," if written.comma else "."))
    negative = (text[np.minimum(starts, len(text) - 1)] == ord("-")) & (lengths > 0)
    values: Floats = found.mantissa / found.scale
    values = np.where(negative, -values, values)
    odd = np.flatnonzero(found.odd | (found.digits == 0) | (found.digits > EXACT_DIGITS))
    plain = np.ones(len(values), bool)
    plain[odd] = False
    if plain.any():
        written.decimals = max(written.decimals, int(found.decimals[plain].max()))
        written.whole_digits = max(written.whole_digits, _whole_digits(values[plain]))
    if len(odd):
        values[odd] = _read_odd(text, starts[odd], stops[odd], odd, written)
    return values


def _digits(text: Bytes, starts: Places, lengths: Places, point: int) -> _Digits:
    rows = len(starts)
    zeros = np.zeros(rows, np.int64)
    found = _Digits(np.zeros(rows), np.ones(rows), zeros, zeros.copy(), lengths > LONGEST)
    last = len(text) - 1
    for place in range(min(int(lengths.max()), EXACT_DIGITS + 2)):  # with sign and point
        inside = place < lengths
        character = text[np.minimum(starts + place, last)]
        digit = character - np.uint8(48)  # beyond 9 for all that is none
        is_digit = (digit < 10) & inside
        is_point = (character == point) & inside & ~found.pointed
        after = is_digit & found.pointed
        found.mantissa = np.where(is_digit, found.mantissa * 10 + digit, found.mantissa)
        found.scale = np.where(after, found.scale * 10, found.scale)
        found.digits += is_digit
        found.decimals += after
        found.odd |= inside & ~is_digit & ~is_point
        if place == 0:
            found.odd &= (character != ord("-")) & (character != ord("+")) | (lengths > LONGEST)
        found.pointed |= is_point
    found.odd |= lengths > EXACT_DIGITS + 2
    return found


def _read_odd(text: Bytes, starts: Places, stops: Places, rows: Places, written: NumberFormat) -> Floats:
    """Read cells that are no plain decimals; rows says where they stand, for the message."""
    data = text.tobytes() if len(starts) > 1000 else text
    cells = [bytes(data[start:stop]) for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
    known: dict[bytes, float] = {}
    values = np.empty(len(cells))
    for place, cell in enumerate(cells):
        value = known.get(cell)
        if value is None:
            value = known[cell] = _read_cell(cell, int(rows[place]), written)
        values[place] = value
    return values


def _read_cell(cell: bytes, row: int, written: NumberFormat) -> float:
    if cell.lower() in GAPS:
        return math.nan
    shown = cell[:40].decode("utf-8", "replace")
    if len(cell) > LONGEST or b"_" in cell or (written.comma and b"." in cell):
        raise NoNumberError(row, shown)
    try:
        value = float(cell.replace(b",", b".") if written.comma else cell)
    except ValueError:
        raise NoNumberError(row, shown) from None
    if math.isfinite(value):
        written.free = True
    return value


def _whole_digits(values: Floats) -> int:
    largest = float(np.abs(values).max())
    return max(1, len(str(int(largest))))
