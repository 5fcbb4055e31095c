import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from audiodae.errors import CorpusError, SeriesFileError
from audiodae.prep.series.recordings import (
    Reading,
    at_rate,
    find_recordings,
    high_passed,
    name_of,
    read_beats,
    read_stretches,
    whole_stretches,
)
from tests.prep.series.made_recordings import write_record

PLAIN = Reading(rate_hz=100.0)
ECG = Reading(rate_hz=360.0, high_pass_hz=0.5, all_leads=False, ecg=True)


def write_csv(path, values, header="a,b"):
    lines = [header, *(",".join("" if np.isnan(v) else f"{v:.6f}" for v in row) for row in values)]
    path.write_text("\n".join(lines) + "\n")


def test_what_is_found(tmp_path):
    for name in ("b.csv", "sub/a.npy", "sub/100.hea", "sub/100.dat", ".hidden/c.csv", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_recordings(tmp_path)
    assert [name_of(path, tmp_path) for path in found] == ["b.csv", "sub.100", "sub.a.npy"]
    assert find_recordings(tmp_path / "b.csv") == [tmp_path / "b.csv"]
    assert name_of(tmp_path / "b.csv", tmp_path / "b.csv") == "b.csv"
    with pytest.raises(CorpusError, match="no such folder"):
        find_recordings(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="no recordings"):
        find_recordings(tmp_path / "empty")


def test_a_record_of_an_ecg(tmp_path):
    signal, peaks = write_record(tmp_path, "100", leads=2)
    (stretch,) = read_stretches(tmp_path / "100.hea", "100", ECG)
    sections = butter(4, 0.5, "highpass", fs=360, output="sos")
    assert stretch.values.shape == (len(signal), 1) and stretch.unit == "mV"
    assert np.abs(stretch.values[:, 0] - sosfiltfilt(sections, signal[:, 0])).max() < 0.002
    assert np.abs(stretch.values[:, 0] - signal[:, 0]).max() > 0.5  # the drift
    assert np.array_equal(stretch.beats, peaks)  # the "+" is no beat


def test_another_rate_is_resampled_and_the_beats_go_along(tmp_path):
    _, peaks = write_record(tmp_path, "100", rate=250, seconds=20)
    (stretch,) = read_stretches(tmp_path / "100.hea", "100", ECG)
    assert len(stretch.values) == 20 * 360
    assert np.abs(stretch.beats / 360 - peaks / 250).max() < 1 / 360
    tops = [b - 5 + np.argmax(stretch.values[b - 5 : b + 6, 0]) for b in stretch.beats]
    assert np.abs(tops - stretch.beats).max() <= 1


def test_resampling_keeps_offset_and_shape():
    times = np.arange(1000) / 250
    values = 1000 + np.sin(2 * np.pi * 3 * times)[:, None]
    resampled, _ = at_rate(values, np.zeros(0, np.int64), 250.0, 360.0)
    expected = 1000 + np.sin(2 * np.pi * 3 * np.arange(1440) / 360)
    assert np.abs(resampled[50:-50, 0] - expected[50:-50]).max() < 0.01


def test_gaps_are_cut_out(tmp_path):
    values = np.random.default_rng(1).standard_normal((5000, 2))
    values[2000:2003, 1] = np.nan  # in one lead alone: leads stay simultaneous
    values[4500, 0] = np.nan
    write_csv(tmp_path / "x.csv", values)
    first, second = read_stretches(tmp_path / "x.csv", "x.csv", PLAIN)
    assert (first.name, second.name) == ("x.csv", "x.csv@2003")  # the last 499 samples are too few
    assert np.allclose(first.values, values[:2000], atol=1e-6)
    assert np.allclose(second.values, values[2003:4500], atol=1e-6)


def test_part_of_a_recording_and_some_columns(tmp_path):
    values = np.random.default_rng(1).standard_normal((5000, 2))
    write_csv(tmp_path / "x.csv", values)
    how = Reading(rate_hz=100.0, columns=("b",))
    (stretch,) = read_stretches(tmp_path / "x.csv", "x.csv", how, span=(0.6, 1.0))
    assert np.allclose(stretch.values, values[3000:, 1:], atol=1e-6)


def test_the_beats_of_a_part_are_counted_from_its_start(tmp_path):
    signal, peaks = write_record(tmp_path, "100", seconds=20)
    (stretch,) = read_stretches(tmp_path / "100.hea", "100", ECG, span=(0.5, 1.0))
    assert np.array_equal(stretch.beats, peaks[peaks >= 3600] - 3600) and len(stretch.values) == 3600


def test_noisy_recordings_are_not_resampled(tmp_path):
    write_record(tmp_path, "100", rate=250)
    with pytest.raises(CorpusError, match="has 250 Hz, not 100; .* give --rate 250"):
        read_stretches(tmp_path / "100.hea", "100", Reading(rate_hz=100.0, resampled=False))


def test_what_cannot_be_read(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\x00\x01\x02" * 100)
    with pytest.raises(SeriesFileError):
        read_stretches(tmp_path / "x.csv", "x.csv", PLAIN)
    write_record(tmp_path, "100")
    (tmp_path / "100.atr").write_bytes(b"\x03")
    with pytest.raises(SeriesFileError, match="no annotations that can be read"):
        read_beats(tmp_path / "100.hea")


def test_without_annotations_there_are_no_beats(tmp_path):
    write_record(tmp_path, "100", beats=False)
    assert read_beats(tmp_path / "100.hea").size == 0
    assert read_beats(tmp_path / "x.csv").size == 0


def test_whole_stretches():
    assert whole_stretches(np.array([1, 1, 0, 1, 0, 0, 1, 1], bool)) == [(0, 2), (3, 4), (6, 8)]
    assert whole_stretches(np.zeros(5, bool)) == []


def test_no_high_pass_changes_nothing():
    values = np.ones((20, 1))
    assert high_passed(values, 0.0, 360.0) is values
