"""WFDB records for an evaluation: an ECG with its annotated beats, and recorded noise.

Everything is at 360 Hz, the rate of the MIT-BIH databases: frames of 512 samples, and with them SSD, MAD and the
published values, are defined there.

Records have baseline wander of their own, which no cleaner can tell from the wander that was added. So the reference
is the record without what lies below 0.5 Hz, by a Butterworth high-pass of 4th order run forwards and backwards.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import wfdb
from scipy.signal import butter, sosfiltfilt

from audiodae.errors import CorpusError, SeriesFileError, SignalError

SAMPLE_RATE_HZ = 360
REFERENCE_CUTOFF_HZ = 0.5
BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ")  # of the annotations, those that mark a beat

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class EcgRecord:
    """The first lead of a record.

    Attributes
    ----------
    reference : float64, shape (samples,), mV, without what lies below 0.5 Hz
    beats : int64, sample numbers of the annotated beats, rising
    """

    reference: Floats
    beats: Indices


def record_names(folder: str | Path) -> list[str]:
    """Names of the annotated records (NAME.hea with NAME.atr) of a folder, sorted.

    Raises
    ------
    CorpusError
        The folder is missing or has none.
    """
    names = [path.stem for path in _headers(folder) if path.with_suffix(".atr").is_file()]
    if not names:
        raise CorpusError(f"{folder}: no annotated ECG records (NAME.hea, NAME.dat and NAME.atr)")
    return names


def noise_names(folder: str | Path) -> list[str]:
    """Names of the noise records of a folder, sorted: each name is a kind of noise.

    Raises
    ------
    CorpusError
        The folder is missing or has none.
    """
    names = [path.stem for path in _headers(folder)]
    if not names:
        raise CorpusError(f"{folder}: no noise records (such as bw.hea and bw.dat)")
    return names


@lru_cache(maxsize=2)
def read_ecg(path: Path) -> EcgRecord:
    """Read a record, path without suffix.

    Raises
    ------
    SeriesFileError
        It or its annotations cannot be read.
    SignalError
        It is at another rate than 360 Hz, has a gap, is constant, or is too short to be filtered.
    """
    lead = read_leads(path)[:, 0]
    sections = butter(4, REFERENCE_CUTOFF_HZ, "highpass", fs=SAMPLE_RATE_HZ, output="sos")
    if len(lead) < SAMPLE_RATE_HZ or np.ptp(lead) == 0:
        raise SignalError(
            f"{path}: {len(lead)} samples from {lead.min():g} to {lead.max():g} are no ECG to evaluate on"
        )
    try:
        annotation = wfdb.rdann(str(path), "atr")
        is_beat = np.array([symbol in BEAT_SYMBOLS for symbol in annotation.symbol], bool)
        beats = np.asarray(annotation.sample, np.int64)[is_beat]
    except Exception as error:  # wfdb lets any error of its parsing through
        raise SeriesFileError(f"{path}.atr: cannot read annotations ({error})") from error
    return EcgRecord(np.asarray(sosfiltfilt(sections, lead), np.float64), beats)


@lru_cache(maxsize=8)
def read_leads(path: Path) -> Floats:
    """Read all leads of a record, path without suffix: float64, shape (samples, leads), in its unit.

    Raises
    ------
    SeriesFileError, SignalError
        As `read_ecg`.
    """
    try:
        record = wfdb.rdrecord(str(path))
        rate, values = float(record.fs), np.asarray(record.p_signal, np.float64)
    except Exception as error:  # wfdb lets any error of its parsing through
        raise SeriesFileError(f"{path}: cannot read the WFDB record ({error})") from error
    if rate != SAMPLE_RATE_HZ:
        raise SignalError(f"{path}: {rate:g} Hz; the figures are defined at {SAMPLE_RATE_HZ} Hz: resample it first")
    if not np.isfinite(values).all():
        raise SignalError(f"{path}: has gaps (invalid samples); cut a stretch without")
    return values


def _headers(folder: str | Path) -> list[Path]:
    if not Path(folder).is_dir():
        raise CorpusError(f"{folder}: no such folder")
    return sorted(Path(folder).glob("*.hea"))
