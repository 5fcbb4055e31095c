import numpy as np
import pytest

from audiodae.levels import LevelMeter

RATE = 16_000


def measure(noisy, clean, cuts=(), rate=RATE):
    meter = LevelMeter(rate, noisy.shape[1])
    for start, end in zip([0, *cuts], [*cuts, len(noisy)], strict=True):
        meter.add(noisy[start:end].astype(np.float32), clean[start:end].astype(np.float32))
    return meter.levels()


def bursts(level, seconds=8):
    """A tone of half the time, shape (samples, 2): on and off every second."""
    time = np.arange(seconds * RATE) / RATE
    tone = np.sqrt(2) * level * np.sin(2 * np.pi * 440 * time) * (time % 2 < 1)
    return np.stack([tone, tone], axis=1)


def test_speech_and_noise_of_known_levels():
    speech = bursts(0.1)
    noise = np.random.default_rng(0).normal(0, 0.01, speech.shape)
    found = measure(speech + noise, speech + 0.1 * noise)
    assert found.level_before_dbfs == pytest.approx(10 * np.log10(0.1**2 / 2 + 0.01**2), abs=0.05)
    assert found.level_after_dbfs == pytest.approx(-23, abs=0.05)
    assert found.speech_level_dbfs == pytest.approx(-20, abs=0.2)
    assert found.noise_reduction_db == pytest.approx(20, abs=0.2)
    assert found.muted_share == 0


def test_no_matter_how_it_is_cut():
    sound = bursts(0.1)
    whole = measure(sound + 0.01, sound)
    assert measure(sound + 0.01, sound, cuts=(0, 1, 700, 40_001)) == whole
    assert measure(sound + 0.01, 1.1 * sound, cuts=(700,)) != whole  # negative control


def test_what_is_muted():
    noise = np.random.default_rng(0).normal(0, 0.1, (10 * RATE, 1))
    clean = noise.copy()
    clean[: 4 * RATE] *= 0.005
    assert measure(noise, clean).muted_share == pytest.approx(0.4, abs=0.01)
    clean[: 4 * RATE] = 0
    assert measure(noise, clean).muted_share == pytest.approx(0.4, abs=0.01)


def test_without_pauses_the_whole_counts():
    noise = np.random.default_rng(0).normal(0, 0.1, (RATE, 1))
    found = measure(noise, 0.5 * noise)
    assert found.noise_reduction_db == pytest.approx(6.02, abs=0.01)


@pytest.mark.parametrize("samples", [0, 1, 100, 513, 20_000])
def test_silence_has_no_level(samples):
    found = measure(np.zeros((samples, 1)), np.zeros((samples, 1)))
    assert (found.level_before_dbfs, found.speech_level_dbfs, found.noise_reduction_db) == (None, None, None)
    assert found.muted_share == 0


def test_levels_beyond_all_bounds_are_still_numbers():
    huge = np.full((RATE, 1), 1e10)
    assert measure(huge, huge).level_before_dbfs == pytest.approx(200, abs=0.2)
    assert measure(huge, 0 * huge).noise_reduction_db > 100
