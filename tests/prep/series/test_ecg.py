"""The synthetic ECG against the model's own equations and against what the literature says of hearts."""

import math

import msgspec
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.signal import welch

from audiodae.prep.series.ecg import RR_RATE_HZ, Patient, draw_patient, rr_course, synthetic_ecg

RATE = 360
STEADY = Patient(heart_rate_deviation_bpm=0.0)


def rng(number=1):
    return np.random.default_rng(number)


def of_the_paper(seconds):
    """The three equations of the paper, without the baseline, by a solver of differential equations: 60 beats/min."""
    angles, heights, widths = (np.array(some) for some in (STEADY.angles, STEADY.heights, STEADY.widths))
    omega = 2 * np.pi

    def slope(_, point):
        x, y, z = point
        away = np.mod(math.atan2(y, x) - angles + np.pi, 2 * np.pi) - np.pi
        alpha = 1 - math.hypot(x, y)
        push = -np.sum(heights * away * np.exp(-(away**2) / (2 * widths**2)))
        return alpha * x - omega * y, alpha * y + omega * x, push - z

    times = np.arange(seconds * RATE) / RATE
    return solve_ivp(slope, (0, seconds), (1.0, 0.0, 0.04), t_eval=times, rtol=1e-7, atol=1e-9, max_step=0.01).y[2]


def test_it_solves_the_equations_of_the_paper():
    theirs = of_the_paper(8)[6 * RATE :]
    ours, beats = synthetic_ecg(STEADY, 4, RATE, rng())
    ours = ours[beats[0] : beats[0] + len(theirs)]
    theirs = theirs * np.ptp(ours) / np.ptp(theirs)
    assert np.abs((ours - ours.mean()) - (theirs - theirs.mean())).max() < 0.02 * np.ptp(theirs)
    broken, beats = synthetic_ecg(msgspec.structs.replace(STEADY, widths=(0.25, 0.1, 0.1, 0.1, 0.5)), 4, RATE, rng())
    broken = broken[beats[0] : beats[0] + len(theirs)]
    assert np.abs((broken - broken.mean()) - (theirs - theirs.mean())).max() > 0.02 * np.ptp(theirs)


def test_the_waves_are_where_a_heart_has_them():
    values, beats = synthetic_ecg(STEADY, 20, RATE, rng())
    one = values[beats[5] - 120 : beats[5] + 240]
    seconds = (np.arange(360) - 120) / RATE

    def place(start, stop, of=np.argmax):
        inside = np.flatnonzero((seconds >= start) & (seconds < stop))
        return seconds[inside[of(one[inside])]]

    assert abs(place(-0.33, 0.66)) <= 1.5 / RATE  # R is the highest
    assert 0.12 < -place(-0.33, -0.08) < 0.22  # P: the PR interval is 120 to 200 ms
    assert 0.06 < place(0, 0.1, np.argmin) - place(-0.08, 0, np.argmin) < 0.1  # Q to S: a QRS has 80 to 100 ms
    assert 0.2 < place(0.12, 0.5) < 0.35  # T: the QT interval, which its end closes, is 350 to 440 ms
    assert np.ptp(one) == pytest.approx(1.6, rel=0.01)


def test_the_rr_intervals_have_the_spectrum_of_the_paper():
    patient = Patient(heart_rate_deviation_bpm=3.0, lf_hf=0.5)
    course = rr_course(patient, 3600, rng())
    assert course.mean() == pytest.approx(1.0, abs=0.001) and course.std() == pytest.approx(3 / 60, rel=0.01)
    frequency, power = welch(course, RR_RATE_HZ, nperseg=4096)
    low, high = (frequency > 0.04) & (frequency < 0.15), (frequency > 0.15) & (frequency < 0.4)
    assert power[low].sum() / power[high].sum() == pytest.approx(0.5, rel=0.15)
    assert frequency[low][np.argmax(power[low])] == pytest.approx(0.1, abs=0.02)
    assert frequency[high][np.argmax(power[high])] == pytest.approx(0.25, abs=0.02)
    assert power[low | high].sum() / power.sum() > 0.98


def test_the_heart_rate():
    patient = Patient(heart_rate_bpm=90, heart_rate_deviation_bpm=4)
    _, beats = synthetic_ecg(patient, 300, RATE, rng())
    assert np.diff(beats).mean() / RATE == pytest.approx(60 / 90, rel=0.01)
    assert np.diff(beats).std() / RATE == pytest.approx(60 / 90 * 4 / 90, rel=0.25)


def test_premature_beats_are_early_wide_and_followed_by_a_pause():
    patient = msgspec.structs.replace(STEADY, premature_share=0.1)
    values, beats = synthetic_ecg(patient, 300, RATE, rng())
    intervals = np.diff(beats) / RATE
    early = np.flatnonzero(intervals < 0.85)[:-1]
    assert 0.05 < len(early) / len(beats) < 0.15
    assert np.allclose(intervals[early] + intervals[early + 1], 2, atol=0.01)

    def width(beat):
        around = values[beat - 60 : beat + 60]
        return np.mean(around > around.min() + 0.5 * np.ptp(around))

    normal = np.flatnonzero(np.abs(intervals - 1) < 0.01)[2]
    assert width(beats[early[1] + 1]) > 1.5 * width(beats[normal])


def test_most_of_the_power_is_where_an_ecg_has_it():
    for number in range(5):
        values, _ = synthetic_ecg(draw_patient(rng(number)), 60, RATE, rng(number))
        frequency, power = welch(values - values.mean(), RATE, nperseg=4096)
        assert power[frequency < 40].sum() / power.sum() > 0.99
        assert power[(frequency > 1) & (frequency < 40)].sum() > 0.4 * power.sum()


def test_patients_differ_and_are_the_same_again():
    patients = [draw_patient(rng(number)) for number in range(200)]
    assert len(set(patients)) == 200 and draw_patient(rng(7)) == patients[7]
    rates = [patient.heart_rate_bpm for patient in patients]
    assert 42 <= min(rates) < 60 and 100 < max(rates) <= 150
    assert 5 < sum(patient.irregular > 0 for patient in patients) < 40
    one, again = (synthetic_ecg(patients[7], 20, RATE, rng()) for _ in range(2))
    assert np.array_equal(one[0], again[0]) and np.array_equal(one[1], again[1])


@pytest.mark.parametrize("rate", [100, 250, 1000])
def test_any_rate(rate):
    values, beats = synthetic_ecg(STEADY, 30, rate, rng())
    assert len(values) == 30 * rate and len(beats) in (29, 30, 31)
    assert all(values[max(b - rate // 20, 0) : b + rate // 20].max() - values[b] < 0.15 for b in beats)


def test_no_step_is_left_behind_where_the_rate_changes():
    alone = msgspec.structs.replace(STEADY, irregular=0.2, heights=(0.0, 0.0, 30.0, 0.0, 0.0))
    values, beats = synthetic_ecg(alone, 60, RATE, rng())
    beats, away = beats[1:-1], round(0.12 * RATE)
    assert (values[beats + away] - values[beats - away]).std() < 0.1  # of 1.6 mV; with an abrupt change 0.4
