import os

import numpy as np
import pytest

from audiodae.errors import AudioFileError, SeriesFileError, SignalError
from audiodae.series import SeriesOptions, clean_series, csv_reader, open_series
from audiodae.series.formats import KINDS, is_series
from tests.series.standin import DELAY, StandIn


@pytest.fixture
def table(tmp_path):
    """Write a text as in.csv; give its path."""

    def write(text):
        path = tmp_path / "in.csv"
        path.write_bytes(text.encode())
        return path

    return write


def cleaned(path, gain=1.0, name="out.csv", **options):
    """What comes out, as bytes."""
    target = path.with_name(name)
    clean_series(StandIn(gain), path, target, options=SeriesOptions(**options))
    return target.read_bytes()


SENSOR = '# logger 7\r\nt;temp;note\r\n0,00;-1,25;"a;b"\r\n# pause\r\n0,01;;x\r\n\r\n0,02; 3,5 ;NA\r\n0,03;n/a;x'


def test_only_the_numbers_change(table):
    path = table(SENSOR)
    assert cleaned(path, 1.0) == SENSOR.replace("3,5 ", "3,50 ").encode()
    assert cleaned(path, 2.0, overwrite=True) == SENSOR.replace("-1,25", "-2,50").replace("3,5 ", "7,00 ").encode()


@pytest.mark.parametrize("size", [500, 20_000, 2**20])
@pytest.mark.parametrize("delay", [0, 1, DELAY, 10**6])
def test_it_does_not_matter_where_it_is_cut(table, tmp_path, monkeypatch, size, delay):
    monkeypatch.setattr(csv_reader, "PIECE_BYTES", size)
    rows = [(n / 100, n % 1000 / 8, -n) for n in range(3000)]
    path = table("t,a,b\n" + "".join(f"{t:.2f},{a:.3f},{b}\n" for t, a, b in rows))
    done = clean_series(StandIn(0.5, delay=delay), path, tmp_path / "out.csv", options=SeriesOptions(columns=["a"]))
    assert (tmp_path / "out.csv").read_text() == "t,a,b\n" + "".join(
        f"{t:.2f},{np.round(a / 2, 3):.3f},{b}\n" for t, a, b in rows
    )
    assert (done.samples, done.leads, done.kept, done.sample_rate) == (3000, ("a",), ("t", "b"), 100)
    assert done.model == "stand-in"


def test_columns_in_any_order(table):
    assert cleaned(table("a,b,c\n1.0,2.0,3.0\n"), 2.0, rate=100, columns=["c", "a"]) == b"a,b,c\n2.0,2.0,6.0\n"


def test_gaps_stay_as_they_were_written(table, tmp_path):
    path = table("a,b\n1.0,0.5\n,1e40\nNaN,inf\nnull,0.5\n2.0,2.5\n")
    done = clean_series(StandIn(1.0), path, tmp_path / "out.csv", options=SeriesOptions(rate=100))
    assert (tmp_path / "out.csv").read_text() == "a,b\n1.0,0.5\n,nan\nNaN,nan\nnull,0.5\n2.0,2.5\n"
    assert (done.gap_values, done.repaired_values) == (3, 2)


@pytest.mark.parametrize("gap", ["", "nan", "inf"])
def test_strict_refuses_gaps_and_leaves_nothing(table, tmp_path, gap):
    path = table(f"a,b\n1.0,0.5\n1.0,{gap}\n")
    with pytest.raises(SeriesFileError, match="sample 2 of 'b' is a gap, or infinite"):
        cleaned(path, strict=True, rate=100)
    assert os.listdir(tmp_path) == ["in.csv"]


def test_speech_and_noise_add_up_to_the_last_digit(table, tmp_path):
    rng = np.random.default_rng(7)
    values = rng.normal(0, 3, (2000, 2)).round(3)
    path = table("t,a,b\n" + "".join(f"{n / 100:.2f},{a:.3f},{b:.3f}\n" for n, (a, b) in enumerate(values.tolist())))
    clean_series(StandIn(0.37), path, tmp_path / "out.csv", options=SeriesOptions(output="both"))
    sums = [np.loadtxt(tmp_path / name, delimiter=",", skiprows=1) for name in ("out.csv", "out.noise.csv")]
    np.testing.assert_allclose(sums[0][:, 1:] + sums[1][:, 1:], values, atol=1e-12)
    only = cleaned(path, 0.37, "noise.csv", output="noise")
    np.testing.assert_allclose(np.loadtxt(only.decode().splitlines()[1:], delimiter=","), sums[1], atol=1.01e-3)


def test_settings_reach_the_stream(table, tmp_path):
    stand_in = StandIn()
    path = table("t,a,b\n" + "".join(f"{n / 250:.3f},{n % 3},0\n" for n in range(100)))
    clean_series(stand_in, path, tmp_path / "out.csv", options=SeriesOptions(limit_db=12.0, mix=0.5))
    assert stand_in.asked == (250, 2, 12.0, 0.5)


