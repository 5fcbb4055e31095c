import numpy as np
import pytest

from audiodae.evaluation.series.landmarks import (
    find_r_peaks,
    morphology_errors,
    peak_scores,
    qrs_amplitudes,
    st_levels,
)
from tests.evaluation.series.made_up import RATE, heart


@pytest.fixture(scope="module")
def ecg():
    return heart(seconds=20)


def test_beats_are_found(ecg):
    samples, peaks = ecg
    found = find_r_peaks(samples.astype(np.float32), RATE)
    scores = peak_scores(found=found, annotated=peaks, sample_rate=RATE)
    assert scores["r_f1"] >= 0.95 and scores["r_precision"] == 1
    shifted = peak_scores(found=found + 108, annotated=peaks, sample_rate=RATE)
    assert shifted["r_f1"] < 0.1


def test_no_beats_in_a_flat_line():
    assert find_r_peaks(np.ones(2000), RATE).tolist() == []


def test_scores_are_counts():
    annotated = np.array([1000, 2000, 3000, 4000])
    found = np.array([1053, 2054, 3000, 3500, 4000])  # 54 samples are 150 ms
    scores = peak_scores(found=found, annotated=annotated, sample_rate=RATE)
    assert scores == pytest.approx({"r_sensitivity": 3 / 4, "r_precision": 3 / 5, "r_f1": 6 / 9})
    nothing = dict.fromkeys(scores, 0.0)
    assert peak_scores(found=np.array([], int), annotated=annotated, sample_rate=RATE) == nothing
    assert peak_scores(found=found, annotated=np.array([], int), sample_rate=RATE) == nothing


def st_raised(samples, peaks, by):
    """The series with the stretch from 100 to 150 ms after each R peak raised."""
    raised = samples.copy()
    for peak in peaks:
        raised[peak + 36 : peak + 54] += by
    return raised


def test_a_raised_st_segment_is_seen(ecg):
    samples, peaks = ecg
    raised = st_raised(samples, peaks, 0.15)
    assert st_levels(raised, peaks, RATE) - st_levels(samples, peaks, RATE) == pytest.approx(np.full(len(peaks), 0.15))
    errors = morphology_errors(estimate=raised, clean=samples, r_peaks=peaks, sample_rate=RATE)
    assert errors == pytest.approx(
        {"st_error_mv": 0.15, "st_wrong_percent": 100, "qrs_error_percent": 0, "qrs_bias_percent": 0}
    )
    half = st_raised(samples, peaks[::2], -0.15)
    errors = morphology_errors(estimate=half, clean=samples, r_peaks=peaks, sample_rate=RATE)
    assert errors["st_wrong_percent"] == pytest.approx(100 * len(peaks[::2]) / len(peaks))
    slight = morphology_errors(estimate=st_raised(samples, peaks, 0.09), clean=samples, r_peaks=peaks, sample_rate=RATE)
    assert slight["st_wrong_percent"] == 0 and slight["st_error_mv"] == pytest.approx(0.09)


def test_an_offset_moves_nothing(ecg):
    samples, peaks = ecg
    errors = morphology_errors(estimate=samples + 5, clean=samples, r_peaks=peaks, sample_rate=RATE)
    assert list(errors.values()) == pytest.approx([0] * 4, abs=1e-9)


def test_lower_beats_have_a_bias(ecg):
    samples, peaks = ecg
    assert qrs_amplitudes(samples, peaks, RATE) == pytest.approx(np.full(len(peaks), 1.42), abs=0.05)
    errors = morphology_errors(estimate=0.8 * samples, clean=samples, r_peaks=peaks, sample_rate=RATE)
    assert (errors["qrs_error_percent"], errors["qrs_bias_percent"]) == pytest.approx((20, -20))


def test_beats_at_the_ends_are_left_out(ecg):
    samples, _ = ecg
    peaks = np.array([0, 28, 29, 4000, samples.size - 48, samples.size - 47, samples.size - 1])
    assert st_levels(samples, peaks, RATE).size == qrs_amplitudes(samples, peaks, RATE).size == 3
    errors = morphology_errors(estimate=samples, clean=samples, r_peaks=peaks[:1], sample_rate=RATE)
    assert all(np.isnan(value) for value in errors.values())
