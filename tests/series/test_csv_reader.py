import csv
import math

import numpy as np
import pytest

from audiodae.errors import SeriesFileError
from audiodae.series import csv_reader, open_series


@pytest.fixture
def table(tmp_path):
    """Write a text as in.csv; give its path."""

    def write(text):
        path = tmp_path / "in.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def rows(count, *, rate=360, ecg=lambda number: f"{number % 7 / 10:.1f}", end="\n"):
    return "".join(f"{number / rate:.6f},{ecg(number)},x{end}" for number in range(count))


def refused(path, told, **options):
    with pytest.raises(SeriesFileError, match=told) as error, open_series(path, **options) as reader:
        reader.read()
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_table_is_read(table):
    with open_series(table("time,ecg (mV),label\n" + rows(5000))) as reader:
        assert reader.names == ("ecg (mV)",)
        assert reader.units == ("mV",)
        assert reader.others == ("time", "label")
        assert reader.sample_rate == 360
        np.testing.assert_array_equal(reader.read()[:, 0], np.arange(5000) % 7 / 10)


@pytest.mark.parametrize("size", [64, 1000, 2**20])
def test_it_does_not_matter_where_it_is_cut(table, monkeypatch, size):
    text = "time,ecg,note\n" + "".join(f'{n / 100:.2f},{n % 7},"a, {n}\nb"\n# c\n' for n in range(300))
    path = table(text)
    with path.open(newline="") as file:
        wanted = [float(row[1]) for row in csv.reader(file) if row[0][0].isdigit()]
    monkeypatch.setattr(csv_reader, "PIECE_BYTES", size)
    with open_series(path) as reader:
        assert reader.sample_rate == 100
        assert reader.read()[:, 0].tolist() == wanted
        assert b"".join([reader.layout.header, *(part.kept.data for part in reader.parts(1))]) == text.encode()


def test_blocks_are_as_long_as_asked(table):
    with open_series(table(rows(1000))) as reader:
        assert [len(block) for block in reader.blocks(300)] == [300, 300, 300, 100]


@pytest.mark.parametrize("columns", [["b"], ["2"], [2]])
def test_columns_are_chosen(table, columns):
    with open_series(table("a,b,c\n1,2,3\n4,5,6\n"), rate=100, columns=columns) as reader:
        assert reader.names == ("b",)
        assert reader.read().tolist() == [[2.0], [5.0]]


def test_columns_come_as_they_were_asked_for(table):
    with open_series(table("a,b,c\n1,2,3\n4,5,6\n"), rate=100, columns=["c", "a"]) as reader:
        assert reader.read().tolist() == [[3.0, 1.0], [6.0, 4.0]]


def test_twelve_leads(table):
    names = [f"lead {number}" for number in range(12)]
    values = np.arange(60).reshape(5, 12)
    text = ",".join(names) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in values.tolist())
    with open_series(table(text), rate=500) as reader:
        assert reader.names == tuple(names)
        np.testing.assert_array_equal(reader.read(), values)


def test_gaps(table):
    cells = ["0.1", "", "nan", "NA", "0.2", "-"]
    with open_series(table("time,ecg,x\n" + rows(6, ecg=lambda number: cells[number]))) as reader:
        np.testing.assert_array_equal(reader.read()[:, 0], [0.1, math.nan, math.nan, math.nan, 0.2, math.nan])


@pytest.mark.parametrize(
    ("text", "rate", "others"),
    [
        ("t_ms,ecg\n0,1.5\n4,2.5\n8,3.5\n12,1.5\n", 250, ("t_ms",)),
        ("timestamp,ecg\n1700000000000,1.5\n1700000000010,2.5\n1700000000020,0.5\n", 100, ("timestamp",)),
        ("2024-03-01T23:59:59.990,1\n2024-03-02T00:00:00.000,2\n2024-03-02T00:00:00.010,2\n", 100, ("column 1",)),
        ("date,time,ecg\nMon,10:00:00.000,1\nMon,10:00:00.004,2\nMon,10:00:00.008,1\n", 250, ("date", "time")),
        ("'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'\n'0:00.000',-0.145\n'0:00.004',-0.1\n", 250, ("Elapsed time",)),
        ("0.000,0.5\n0.005,0.7\n0.010,0.2\n0.015,0.9\n", 200, ("column 1",)),
        ("0,000;0,5\n0,005;0,7\n0,010;0,2\n0,015;0,9\n", 200, ("column 1",)),
    ],
)
def test_the_rate_is_told_by_time(table, text, rate, others):
    with open_series(table(text)) as reader:
        assert reader.sample_rate == rate
        assert reader.others == others
        assert len(reader.read()) >= 2


