import math

import numpy as np
import pytest

from audiodae.errors import AudioFileError, SeriesFileError
from audiodae.series import SeriesOptions, clean_series, is_series, open_series, wfdb_record
from audiodae.series.wfdb_record import BITS, packed
from tests.series.standin import StandIn

wfdb = pytest.importorskip("wfdb")

COUNT = 4001


@pytest.fixture
def record(tmp_path):
    """Write a record 100 of two leads; give its header's path."""

    def write(coding="212", *, comments=(" 69 M", " Aldomet"), gaps=False):
        signal = np.random.default_rng(4).normal(0, 0.1, (COUNT, 2))
        if gaps:
            signal[500:600, 1] = np.nan
        wfdb.wrsamp(
            "100",
            fs=360,
            units=["mV", "uV"],
            sig_name=["MLII", "V5 chest"],
            p_signal=signal * [1, 1000],
            fmt=[coding] * 2,
            adc_gain=[200.0, 0.2],
            baseline=[0, 7],
            comments=list(comments),
            write_dir=str(tmp_path),
        )
        wfdb.wrann("100", "atr", np.array([50, 700, 3000]), ["N", "V", "N"], fs=360, write_dir=str(tmp_path))
        return tmp_path / "100.hea"

    return write


def read(path):
    return wfdb.rdrecord(str(path.with_suffix("")), physical=False)


def refused(path, told, error_kind=SeriesFileError, **options):
    with pytest.raises(error_kind, match=told) as error, open_series(path, **options) as reader:
        reader.read()
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("coding", ["16", "24", "32", "80", "212"])
def test_a_record_is_cleaned_into_a_record(record, tmp_path, coding):
    path = record(coding)
    done = clean_series(StandIn(0.5), path, tmp_path / "200.hea")
    before, after = read(path), read(tmp_path / "200.hea")
    assert (done.leads, done.sample_rate, done.samples) == (("MLII", "V5 chest"), 360, COUNT)
    for what in ("fs", "sig_len", "fmt", "adc_gain", "baseline", "units", "sig_name", "comments", "adc_res"):
        assert getattr(after, what) == getattr(before, what), what
    assert (after.record_name, after.file_name) == ("200", ["200.dat"] * 2)
    baseline = np.array(before.baseline)
    wanted = (before.d_signal - baseline) / 2 + baseline
    assert np.abs(after.d_signal - wanted).max() <= 0.5
    assert after.checksum == after.calc_checksum()
    assert after.init_value == after.d_signal[0].tolist()
    for what in ("sample", "symbol"):
        annotations = [getattr(wfdb.rdann(str(tmp_path / name), "atr"), what) for name in ("100", "200")]
        assert list(annotations[0]) == list(annotations[1])


@pytest.mark.parametrize("coding", ["16", "212"])
def test_nothing_is_lost_where_nothing_is_removed(record, tmp_path, coding):
    path = record(coding, gaps=True)
    done = clean_series(StandIn(1.0), path, tmp_path / "200")
    np.testing.assert_array_equal(read(tmp_path / "200.hea").d_signal, read(path).d_signal)
    assert (tmp_path / "200.dat").read_bytes() == path.with_suffix(".dat").read_bytes()
    assert done.gap_values == 100


@pytest.mark.parametrize("length", [1, 333, 10**6])
def test_parts_make_the_whole(record, length):
    path = record(gaps=True)
    physical = wfdb.rdrecord(str(path.with_suffix(""))).p_signal
    with open_series(path) as reader:
        # Part by part, and a part's first sample may stand in the middle of a packed pair.
        parts = [part.values for part in reader.parts(max(length, 100))]
        np.testing.assert_allclose(np.concatenate(parts), physical, atol=1e-12)


def test_a_signal_that_is_not_chosen_stays(record, tmp_path):
    path = record()
    clean_series(StandIn(0.0), path, tmp_path / "200.dat", options=SeriesOptions(columns=["MLII"]))
    after = read(tmp_path / "200.hea").d_signal
    assert not after[:, 0].any()
    np.testing.assert_array_equal(after[:, 1], read(path).d_signal[:, 1])


def test_what_was_removed_lies_beside_it(record, tmp_path):
    path = record()
    clean_series(StandIn(0.3), path, tmp_path / "200.hea", options=SeriesOptions(output="both"))
    left, removed = read(tmp_path / "200.hea"), read(tmp_path / "200_noise.hea")
    baseline = np.array(left.baseline)
    together = (left.d_signal - baseline) + (removed.d_signal - baseline)
    np.testing.assert_array_equal(together, read(path).d_signal - baseline)


def test_into_a_table_and_not_out_of_one(record, tmp_path):
    path = record()
    clean_series(StandIn(1.0), path, tmp_path / "out.csv")
    text = (tmp_path / "out.csv").read_text().splitlines()
    assert text[0] == "time_s,MLII,V5 chest"
    with open_series(tmp_path / "out.csv") as reader:
        assert reader.sample_rate == 360
        np.testing.assert_allclose(reader.read(), wfdb.rdrecord(str(path.with_suffix(""))).p_signal, atol=1e-9)
    with pytest.raises(SeriesFileError, match="written only from a file of its kind"):
        clean_series(StandIn(), tmp_path / "out.csv", tmp_path / "300.hea")


