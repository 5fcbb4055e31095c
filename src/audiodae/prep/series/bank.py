"""Banks of time series: the recordings of one split at one rate, in one safetensors file that is read by slices.

    PREPARED/series/SPLIT.safetensors
        clean/NAME                   float32, shape (samples,), in the bank's unit
        beats/NAME                   int64, shape (beats,), sample numbers of the R peaks; an ECG's only
        noise/KIND/RECORDING/LEAD    float32, shape (samples,); the leads of one recording are simultaneous
        metadata, key "audiodae"     a `SeriesHeader` as JSON

One metadata key: safetensors writes several in an order that changes from run to run. The file appears by rename.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from audiodae.errors import ShardError
from audiodae.whole_file import write_whole

FORMAT = 1
HEADER_KEY = "audiodae"

Values = npt.NDArray[np.float32]
Beats = npt.NDArray[np.int64]


class SeriesHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bank says of itself.

    Attributes
    ----------
    rate_hz : samples per second of everything in it
    unit : of the clean recordings, such as mV
    noisy_only : the recordings under clean/ are noisy themselves: only masking can be learnt from
    source : where the recordings come from, in words
    """

    format: int = FORMAT
    rate_hz: float
    unit: str = ""
    noisy_only: bool = False
    source: str = ""


@dataclass(frozen=True)
class NoiseRecording:
    """Simultaneous leads of one noise: the keys of their tensors, and how many samples each has."""

    kind: str
    name: str
    leads: tuple[str, ...]
    length: int


class SeriesBank:
    """The recordings of one split, ready to be cut from. Never changed once loaded.

    Attributes
    ----------
    path : where it was loaded from
    header : rate, unit and what it holds
    clean : names of the clean recordings, sorted
    lengths : int64, shape (recordings,), samples of each
    beats : int64 arrays, the R peaks of each clean recording; empty where they are not known
    noise : the noise recordings of each kind, kinds and recordings sorted
    """

    def __init__(self, path: Path, file: Any, header: SeriesHeader) -> None:
        self.path, self.header, self._file = path, header, file
        keys = sorted(file.keys())
        self.clean = tuple(key.removeprefix("clean/") for key in keys if key.startswith("clean/"))
        self.lengths = np.array([self._length(f"clean/{name}") for name in self.clean], np.int64)
        self.beats: tuple[Beats, ...] = tuple(
            file.get_tensor(f"beats/{name}") if f"beats/{name}" in keys else np.zeros(0, np.int64)
            for name in self.clean
        )
        self.noise: Mapping[str, tuple[NoiseRecording, ...]] = self._noises(keys)

    @classmethod
    def load(cls, path: str | Path) -> "SeriesBank":
        """Open a bank; its samples stay on disk until they are read.

        Raises
        ------
        ShardError
            There is no bank at this path, or it is damaged.
        """
        path = Path(path)
        try:
            # Kept open: it maps the file into memory. It is closed when the bank is gone.
            file: Any = safetensors.safe_open(path, framework="np")
            header = msgspec.json.decode((file.metadata() or {}).get(HEADER_KEY, ""), type=SeriesHeader)
        except (OSError, safetensors.SafetensorError, msgspec.MsgspecError) as error:
            raise ShardError(
                f"{path}: no bank of time series ({error}); make it with prepare_ecg.py or prepare_series.py"
            ) from error
        if header.format != FORMAT:
            raise ShardError(f"{path}: a bank of format {header.format}, this audiodae reads {FORMAT}; prepare again")
        bank = cls(path, file, header)
        if not bank.clean:
            raise ShardError(f"{path}: holds no recordings to learn from; prepare again")
        return bank

    def __reduce__(self) -> "tuple[Callable[[Path], SeriesBank], tuple[Path]]":
        # Another process opens the file anew: a map of memory cannot be sent.
        return SeriesBank.load, (self.path,)

    @property
    def seconds(self) -> float:
        """How much there is to learn from."""
        return float(self.lengths.sum()) / self.header.rate_hz

    def read(self, recording: int, start: int, length: int) -> Values:
        """Cut a stretch out of a clean recording; past its end it goes back as it came.

        Returns
        -------
        values : float32, shape (length,)
        """
        return self._cut(f"clean/{self.clean[recording]}", int(self.lengths[recording]), start, length)

    def read_noise(self, recording: NoiseRecording, lead: int, start: int, length: int) -> Values:
        """Cut the same stretch out of one lead of a noise."""
        return self._cut(recording.leads[lead], recording.length, start, length)

    def _cut(self, key: str, available: int, start: int, length: int) -> Values:
        values: Values = self._file.get_slice(key)[start : min(start + length, available)]
        if len(values) < length:
            values = np.pad(values, (0, length - len(values)), mode="symmetric")
        return values

    def _length(self, key: str) -> int:
        (samples,) = self._file.get_slice(key).get_shape()
        return int(samples)

    def _noises(self, keys: Sequence[str]) -> dict[str, tuple[NoiseRecording, ...]]:
        leads: dict[tuple[str, str], list[str]] = {}
        for key in keys:
            if key.startswith("noise/"):
                _, kind, name, _ = key.split("/")
                leads.setdefault((kind, name), []).append(key)
        found: dict[str, list[NoiseRecording]] = {}
        for (kind, name), some in leads.items():
            shortest = min(self._length(key) for key in some)
            found.setdefault(kind, []).append(NoiseRecording(kind, name, tuple(some), shortest))
        return {kind: tuple(some) for kind, some in found.items()}


def bank_path(prepared: str | Path, split: str) -> Path:
    """Where the bank of a split lies in a prepared folder."""
    return Path(prepared) / "series" / f"{split}.safetensors"


def write_series_bank(
    path: Path,
    header: SeriesHeader,
    *,
    clean: Mapping[str, npt.NDArray[np.floating[Any]]],
    noise: Mapping[str, Mapping[str, npt.NDArray[np.floating[Any]]]],
    beats: Mapping[str, Beats] | None = None,
) -> None:
    """Write a bank, the same bytes for the same recordings.

    Parameters
    ----------
    path : of the file
    header : what it says of itself
    clean : shape (samples,) by name; a name has no slash
    noise : shape (samples, leads) by name, by kind
    beats : sample numbers of the R peaks by the name of a clean recording
    """
    tensors: dict[str, npt.NDArray[Any]] = {}
    for name, values in clean.items():
        tensors[f"clean/{name}"] = np.ascontiguousarray(values, np.float32)
    for name, samples in (beats or {}).items():
        tensors[f"beats/{name}"] = np.ascontiguousarray(samples, np.int64)
    for kind, recordings in noise.items():
        for name, leads in recordings.items():
            for lead in range(leads.shape[1]):
                tensors[f"noise/{kind}/{name}/{lead}"] = np.ascontiguousarray(leads[:, lead], np.float32)
    for key in tensors:
        assert key.count("/") == (3 if key.startswith("noise/") else 1), f"{key}: a slash in a name"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, safetensors.numpy.save(tensors, metadata={HEADER_KEY: msgspec.json.encode(header).decode()}))