def test_a_column_that_numbers_the_rows_is_kept(table):
    path = table("sample #,MLII\n" + "".join(f"{number},{number % 5}.5\n" for number in range(50)))
    refused(path, "does not tell its sample rate: give --rate HZ")
    with open_series(path, rate=360) as reader:
        assert (reader.names, reader.sample_rate) == (("MLII",), 360)


def test_one_column_and_one_sample_and_none(table):
    with open_series(table("0.5\n"), rate=360) as reader:
        assert reader.read().tolist() == [[0.5]]
    with open_series(table("time,ecg\n0.0,0.5\n"), rate=360) as reader:
        assert (reader.names, reader.read().tolist()) == (("ecg",), [[0.5]])
    with open_series(table("time,ecg\n"), rate=360) as reader:
        assert (reader.names, reader.read().shape) == (("ecg",), (0, 1))
    refused(table("time,ecg\n0.0,0.5\n"), "does not tell its sample rate")
    refused(table(""), "is empty", rate=360)


def test_wrong_rates(table):
    path = table("time,ecg,x\n" + rows(1000))
    refused(path, "its time column tells 360 Hz, and --rate says 250", rate=250)
    refused(path, "a rate of -1 Hz", rate=-1.0)
    with open_series(path, rate=250, columns=["ecg"], time_column="none") as reader:
        assert reader.sample_rate == 250


def test_irregular_time(table):
    lines = rows(200_000).splitlines(keepends=True)
    lost = "time,ecg,x\n" + "".join(lines[:150_000] + lines[150_001:])
    refused(table(lost), r"column 'time', line 150002: 0\.00555\d* s after the one before.* resample the series first")
    back = "time,ecg,x\n" + "".join(lines[:100] + lines[50:60])
    refused(table(back), "line 102: time goes backwards")
    with open_series(table(lost), rate=360, time_column="none", columns=["ecg"]) as reader:
        assert len(reader.read()) == 199_999


def test_time_columns_that_are_none(table):
    path = table("a,ecg\nx,1\ny,2\nz,3\n")
    refused(path, "no column 'time'; there are 1 'a', 2 'ecg'", time_column="time", rate=100)
    refused(path, "column 'a' tells no rate", time_column="a", rate=100)
    refused(table("time,ecg\n" + "7,1\n" * 20), "does not tell its sample rate")
    path = table("time,ecg\n" + "".join(f"{n / 10:.1f},1\n" for n in range(120_000)) + "soon,1\n")
    refused(path, "line 120002, column 'time': 'soon' is no time stamp")
    refused(path, "column 'time' holds the time", columns=["time"])


def test_text_in_a_column_of_numbers(table):
    lines = rows(100_000).splitlines(keepends=True)
    lines[70_000] = lines[70_000].replace(",0.0,", ",oops,")
    assert "oops" in lines[70_000]
    refused(table("time,ecg,x\n" + "".join(lines)), "line 70002, column 'ecg': 'oops' is no number; choose columns")
    refused(table("time,ecg\n0.0,1\n"), "'x'; there are 1 'time', 2 'ecg'", columns=["x"], rate=1)
    refused(table("a,b\nx,y\nz,w\n"), "no column holds numbers", rate=360)


def test_decimal_commas(table):
    refused(table('a,b\n"0,5",x\n"0,7",y\n'), "write decimal points, or part the cells", rate=100, columns=["a"])
    with open_series(table("t;ecg\n0,00;1,5\n0,01;2,5\n0,02;0,5\n")) as reader:
        assert reader.sample_rate == 100
        assert reader.read()[:, 0].tolist() == [1.5, 2.5, 0.5]


def test_ragged_rows(table):
    lines = rows(100_000).splitlines(keepends=True)
    lines[80_000] = lines[80_000].replace(",x", ",x,y")
    refused(table("time,ecg,x\n" + "".join(lines)), "line 80002: 4 cells, where the others have 3; are there decimal")


def test_huge_fields_and_no_text(table, monkeypatch):
    refused(table("a,b\n1,2\n" + "1" * 3_000_000), "line 3: more than 1,048,576 characters; no lines at all", rate=1)
    refused(table('a,b\n1,2\n1,"' + "1\n" * 1_500_000), "line 3: more than .* a quote that is not closed", rate=1)
    refused(table(np.random.default_rng(0).bytes(100_000)), "zero bytes", rate=360)
    refused(table(b"a,b\n" + b"1,2\n" * 400_000 + b"\0\0"), "zero bytes after line", rate=360)


def test_all_of_one_lead_may_be_gaps(table):
    text = "time,ecg,x\n" + rows(100, ecg=lambda number: "nan")
    with open_series(table(text), columns=["ecg"]) as reader:
        assert np.isnan(reader.read()).all()
    refused(table(text), "no column holds numbers")
