"""Test sets: which noisy series there are, each made or read when it is asked for, so that a set needs no memory.

A set made before is a folder of float32 arrays in mV at 360 Hz::

    FOLDER/snr/clean/100.npy     FOLDER/snr/noisy/100_bw_6dB.npy     FOLDER/snr/rpeaks/100.npy  (int64)
    FOLDER/beats/clean/bw.npy    FOLDER/beats/noisy/bw.npy           (beats x 512)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from audiodae.errors import CorpusError, SeriesFileError, SignalError
from audiodae.evaluation.series.mixing import (
    ALL_NOISES,
    FRAME_SAMPLES,
    at_snr,
    beat_noises,
    beats_with_noise,
    cut_beats,
    noises_for,
)
from audiodae.evaluation.series.records import (
    SAMPLE_RATE_HZ,
    Floats,
    Indices,
    noise_names,
    read_ecg,
    read_leads,
    record_names,
)

SNRS_DB = (-12.0, -6.0, 0.0, 6.0, 12.0)
SECONDS = 300.0

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Condition:
    """What a noisy series is made of."""

    record: str
    kind: str
    snr_db: float

    @property
    def name(self) -> str:
        """As files are called."""
        return f"{self.record}_{self.kind}_{self.snr_db:g}dB"


@dataclass(frozen=True)
class CleanSeries:
    """A reference: float32, shape (samples,), mV, and the sample numbers of its R peaks."""

    samples: Samples
    r_peaks: Indices


@dataclass(frozen=True)
class BeatFrames:
    """Single beats, clean and noisy: float32, shape (beats, 512), mV."""

    clean: Samples
    noisy: Samples


class EcgSet(Protocol):
    """What an evaluation asks of a set. Sets hold paths and numbers only, so they can be sent to other processes."""

    def conditions(self) -> list[Condition]:
        """All noisy series, those of a record together."""

    def clean(self, record: str) -> CleanSeries:
        """The reference of a record."""

    def noisy(self, condition: Condition) -> Samples:
        """A noisy series, as long as its reference."""

    def beat_kinds(self) -> list[str]:
        """Kinds of noise of the beats protocol; none where the set has no beats."""

    def beats(self, kind: str) -> BeatFrames:
        """The beats with one kind of noise."""


@dataclass(frozen=True)
class MixedSet:
    """Records mixed with recorded noise.

    Attributes
    ----------
    records : folder of annotated WFDB records at 360 Hz; the first lead is used
    noise : folder of WFDB records of noise, each a kind by its name; bw, em and ma in the field
    seconds : how much of each record, from its start
    snrs_db : ratios of variances, dB
    """

    records: Path
    noise: Path
    seconds: float = SECONDS
    snrs_db: tuple[float, ...] = SNRS_DB

    def conditions(self) -> list[Condition]:
        """Every record with every kind at every ratio."""
        kinds = noise_names(self.noise)
        kinds += [ALL_NOISES] if len(kinds) > 1 else []
        return [Condition(r, kind, snr) for r in record_names(self.records) for kind in kinds for snr in self.snrs_db]

    def clean(self, record: str) -> CleanSeries:
        """The start of the record, without its median."""
        whole = read_ecg(self.records / record)
        clean = self._start(whole.reference)
        return CleanSeries(clean.astype(np.float32), whole.beats[whole.beats < len(clean)])

    def noisy(self, condition: Condition) -> Samples:
        """Mix it."""
        clean = self._start(read_ecg(self.records / condition.record).reference)
        noise = _noises_of_record(self.noise, condition.record, len(clean))[condition.kind]
        return at_snr(clean, noise, condition.snr_db).astype(np.float32)

    def beat_kinds(self) -> list[str]:
        """Bw, and bw + em, where there are such noises."""
        return list(beat_noises(_noises(self.noise)))

    def beats(self, kind: str) -> BeatFrames:
        """The beats of all records, whole."""
        records = [read_ecg(self.records / name) for name in record_names(self.records)]
        frames = np.concatenate([cut_beats(record) for record in records])
        if not len(frames):
            raise CorpusError(f"{self.records}: no beat is annotated that fits a frame of {FRAME_SAMPLES} samples")
        noisy = beats_with_noise(frames, beat_noises(_noises(self.noise))[kind])
        return BeatFrames(frames.astype(np.float32), noisy.astype(np.float32))

    def _start(self, reference: Floats) -> Floats:
        clean = reference[: int(self.seconds * SAMPLE_RATE_HZ)]
        if len(clean) < FRAME_SAMPLES:
            raise SignalError(f"{len(clean)} samples of each record: need a frame of {FRAME_SAMPLES} or more")
        return np.asarray(clean - np.median(clean), np.float64)


@dataclass(frozen=True)
class StoredSet:
    """A set that was made before: FOLDER/snr and perhaps FOLDER/beats, as told above."""

    folder: Path

    def conditions(self) -> list[Condition]:
        """Read from the file names RECORD_KIND_NdB.npy."""
        return sorted(
            map(_condition, _arrays(self.folder / "snr" / "noisy")), key=lambda c: (c.record, c.kind, c.snr_db)
        )

    def clean(self, record: str) -> CleanSeries:
        """Read snr/clean and snr/rpeaks."""
        peaks = np.asarray(_read_npy(self.folder / "snr" / "rpeaks" / f"{record}.npy"), np.int64)
        return CleanSeries(_read_series(self.folder / "snr" / "clean" / f"{record}.npy", 1), peaks)

    def noisy(self, condition: Condition) -> Samples:
        """Read snr/noisy."""
        return _read_series(self.folder / "snr" / "noisy" / f"{condition.name}.npy", 1)

    def beat_kinds(self) -> list[str]:
        """The names in beats/noisy."""
        folder = self.folder / "beats" / "noisy"
        return [path.stem for path in _arrays(folder)] if folder.is_dir() else []

    def beats(self, kind: str) -> BeatFrames:
        """Read beats/clean and beats/noisy."""
        clean, noisy = (_read_series(self.folder / "beats" / side / f"{kind}.npy", 2) for side in ("clean", "noisy"))
        return BeatFrames(clean, noisy)


def open_set(records: str | Path, noise: str | Path | None, *, seconds: float = SECONDS) -> MixedSet | StoredSet:
    """A set of records and noise; without noise, the set that was made before in that folder.

    Raises
    ------
    CorpusError
        There is nothing of the kind in the folders.
    """
    records = Path(records)
    if noise is None:
        if not (records / "snr" / "noisy").is_dir():
            raise CorpusError(
                f"{records}: no set (snr/clean, snr/noisy, snr/rpeaks); name a folder of noise beside the records"
            )
        return StoredSet(records)
    return MixedSet(records, Path(noise), seconds)


@lru_cache(maxsize=2)
def _noises_of_record(folder: Path, record: str, samples: int) -> dict[str, Floats]:
    return noises_for(record, _noises(folder), samples)


def _noises(folder: Path) -> dict[str, Floats]:
    return {kind: read_leads(folder / kind) for kind in noise_names(folder)}


def _arrays(folder: Path) -> Sequence[Path]:
    paths = sorted(folder.glob("*.npy"))
    if not paths:
        raise CorpusError(f"{folder}: no arrays (.npy)")
    return paths


def _condition(path: Path) -> Condition:
    record, _, rest = path.stem.partition("_")
    kind, _, level = rest.rpartition("_")
    try:
        return Condition(record, kind, float(level.removesuffix("dB")))
    except ValueError as error:
        raise CorpusError(f"{path}: not called RECORD_KIND_NdB.npy, as 100_bw_6dB.npy") from error


def _read_series(path: Path, n_dimensions: int) -> Samples:
    values = _read_npy(path)
    if values.ndim != n_dimensions or values.dtype.kind != "f" or not np.isfinite(values).all():
        raise SignalError(
            f"{path}: {values.dtype} of shape {values.shape}; need finite floats in {n_dimensions} dimension(s)"
        )
    return values.astype(np.float32)


def _read_npy(path: Path) -> npt.NDArray[np.generic]:
    try:
        array: npt.NDArray[np.generic] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SeriesFileError(f"{path}: cannot read the array ({error})") from error
    return array
