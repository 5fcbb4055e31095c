"""Tables in text, written: a table as it came with other numbers in the columns of the leads, or one of its own."""

import csv
import io
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from audiodae.series.csv_layout import CsvLayout
from audiodae.series.csv_numbers import SIGNIFICANT, NumberFormat
from audiodae.series.csv_reader import KeptText
from audiodae.series.reading import Floats, SeriesPart, SeriesReader
from audiodae.series.writing import SeriesWriter, open_part

GAP = b"nan"
TIME = "time_s"
TIME_DECIMALS = 6
ROWS = 2**16  # that are written at once


class CsvLikeWriter(SeriesWriter):
    """A table that is its source but for the numbers of the leads; a gap is written as it came."""

    def __init__(self, path: Path, layout: CsvLayout) -> None:
        super().__init__(path)
        self._layout = layout
        self._formats: tuple[NumberFormat, ...] = ()

    def _begin(self, stack: ExitStack) -> None:
        self._file = open_part(stack, self.path)
        self._file.write(self._layout.header)

    def _append(self, part: SeriesPart, values: Floats) -> None:
        kept: KeptText = part.kept
        self._formats = kept.formats
        order = np.argsort(kept.starts[0]) if len(kept.starts) else np.arange(len(kept.formats))
        texts: list[bytes] = [b""] * values.size
        for place, lead in enumerate(order.tolist()):
            texts[place :: len(order)] = _lead_texts(kept, lead, values[:, lead], part.values[:, lead])
        starts, stops = kept.starts[:, order].ravel().tolist(), kept.stops[:, order].ravel().tolist()
        pieces = [b""] * (2 * len(texts) + 1)
        pieces[0::2] = [kept.data[i:j] for i, j in zip([0, *stops], [*starts, len(kept.data)], strict=True)]
        pieces[1::2] = texts
        self._file.write(b"".join(pieces))

    def as_written(self, values: Floats) -> Floats:
        """Give the values rounded to the decimals of their columns."""
        if not self._formats:
            return values
        columns = [written.rounded(values[:, lead]) for lead, written in enumerate(self._formats)]
        return np.stack(columns, axis=1)


def _lead_texts(kept: KeptText, lead: int, values: Floats, before: Floats) -> list[bytes]:
    texts = kept.formats[lead].texts(values)
    for row in np.flatnonzero(np.isnan(values)).tolist():
        was_gap = np.isnan(before[row])
        texts[row] = kept.data[kept.starts[row, lead] : kept.stops[row, lead]] if was_gap else GAP
    return texts


class CsvWriter(SeriesWriter):
    """A table of its own: the time in seconds, and a column for each lead."""

    def __init__(self, path: Path, source: SeriesReader) -> None:
        super().__init__(path)
        self._names = source.names
        self._rate = source.sample_rate
        self._delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        self._done = 0

    def _begin(self, stack: ExitStack) -> None:
        self._file = open_part(stack, self.path)
        header = io.StringIO()
        csv.writer(header, delimiter=self._delimiter, lineterminator="\n").writerow([TIME, *self._names])
        self._file.write(header.getvalue().encode())

    def _append(self, part: SeriesPart, values: Floats) -> None:
        row = f"%.{TIME_DECIMALS}f" + f"{self._delimiter}%.{SIGNIFICANT}g" * values.shape[1] + "\n"
        for start in range(0, len(values), ROWS):
            block = values[start : start + ROWS]
            seconds = (self._done + np.arange(len(block))) / self._rate
            table = np.column_stack([seconds, block])
            self._file.write((row * len(block) % tuple(table.ravel().tolist())).encode())
            self._done += len(block)
