import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiodae.series.csv_numbers import NoNumberError, NumberFormat, read_numbers


def read(cells, *, comma=False):
    """The numbers of cells that stand in one text, and how they were written."""
    data = b",".join(cells) if not comma else b";".join(cells)
    lengths = np.array([len(cell) for cell in cells], np.int64)
    starts = np.cumsum(lengths + 1) - lengths - 1
    written = NumberFormat(comma=comma)
    return read_numbers(np.frombuffer(data, np.uint8), starts, starts + lengths, written), written


decimals = st.decimals(-(10**6), 10**6, allow_nan=False, places=4).map(lambda number: f"{number:f}".encode())
floats = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: repr(number).encode())
strange = st.sampled_from(
    [b"+1.5", b".5", b"5.", b"-.25", b"1e3", b"1E-3", b"123456789012345678", b"0.1234567890123456"]
)


@given(st.lists(st.one_of(decimals, floats, strange), min_size=1, max_size=30))
def test_numbers_are_those_of_python(cells):
    values, _ = read(cells)
    assert values.tolist() == [float(cell) for cell in cells]


def test_gaps_are_nan():
    values, written = read([b"1.5", b"", b"nan", b"NaN", b"NA", b"-", b"null", b"2.25"])
    np.testing.assert_array_equal(values, [1.5, *[math.nan] * 6, 2.25])
    assert (written.decimals, written.free) == (2, False)


@pytest.mark.parametrize("cell", [b"abc", b"1.2.3", b"--1", b"1_000", b"0x10", b"1e", b"\xff\xfe", b"1" * 65])
def test_what_is_no_number_is_told(cell):
    with pytest.raises(NoNumberError) as error:
        read([b"1.0", b"2.0", cell])
    assert error.value.row == 2


def test_decimal_commas():
    values, written = read([b"1,5", b"-0,25", b"3"], comma=True)
    assert values.tolist() == [1.5, -0.25, 3.0]
    assert written.texts(values) == [b"1,50", b"-0,25", b"3,00"]
    with pytest.raises(NoNumberError, match=r"1\.5"):
        read([b"1.5"], comma=True)


def test_as_many_decimals_as_came_in():
    values, written = read([b"-0.145", b"12.5", b"7"])
    assert written.texts(values) == [b"-0.145", b"12.500", b"7.000"]
    assert written.texts(np.array([-0.0001, 1 / 3])) == [b"0.000", b"0.333"]
    _, whole = read([b"1024", b"-3"])
    assert whole.texts(np.array([0.5, 1.7])) == [b"0", b"2"]


def test_nine_digits_at_most():
    _, many = read([b"0.123456789012"])
    assert many.texts(np.array([1 / 3])) == [b"0.333333333"]
    _, exponents = read([b"1.5e-7", b"0.5"])
    assert exponents.texts(np.array([1 / 3e6])) == [b"3.33333333e-07"]
    _, large = read([b"123456.7891"])
    assert large.texts(np.array([123456.78912])) == [b"123456.789"]


def test_what_is_written_is_what_is_said():
    _, written = read([b"0.25"])
    values = np.random.default_rng(1).normal(0, 1, 1000)
    assert written.rounded(values).tolist() == [float(text) for text in written.texts(values)]


def test_sixteen_digits_are_more_than_a_quotient_of_floats_holds():
    numbers = np.random.default_rng(13).integers(91 * 10**14, 10**16, 5000).tolist()
    cells = [f"{number // 10**9}.{number % 10**9:09d}".encode() for number in numbers]
    values, _ = read(cells)
    assert values.tolist() == [float(cell) for cell in cells]
