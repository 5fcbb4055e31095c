"""Archives of arrays (.npz): the leads are its arrays of one length, streamed; everything else in it is kept.

An array is (samples,), one lead, or (samples, leads). One called `time`, `t` or the like tells the rate, and so does a
single number called `sample_rate`, `rate` or `fs`.
"""

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

from audiodae.errors import SeriesFileError, one_line
from audiodae.series.npy import NpyFile, read_header, refuse_shape, refuse_type, to_dtype
from audiodae.series.reading import NO_TIME, Columns, Floats, SeriesPart, SeriesReader, checked_rate, choose_columns
from audiodae.series.time_stamps import is_time_name, rate_of, seconds_per_unit
from audiodae.series.writing import SeriesWriter, open_part

RATES = ("sample_rate", "samplerate", "sampling_rate", "rate", "rate_hz", "fs", "sr")
SUFFIX = ".npy"
TIME_ROWS = 2**16  # that tell the rate
# RuntimeError: an archive with a password, which nobody is asked for.
DAMAGE = (ValueError, OSError, EOFError, KeyError, RuntimeError, OverflowError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class _Member:
    """An array in the archive."""

    name: str
    shape: tuple[int, ...]
    by_columns: bool
    dtype: np.dtype[Any]

    @property
    def is_series(self) -> bool:
        return len(self.shape) in (1, 2) and self.dtype.kind in "fiu" and self.shape[0] != 1

    @property
    def width(self) -> int:
        return self.shape[1] if len(self.shape) == 2 else 1


class NpzReader(SeriesReader):
    """An .npz file; see `open_series` for the parameters, `SeriesReader` for the rest.

    Attributes
    ----------
    archive : zipfile.ZipFile
    chosen : names of the arrays that are leads
    """

    kind = "npz"

    def __init__(
        self, path: Path, *, rate: float | None, columns: Columns | None, time_column: str | int | None
    ) -> None:
        self.path = path
        try:
            self.archive = zipfile.ZipFile(path)
        except DAMAGE as error:
            raise SeriesFileError(f"{path}: no NPZ archive that can be read ({one_line(str(error))})") from None
        try:
            self._members = {name: self._header(name) for name in self._array_names()}
            time = self._time_name(time_column)
            self.chosen = self._choose(columns, time)
            self.sample_rate = checked_rate(path, rate, self._told_rate(time))
        except BaseException:
            self.archive.close()
            raise
        chosen = [self._members[name] for name in self.chosen]
        self.names = tuple(
            f"{one.name} {number}" if len(one.shape) == 2 else one.name
            for one in chosen
            for number in range(1, one.width + 1)
        )
        self.units = ("",) * len(self.names)
        self.others = tuple(name for name in self._members if name not in self.chosen)
        self.n_samples = chosen[0].shape[0]

    def close(self) -> None:
        """Close the archive."""
        self.archive.close()

    def parts(self, length: int) -> Iterator[SeriesPart]:
        """Yield parts of `length` samples."""
        assert self.n_samples is not None
        with ExitStack() as stack:
            files = [stack.enter_context(self._open(name)) for name in self.chosen]
            for start in range(0, self.n_samples, length):
                rows = min(length, self.n_samples - start)
                blocks = [self._read(file, name, rows) for file, name in zip(files, self.chosen, strict=True)]
                yield SeriesPart(np.concatenate([block.reshape(rows, -1) for block in blocks], axis=1))

    def member(self, name: str) -> tuple[np.dtype[Any], int | None]:
        """Give the type of an array and its columns, None where it has one dimension."""
        one = self._members[name]
        return one.dtype, one.width if len(one.shape) == 2 else None

    def _array_names(self) -> list[str]:
        names = [name.removesuffix(SUFFIX) for name in self.archive.namelist() if name.endswith(SUFFIX)]
        if not names:
            raise SeriesFileError(f"{self.path}: holds no arrays")
        return names

    def _header(self, name: str) -> _Member:
        try:
            with self.archive.open(name + SUFFIX) as file:
                shape, by_columns, dtype = read_header(file)
        except DAMAGE as error:
            raise self._damaged(name, error) from None
        return _Member(name, shape, by_columns, dtype)

    def _open(self, name: str) -> IO[bytes]:
        file = self.archive.open(name + SUFFIX)
        read_header(file)
        return file

    def _read(self, file: IO[bytes], name: str, rows: int) -> Floats:
        one = self._members[name]
        size = rows * one.width * one.dtype.itemsize
        try:
            data = file.read(size)
        except DAMAGE as error:
            raise self._damaged(name, error) from None
        if len(data) < size:
            raise SeriesFileError(f"{self.path}: array {name!r} is cut short")
        return np.frombuffer(data, one.dtype).astype(np.float64)

    def _damaged(self, name: str, error: Exception) -> SeriesFileError:
        return SeriesFileError(f"{self.path}: array {one_line(name)!r} cannot be read ({one_line(str(error))[:200]})")

    def _time_name(self, wanted: str | int | None) -> str | None:
        if wanted == NO_TIME:
            return None
        names = list(self._members)
        if wanted is not None:
            return names[choose_columns(self.path, names, [wanted], usual=[], what="array")[0]]
        found = [name for name in names if self._members[name].is_series and is_time_name(name)]
        return found[0] if found and len(names) > 1 else None

    def _choose(self, columns: Columns | None, time: str | None) -> list[str]:
        names = list(self._members)
        usual = [number for number, name in enumerate(names) if self._members[name].is_series and name != time]
        chosen = [names[number] for number in choose_columns(self.path, names, columns, usual=usual, what="array")]
        if not chosen:
            for name in names:  # one array that does not fit says best what is wrong
                self._refuse(name)
            raise SeriesFileError(f"{self.path}: none of its arrays is a series")
        for name in chosen:
            self._refuse(name)
        if len({self._members[name].shape[0] for name in chosen}) > 1:
            lengths = ", ".join(f"{one_line(name)} {self._members[name].shape[0]}" for name in chosen)
            raise SeriesFileError(f"{self.path}: its arrays differ in length ({lengths}); choose by --columns")
        return chosen

    def _refuse(self, name: str) -> None:
        one, where = self._members[name], f"{self.path}: array {one_line(name)!r}"
        refuse_type(one.dtype, where)
        refuse_shape(one.shape, where)
        if one.by_columns and one.width > 1:
            raise SeriesFileError(f"{where}: is stored column by column; save numpy.ascontiguousarray of it")

    def _told_rate(self, time: str | None) -> float | None:
        for name, one in self._members.items():
            if name.lower() in RATES and one.shape in ((), (1,)) and one.dtype.kind in "fiu":
                with self._open(name) as file:
                    return float(np.frombuffer(file.read(one.dtype.itemsize), one.dtype)[0])
        if time is None:
            return None
        self._refuse(time)
        with self._open(time) as file:
            stamps = self._read(file, time, min(self._members[time].shape[0], TIME_ROWS))
        seconds = stamps * seconds_per_unit(time, "", float(stamps[0]) if len(stamps) else 0.0)
        return rate_of(seconds, float(np.spacing(np.float32(np.abs(seconds).max(initial=0.0)))))


class NpzWriter(SeriesWriter):
    """An .npz file: its source with other leads, or the leads as `series` beside their `sample_rate`.

    An archive is written one array after the other, so arrays wait in files of their own until all is there.
    """

    def __init__(self, path: Path, source: SeriesReader) -> None:
        super().__init__(path)
        self._source = source if isinstance(source, NpzReader) else None
        self._rate = source.sample_rate
        if self._source:
            self._members = {name: self._source.member(name) for name in self._source.chosen}
        else:
            self._members = {"series": (np.dtype(np.float64), None if len(source.names) == 1 else len(source.names))}

    def _begin(self, stack: ExitStack) -> None:
        self._file = open_part(stack, self.path)
        folder = self.path.resolve().parent
        self._spools = {name: stack.enter_context(_spool(folder)) for name in self._members}
        self._arrays = {name: NpyFile(self._spools[name], *self._members[name]) for name in self._members}

    def _append(self, part: SeriesPart, values: Floats) -> None:
        for name, rows in self._each(values):
            array, clipped = to_dtype(rows, self._members[name][0])
            self.clipped += clipped
            self._arrays[name].append(array[:, 0] if self._members[name][1] is None else array)

    def as_written(self, values: Floats) -> Floats:
        """Give the values as the arrays' types hold them."""
        columns = [to_dtype(rows, self._members[name][0])[0].astype(np.float64) for name, rows in self._each(values)]
        return np.concatenate(columns, axis=1)

    def _each(self, values: Floats) -> Iterator[tuple[str, Floats]]:
        place = 0
        for name, (_, width) in self._members.items():
            yield name, values[:, place : place + (width or 1)]
            place += width or 1

    def _finish(self) -> None:
        with zipfile.ZipFile(self._file, "w", self._compression(), allowZip64=True) as archive:
            for name in self._source.archive.namelist() if self._source else ():
                if name.removesuffix(SUFFIX) not in self._spools:
                    assert self._source
                    with self._source.archive.open(name) as source, archive.open(name, "w", force_zip64=True) as copy:
                        shutil.copyfileobj(source, copy)
            for name, spool in self._spools.items():
                self._arrays[name].finish()
                spool.seek(0)
                with archive.open(name + SUFFIX, "w", force_zip64=True) as copy:
                    shutil.copyfileobj(spool, copy)
            if not self._source:
                with archive.open("sample_rate" + SUFFIX, "w") as copy:
                    npy_format.write_array(copy, np.asarray(self._rate), allow_pickle=False)

    def _compression(self) -> int:
        """Compress where the source did."""
        packed = self._source and any(info.compress_type for info in self._source.archive.infolist())
        return zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED


def _spool(folder: Path) -> IO[bytes]:
    """Make a file without a name, which is gone when it is closed."""
    return tempfile.TemporaryFile(dir=folder)
