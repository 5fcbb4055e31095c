from pathlib import Path

import pytest

from audiodae.errors import SeriesFileError
from audiodae.series.csv_layout import find_layout


def layout(text, path=Path("in.csv")):
    return find_layout(text if isinstance(text, bytes) else text.encode(), path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_found(delimiter, end):
    lines = [delimiter.join(["t", "ecg", "note"]), *(delimiter.join(["0.1", "-5.25", "ok"]) for _ in range(5))]
    found = layout(end.join(lines) + end)
    assert found.delimiter == delimiter.encode()
    assert found.names == ("t", "ecg", "note")
    assert found.header == (lines[0] + end).encode()


@pytest.mark.parametrize(
    ("text", "names", "header"),
    [
        ("0.1,0.2\n0.3,0.4\n", ("column 1", "column 2"), ""),
        ("a,b\n0.3,0.4\n", ("a", "b"), "a,b\n"),
        ("# by a logger\n\na,b\n0.3,0.4\n", ("a", "b"), "# by a logger\n\na,b\n"),
        ("\ufeffa,b\n0.3,0.4\n", ("a", "b"), "\ufeffa,b\n"),
        ('"a, left",b\n0.3,0.4\n', ("a, left", "b"), '"a, left",b\n'),
        ("'Elapsed time','MLII'\n'seconds','mV'\n0.0,-0.1\n", ("Elapsed time", "MLII"), None),
        ("2024-01-01T00:00:00,0.5\n2024-01-01T00:00:01,0.6\n", ("column 1", "column 2"), ""),
        (",0,1\n0,0.5,0.6\n1,0.5,0.6\n", ("", "0", "1"), ",0,1\n"),
        ("ecg\n1\n2\n", ("ecg",), "ecg\n"),
        ("1\n2\n", ("column 1",), ""),
        ("time,ecg\n0.0,NA\n0.1,NA\n", ("time", "ecg"), "time,ecg\n"),
        ("ecg,v5\n", ("ecg", "v5"), "ecg,v5\n"),
    ],
)
def test_the_header_is_found(text, names, header):
    found = layout(text)
    assert found.names == names
    assert header is None or found.header == header.encode()


def test_units_stand_below_or_behind_the_names():
    assert layout("'time','MLII'\n'seconds','mV'\n0.0,-0.1\n").units == ("seconds", "mV")
    assert layout("t [s],ecg (mV),x\n0.0,-0.1,3\n").units == ("s", "mV", "")


def test_decimal_commas_where_they_can_be():
    assert layout("t;ecg\n0,1;0,25\n0,2;0,5\n").comma
    assert layout("t\tecg\n0,1\t0,25\n0,2\t0,5\n").comma
    assert not layout("t;ecg\n0.1;0.25\n").comma


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x93NUMPY\x01\x00", "is NPY, and no table in text"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\xff\xfea\x00,\x00", "UTF-16; save it as UTF-8"),
        (b"1,2\n\x00\x00", "zero bytes"),
        (b"# nothing\n\n", "no rows"),
        (b"ecg\n0,145\n0,150\n", "the header has 1 cells and the rows have 2; are there decimal commas"),
        (b" 0.1   0.2\n 0.3   0.4\n", "lined up by blanks"),
    ],
)
def test_what_is_no_table_is_refused(data, told):
    with pytest.raises(SeriesFileError, match=told) as error:
        layout(data)
    assert "in.csv" in str(error.value)
