"""EDF and BDF (and EDF+, BDF+): read by records; written as a copy in which only the numbers of the leads change.

So header, gains, annotations and the other signals stay as they are, byte for byte. The format: a header of 256 bytes
and 256 for each signal, in ASCII, then records, in each of which the samples of one signal after the other, whole
numbers of 16 (BDF: 24) bits (https://www.edfplus.info/specs/edf.html).
"""

import math
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from audiodae.errors import SeriesFileError, one_line
from audiodae.series.reading import (
    Columns,
    Floats,
    SeriesPart,
    SeriesReader,
    checked_rate,
    choose_columns,
    whole_where_whole,
)
from audiodae.series.writing import SeriesWriter, open_part, to_whole

HEAD = 256  # bytes of the header, and of each signal's
MAX_SIGNALS = 4096
# Where the fields of the signals begin, in bytes for each signal, and how long one is.
LABEL, UNIT, PHYSICAL_MIN, PHYSICAL_MAX = (0, 16), (96, 8), (104, 8), (112, 8)
DIGITAL_MIN, DIGITAL_MAX, SAMPLES = (120, 8), (128, 8), (216, 8)
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")


@dataclass(frozen=True)
class EdfSignal:
    """A signal: a physical value is (digital - digital_min) * gain + physical_min."""

    label: str
    unit: str
    physical_min: float
    gain: float
    digital_min: int
    digital_max: int
    samples: int  # of a record
    start: int  # sample of a record at which it begins


@dataclass(frozen=True)
class EdfHeader:
    """A header: the length of a record in seconds, how many there are, bytes of a sample, and the signals."""

    record_s: float
    n_records: int
    sample_bytes: int
    signals: tuple[EdfSignal, ...]

    @property
    def header_bytes(self) -> int:
        """Bytes before the first record."""
        return HEAD * (1 + len(self.signals))

    @property
    def record_samples(self) -> int:
        """Samples of a record, those of all signals."""
        return sum(signal.samples for signal in self.signals)


