"""The time column of a table in text: which one it is, and its stamps as seconds.

Stamps are numbers (seconds, or what the column's name or unit says), dates (ISO 8601) or the time of the day
(HH:MM:SS.fff).
"""

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from audiodae.errors import SeriesFileError, one_line
from audiodae.series.csv_cells import Cells
from audiodae.series.csv_layout import CsvLayout
from audiodae.series.csv_numbers import NoNumberError, NumberFormat, read_numbers
from audiodae.series.reading import NO_TIME, Floats, column_number
from audiodae.series.time_stamps import RegularTime, is_time_name, rate_of, seconds_per_unit

CLOCK = re.compile(rb"['\[]?(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)['\]]?")
FRACTION = re.compile(rb"[.,](\d+)")
UNNAMED_ROWS, NAMED_ROWS = 3, 50
ROWS = 1000  # that tell the resolution of dates and clocks


@dataclass(frozen=True)
class TimeColumn:
    """A column of time stamps.

    Attributes
    ----------
    number : int, from 0
    name : str
    comma : bool, numbers have a decimal comma
    rate : float, Hz, as the first rows tell it; None where they do not
    unit_s : float, seconds that a number counts; None for dates and clocks
    resolution : float, seconds
    clock : bool, it is the time of the day
    """

    number: int
    name: str
    comma: bool
    rate: float | None = None
    unit_s: float | None = None
    resolution: float = 0.0
    clock: bool = False

    def check(self, path: Path, rate: float) -> RegularTime:
        """Begin to hold the stamps to a rate."""
        return RegularTime(path, self.name, rate, self.resolution, clock=self.clock)

    def seconds(self, cells: Cells) -> Floats:
        """Read the stamps of a piece; NoNumberError where one is none."""
        if self.unit_s is not None:
            written = NumberFormat(comma=self.comma)
            return read_numbers(cells.text, *cells.column(self.number), written) * self.unit_s
        stamps = _stamps(cells, self.number)
        return _clock_seconds(stamps) if self.clock else _date_seconds(stamps)


def find_time_column(path: Path, layout: CsvLayout, cells: Cells, wanted: str | int | None) -> TimeColumn | None:
    """Find the column of time stamps: the one that is named, one whose name says so, or a first one that looks like it.

    Parameters
    ----------
    cells : those of the first piece
    wanted : name or number of the column, "none", or None to look for one

    Raises
    ------
    SeriesFileError
        The one that is wanted is not there, or does not tell a rate.
    """
    if wanted == NO_TIME or not len(cells.lines):
        return None
    if wanted is not None:
        column = _read(layout, column_number(path, layout.names, wanted), cells)
        if column is None or (column.rate is None and len(cells.lines) > 1):
            name = one_line(layout.names[column_number(path, layout.names, wanted)])
            raise SeriesFileError(
                f"{path}: column {name!r} tells no rate: it holds no time, or whole seconds where many samples come in "
                "one; give --rate HZ and --time-column none"
            )
        return column
    if len(layout.names) == 1:
        return None
    numbers = [number for number, name in enumerate(layout.names) if layout.named and is_time_name(name)]
    columns = [column for number in numbers if (column := _read(layout, number, cells))]
    if numbers:
        return next((column for column in columns if column.rate is not None), None)
    first = None if counts_rows([row[0] for row in layout.first_rows]) else _read(layout, 0, cells)
    # Rows enough that no lead rises so all the time; more where the column has a name that does not speak of time.
    enough = len(cells.lines) >= (NAMED_ROWS if layout.named else UNNAMED_ROWS)
    return first if first and enough and _flows(first, cells) else None


def counts_rows(cells: list[bytes]) -> bool:
    """Tell whether cells are whole numbers that go up by one: they number the rows."""
    if len(cells) < 3 or not all(cell.strip().isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return all(after - before == 1 for before, after in pairwise(numbers))


def _read(layout: CsvLayout, number: int, cells: Cells) -> TimeColumn | None:
    """Take a column for time stamps; None where it holds something else."""
    name = layout.names[number]
    column = TimeColumn(number, name, layout.comma)
    written = NumberFormat(comma=layout.comma)
    try:
        numbers = read_numbers(cells.text, *cells.column(number), written)
        unit_s = seconds_per_unit(name, layout.units[number], float(numbers[0]))
        # Of numbers with exponents or very many digits float64 sets the limit.
        least = np.spacing(np.nanmax(np.abs(numbers))) if written.free else 10.0**-written.decimals
        column = replace(column, unit_s=unit_s, resolution=unit_s * float(least))
    except NoNumberError:
        stamps = _stamps(cells, number)
        decimals = max(len(found.group(1)) if (found := FRACTION.search(stamp)) else 0 for stamp in stamps[:ROWS])
        column = replace(column, resolution=10.0**-decimals, clock=bool(CLOCK.fullmatch(stamps[0])))
    try:
        return replace(column, rate=rate_of(column.seconds(cells), column.resolution))
    except NoNumberError:
        return None


def _flows(column: TimeColumn, cells: Cells) -> bool:
    """Tell whether a column that nothing names goes up step by equal step; a lead may rise for a while, but not so."""
    steps = np.diff(column.seconds(cells))
    if column.rate is None:
        return False
    usual = np.abs(steps - 1 / column.rate) <= 0.2 / column.rate + 1.01 * column.resolution
    return bool(usual.mean() > 0.9 and (steps > 0).mean() > 0.5)


def _stamps(cells: Cells, number: int) -> list[bytes]:
    starts, stops = cells.column(number)
    data = cells.text.tobytes()
    return [data[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]


def _clock_seconds(stamps: list[bytes]) -> Floats:
    seconds = np.empty(len(stamps))
    for row, stamp in enumerate(stamps):
        match = CLOCK.fullmatch(stamp)
        if not match:
            raise NoNumberError(row, stamp[:40].decode("latin-1"))
        hours, minutes, rest = match.groups()
        seconds[row] = int(hours or 0) * 3600 + int(minutes) * 60 + float(rest.replace(b",", b"."))
    return seconds


def _date_seconds(stamps: list[bytes]) -> Floats:
    texts = [stamp.decode("latin-1").replace("/", "-").removesuffix("Z") for stamp in stamps]
    try:
        dates = np.array(texts, "datetime64[ns]")
    except ValueError:
        raise NoNumberError(*_first_that_is_no_date(texts)) from None
    whole, rest = np.divmod(dates.astype(np.int64), 10**9)
    seconds: Floats = whole + rest * 1e-9
    return np.where(np.isnat(dates), np.nan, seconds)


def _first_that_is_no_date(texts: list[str]) -> tuple[int, str]:
    for row, text in enumerate(texts):
        try:
            np.datetime64(text, "ns")
        except ValueError:
            return row, text[:40]
    return 0, texts[0][:40]
