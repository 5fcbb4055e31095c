"""The modelled noises against the shares of power that were measured in the Noise Stress Test Database."""

import numpy as np
import pytest
from scipy.signal import welch
from scipy.stats import kurtosis

from audiodae.prep.series.ecg_noises import ECG_NOISES

RATE = 360


def noise(kind, number):
    return ECG_NOISES[kind](RATE * 200, RATE, np.random.default_rng(number))


def share_below(values, *hertz):
    frequency, power = welch(values, RATE, nperseg=8192)
    return [power[frequency < edge].sum() / power.sum() for edge in hertz]


@pytest.mark.parametrize("kind", ECG_NOISES)
def test_every_kind_is_finite_level_and_the_same_again(kind):
    one = noise(kind, 1)
    assert one.shape == (RATE * 200,) and np.isfinite(one).all()
    assert one.mean() == pytest.approx(0, abs=1e-9) and one.std() == pytest.approx(1)
    assert np.array_equal(one, noise(kind, 1)) and not np.array_equal(one, noise(kind, 2))


def test_baseline_wander_lies_below_half_a_hertz():
    slowest, edge = np.mean([share_below(noise("bw", number), 0.2, 0.5) for number in range(6)], axis=0)
    assert 0.7 < slowest < 0.95 and edge > 0.98


def test_electrode_motion_has_the_band_of_the_ecg_and_is_abrupt():
    made = [noise("em", number) for number in range(6)]
    slowest, five, ten = np.mean([share_below(values, 0.2, 5, 10) for values in made], axis=0)
    assert 0.3 < slowest < 0.75 and 0.9 < five < 0.99 and ten > 0.97
    # Recorded: excess kurtosis of the differences 6 and 22; baseline wander and muscles are not as abrupt.
    assert np.median([kurtosis(np.diff(values)) for values in made]) > 3


def test_muscle_artefact_has_the_spectrum_of_an_emg():
    for number in range(6):
        frequency, power = welch(noise("ma", number), RATE, nperseg=4096)
        fast = frequency > 2
        shares = np.cumsum(power[fast]) / power[fast].sum()
        assert 15 < np.interp(0.5, shares, frequency[fast]) < 70  # recorded: 25 and 28 Hz
        assert power[(frequency > 2) & (frequency < 5)].sum() < 0.05 * power[fast].sum()


def test_muscles_come_in_bursts():
    fast = np.diff(noise("ma", 3))
    level = np.sqrt(np.mean(fast[: len(fast) // 360 * 360].reshape(-1, 360) ** 2, axis=1))
    assert np.percentile(level, 90) > 1.5 * np.percentile(level, 10)
