import math

import numpy as np
import pytest

from audiodae.errors import AudiodaeError, SeriesFileError
from audiodae.series import SeriesOptions, clean_series, open_series, parquet
from tests.series.standin import StandIn

arrow = pytest.importorskip("pyarrow")
arrow_parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def table(tmp_path):
    """Write columns as in.parquet; give its path."""

    def write(columns, **options):
        arrow_parquet.write_table(arrow.table(columns), tmp_path / "in.parquet", **options)
        return tmp_path / "in.parquet"

    return write


def refused(path, told, **options):
    with pytest.raises(SeriesFileError, match=told) as error, open_series(path, **options) as reader:
        reader.read()
    assert str(error.value).startswith(str(path))


COUNT = 5000
ECG = np.random.default_rng(3).normal(0, 1, COUNT)
STAMPS = np.datetime64("2024-05-01T00:00:00", "us") + np.arange(COUNT) * np.timedelta64(4000, "us")


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
def test_columns_types_and_compression_are_kept(table, tmp_path, compression):
    columns = {
        "when": STAMPS,
        "ecg": ECG.astype("f4"),
        "count": np.arange(COUNT, dtype="i2"),
        "note": ["a", None] * (COUNT // 2),
        "v5": arrow.array([None, *ECG[1:]], arrow.float64()),
    }
    path = table(columns, compression=compression, row_group_size=1700)
    done = clean_series(StandIn(0.5), path, tmp_path / "out.parquet", options=SeriesOptions(columns=["v5", "ecg"]))
    assert (done.sample_rate, done.leads, done.kept) == (250, ("v5", "ecg"), ("when", "count", "note"))
    before, after = arrow_parquet.read_table(path), arrow_parquet.read_table(tmp_path / "out.parquet")
    assert after.schema == before.schema
    for name in ("when", "count", "note"):
        assert after[name].to_pylist() == before[name].to_pylist()
    np.testing.assert_array_equal(after["ecg"].to_numpy(), columns["ecg"] / 2)
    assert after["v5"][0].as_py() is None
    np.testing.assert_array_equal(after["v5"].to_numpy()[1:], ECG[1:] / 2)
    assert arrow_parquet.ParquetFile(tmp_path / "out.parquet").metadata.row_group(0).column(0).compression == (
        compression.upper() if compression != "none" else "UNCOMPRESSED"
    )


def test_whole_numbers_are_rounded_and_gaps_stay(table, tmp_path):
    path = table({"t_ms": np.arange(4) * 4, "ecg": arrow.array([5, None, 7, 100], arrow.int8())})
    done = clean_series(StandIn(1.5), path, tmp_path / "out.parquet")
    assert arrow_parquet.read_table(tmp_path / "out.parquet")["ecg"].to_pylist() == [8, None, 10, 127]
    assert (done.sample_rate, done.gap_values, done.clipped_values) == (250, 1, 1)


def test_what_is_taken_where_nobody_chooses(table):
    path = table({"index": np.arange(10), "time": np.arange(10) / 100, "a": np.ones(10), "b": ["x"] * 10})
    with open_series(path) as reader:
        assert (reader.names, reader.others, reader.sample_rate) == (("a",), ("index", "time", "b"), 100)
        assert reader.n_samples == 10
        assert reader.read().tolist() == [[1.0]] * 10


def test_bad_tables(table, tmp_path):
    refused(table({"a": ECG}), "does not tell its sample rate")
    refused(table({"a": ["x"]}), "column 'a' holds string; need numbers", rate=100)
    refused(table({"a": ECG, "b": ["x"] * COUNT}), "column 'b' holds string", rate=100, columns=["b"])
    refused(table({"when": np.delete(STAMPS, 4000), "a": ECG[1:]}), "column 'when', row 4001: 0.008 s after the one")
    refused(table({"when": STAMPS, "a": ECG}), "tells 250 Hz, and --rate says 360", rate=360)
    refused(table({"when": STAMPS, "a": ECG}), "column 'when' holds", columns=["when"])
    path = table({"a": ECG})
    path.write_bytes(path.read_bytes()[:200])
    refused(path, "no Parquet that can be read", rate=100)
    path.write_bytes(b"time,ecg\n1,2\n")
    refused(path, "no Parquet that can be read", rate=100)


def test_no_rows(table, tmp_path):
    done = clean_series(StandIn(), table({"a": ECG[:0]}), tmp_path / "out.parquet", options=SeriesOptions(rate=100))
    assert done.samples == 0
    assert arrow_parquet.read_table(tmp_path / "out.parquet").num_rows == 0


def test_without_pyarrow_the_extra_is_named(table, monkeypatch):
    path = table({"a": ECG})
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(AudiodaeError, match=r'Parquet needs pyarrow: pip install "audiodae\[series\]"'):
        open_series(path, rate=100)


def test_a_table_of_its_own(tmp_path):
    np.save(tmp_path / "in.npy", np.array([[1.0, math.nan], [3.0, 4.0]]))
    clean_series(StandIn(1.0), tmp_path / "in.npy", tmp_path / "out.parquet", options=SeriesOptions(rate=100))
    made = arrow_parquet.read_table(tmp_path / "out.parquet")
    assert made.column_names == [parquet.TIME, "lead 1", "lead 2"]
    assert made[parquet.TIME].to_pylist() == [0.0, 0.01]
    with open_series(tmp_path / "out.parquet") as reader:
        np.testing.assert_array_equal(reader.read(), [[1.0, math.nan], [3.0, 4.0]])
        assert reader.sample_rate == 100
