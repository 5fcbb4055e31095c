"""The header of a WFDB record (.hea): what its fields are, and the same header for a record of another name.

A signal's line is: file, format[xSAMPLES][:SKEW][+OFFSET], gain[(baseline)][/units], resolution, zero, first value,
checksum, block size, description (https://physionet.org/physiotools/wag/header-5.htm).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from audiodae.errors import SeriesFileError, one_line

FORMAT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?")
GAIN = re.compile(r"([-+]?[\d.]+(?:[eE][-+]?\d+)?)?(?:\(([-+]?\d+)\))?(?:/(\S+))?")
PLAIN_NAME = re.compile(r"[-\w.]+")
RECORD_NAME = re.compile(r"[-\w]+")
USUAL_GAIN, USUAL_RATE = 200.0, 250.0
FIRST_VALUE, CHECKSUM = 5, 6  # where they stand in a signal's line
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class WfdbSignal:
    """A signal's line: a physical value is (digital - baseline) / gain units."""

    file: str
    coding: str
    gain: float
    baseline: int
    units: str
    name: str
    offset: int


@dataclass(frozen=True)
class WfdbHeader:
    """A header.

    Attributes
    ----------
    lines : str, as they are, without their ends
    rate : float, Hz
    n_samples : int, or None where it does not say
    signals : WfdbSignal for each
    """

    lines: tuple[str, ...]
    rate: float
    n_samples: int | None
    signals: tuple[WfdbSignal, ...]


def read_header(path: Path) -> WfdbHeader:
    """Read a header.

    Raises
    ------
    SeriesFileError
        It cannot be read, or the record is one that is not worked on: of several segments, of signals at several rates,
        without signals, or with files elsewhere.
    """
    try:
        text = path.read_bytes()[:MAX_BYTES].decode("utf-8", "surrogateescape")
    except OSError as error:
        raise SeriesFileError(f"{path}: {error.strerror}") from None
    lines = tuple(text.splitlines())
    told = [line for line in lines if line.strip() and not line.startswith("#")]
    try:
        return _parsed(path, lines, told)
    except (ValueError, IndexError) as error:
        if isinstance(error, SeriesFileError):
            raise
        raise SeriesFileError(f"{path}: no WFDB header that can be read") from None


def _parsed(path: Path, lines: tuple[str, ...], told: list[str]) -> WfdbHeader:
    record = told[0].split()
    if "/" in record[0]:
        raise SeriesFileError(f"{path}: a record of several segments; join them first (xform, or rdrecord and wrsamp)")
    n_signals = int(record[1])
    if n_signals < 1:
        raise SeriesFileError(f"{path}: a record without signals")
    rate = float(re.split(r"[/(]", record[2])[0]) if len(record) > 2 else USUAL_RATE
    n_samples = int(record[3]) if len(record) > 3 else 0
    signals = tuple(_signal(path, line) for line in told[1 : 1 + n_signals])
    if len(signals) < n_signals:
        raise SeriesFileError(f"{path}: names {n_signals} signals and describes {len(signals)}")
    return WfdbHeader(lines, rate, n_samples or None, signals)


def _signal(path: Path, line: str) -> WfdbSignal:
    fields = line.split(None, 8)
    name = fields[8].strip() if len(fields) > 8 else ""
    if not PLAIN_NAME.fullmatch(fields[0]):
        raise SeriesFileError(f"{path}: names the file {one_line(fields[0])!r}; it must lie beside the header")
    coding = FORMAT.fullmatch(fields[1])
    gain = GAIN.fullmatch(fields[2]) if len(fields) > 2 else GAIN.fullmatch("")
    if not coding or not gain:
        raise ValueError(line)
    if int(coding.group(2) or 1) != 1:
        raise SeriesFileError(
            f"{path}: signal {one_line(name)!r} has {coding.group(2)} samples a frame, others have fewer; give the "
            "record one rate first (xform)"
        )
    zero = int(fields[4]) if len(fields) > 4 else 0
    return WfdbSignal(
        file=fields[0],
        coding=coding.group(1),
        gain=float(gain.group(1) or 0) or USUAL_GAIN,
        baseline=int(gain.group(2)) if gain.group(2) else zero,
        units=gain.group(3) or "mV",
        name=name,
        offset=int(coding.group(4) or 0),
    )


def renamed_header(
    header: WfdbHeader, name: str, *, coding: str, n_samples: int, first: list[int], checksums: list[int]
) -> str:
    """Give the text of a header for a record of one file, NAME.dat; everything else is as it was.

    Parameters
    ----------
    coding : format of the file
    first, checksums : of each signal
    """
    lines, at = (
        list(header.lines),
        [number for number, line in enumerate(header.lines) if line.strip() and not line.startswith("#")],
    )
    record = lines[at[0]].split()
    record[0] = name
    record = [*record, f"{USUAL_RATE:g}"][: max(len(record), 3)]
    record = [*record, "0"][: max(len(record), 4)]
    record[3] = str(n_samples)
    lines[at[0]] = " ".join(record)
    for number, line in enumerate(at[1 : 1 + len(header.signals)]):
        fields = lines[line].split(None, 8)
        fields[:2] = [f"{name}.dat", coding]
        for place, value in ((FIRST_VALUE, first[number]), (CHECKSUM, checksums[number])):
            if len(fields) > place:
                fields[place] = str(value)
        lines[line] = " ".join(fields)
    return "\n".join(lines) + "\n"