class EdfReader(SeriesReader):
    """An EDF or BDF file; see `open_series` for the parameters, `SeriesReader` for the rest.

    Attributes
    ----------
    header : EdfHeader
    chosen : EdfSignal for each lead
    """

    kind = "edf"

    def __init__(self, path: Path, *, rate: float | None, columns: Columns | None) -> None:
        self.path = path
        self._file: BinaryIO = path.open("rb")
        try:
            self.header = _read_header(self._file, path)
            self._refuse_interrupted()
            signals = [signal for signal in self.header.signals if signal.label not in ANNOTATIONS]
            labels = [signal.label for signal in signals]
            numbers = choose_columns(path, labels, columns, usual=range(len(labels)), what="signal")
            self.chosen = [signals[number] for number in numbers]
            if not self.chosen:
                raise SeriesFileError(f"{path}: holds no signals, only annotations")
            if len({signal.samples for signal in self.chosen}) > 1:
                told = ", ".join(f"{one_line(s.label)} {self._rate(s):g}" for s in signals)
                raise SeriesFileError(f"{path}: its signals have several rates ({told} Hz); choose by --columns")
            self.sample_rate = checked_rate(path, rate, self._rate(self.chosen[0]), by="its header")
        except BaseException:
            self._file.close()
            raise
        self.names = tuple(signal.label for signal in self.chosen)
        self.units = tuple(signal.unit for signal in self.chosen)
        self.others = tuple(signal.label for signal in self.header.signals if signal not in self.chosen)
        self.n_samples = self.header.n_records * self.chosen[0].samples

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def parts(self, length: int) -> Iterator[SeriesPart]:
        """Yield parts of whole records, `length` samples or a little less."""
        header, samples = self.header, self.chosen[0].samples
        at_once = max(1, length // samples)
        self._file.seek(header.header_bytes)
        for start in range(0, header.n_records, at_once):
            n_records = min(at_once, header.n_records - start)
            data = self._file.read(n_records * header.record_samples * header.sample_bytes)
            records = np.frombuffer(data, np.uint8).reshape(n_records, -1, header.sample_bytes)
            values = [_to_physical(records, signal) for signal in self.chosen]
            yield SeriesPart(np.stack(values, axis=1), data)

    def _rate(self, signal: EdfSignal) -> float:
        return whole_where_whole(signal.samples / self.header.record_s)

    def _refuse_interrupted(self) -> None:
        """Refuse a recording with pauses between its records: its samples are no one series."""
        self._file.seek(192)
        reserved = self._file.read(44)
        if reserved[:5] not in (b"EDF+D", b"BDF+D"):
            return
        onsets = self._onsets()
        gaps = np.flatnonzero(np.abs(np.diff(onsets) - self.header.record_s) > 1e-3 * self.header.record_s)
        if len(gaps):
            raise SeriesFileError(
                f"{self.path}: a recording with interruptions (the first {onsets[gaps[0]] + self.header.record_s:g} s "
                "after its beginning); split it there first"
            )

    def _onsets(self) -> Floats:
        """Read when each record begins, from its first annotation: "+12.5" and a byte of 20."""
        header = self.header
        clock = next((signal for signal in header.signals if signal.label in ANNOTATIONS), None)
        onsets = np.array([record * header.record_s for record in range(header.n_records)])
        for record in range(header.n_records if clock else 0):
            assert clock is not None
            place = (record * header.record_samples + clock.start) * header.sample_bytes
            self._file.seek(header.header_bytes + place)
            text = self._file.read(min(clock.samples * header.sample_bytes, 32)).split(b"\x14")[0].split(b"\x15")[0]
            try:
                onsets[record] = float(text)
            except ValueError:
                raise SeriesFileError(f"{self.path}: record {record + 1} does not say when it begins") from None
        return np.asarray(onsets - onsets[:1])


class EdfWriter(SeriesWriter):
    """A copy of an EDF file with other numbers in the leads; what is beyond a lead's range is held at its limits."""

    def __init__(self, path: Path, source: EdfReader) -> None:
        super().__init__(path)
        self._source = source

    def _begin(self, stack: ExitStack) -> None:
        self._file = open_part(stack, self.path)
        with self._source.path.open("rb") as source:
            self._file.write(source.read(self._source.header.header_bytes))

    def _append(self, part: SeriesPart, values: Floats) -> None:
        header = self._source.header
        samples = self._source.chosen[0].samples
        records = np.frombuffer(part.kept, np.uint8).reshape(len(values) // samples, -1, header.sample_bytes).copy()
        for lead, signal in enumerate(self._source.chosen):
            raw = (values[:, lead] - signal.physical_min) / signal.gain + signal.digital_min
            whole, clipped = to_whole(raw, signal.digital_min, signal.digital_max)
            self.clipped += clipped
            bytes_of = whole.astype("<i4").view(np.uint8).reshape(len(records), samples, 4)
            records[:, signal.start : signal.start + samples] = bytes_of[:, :, : header.sample_bytes]
        self._file.write(records.tobytes())

    def as_written(self, values: Floats) -> Floats:
        """Give the values as the file's whole numbers hold them."""
        columns = []
        for lead, signal in enumerate(self._source.chosen):
            raw = np.rint((values[:, lead] - signal.physical_min) / signal.gain + signal.digital_min)
            held = np.clip(raw, signal.digital_min, signal.digital_max)
            columns.append((held - signal.digital_min) * signal.gain + signal.physical_min)
        return np.stack(columns, axis=1)

    def _finish(self) -> None:
        header = self._source.header
        records = header.n_records * header.record_samples * header.sample_bytes
        with self._source.path.open("rb") as source:  # a last record that was cut short
            source.seek(header.header_bytes + records)
            shutil.copyfileobj(source, self._file)


def _to_physical(records: npt.NDArray[np.uint8], signal: EdfSignal) -> Floats:
    """Give a signal's samples of records, bytes of shape (records, samples, bytes of a sample)."""
    low = records[:, signal.start : signal.start + signal.samples].reshape(-1, records.shape[2])
    wide = np.zeros((len(low), 4), np.uint8)
    wide[:, 4 - low.shape[1] :] = low  # at the upper end, so that the sign is right
    digital = wide.view("<i4")[:, 0] >> 8 * (4 - low.shape[1])
    values = (digital.astype(np.float64) - signal.digital_min) * signal.gain + signal.physical_min
    return np.asarray(values)


def _read_header(file: BinaryIO, path: Path) -> EdfHeader:
    head = file.read(HEAD)
    sample_bytes = {b"0       ": 2, b"\xffBIOSEMI": 3}.get(head[:8])
    if sample_bytes is None or len(head) < HEAD:
        raise SeriesFileError(f"{path}: no EDF or BDF: it does not begin as one")
    try:
        n_records, record_s, n_signals = int(head[236:244]), float(head[244:252]), int(head[252:256])
        if not 1 <= n_signals <= MAX_SIGNALS:
            raise SeriesFileError(f"{path}: {n_signals} signals; need 1 to {MAX_SIGNALS}")
        signals = _read_signals(file.read(HEAD * n_signals), n_signals)
    except SeriesFileError:
        raise
    except (ValueError, ZeroDivisionError):
        raise SeriesFileError(f"{path}: its header is damaged") from None
    if not (math.isfinite(record_s) and record_s > 0):
        raise SeriesFileError(f"{path}: records of {record_s} s; need signals beside the annotations")
    header = EdfHeader(record_s, n_records, sample_bytes, signals)
    held = (path.stat().st_size - header.header_bytes) // max(1, header.record_samples * sample_bytes)
    if n_records > held:
        raise SeriesFileError(f"{path}: says {n_records} records and holds {max(0, held)}: it is cut short")
    return EdfHeader(record_s, held if n_records < 0 else n_records, sample_bytes, signals)


def _read_signals(fields: bytes, n_signals: int) -> tuple[EdfSignal, ...]:
    def texts(field: tuple[int, int]) -> list[str]:
        start, length = field[0] * n_signals, field[1]
        cut = [fields[start + number * length : start + (number + 1) * length] for number in range(n_signals)]
        return [one.decode("latin-1").strip() for one in cut]

    labels, units, samples = texts(LABEL), texts(UNIT), [int(text) for text in texts(SAMPLES)]
    physical = list(zip(map(float, texts(PHYSICAL_MIN)), map(float, texts(PHYSICAL_MAX)), strict=True))
    digital = list(zip(map(int, texts(DIGITAL_MIN)), map(int, texts(DIGITAL_MAX)), strict=True))
    if min(samples) < 1:
        raise ValueError("a signal without samples")
    signals, start = [], 0
    for label, unit, count, (low, high), (least, most) in zip(labels, units, samples, physical, digital, strict=True):
        if most <= least:
            raise ValueError("a digital range of nothing")
        gain = (high - low) / (most - least) or 1.0  # where the physical range is nothing the numbers stay as they are
        signals.append(EdfSignal(label, unit, low, gain, least, most, count, start))
        start += count
    return tuple(signals)
