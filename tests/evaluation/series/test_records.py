import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from audiodae.errors import CorpusError, SeriesFileError, SignalError
from audiodae.evaluation.series.records import noise_names, read_ecg, read_leads, record_names
from tests.evaluation.series.made_up import heart, write_record


def test_names_are_those_with_annotations(ecg_folders, tmp_path):
    records, noise = ecg_folders
    assert record_names(records) == ["7a", "8b"]
    assert noise_names(noise) == ["bw", "em", "ma"]
    with pytest.raises(CorpusError, match="no annotated ECG records"):
        record_names(noise)
    with pytest.raises(CorpusError, match="no noise records"):
        noise_names(tmp_path)
    with pytest.raises(CorpusError, match="no such folder"):
        record_names(tmp_path / "none")


def test_the_reference_has_no_slow_drift(ecg_folders):
    read_ecg.cache_clear()
    raw = read_leads(ecg_folders[0] / "7a")[:, 0]
    reference = read_ecg(ecg_folders[0] / "7a").reference
    high_pass = butter(4, 0.5, "highpass", fs=360, output="sos")
    assert np.array_equal(reference, sosfiltfilt(high_pass, raw))
    ecg, _ = heart(seed=0)
    drift = np.sin(2 * np.pi * 0.2 * np.arange(ecg.size) / 360)
    assert abs(np.dot(raw, drift)) > 50 * abs(np.dot(reference, drift))


def test_only_beats_are_beats(tmp_path):
    ecg, peaks = heart()
    symbols = ["N", "+", "V", "~", *["L"] * (len(peaks) - 4)]
    write_record(tmp_path, "r", ecg[:, None], peaks, symbols=symbols)
    found = read_ecg(tmp_path / "r").beats
    assert found.tolist() == [peaks[0], peaks[2], *peaks[4:]]


def test_what_is_no_record_is_told(tmp_path):
    ecg, peaks = heart()
    write_record(tmp_path, "slow", ecg[:, None], peaks, rate=250)
    with pytest.raises(SignalError, match="250 Hz; the figures are defined at 360 Hz: resample"):
        read_ecg(tmp_path / "slow")
    write_record(tmp_path, "flat", np.ones((4000, 1)), peaks)
    with pytest.raises(SignalError, match="no ECG to evaluate on"):
        read_ecg(tmp_path / "flat")
    gap = ecg.copy()
    gap[100:200] = np.nan
    write_record(tmp_path, "gap", gap[:, None], peaks)
    with pytest.raises(SignalError, match="has gaps"):
        read_ecg(tmp_path / "gap")
    (tmp_path / "bad.hea").write_bytes(b"\x00\xff no header")
    with pytest.raises(SeriesFileError, match="cannot read the WFDB record"):
        read_ecg(tmp_path / "bad")
    write_record(tmp_path, "bare", ecg[:, None])
    with pytest.raises(SeriesFileError, match="cannot read annotations"):
        read_ecg(tmp_path / "bare")
