"""WFDB records: read by the library wfdb in parts, written as a record of the same header with its annotations.

The library writes a record only at once. Its common formats are few lines each, so they are packed here, part by part.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiodae.errors import SeriesFileError, one_line
from audiodae.series.extras import load
from audiodae.series.reading import Columns, Floats, SeriesPart, SeriesReader, checked_rate, choose_columns
from audiodae.series.wfdb_header import RECORD_NAME, WfdbHeader, read_header, renamed_header
from audiodae.series.writing import SeriesWriter, open_part, to_whole
from audiodae.whole_file import whole_file

BITS = {"8": 8, "80": 8, "310": 10, "311": 10, "212": 12, "16": 16, "61": 16, "160": 16, "24": 24, "32": 32}
BITS |= {"508": 8, "516": 16, "524": 24}
WRITTEN = ("80", "212", "16", "61", "160", "24", "32")  # the others are written as the next larger of these
BYTES = {"80": 1, "212": 1.5, "16": 2, "61": 2, "160": 2, "24": 3, "32": 4}
DIFFERENCES = "8"
ANNOTATORS = (
    *("atr", "ann", "ari", "apn", "arousal", "ecg", "epi", "gqrs", "jqrs", "man", "marks", "pu", "pu0", "pu1"),
    *("q1c", "q2c", "qrs", "qrsc", "qt1", "qt2", "sqrs", "st", "sta", "stb", "stc", "wabp", "wqrs"),
)

Digital = npt.NDArray[np.int64]


class WfdbReader(SeriesReader):
    """A WFDB record; see `open_series` for the parameters, `SeriesReader` for the rest.

    Attributes
    ----------
    header : WfdbHeader
    chosen : int, the signals that are leads
    """

    kind = "wfdb"

    def __init__(self, path: Path, *, rate: float | None, columns: Columns | None) -> None:
        self.path = path
        self._stem = path.with_suffix("")
        self.header: WfdbHeader = read_header(path)
        self._wfdb = load("wfdb", path, "a WFDB record")
        signals = self.header.signals
        codings = {signal.coding for signal in signals}
        if DIFFERENCES in codings or not codings <= set(BITS):
            raise SeriesFileError(
                f"{path}: signals in format {', '.join(sorted(codings))}; turn it into 16 first (xform -o 16)"
            )
        names = [signal.name or f"signal {number}" for number, signal in enumerate(signals, 1)]
        self.chosen = choose_columns(path, names, columns, usual=range(len(names)), what="signal")
        self.names = tuple(names[number] for number in self.chosen)
        self.others = tuple(name for number, name in enumerate(names) if number not in self.chosen)
        self.units = tuple(signals[number].units for number in self.chosen)
        self.sample_rate = checked_rate(path, rate, self.header.rate, by="its header")
        self.n_samples = self._length()

    def parts(self, length: int) -> Iterator[SeriesPart]:
        """Yield parts of `length` samples."""
        assert self.n_samples is not None
        for start in range(0, self.n_samples, length):
            digital = self._digital(start, min(start + length, self.n_samples))
            values = np.empty((len(digital), len(self.chosen)))
            for lead, number in enumerate(self.chosen):
                signal, column = self.header.signals[number], digital[:, number]
                values[:, lead] = (column - signal.baseline) / signal.gain
                values[column == gap_of(signal.coding), lead] = np.nan
            yield SeriesPart(values, digital)

    def _digital(self, start: int, stop: int) -> Digital:
        try:
            record: Any = self._wfdb.rdrecord(str(self._stem), sampfrom=start, sampto=stop, physical=False)
        except Exception as error:  # the library raises what numpy, pandas or the disk do
            raise SeriesFileError(f"{self.path}: cannot be read ({one_line(str(error))[:200]})") from None
        digital: Digital = record.d_signal.astype(np.int64)
        return digital

    def _length(self) -> int:
        """Tell the samples of the record; its files must hold them."""
        smallest = None
        for file in {signal.file for signal in self.header.signals}:
            path = self.path.with_name(file)
            if not path.is_file():
                raise SeriesFileError(f"{self.path}: its file {file} is missing")
            inside = [signal for signal in self.header.signals if signal.file == file]
            if (size := BYTES.get(inside[0].coding)) is not None:
                held = int((path.stat().st_size - inside[0].offset) / (size * len(inside)))
                smallest = held if smallest is None else min(smallest, held)
        told = self.header.n_samples
        if told is None:  # the library then reads all or nothing
            number = "" if smallest is None else f": {smallest}"
            raise SeriesFileError(
                f"{self.path}: does not say how many samples there are; write it behind the rate in line 1{number}"
            )
        if smallest is not None and smallest < told:
            raise SeriesFileError(f"{self.path}: says {told} samples, and its files hold {smallest}")
        return told


class WfdbWriter(SeriesWriter):
    """A WFDB record like its source: header, gains, the other signals and annotations as they were.

    The header appears last: where it is, all is.
    """

    def __init__(self, path: Path, source: WfdbReader) -> None:
        super().__init__(path)
        name = path.stem
        if not RECORD_NAME.fullmatch(name):
            raise SeriesFileError(f"{path}: a WFDB record's name has letters, digits, - and _ only")
        self._source, self._name = source, name
        self._coding = _written_as([signal.coding for signal in source.header.signals])
        n_signals = len(source.header.signals)
        self._first: list[int] | None = None
        self._sums = np.zeros(n_signals, np.int64)
        self._n_samples = 0
        self._rest = np.zeros(0, np.int64)  # of a pair of format 212

    def _begin(self, stack: ExitStack) -> None:
        self._header = stack.enter_context(whole_file(self.path))
        for annotator in ANNOTATORS:
            annotations = self._source.path.with_suffix(f".{annotator}")
            target = self.path.with_suffix(f".{annotator}")
            if annotations.is_file() and annotations.resolve() != target.resolve():
                shutil.copyfile(annotations, stack.enter_context(whole_file(target)))
        self._file = open_part(stack, self.path.with_suffix(".dat"))

    def _append(self, part: SeriesPart, values: Floats) -> None:
        digital: Digital = part.kept.copy()
        bits = BITS[self._coding]
        for number, signal in enumerate(self._source.header.signals):  # a gap has another number in another format
            digital[part.kept[:, number] == gap_of(signal.coding), number] = gap_of(self._coding)
        for lead, number in enumerate(self._source.chosen):
            signal = self._source.header.signals[number]
            raw = values[:, lead] * signal.gain + signal.baseline
            most = 2 ** (bits - 1) - 1
            digital[:, number], clipped = to_whole(raw, -most, most, gap_of(self._coding))
            self.clipped += clipped
        if self._first is None and len(digital):
            self._first = digital[0].tolist()
        self._sums += digital.sum(axis=0)
        self._n_samples += len(digital)
        flat = np.concatenate([self._rest, digital.ravel()])
        odd = len(flat) % 2 if self._coding == "212" else 0
        self._rest = flat[len(flat) - odd :]
        self._file.write(packed(flat[: len(flat) - odd], self._coding))

    def as_written(self, values: Floats) -> Floats:
        """Give the values as the record's whole numbers hold them."""
        signals = [self._source.header.signals[number] for number in self._source.chosen]
        gains = np.array([signal.gain for signal in signals])
        baselines = np.array([signal.baseline for signal in signals])
        most = 2 ** (BITS[self._coding] - 1) - 1
        held = np.clip(np.rint(values * gains + baselines), -most, most)
        return np.asarray((held - baselines) / gains)

    def _finish(self) -> None:
        if len(self._rest):
            self._file.write(packed(np.append(self._rest, 0), self._coding))
        text = renamed_header(
            self._source.header,
            self._name,
            coding=self._coding,
            n_samples=self._n_samples,
            first=self._first or [0] * len(self._sums),
            checksums=[(int(total) + 2**15) % 2**16 - 2**15 for total in self._sums],
        )
        self._header.write_bytes(text.encode("utf-8", "surrogateescape"))


def packed(samples: Digital, coding: str) -> bytes:
    """Pack whole numbers, those of all signals in turn, as a format says; of format 212 pairs."""
    if coding == "212":
        first, second = samples[0::2] & 0xFFF, samples[1::2] & 0xFFF
        three = np.stack([first & 0xFF, (first >> 8) | (second >> 8 << 4), second & 0xFF], axis=1)
        return three.astype(np.uint8).tobytes()
    if coding == "24":
        return samples.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    if coding in ("80", "160"):
        kind, middle = (np.dtype("u1"), 128) if coding == "80" else (np.dtype("<u2"), 32768)
        return (samples + middle).astype(kind).tobytes()
    return samples.astype({"16": "<i2", "61": ">i2", "32": "<i4"}[coding]).tobytes()


def gap_of(coding: str) -> int:
    """Give the whole number that stands for a gap in a format: the lowest."""
    return -(1 << (BITS[coding] - 1))


def _written_as(codings: list[str]) -> str:
    """Choose the format of a record's only file."""
    if len(set(codings)) == 1 and codings[0] in WRITTEN:
        return codings[0]
    bits = max(BITS[coding] for coding in codings)
    return next(coding for coding in ("16", "24", "32") if BITS[coding] >= bits)