def test_flat_leads_and_what_was_removed_are_told(table, tmp_path):
    path = table("a,b,c\n" + "1,5,nan\n3,5,nan\n" * 50)
    done = clean_series(StandIn(0.5), path, tmp_path / "out.csv", options=SeriesOptions(rate=100, columns=[1, 2, 3]))
    assert done.flat_leads == ("b", "c")
    np.testing.assert_allclose(done.removed_rms, [np.sqrt(5) / 2, 2.5, 0.0])
    assert done.as_json()["input"] == str(path)


def test_nothing_in_nothing_out(table, tmp_path):
    assert cleaned(table("t,ecg\n"), rate=360) == b"t,ecg\n"
    assert cleaned(table("0.5\n"), 0.5, rate=360, overwrite=True) == b"0.2\n"  # half to even, of one decimal


def test_targets_that_must_not_be_written(table, tmp_path):
    path = table("a\n1\n2\n")
    with pytest.raises(AudioFileError, match="is the input itself"):
        cleaned(path, name="in.csv", rate=100)
    (tmp_path / "out.noise.csv").write_text("mine")
    with pytest.raises(AudioFileError, match=r"out\.noise\.csv: exists already"):
        cleaned(path, rate=100, output="both")
    with pytest.raises(SeriesFileError, match=r"out\.wav: no series by its name; need CSV"):
        cleaned(path, name="out.wav", rate=100)
    with pytest.raises(AudioFileError, match="there is no folder"):
        clean_series(StandIn(), path, tmp_path / "nowhere" / "out.csv", options=SeriesOptions(rate=100))
    assert sorted(os.listdir(tmp_path)) == ["in.csv", "out.noise.csv"]
    assert cleaned(path, 2.0, name="in.csv", rate=100, overwrite=True) == b"a\n2\n4\n"


def test_an_error_on_the_way_leaves_what_was_there(table, tmp_path):
    path = table("a\n" + "1\n" * 400_000 + "x\n")
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(SeriesFileError, match="line 400002, column 'a': 'x' is no number"):
        cleaned(path, rate=100, overwrite=True)
    assert (tmp_path / "out.csv").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["in.csv", "out.csv"]


def test_networks_for_sound_are_refused(table, tmp_path):
    with pytest.raises(SignalError, match="cleans sound, not series; name one for series"):
        clean_series(StandIn(series=False), table("a\n1\n"), tmp_path / "out.csv")
    with pytest.raises(SignalError, match="output is 'ecg'"):
        SeriesOptions(output="ecg")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".npy", ".npz"])
def test_other_kinds_hold_the_leads(table, tmp_path, suffix):
    path = table("t,a,note,b\n" + "".join(f"{n / 100:.2f},{n % 5}.5,x,{-n % 7}\n" for n in range(500)))
    clean_series(StandIn(1.0), path, tmp_path / f"out{suffix}")
    with open_series(path) as before:
        values = before.read()
    rate = {"rate": 100} if suffix == ".npy" else {}
    columns = {"columns": ["a", "b"]} if suffix == ".tsv" else {}
    with open_series(tmp_path / f"out{suffix}", **rate, **columns) as after:
        assert after.sample_rate == 100
        np.testing.assert_array_equal(after.read(), values)


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_arrays_become_tables(tmp_path, suffix):
    np.save(tmp_path / "in.npy", np.array([[1.5, np.nan], [-2.25, 1 / 3]]))
    clean_series(StandIn(1.0), tmp_path / "in.npy", tmp_path / f"out{suffix}", options=SeriesOptions(rate=8))
    text = "time_s,lead 1,lead 2\n0.000000,1.5,nan\n0.125000,-2.25,0.333333333\n"
    assert (tmp_path / f"out{suffix}").read_text() == (text if suffix == ".csv" else text.replace(",", "\t"))


def test_what_is_a_series(tmp_path):
    assert all(is_series(f"missing{suffix}") for suffix in KINDS)
    assert is_series("IN.CSV")
    assert not is_series("sound.wav")
    assert not is_series("record")
    (tmp_path / "sound.txt").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    assert not is_series(tmp_path / "sound.txt")
    for text, told in [("time,ecg\n0.0,0.5\n", True), ("0.5\n", True), ("a letter,\nto whom it concerns\n", False)]:
        (tmp_path / "in.txt").write_text(text)
        assert is_series(tmp_path / "in.txt") is told
    for name, told in [("missing.csv", "no such file"), ("sound.wav", "no series by its name"), ("", "no series by")]:
        with pytest.raises(SeriesFileError, match=told):
            open_series(tmp_path / name)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(SeriesFileError, match="is a folder; name a file"):
        open_series(tmp_path / "folder.csv")


def test_progress_is_told(tmp_path):
    np.save(tmp_path / "in.npy", np.zeros((200_000, 2)))
    seen = []
    options = SeriesOptions(rate=360)
    clean_series(
        StandIn(), tmp_path / "in.npy", tmp_path / "out.npy", options=options, on_progress=lambda *now: seen.append(now)
    )
    assert seen[-1] == (200_000, 200_000)
    assert len(seen) == 4
