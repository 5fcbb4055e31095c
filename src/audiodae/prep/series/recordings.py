"""Recordings of series as prep takes them: found in a folder, read at one rate, cut where they have gaps.

A record of WFDB is its .hea file; beats come from the .atr beside it. The rest is whatever `audiodae.series` reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr
from scipy.signal import butter, sosfiltfilt

from audiodae.errors import CorpusError, SeriesFileError
from audiodae.series.extras import load
from audiodae.series.formats import open_series

SUFFIXES = (".hea", ".csv", ".tsv", ".npy", ".npz", ".parquet", ".pq", ".edf", ".bdf")
SHORTEST_SAMPLES = 1000  # of a stretch without a gap; shorter ones are left out
HIGH_PASS_ORDER = 4
MILLIVOLTS = {"v": 1000.0, "mv": 1.0, "uv": 0.001, "µv": 0.001, "μv": 0.001, "nv": 1e-6}
# The annotation codes of beats: https://physionet.org/physiotools/wag/annot-5.htm, without "?" (not learnt).
BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ")

Floats = npt.NDArray[np.float64]
Beats = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """How recordings are read.

    Attributes
    ----------
    rate_hz : that they are brought to; files that tell no rate are taken to have it
    high_pass_hz : what lies below is taken out, without phase shift; 0 leaves all
    all_leads : take every lead, not only the first
    columns : of tables, by name or number; none, all columns of numbers
    time_column : of tables; None looks for one
    resampled : whether another rate is allowed at all
    ecg : bring values to mV where the file tells its unit, and take beats from annotations
    """

    rate_hz: float
    high_pass_hz: float = 0.0
    all_leads: bool = True
    columns: tuple[str, ...] | None = None
    time_column: str | None = None
    resampled: bool = True
    ecg: bool = False


@dataclass(frozen=True)
class Stretch:
    """Simultaneous leads without a gap: float64, shape (samples, leads), and the sample numbers of the R peaks."""

    name: str
    values: Floats
    beats: Beats
    unit: str = ""


def find_recordings(root: Path) -> list[Path]:
    """The recordings anywhere below a folder, sorted; a file is the only one of its own.

    Raises
    ------
    CorpusError
        There is nothing there.
    """
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder")
    below = (path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    paths = sorted(path for path in below if not any(part.startswith(".") for part in path.relative_to(root).parts))
    if not paths:
        raise CorpusError(f"{root}: no recordings ({', '.join(SUFFIXES)}) anywhere below it")
    return paths


def name_of(path: Path, root: Path) -> str:
    """A recording's name in a bank: its path below the root, without slashes; a WFDB record's without its ending."""
    below = Path(path.name) if root.is_file() else path.relative_to(root)
    return ".".join((below.with_suffix("") if below.suffix.lower() == ".hea" else below).parts)


def read_stretches(path: Path, name: str, how: Reading, *, span: tuple[float, float] = (0.0, 1.0)) -> list[Stretch]:
    """Read a recording at the rate asked for, in stretches without gaps.

    Parameters
    ----------
    path, name : of the recording
    how : it is read
    span : the part of it that is meant, as shares of its length

    Returns
    -------
    stretches : each at least `SHORTEST_SAMPLES` long, so there may be none; the first bears the recording's name, the
        others its name and their first sample

    Raises
    ------
    SeriesFileError
        The recording cannot be read.
    CorpusError
        It has another rate, and must not be resampled.
    """
    values, rate_hz, unit = _read(path, how)
    if rate_hz != how.rate_hz and not how.resampled:
        raise CorpusError(
            f"{path}: has {rate_hz:g} Hz, not {how.rate_hz:g}; noisy recordings cannot be resampled, for that would "
            f"let neighbouring samples share their noise: give --rate {rate_hz:g}"
        )
    beats = read_beats(path) if how.ecg else np.zeros(0, np.int64)
    if how.ecg:
        values, unit = values * MILLIVOLTS.get(unit.lower(), 1.0), "mV"
    stretches: list[Stretch] = []
    meant = np.zeros(len(values), bool)
    meant[slice(*(round(share * len(values)) for share in span))] = True
    for start, stop in whole_stretches(meant & np.isfinite(values).all(axis=1)):
        inside = beats[(beats >= start) & (beats < stop)] - start
        cut, peaks = at_rate(values[start:stop], inside, rate_hz, how.rate_hz)
        if len(cut) >= SHORTEST_SAMPLES:
            stretch_name = f"{name}@{start}" if stretches else name
            stretches.append(Stretch(stretch_name, high_passed(cut, how.high_pass_hz, how.rate_hz), peaks, unit))
    return stretches


def read_beats(path: Path) -> Beats:
    """The sample numbers of the beats that a WFDB record's reference annotations tell; none where there are none."""
    if path.suffix.lower() != ".hea" or not path.with_suffix(".atr").exists():
        return np.zeros(0, np.int64)
    wfdb = load("wfdb", path, "a WFDB record")
    try:
        annotation = wfdb.rdann(str(path.with_suffix("")), "atr")
    except Exception as error:  # whatever a damaged file makes of that reader
        raise SeriesFileError(f"{path.with_suffix('.atr')}: no annotations that can be read ({error})") from error
    is_beat = np.array([symbol in BEAT_SYMBOLS for symbol in annotation.symbol], bool)
    return np.asarray(annotation.sample[is_beat], np.int64)


def whole_stretches(finite: npt.NDArray[np.bool_]) -> Sequence[tuple[int, int]]:
    """Where there is no gap: first sample and the one after the last, of each stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], finite, [False]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def at_rate(values: Floats, beats: Beats, rate_hz: float, wanted_hz: float) -> tuple[Floats, Beats]:
    """Resample leads and the places of beats."""
    if rate_hz == wanted_hz:
        return values, beats
    first = values[:1]  # taken off, for before its beginning a resampler takes a signal for silent
    resampled = soxr.resample(values - first, rate_hz, wanted_hz, quality="VHQ") + first
    return np.asarray(resampled), np.rint(beats * (wanted_hz / rate_hz)).astype(np.int64)


def high_passed(values: Floats, cutoff_hz: float, rate_hz: float) -> Floats:
    """Take out what lies below a frequency: a Butterworth filter of 4th order, forwards and backwards.

    A record has baseline wander of its own, which no denoiser can tell from what is added: it is no part of the
    reference.
    """
    if cutoff_hz == 0:
        return values
    sections = butter(HIGH_PASS_ORDER, cutoff_hz, "highpass", fs=rate_hz, output="sos")
    return np.asarray(sosfiltfilt(sections, values, axis=0))


def _read(path: Path, how: Reading) -> tuple[Floats, float, str]:
    """All samples, the rate, and the unit of the first lead."""
    try:
        reader = open_series(path, columns=how.columns, time_column=how.time_column)
    except SeriesFileError:
        # Perhaps it tells no rate. If the matter is another one, it is told now.
        reader = open_series(path, rate=how.rate_hz, columns=how.columns, time_column=how.time_column)
    with reader:
        values = reader.read()
        return (values if how.all_leads else values[:, :1]), float(reader.sample_rate), reader.units[0]