def test_a_record_is_known_by_any_of_its_names(record, tmp_path):
    path = record()
    assert all(is_series(path.with_suffix(suffix)) for suffix in ("", ".hea", ".dat"))
    assert not is_series(tmp_path / "other.dat")
    with open_series(path.with_suffix("")) as reader:
        assert reader.path == path


def test_names_and_targets_that_cannot_be(record, tmp_path):
    path = record()
    with pytest.raises(SeriesFileError, match="letters, digits, - and _ only"):
        clean_series(StandIn(), path, tmp_path / "a.b.hea")
    (tmp_path / "200.dat").write_bytes(b"mine")
    with pytest.raises(AudioFileError, match=r"200\.dat: exists already"):
        clean_series(StandIn(), path, tmp_path / "200.hea")
    assert (tmp_path / "200.dat").read_bytes() == b"mine"
    assert not (tmp_path / "200.hea").exists()


def test_damaged_records(record, tmp_path):
    path = record()
    text = path.read_text()
    for old, new, told in [
        ("100 2 360 4001", "100/3 2 360 4001", "several segments"),
        ("100.dat 212", "../100.dat 212", "must lie beside the header"),
        ("100.dat 212", "http://x/100.dat 212", "must lie beside the header"),
        ("100.dat 212", "other.dat 212", r"its file other\.dat is missing"),
        ("100.dat 212", "100.dat 8", "turn it into 16 first"),
        ("100.dat 212", "100.dat 212x4", "has 4 samples a frame"),
        ("100 2 360 4001", "100 2 360 9001", "says 9001 samples, and its files hold 400"),
        ("100 2 360 4001", "100 7 360 4001", "names 7 signals and describes 2"),
        ("100 2 360 4001", "100 0 360 4001", "without signals"),
        ("100 2 360 4001", "100 2 360", "write it behind the rate in line 1: 400"),
        ("100 2 360 4001", "hello", "no WFDB header"),
        ("200.0(0)", "x(0)", "no WFDB header"),
    ]:
        changed = text.replace(old, new, 1)
        assert changed != text
        path.write_text(changed)
        refused(path, told)
    path.write_text(text)
    refused(path, "its header tells 360 Hz, and --rate says 250", rate=250)
    refused(path, "no signal 'V9'; there are 1 'MLII', 2 'V5 chest'", columns=["V9"])


def test_a_record_may_replace_itself(record):
    path = record()
    before = read(path).d_signal
    clean_series(StandIn(0.5), path, path, options=SeriesOptions(overwrite=True))
    assert np.abs(read(path).d_signal - (before - [0, 7]) / 2 - [0, 7]).max() <= 0.5
    assert path.with_suffix(".atr").exists()


def test_values_beyond_the_format_are_held(record, tmp_path):
    done = clean_series(StandIn(300.0), record(), tmp_path / "200.hea")
    after = read(tmp_path / "200.hea").d_signal
    assert (after.min(), after.max()) == (-2047, 2047)
    assert done.clipped_values > 1000


def test_lines_of_a_header_that_say_little(record, tmp_path):
    path = record("16")
    lines = path.read_text().splitlines()
    path.write_text("\r\n".join([lines[0], "100.dat 16", "100.dat 16 -5e-1(3)/uV", *lines[3:]]))
    with open_series(path) as reader:
        assert (reader.names, reader.units) == (("signal 1", "signal 2"), ("mV", "uV"))
        np.testing.assert_allclose(reader.read()[:, 1], (read(path).d_signal[:, 1] - 3) / -0.5)
    clean_series(StandIn(1.0), path, tmp_path / "200.hea")
    np.testing.assert_array_equal(read(tmp_path / "200.hea").d_signal, read(path).d_signal)


def test_without_the_library_the_extra_is_named(record, monkeypatch):
    path = record()
    monkeypatch.setitem(__import__("sys").modules, "wfdb", None)
    refused(path, r'a WFDB record needs wfdb: pip install "audiodae\[series\]"', ImportError)


@pytest.mark.parametrize("coding", ["80", "212", "16", "61", "160", "24", "32"])
def test_packing_is_what_the_library_unpacks(tmp_path, coding):
    most = 2 ** (BITS[coding] - 1) - 1
    samples = np.random.default_rng(5).integers(-most, most, 1000)
    (tmp_path / "x.dat").write_bytes(packed(samples, coding))
    (tmp_path / "x.hea").write_text(f"x 2 100 500\nx.dat {coding} 200\nx.dat {coding} 200\n")
    np.testing.assert_array_equal(read(tmp_path / "x.hea").d_signal.ravel(), samples)


def test_gaps_are_the_lowest_numbers():
    assert {coding: wfdb_record.gap_of(coding) for coding in ("212", "16", "80")} == {
        "212": -2048,
        "16": -32768,
        "80": -128,
    }
    assert math.log2(-wfdb_record.gap_of("24")) == 23
