"""Pairs of files to evaluate on: CLEAN_DIR/NAME.flac beside NOISY_DIR/NAME.flac, and the conditions of each.

A set is mono and of one sample rate a pair. Conditions lie in a CSV with a row per file, found by its column file,
name, id or utt (else its first column), with or without the file's suffix; the column snr_db is what tables go by.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from audiodae.errors import AudioFileError, CorpusError, SignalError

SUFFIXES = (".flac", ".wav", ".ogg", ".opus", ".mp3")
NAME_COLUMNS = ("file", "name", "id", "utt")

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A noisy file and the clean one it was made from.

    Attributes
    ----------
    name : the file name both share, without suffix
    clean, noisy : their paths
    snr_db : signal-to-noise ratio as the conditions say, dB; None where they say nothing
    conditions : the row of the conditions, as text
    """

    name: str
    clean: Path
    noisy: Path
    snr_db: float | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)


def find_pairs(clean_dir: str | Path, noisy_dir: str | Path, conditions: str | Path | None = None) -> list[Pair]:
    """Match two folders by file name; every clean file needs its noisy one.

    Parameters
    ----------
    clean_dir, noisy_dir : folders of sound files, names unique but for the suffix
    conditions : CSV; None takes conditions.csv beside noisy_dir where there is one

    Returns
    -------
    pairs : sorted by name

    Raises
    ------
    CorpusError
        A folder is missing or empty, holds a name twice, or a file or its conditions are missing.
    """
    clean, noisy = _listing(Path(clean_dir)), _listing(Path(noisy_dir))
    _refuse_missing(clean, noisy, f"{noisy_dir}: no noisy file")
    beside = Path(noisy_dir).resolve().parent / "conditions.csv"
    if conditions is None and not beside.is_file():
        return [Pair(name, path, noisy[name]) for name, path in clean.items()]
    table = read_conditions(conditions or beside)
    _refuse_missing(clean, table, f"{conditions or beside}: no row")
    return [
        Pair(name, path, noisy[name], _snr_db(table[name], conditions or beside), table[name])
        for name, path in clean.items()
    ]


def read_conditions(path: str | Path) -> dict[str, dict[str, str]]:
    """The rows of a conditions file by the name of the sound file they tell of.

    Raises
    ------
    CorpusError
        The file cannot be read, has no rows or no column snr_db.
    """
    try:
        with open(path, newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot read conditions ({error})") from error
    if not rows or "snr_db" not in rows[0]:
        raise CorpusError(f"{path}: need rows with a column snr_db, found {', '.join(rows[0]) if rows else 'no rows'}")
    key = next((column for column in NAME_COLUMNS if column in rows[0]), next(iter(rows[0])))
    return {_without_suffix(row[key]): row for row in rows}


def read_pair(pair: Pair) -> tuple[Samples, Samples, int]:
    """Read a pair's clean and noisy samples, shape (samples,) each, and their sample rate.

    Raises
    ------
    AudioFileError
        A file cannot be read.
    SignalError
        A file has several channels, or the two differ in rate or length.
    """
    clean, clean_rate = _read_mono(pair.clean)
    noisy, noisy_rate = _read_mono(pair.noisy)
    if (clean.size, clean_rate) != (noisy.size, noisy_rate):
        raise SignalError(
            f"{pair.noisy}: {noisy.size} samples at {noisy_rate} Hz, "
            f"its clean file has {clean.size} at {clean_rate} Hz: need the same"
        )
    return clean, noisy, clean_rate


def _read_mono(path: Path) -> tuple[Samples, int]:
    try:
        samples, sample_rate = soundfile.read(path, dtype="float64", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise AudioFileError(f"{path}: cannot read sound ({error})") from error
    if samples.shape[1] != 1:
        raise SignalError(f"{path}: {samples.shape[1]} channels; evaluation needs mono files")
    return samples[:, 0], int(sample_rate)


def _listing(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise CorpusError(f"{folder}: no such folder")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    named = {path.stem: path for path in paths}
    if not paths:
        raise CorpusError(f"{folder}: no sound files ({', '.join(SUFFIXES)}); subfolders are not searched")
    if len(named) < len(paths):
        twice = next(path for path in paths if named[path.stem] != path)
        raise CorpusError(f"{folder}: {twice.name} and {named[twice.stem].name} share a name; keep one of them")
    return named


def _refuse_missing(wanted: Mapping[str, object], have: Mapping[str, object], what: str) -> None:
    missing = [name for name in wanted if name not in have]
    if missing:
        raise CorpusError(f"{what} for {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""))


def _without_suffix(name: str) -> str:
    return name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in SUFFIXES else name


def _snr_db(row: Mapping[str, str], path: str | Path) -> float:
    try:
        snr_db = float(row["snr_db"])
    except (TypeError, ValueError):
        snr_db = math.nan
    if not math.isfinite(snr_db):
        raise CorpusError(f"{path}: snr_db is {row['snr_db']!r}, need a number of dB")
    return snr_db
