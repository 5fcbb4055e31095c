"""Tables in text, read in pieces of whole lines: CSV, TSV and the like. Memory does not grow with their length."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from audiodae.errors import SeriesFileError, one_line
from audiodae.series.csv_cells import Cells, RaggedError, find_cells
from audiodae.series.csv_layout import HEAD_BYTES, find_layout, is_gap, is_number
from audiodae.series.csv_numbers import NoNumberError, NumberFormat, Places, read_numbers
from audiodae.series.csv_time import TimeColumn, counts_rows, find_time_column
from audiodae.series.reading import Columns, Floats, SeriesPart, SeriesReader, checked_rate, choose_columns
from audiodae.series.time_stamps import is_time_name

PIECE_BYTES = 2**20
LINE_BYTES = 2**20  # a line is no longer
RAGGED_REMEDY = "are there decimal commas, or text with the delimiter in it and no quotes around it?"


@dataclass(frozen=True)
class KeptText:
    """The text of a piece, and where in it the numbers of the leads stand.

    Attributes
    ----------
    data : bytes
    starts, stops : int64, shape (rows, leads)
    formats : NumberFormat for each lead, as learnt so far
    """

    data: bytes
    starts: Places
    stops: Places
    formats: tuple[NumberFormat, ...]


class CsvReader(SeriesReader):
    """A table in text; see `open_series` for the parameters, `SeriesReader` for the rest.

    Attributes
    ----------
    layout : CsvLayout
    """

    kind = "csv"

    def __init__(
        self, path: Path, *, rate: float | None, columns: Columns | None, time_column: str | int | None
    ) -> None:
        self.path = path
        self._file: BinaryIO = path.open("rb")
        try:
            self.layout = find_layout(self._file.read(HEAD_BYTES), path)
            self._time = find_time_column(path, self.layout, self._first_cells(), time_column)
            self._chosen = choose_columns(path, self.layout.names, columns, usual=self._usual())
            if not self._chosen:
                raise SeriesFileError(f"{path}: no column holds numbers; is it separated by something unusual?")
            if self._time and self._time.number in self._chosen:
                raise SeriesFileError(f"{path}: column {self._time.name!r} holds the time; name others to clean")
            self.sample_rate = checked_rate(path, rate, self._time.rate if self._time else None, by="its time column")
        except BaseException:
            self._file.close()
            raise
        names, units = self.layout.names, self.layout.units
        self.names = tuple(names[number] for number in self._chosen)
        self.units = tuple(units[number] for number in self._chosen)
        self.others = tuple(name for number, name in enumerate(names) if number not in self._chosen)
        self._formats = tuple(NumberFormat(comma=self.layout.comma) for _ in self._chosen)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def parts(self, length: int) -> Iterator[SeriesPart]:
        """Yield pieces of about a megabyte of text, `length` does not count; what lies between rows goes with them."""
        regular = self._time.check(self.path, self.sample_rate) if self._time and self._time.rate else None
        line = self.layout.header.count(self.layout.newline) + 1
        self._file.seek(len(self.layout.header))
        for data in self._pieces(line):
            cells = self._cells(data, line)
            found = [cells.column(number) for number in self._chosen]
            values = [
                self._numbers(cells, starts, stops, number, written, line)
                for (starts, stops), number, written in zip(found, self._chosen, self._formats, strict=True)
            ]
            if regular and self._time:
                regular.add(self._seconds(self._time, cells, line), partial(_place, cells, line))
            starts, stops = (np.stack(places, axis=1) for places in zip(*found, strict=True))
            yield SeriesPart(np.stack(values, axis=1), KeptText(data, starts, stops, self._formats))
            line += data.count(self.layout.newline)

    def _numbers(
        self, cells: Cells, starts: Places, stops: Places, number: int, written: NumberFormat, line: int
    ) -> Floats:
        try:
            return read_numbers(cells.text, starts, stops, written)
        except NoNumberError as error:
            name, text = self.layout.names[number], one_line(error.text)
            remedy = "choose columns of numbers by --columns; a gap is an empty cell, nan or NA"
            if "," in text and is_number(text.encode(), comma=True):
                remedy = "write decimal points, or part the cells by semicolons or tabs"
            place = _place(cells, line, error.row)
            raise SeriesFileError(
                f"{self.path}: {place}, column {one_line(name)!r}: {text!r} is no number; {remedy}"
            ) from None

    def _seconds(self, time: TimeColumn, cells: Cells, line: int) -> Floats:
        try:
            return time.seconds(cells)
        except NoNumberError as error:
            place, text = _place(cells, line, error.row), one_line(error.text)
            raise SeriesFileError(
                f"{self.path}: {place}, column {one_line(time.name)!r}: {text!r} is no time stamp; name another column "
                "by --time-column, or none"
            ) from None

    def _cells(self, data: bytes, line: int) -> Cells:
        layout = self.layout
        try:
            return find_cells(data, delimiter=layout.delimiter, newline=layout.newline, columns=len(layout.names))
        except RaggedError as error:
            raise SeriesFileError(
                f"{self.path}: line {line + error.line}: {error.cells} cells, where the others have "
                f"{len(layout.names)}; {RAGGED_REMEDY}"
            ) from None

    def _pieces(self, line: int) -> Iterator[bytes]:
        """Cut the rest of the file into pieces of whole lines."""
        rest = b""
        while data := self._file.read(PIECE_BYTES):
            if b"\0" in data:
                raise SeriesFileError(f"{self.path}: is no text: it holds zero bytes after line {line}")
            data = rest + data
            cut = _last_line_end(data, self.layout.newline)
            if cut == 0 and len(data) > LINE_BYTES:
                why = "a quote that is not closed?" if b'"' in data else "no lines at all?"
                raise SeriesFileError(f"{self.path}: line {line}: more than {LINE_BYTES:,} characters; {why}")
            rest = data[cut:]
            if cut:
                line += data.count(self.layout.newline, 0, cut)
                yield data[:cut]
        if rest:
            yield rest

    def _first_cells(self) -> Cells:
        """Give the cells of the first piece; none where there is no row."""
        self._file.seek(len(self.layout.header))
        line = self.layout.header.count(self.layout.newline) + 1
        return self._cells(next(self._pieces(line), b""), line)

    def _usual(self) -> list[int]:
        """Choose the columns that hold numbers and neither tell the time nor only count."""
        rows, comma = self.layout.first_rows, self.layout.comma
        usual = []
        for number, name in enumerate(self.layout.names):
            cells = [row[number] for row in rows if number < len(row)]
            numbers = [is_number(cell, comma=comma) for cell in cells]
            fits = all(one or is_gap(cell) for one, cell in zip(numbers, cells, strict=True))
            passed = (self._time and self._time.number == number) or (len(self.layout.names) > 1 and counts_rows(cells))
            passed = passed or (self.layout.named and len(self.layout.names) > 1 and is_time_name(name))
            if not passed and ((fits and any(numbers)) or not rows):
                usual.append(number)
        return usual


def _place(cells: Cells, line: int, row: int) -> str:
    return f"line {line + int(cells.lines[row])}"


def _last_line_end(data: bytes, newline: bytes) -> int:
    """Give where the last whole line ends, 0 for none; what stands within quotes ends no line."""
    if b'"' not in data:
        return data.rfind(newline) + 1
    text = np.frombuffer(data, np.uint8)
    outside = np.cumsum(text == ord('"'), dtype=np.int32) % 2 == 0
    ends = np.flatnonzero((text == ord(newline)) & outside)
    return int(ends[-1]) + 1 if len(ends) else 0
