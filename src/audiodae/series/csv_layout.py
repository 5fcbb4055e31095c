"""How a table in text is laid out, found out from its beginning: delimiter, header, columns, decimal comma.

Lines that begin with # and empty lines are no rows. A header is what stands above the first row with a number: the
names, and perhaps units below them. All of that is kept as it is.
"""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from audiodae.errors import SeriesFileError
from audiodae.series.csv_numbers import GAPS

DELIMITERS = (b"\t", b";", b",", b"|", b" ")
COMMENT = b"#"
HEAD_BYTES = 2**20
LINES = 30  # that are looked at
HEADER_LINES = 5
BOM = b"\xef\xbb\xbf"
NUMBER = re.compile(rb"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf)", re.IGNORECASE)
COMMA_NUMBER = re.compile(rb"[+-]?((\d+,?\d*|,\d+)(e[+-]?\d+)?|inf)", re.IGNORECASE)
UNIT = re.compile(r"(.*?)\s*[\[(]\s*([^\])]*?)\s*[\])]\s*")
MAGIC = {b"\x93NUMPY": "NPY", b"PAR1": "Parquet", b"PK": "a zip archive (NPZ, XLSX)", b"RIFF": "a WAV"}
MAGIC |= {b"\x1f\x8b": "gzip; unpack it first", b"\xd0\xcf\x11\xe0": "an old Excel sheet", b"%PDF": "a PDF"}
UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class CsvLayout:
    """A table's layout.

    Attributes
    ----------
    delimiter, newline : bytes, a character each
    comma : bool, numbers have a decimal comma
    header : bytes, everything above the first row
    names, units : str for each column; "column 1" and "" where nothing names them
    first_rows : the cells of the first rows
    """

    delimiter: bytes
    newline: bytes
    comma: bool
    header: bytes
    names: tuple[str, ...]
    units: tuple[str, ...]
    first_rows: tuple[tuple[bytes, ...], ...]

    @property
    def named(self) -> bool:
        """Whether the file names its columns."""
        return self.names != _numbered(len(self.names))


def find_layout(head: bytes, path: Path) -> CsvLayout:
    """Find out how a table is laid out.

    Parameters
    ----------
    head : bytes, the beginning of the file, at most HEAD_BYTES
    path : for messages

    Raises
    ------
    SeriesFileError
        It is no text, or no table.
    """
    _refuse_binary(head, path)
    newline = b"\n" if b"\n" in head or b"\r" not in head else b"\r"
    lines = _lines(head, newline)
    if not lines:
        raise SeriesFileError(f"{path}: no rows: it holds nothing but comments and empty lines")
    delimiter = _delimiter([text for _, text in lines])
    if delimiter == b" " and any(b"  " in text or text.startswith(b" ") for _, text in lines):
        raise SeriesFileError(f"{path}: its columns are lined up by blanks; part them by commas (tr -s ' ' ,)")
    rows = [(place, _cells(text, delimiter)) for place, text in lines]
    comma = delimiter != b"," and _has_decimal_commas([cells for _, cells in rows])
    n_header = _header_lines([cells for _, cells in rows], comma=comma)
    width = len(rows[min(n_header, len(rows) - 1)][1])
    names, units = _names([cells for _, cells in rows[:n_header]], width, path)
    start = rows[n_header][0] if n_header < len(rows) else len(head)
    first = tuple(tuple(cells) for _, cells in rows[n_header:])
    return CsvLayout(delimiter, newline, comma, head[:start], names, units, first)


def is_number(cell: bytes, *, comma: bool) -> bool:
    """Tell whether a cell is a number."""
    return bool((COMMA_NUMBER if comma else NUMBER).fullmatch(cell.strip()))


def is_gap(cell: bytes) -> bool:
    """Tell whether a cell is a gap: empty, or a word for it."""
    return cell.strip().lower() in GAPS


def _refuse_binary(head: bytes, path: Path) -> None:
    for beginning, kind in MAGIC.items():
        if head.startswith(beginning):
            raise SeriesFileError(f"{path}: is {kind}, and no table in text; name it so")
    if head.startswith(UTF16):
        raise SeriesFileError(f"{path}: is text in UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)")
    if b"\0" in head:
        raise SeriesFileError(f"{path}: is no text: it holds zero bytes")


