"""Which files are series, by their names, and who reads and writes them."""

import os
import stat
from pathlib import Path

from audiodae.errors import SeriesFileError
from audiodae.series.csv_layout import HEAD_BYTES, find_layout, is_number
from audiodae.series.csv_reader import CsvReader
from audiodae.series.csv_writer import CsvLikeWriter, CsvWriter
from audiodae.series.edf import EdfReader, EdfWriter
from audiodae.series.npy import NpyReader, NpyWriter
from audiodae.series.npz import NpzReader, NpzWriter
from audiodae.series.parquet import ParquetReader, ParquetWriter
from audiodae.series.reading import NO_TIME, Columns, PathName, SeriesReader
from audiodae.series.wfdb_record import WfdbReader, WfdbWriter
from audiodae.series.writing import SeriesWriter

KINDS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".npy": "npy", ".npz": "npz"}
KINDS |= {".parquet": "parquet", ".pq": "parquet", ".edf": "edf", ".bdf": "edf", ".hea": "wfdb"}
HEADER, TEXT = ".hea", ".txt"
# A sound under another name stays a sound.
SOUNDS = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"FORM", b".snd", b"caff", b"ID3")
KNOWN = "CSV, TSV, NPY, NPZ, Parquet, WFDB (.hea) or EDF"


def is_series(path: PathName) -> bool:
    """Tell whether a file is a series: by its suffix, unless it holds sound, or, named .txt, no numbers.

    A WFDB record is one also by its .dat, or without any suffix.
    """
    path = Path(path)
    if path.suffix.lower() not in KINDS or path.is_dir():
        return _record_header(path) is not None
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError):
        return True  # what is the matter with it is told when it is opened
    return not head.startswith(SOUNDS) and (path.suffix.lower() != TEXT or _holds_numbers(head, path))


def open_series(
    path: PathName,
    *,
    rate: float | None = None,
    columns: Columns | None = None,
    time_column: str | int | None = None,
) -> SeriesReader:
    """Open a series.

    Parameters
    ----------
    path : CSV, TSV, NPY, NPZ, Parquet, EDF, BDF, or a WFDB record (its .hea, its .dat, or its name alone)
    rate : Hz, where the file does not tell it
    columns : which columns, signals or arrays to take, by name or by number from 1; None takes all that hold numbers
        and neither tell the time nor number the rows
    time_column : name or number of the column of time stamps; "none" where there is none to heed; None looks for one

    Raises
    ------
    SeriesFileError
        It is missing, damaged, of no kind that is known, has no such column, or tells no rate or another one.
    MissingLibraryError
        It needs a library that is not installed.
    """
    path = _record_header(Path(path)) or Path(path)
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise SeriesFileError(f"{path}: no series by its name; need {KNOWN}")
    _refuse_unreadable(path, kind)
    if kind == "csv":
        return CsvReader(path, rate=rate, columns=columns, time_column=time_column)
    if kind == "npz":
        return NpzReader(path, rate=rate, columns=columns, time_column=time_column)
    if kind == "parquet":
        return ParquetReader(path, rate=rate, columns=columns, time_column=time_column)
    if time_column not in (None, NO_TIME):
        raise SeriesFileError(f"{path}: has no time column; its rate is in its header, or is given by --rate")
    if kind == "npy":
        return NpyReader(path, rate=rate, columns=columns)
    return (EdfReader if kind == "edf" else WfdbReader)(path, rate=rate, columns=columns)


def open_writer(path: PathName, source: SeriesReader) -> SeriesWriter:
    """Begin a series that will appear as path: like its source where it is of that kind, else the leads alone.

    Raises
    ------
    SeriesFileError
        Path's suffix is of no kind that is known, or of one that only a source of the same kind can be written as.
    MissingLibraryError
        It needs a library that is not installed.
    """
    path = target_path(path, source)
    kind = KINDS.get(path.suffix.lower())
    if isinstance(source, CsvReader) and kind == "csv":
        return CsvLikeWriter(path, source.layout)
    if isinstance(source, EdfReader) and kind == "edf":
        if path.suffix.lower() != source.path.suffix.lower():
            raise SeriesFileError(f"{path}: EDF and BDF hold numbers of other widths; name it {source.path.suffix}")
        return EdfWriter(path, source)
    if isinstance(source, WfdbReader) and kind == "wfdb":
        return WfdbWriter(path, source)
    if kind == "csv":
        return CsvWriter(path, source)
    if kind == "npy":
        return NpyWriter(path, source)
    if kind == "npz":
        return NpzWriter(path, source)
    if kind == "parquet":
        return ParquetWriter(path, source)
    if kind in ("edf", "wfdb"):
        raise SeriesFileError(f"{path}: is written only from a file of its kind; name it .csv, .npy or .parquet")
    raise SeriesFileError(f"{path}: no series by its name; need {KNOWN}")


def target_path(path: PathName, source: SeriesReader) -> Path:
    """Give the file that appears last: of a WFDB record, by whatever it is named, its header."""
    path = Path(path)
    if source.kind == "wfdb" and path.suffix.lower() in ("", ".dat"):
        return path.with_suffix(HEADER)
    return path


def noise_path(target: Path) -> Path:
    """Name the file of what was removed, beside target: NAME.noise.EXT, of a WFDB record NAME_noise.hea."""
    joint = "_" if target.suffix == HEADER else "."
    return target.with_name(f"{target.stem}{joint}noise{target.suffix}")


def files_of(target: Path) -> list[Path]:
    """Name all files that a target is made of."""
    return [target, target.with_suffix(".dat")] if target.suffix == HEADER else [target]


def _holds_numbers(head: bytes, path: Path) -> bool:
    try:
        layout = find_layout(head, path)
    except SeriesFileError:
        return False
    return any(is_number(cell, comma=layout.comma) for row in layout.first_rows for cell in row)


def _record_header(path: Path) -> Path | None:
    """Give the header of a WFDB record that is named without it."""
    if path.suffix.lower() not in ("", ".dat") or path.is_dir():
        return None
    header = path.with_suffix(HEADER)
    return header if header.is_file() else None


def _refuse_unreadable(path: Path, kind: str) -> None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise SeriesFileError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise SeriesFileError(f"{path}: cannot be opened ({error})") from None
    if not stat.S_ISREG(status.st_mode):
        raise SeriesFileError(f"{path}: is {'a folder' if path.is_dir() else 'not a regular file'}; name a file")
    if not status.st_size:
        raise SeriesFileError(f"{path}: is empty")
    if not os.access(path, os.R_OK):
        raise SeriesFileError(f"{path}: may not be read (permissions)")
