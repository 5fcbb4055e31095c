"""NumPy's arrays: .npy read and written block by block, .npz streamed out of and into the archive.

Nothing is unpickled: arrays of objects are refused. An array is (samples,) or (samples, leads); its type is kept, so
whole numbers are rounded and held at their limits.
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy_format

from audiodae.errors import SeriesFileError, one_line
from audiodae.series.reading import Columns, Floats, SeriesPart, SeriesReader, checked_rate, choose_columns
from audiodae.series.writing import SeriesWriter, open_part, to_whole

MAX_LEADS = 4096  # more are no leads, but samples the other way round

Array = npt.NDArray[Any]


def refuse_type(dtype: np.dtype[Any], where: str) -> None:
    """Refuse arrays that hold no real numbers."""
    if dtype.hasobject:
        raise SeriesFileError(f"{where}: holds Python objects (a pickle), which are never loaded; save it as float")
    if dtype.kind == "c":
        raise SeriesFileError(f"{where}: holds complex numbers; save its real part, or its modulus, as an array")
    if dtype.kind not in "fiu":
        raise SeriesFileError(f"{where}: holds {dtype}; need whole numbers or floats")


def refuse_shape(shape: tuple[int, ...], where: str) -> None:
    """Refuse arrays that are no series of leads."""
    if len(shape) not in (1, 2):
        raise SeriesFileError(f"{where}: has shape {shape}; need (samples,) or (samples, leads)")
    if len(shape) == 2 and (shape[1] > MAX_LEADS or shape[1] > shape[0] > 0):
        raise SeriesFileError(f"{where}: has shape {shape}, more leads than samples; save it transposed, array.T")
    if len(shape) == 2 and shape[1] == 0:
        raise SeriesFileError(f"{where}: has shape {shape}: no leads")


def to_dtype(values: Floats, dtype: np.dtype[Any]) -> tuple[Array, int]:
    """Give values as an array of a type, and how many of them it could not hold."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            cast = values.astype(dtype)
        return cast, int(np.count_nonzero(np.isinf(cast) & np.isfinite(values)))
    limits = np.iinfo(dtype)
    # Beyond 2**53 float64 holds no single whole number, so the last ones of 64 bits are out of reach.
    least, most = max(limits.min, -(2**53)), min(limits.max, 2**53)
    whole, clipped = to_whole(values, least, most)
    return whole.astype(dtype), clipped


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of an array: its shape, whether it is stored column by column, and its type.

    Raises
    ------
    ValueError
        It is none.
    """
    version = npy_format.read_magic(file)
    read = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"version {version} of the NPY format")
    try:
        shape, by_columns, dtype = read(file)
    except (SyntaxError, TokenError, RecursionError) as error:  # numpy reads it as Python
        raise ValueError(str(error)) from None
    return shape, by_columns and len(shape) > 1, dtype


class NpyReader(SeriesReader):
    """An .npy file; see `open_series` for the parameters, `SeriesReader` for the rest.

    Attributes
    ----------
    dtype : of the array
    flat : bool, it has one dimension
    """

    kind = "npy"

    def __init__(self, path: Path, *, rate: float | None, columns: Columns | None) -> None:
        self.path = path
        self._file = path.open("rb")
        try:
            shape, self._by_columns, self.dtype = self._header()
            self.flat = len(shape) == 1
            self._width = 1 if self.flat else shape[1]
            self.n_samples = shape[0]
            names = [f"lead {number}" for number in range(1, self._width + 1)]
            self._chosen = choose_columns(path, names, columns, usual=range(len(names)), what="lead")
            self.sample_rate = checked_rate(path, rate, None)
        except BaseException:
            self._file.close()
            raise
        self.names = tuple(names[number] for number in self._chosen)
        self.others = tuple(name for name in names if name not in self.names)
        self.units = ("",) * len(self.names)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def parts(self, length: int) -> Iterator[SeriesPart]:
        """Yield parts of `length` samples."""
        assert self.n_samples is not None
        for start in range(0, self.n_samples, length):
            block = self._block(start, min(length, self.n_samples - start))
            yield SeriesPart(block[:, self._chosen].astype(np.float64), (block, self._chosen))

    def _header(self) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
        try:
            shape, by_columns, dtype = read_header(self._file)
        except (ValueError, OSError, EOFError, OverflowError) as error:
            raise SeriesFileError(
                f"{self.path}: no NPY array that can be read ({one_line(str(error))[:200]})"
            ) from None
        refuse_type(dtype, str(self.path))
        refuse_shape(shape, str(self.path))
        self._start = self._file.tell()
        held = (self.path.stat().st_size - self._start) // dtype.itemsize
        if held < math.prod(shape):
            raise SeriesFileError(f"{self.path}: is cut short: it says {math.prod(shape)} numbers and holds {held}")
        return shape, by_columns, dtype

    def _block(self, start: int, rows: int) -> Array:
        """Read rows; of an array that is stored column by column a piece of each column."""
        assert self.n_samples is not None
        pieces, across = (self._width, 1) if self._by_columns else (1, self._width)
        read = []
        for piece in range(pieces):
            self._file.seek(self._start + (piece * self.n_samples + start * across) * self.dtype.itemsize)
            read.append(np.fromfile(self._file, self.dtype, rows * across))
        if sum(map(len, read)) < rows * self._width:
            raise SeriesFileError(f"{self.path}: is cut short")
        return np.stack(read, axis=1) if self._by_columns else read[0].reshape(rows, self._width)


class NpyFile:
    """An array that is written row by row: its header is written anew when its length is known.

    Parameters
    ----------
    file : open for writing and seeking
    dtype : of the array
    width : int, columns; None for an array of one dimension
    """

    def __init__(self, file: IO[bytes], dtype: np.dtype[Any], width: int | None) -> None:
        self._file = file
        self._dtype = dtype
        self._width = width
        self._rows = 0
        self._header()
        self._start = file.tell()

    def append(self, rows: Array) -> None:
        """Write the next rows."""
        self._file.write(np.ascontiguousarray(rows, self._dtype).tobytes())
        self._rows += len(rows)

    def finish(self) -> None:
        """Say in the header how many rows there are."""
        self._file.seek(0)
        self._header()
        # numpy leaves room in a header for the first dimension to grow.
        assert self._file.tell() == self._start

    def _header(self) -> None:
        shape = (self._rows,) if self._width is None else (self._rows, self._width)
        facts = {"descr": npy_format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        npy_format.write_array_header_1_0(self._file, facts)


class NpyWriter(SeriesWriter):
    """An .npy file: of its source's type, with the leads that were not chosen as they were, or float64."""

    def __init__(self, path: Path, source: SeriesReader) -> None:
        super().__init__(path)
        self._like = isinstance(source, NpyReader)
        self._dtype, leads, flat = np.dtype(np.float64), len(source.names), len(source.names) == 1
        if isinstance(source, NpyReader):
            self._dtype, leads, flat = source.dtype, leads + len(source.others), source.flat
        self._width = None if flat else leads

    def _begin(self, stack: ExitStack) -> None:
        self._array = NpyFile(open_part(stack, self.path), self._dtype, self._width)

    def _append(self, part: SeriesPart, values: Floats) -> None:
        rows, clipped = to_dtype(values, self._dtype)
        self.clipped += clipped
        if self._like:
            block, chosen = part.kept
            block = block.copy()
            block[:, chosen] = rows
            rows = block
        self._array.append(rows[:, 0] if self._width is None else rows)

    def as_written(self, values: Floats) -> Floats:
        """Give the values as the array's type holds them."""
        return to_dtype(values, self._dtype)[0].astype(np.float64)

    def _finish(self) -> None:
        self._array.finish()
