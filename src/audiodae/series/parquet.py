"""Parquet, by pyarrow: read and written in batches of rows; columns that are not leads are kept as they are."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from audiodae.errors import SeriesFileError, one_line
from audiodae.series.csv_writer import TIME
from audiodae.series.extras import load
from audiodae.series.npy import to_dtype
from audiodae.series.reading import (
    NO_TIME,
    Columns,
    Floats,
    SeriesPart,
    SeriesReader,
    checked_rate,
    choose_columns,
    column_number,
)
from audiodae.series.time_stamps import RegularTime, is_count_name, is_time_name, rate_of, seconds_per_unit
from audiodae.series.writing import SeriesWriter, open_part

WHAT = "Parquet"
ROWS = 2**16  # of a batch


class ParquetReader(SeriesReader):
    """A Parquet file; see `open_series` for the parameters, `SeriesReader` for the rest.

    Attributes
    ----------
    schema : pyarrow.Schema
    compression : str, as pyarrow calls it
    chosen : int, the columns that are leads
    """

    kind = "parquet"

    def __init__(
        self, path: Path, *, rate: float | None, columns: Columns | None, time_column: str | int | None
    ) -> None:
        self.path = path
        self._arrow = load("pyarrow", path, WHAT)
        parquet = load("pyarrow.parquet", path, WHAT)
        try:
            self._file = parquet.ParquetFile(path, pre_buffer=False)
        except (self._arrow.ArrowException, OSError) as error:
            raise SeriesFileError(f"{path}: no Parquet that can be read ({_said(error)})") from None
        try:
            self.schema = self._file.schema_arrow
            names = list(self.schema.names)
            self._time = self._time_column(names, time_column)
            self.chosen = choose_columns(path, names, columns, usual=self._usual(names))
            for number in self.chosen or range(len(names)):
                self._refuse_type(number)
            if not self.chosen:
                raise SeriesFileError(f"{path}: no column holds numbers")
            if self._time in self.chosen:
                raise SeriesFileError(f"{path}: column {names[self._time]!r} holds the time; name others to clean")
            self.sample_rate = checked_rate(path, rate, self._told_rate(), by="its time column")
        except BaseException:
            self._file.close()
            raise
        self.names = tuple(names[number] for number in self.chosen)
        self.others = tuple(name for number, name in enumerate(names) if number not in self.chosen)
        self.units = ("",) * len(self.names)
        self.n_samples = self._file.metadata.num_rows
        meta = self._file.metadata
        packed = meta.row_group(0).column(0).compression if meta.num_row_groups and meta.num_columns else "SNAPPY"
        self.compression = "none" if packed == "UNCOMPRESSED" else packed.lower()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def parts(self, length: int) -> Iterator[SeriesPart]:
        """Yield parts of at most `length` samples."""
        regular = None
        if self._time is not None and self._stamp_resolution:
            name = self.schema.names[self._time]
            regular = RegularTime(self.path, name, self.sample_rate, self._stamp_resolution)
        done = 0
        for batch in self._batches(length):
            if regular is not None:
                assert self._time is not None
                regular.add(self._seconds(batch.column(self._time)), partial(_place, done))
            values = [_to_floats(batch.column(number)) for number in self.chosen]
            yield SeriesPart(np.stack(values, axis=1), batch)
            done += batch.num_rows

    def _batches(self, length: int) -> Iterator[Any]:
        try:
            yield from self._file.iter_batches(batch_size=length, use_threads=False)
        except (self._arrow.ArrowException, OSError) as error:
            raise SeriesFileError(f"{self.path}: damaged ({_said(error)})") from None

    def _usual(self, names: list[str]) -> list[int]:
        usual = []
        for number, name in enumerate(names):
            passed = number == self._time or is_time_name(name) or is_count_name(name) or name.startswith("__index")
            if self._is_number(number) and not (passed and len(names) > 1):
                usual.append(number)
        return usual

    def _is_number(self, number: int) -> bool:
        types, one = self._arrow.types, self.schema.field(number).type
        return bool(types.is_integer(one) or types.is_floating(one))

    def _refuse_type(self, number: int) -> None:
        if not self._is_number(number):
            field = self.schema.field(number)
            raise SeriesFileError(f"{self.path}: column {one_line(field.name)!r} holds {field.type}; need numbers")

    def _time_column(self, names: list[str], wanted: str | int | None) -> int | None:
        if wanted == NO_TIME:
            return None
        if wanted is not None:
            return column_number(self.path, names, wanted)
        types = self._arrow.types
        stamps = [number for number in range(len(names)) if types.is_timestamp(self.schema.field(number).type)]
        named = [number for number, name in enumerate(names) if is_time_name(name) and self._is_number(number)]
        found = [*stamps, *named]
        return found[0] if found and len(names) > 1 else None

    def _told_rate(self) -> float | None:
        self._stamp_resolution = 0.0
        if self._time is None:
            return None
        types, one = self._arrow.types, self.schema.field(self._time).type
        if not (types.is_timestamp(one) or self._is_number(self._time)):
            raise SeriesFileError(f"{self.path}: column {self.schema.names[self._time]!r} holds {one}, and no time")
        first = next(self._batches(ROWS), None)
        if first is None or first.num_rows < 2:
            return None
        self._unit_s = 1.0
        column = first.column(self._time)
        if not types.is_timestamp(one):
            start = _to_floats(column)[0]
            self._unit_s = seconds_per_unit(self.schema.names[self._time], "", float(start))
        seconds = self._seconds(column)
        written = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}.get(getattr(one, "unit", ""), self._unit_s)
        coarse = types.is_timestamp(one) or types.is_integer(one)
        resolution = written if coarse else float(np.spacing(np.float32(np.nanmax(np.abs(seconds)))))
        rate = rate_of(seconds, resolution)
        self._stamp_resolution = resolution if rate else 0.0
        return rate

    def _seconds(self, column: Any) -> Floats:
        if self._arrow.types.is_timestamp(column.type):
            stamps = column.cast(self._arrow.timestamp("ns", column.type.tz)).to_numpy(zero_copy_only=False)
            whole, rest = np.divmod(stamps.astype("datetime64[ns]").astype(np.int64), 10**9)
            return np.where(np.isnat(stamps), np.nan, whole + rest * 1e-9)
        return _to_floats(column) * self._unit_s


class ParquetWriter(SeriesWriter):
    """A Parquet file: its source with other leads, their types kept, or the time in seconds and the leads."""

    def __init__(self, path: Path, source: SeriesReader) -> None:
        super().__init__(path)
        self._arrow = load("pyarrow", path, WHAT)
        self._parquet = load("pyarrow.parquet", path, WHAT)
        self._source = source if isinstance(source, ParquetReader) else None
        self._rate = source.sample_rate
        self._done = 0
        double = self._arrow.float64()
        names = (TIME, *source.names)
        own = self._arrow.schema([(name, double) for name in names])
        self._schema = self._source.schema if self._source else own

    def _begin(self, stack: ExitStack) -> None:
        file = open_part(stack, self.path)
        packed = self._source.compression if self._source else "snappy"
        self._file = stack.enter_context(self._parquet.ParquetWriter(file, self._schema, compression=packed))

    def _append(self, part: SeriesPart, values: Floats) -> None:
        if self._source:
            columns = list(part.kept.columns)
            for lead, number in enumerate(self._source.chosen):
                columns[number] = self._column(self._schema.field(number).type, values[:, lead])
        else:
            seconds = (self._done + np.arange(len(values))) / self._rate
            columns = [self._arrow.array(seconds), *(self._arrow.array(lead) for lead in values.T)]
        self._done += len(values)
        self._file.write_batch(self._arrow.record_batch(columns, schema=self._schema))

    def _column(self, kind: Any, values: Floats) -> Any:
        array, clipped = to_dtype(values, np.dtype(kind.to_pandas_dtype()))
        self.clipped += clipped
        return self._arrow.array(array, type=kind, mask=np.isnan(values))

    def as_written(self, values: Floats) -> Floats:
        """Give the values as the columns' types hold them."""
        if not self._source:
            return values
        columns = []
        for lead, number in enumerate(self._source.chosen):
            kind = np.dtype(self._schema.field(number).type.to_pandas_dtype())
            array = to_dtype(values[:, lead], kind)[0].astype(np.float64)
            columns.append(np.where(np.isnan(values[:, lead]), np.nan, array))
        return np.stack(columns, axis=1)


def _place(done: int, row: int) -> str:
    return f"row {done + row + 1}"


def _to_floats(column: Any) -> Floats:
    """Give a column as float64, NaN where it holds nothing."""
    floats: Floats = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
    return floats


def _said(error: Exception) -> str:
    return one_line(str(error))[:200]