def _lines(head: bytes, newline: bytes) -> list[tuple[int, bytes]]:
    """Give where each of the first lines begins, and what it holds; not those that are no rows."""
    found: list[tuple[int, bytes]] = []
    place = len(BOM) if head.startswith(BOM) else 0
    while place < len(head) and len(found) < LINES:
        end = _line_end(head, newline, place)
        # The end of the head is the end of a line only where it is that of the file.
        if end < 0 and len(head) >= HEAD_BYTES and found:
            break
        end = len(head) if end < 0 else end
        text = head[place:end]
        if text.strip() and not text.startswith(COMMENT):
            found.append((place, text.removesuffix(b"\r")))
        place = end + 1
    return found


def _line_end(head: bytes, newline: bytes, place: int) -> int:
    """Give where the line ends that begins at a place, -1 for none; within quotes it goes on."""
    quotes = 0
    while (end := head.find(newline, place)) >= 0:
        quotes += head.count(b'"', place, end)
        if quotes % 2 == 0:
            break
        place = end + 1
    return end


def _delimiter(lines: list[bytes]) -> bytes:
    """Take the character that cuts every line, or most, into the same number of cells, two or more."""
    best, best_share = b",", 0.0
    for delimiter in DELIMITERS:
        counts = Counter(len(_cells(line, delimiter)) for line in lines)
        width, often = counts.most_common(1)[0]
        if width > 1 and often / len(lines) > best_share:
            best, best_share = delimiter, often / len(lines)
    return best


def _cells(line: bytes, delimiter: bytes) -> list[bytes]:
    if b'"' not in line:
        return line.split(delimiter)
    text = io.StringIO(line.decode("latin-1"), newline="")  # every byte has a character there
    return [cell.encode("latin-1") for cell in next(csv.reader(text, delimiter=delimiter.decode()), [])]


def _has_decimal_commas(rows: list[list[bytes]]) -> bool:
    """Tell whether numbers are written 0,5; both ways at once do not happen."""
    cells = [cell for row in rows for cell in row]
    return any(b"," in cell and is_number(cell, comma=True) for cell in cells)


def _header_lines(rows: list[list[bytes]], *, comma: bool) -> int:
    """Count the lines above the first row."""
    if _names_above(rows, comma=comma):
        count = 1
    else:
        return 0
    while count < min(len(rows), HEADER_LINES) and not any(is_number(c, comma=comma) or is_gap(c) for c in rows[count]):
        count += 1  # units
    return count if count < len(rows) else 1


def _names_above(rows: list[list[bytes]], *, comma: bool) -> bool:
    """Tell whether the first line holds names."""
    first = rows[0]
    numbers = [is_number(cell, comma=comma) for cell in first]
    if not any(numbers):
        return not all(is_gap(cell) for cell in first)
    if is_gap(first[0]) and [cell.strip() for cell in first[1:]] == [b"%d" % n for n in range(len(first) - 1)]:
        return len(rows) > 1  # what pandas writes where nobody gave names
    later = rows[1] if len(rows) > 1 else []
    return any(
        not number and not is_gap(cell) and is_number(below, comma=comma)
        for number, cell, below in zip(numbers, first, later, strict=False)
    )


def _names(header: list[list[bytes]], width: int, path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not header:
        return _numbered(width), ("",) * width
    texts = [_text(cell) for cell in header[0]]
    if len(texts) != width:
        raise SeriesFileError(
            f"{path}: the header has {len(texts)} cells and the rows have {width}; are there decimal commas? Cells "
            "must then be separated by semicolons or tabs"
        )
    below = [_text(cell) for cell in header[1]] if len(header) > 1 and len(header[1]) == width else [""] * width
    units = [unit or (match.group(2) if (match := UNIT.fullmatch(name)) else "") for name, unit in zip(texts, below)]  # noqa: B905
    return tuple(texts), tuple(units)


def _text(cell: bytes) -> str:
    try:
        text = cell.decode("utf-8")
    except UnicodeDecodeError:
        text = cell.decode("latin-1")
    return text.strip().strip("'").strip()


def _numbered(width: int) -> tuple[str, ...]:
    return tuple(f"column {number}" for number in range(1, width + 1))
