import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiodae.series.csv_cells import RaggedError, find_cells

LINES = st.sampled_from(["", "# one, two", "   ", "\r"])
CELL = st.text(st.sampled_from('ab1.," \n-'), max_size=5)


def cells_of(data, columns):
    found = find_cells(data, delimiter=b",", newline=b"\n", columns=columns)
    places = [found.column(number) for number in range(columns)]
    rows = zip(*[[data[i:j] for i, j in zip(*one, strict=True)] for one in places], strict=True)
    return [list(row) for row in rows], found


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=20), st.booleans())
def test_cells_are_those_of_the_csv_module(rows, at_the_end):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    data = text.getvalue().removesuffix("" if at_the_end else "\n").encode()
    found, _ = cells_of(data, 3)
    assert [[cell.decode().replace('""', '"') for cell in row] for row in found] == [list(row) for row in rows]


@given(st.lists(st.one_of(LINES, st.just("1.5, -2 ,x")), max_size=30))
def test_lines_without_rows_are_passed_over(lines):
    data = "".join(line + "\n" for line in lines).encode()
    found, cells = cells_of(data, 3)
    assert found == [[b"1.5", b"-2", b"x"]] * lines.count("1.5, -2 ,x")
    assert cells.lines.tolist() == [number for number, line in enumerate(lines) if line.startswith("1")]


def test_ragged_rows_are_told():
    with pytest.raises(RaggedError) as error:
        cells_of(b"# a\n1,2\n1,2,3\n", 2)
    assert (error.value.line, error.value.cells) == (2, 3)
    with pytest.raises(RaggedError):
        cells_of(b"1,2\n1\n", 2)


def test_line_ends_of_windows():
    found, _ = cells_of(b'1,2\r\n3,"4"\r\n', 2)
    assert found == [[b"1", b"2"], [b"3", b"4"]]


def test_nothing_is_no_rows():
    assert cells_of(b"", 2)[1].edges.shape == (0, 3)
    assert np.array_equal(cells_of(b"\n", 1)[1].lines, [])
