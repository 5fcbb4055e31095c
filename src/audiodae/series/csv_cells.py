"""Where the cells of a piece of a table lie: found by numpy in all rows at once, as places in its bytes.

Nothing is split into strings, so what is not asked for costs nothing, and everything between the cells of interest
(other columns, comments, quotes, line ends) can be written again as it was.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audiodae.series.csv_layout import COMMENT
from audiodae.series.csv_numbers import Bytes, Places

QUOTE = ord('"')
BLANKS = (ord(" "), ord("\t"), ord("\r"))


class RaggedError(ValueError):
    """A row with another number of cells than the others.

    Attributes
    ----------
    line : int, from 0 within the piece
    cells : int, how many it has
    """

    def __init__(self, line: int, cells: int) -> None:
        super().__init__(line, cells)
        self.line = line
        self.cells = cells


@dataclass(frozen=True)
class Cells:
    """The rows of a piece of a table.

    Attributes
    ----------
    text : uint8, the bytes of the piece
    edges : int64, shape (rows, columns + 1): a cell begins a byte after its left edge and ends before its right one
    lines : int64, shape (rows,): the line of the piece that a row stands in, from 0
    """

    text: Bytes
    edges: Places
    lines: Places

    def column(self, number: int) -> tuple[Places, Places]:
        """Give where the cells of a column begin and end, without blanks and quotes around them."""
        starts, stops = self.edges[:, number] + 1, self.edges[:, number + 1].copy()
        starts, stops = _trimmed(self.text, starts, stops)
        quoted = (stops - starts >= 2) & (_at(self.text, starts) == QUOTE) & (_at(self.text, stops - 1) == QUOTE)
        return (starts + quoted, stops - quoted) if quoted.any() else (starts, stops)


def find_cells(data: bytes, *, delimiter: bytes, newline: bytes, columns: int) -> Cells:
    """Find the cells of whole lines; comments and empty lines are none.

    Raises
    ------
    RaggedError
        A row has not as many cells as there are columns.
    """
    text = np.frombuffer(data, np.uint8)
    is_end, is_separator = text == ord(newline), text == ord(delimiter)
    if b'"' in data:  # what stands within quotes separates nothing; a doubled quote counts twice, and so not at all
        outside = np.cumsum(text == QUOTE, dtype=np.int32) % 2 == 0
        is_end, is_separator = is_end & outside, is_separator & outside
    ends = np.flatnonzero(is_end)
    if len(text) and (not len(ends) or ends[-1] != len(text) - 1):
        ends = np.append(ends, len(text))  # the last line of a file may lack its end
    starts = np.concatenate([[-1], ends[:-1]])[: len(ends)]  # a byte before each line
    separators = np.flatnonzero(is_separator)
    rows = np.flatnonzero(_are_rows(text, starts, ends))
    before = np.searchsorted(separators, starts[rows])
    counts = np.searchsorted(separators, ends[rows]) - before
    if (counts != columns - 1).any():
        wrong = int(np.flatnonzero(counts != columns - 1)[0])
        raise RaggedError(int(rows[wrong]), int(counts[wrong]) + 1)
    inner = separators[before[:, None] + np.arange(columns - 1)]
    edges = np.concatenate([starts[rows, None], inner, ends[rows, None]], axis=1)
    return Cells(text, edges.astype(np.int64), rows)


def _are_rows(text: Bytes, starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
    """Tell which lines hold a row."""
    first = _at(text, starts + 1)
    rows = (ends - starts > 1) & (first != ord(COMMENT))
    # Only a line that begins with a blank can be empty and yet have a length.
    for line in np.flatnonzero(rows & np.isin(first, BLANKS)).tolist():
        rows[line] = bool(text[starts[line] + 1 : ends[line]].tobytes().strip())
    return np.asarray(rows)


def _trimmed(text: Bytes, starts: Places, stops: Places) -> tuple[Places, Places]:
    """Leave out blanks around cells."""
    while (blank := (starts < stops) & np.isin(_at(text, starts), BLANKS)).any():
        starts = starts + blank
    while (blank := (starts < stops) & np.isin(_at(text, stops - 1), BLANKS)).any():
        stops = stops - blank
    return starts, stops


def _at(text: Bytes, places: Places) -> Bytes:
    """Give the bytes at places; of one beyond the end that of the last."""
    return text[np.clip(places, 0, max(len(text) - 1, 0))] if len(text) else np.zeros(len(places), np.uint8)
