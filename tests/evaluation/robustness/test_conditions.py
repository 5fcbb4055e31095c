"""Every row of the table makes a case that can be cleaned, the same from the same seed."""

import numpy as np
import pytest

from audiodae.evaluation.robustness.conditions import CLEAN, CONDITIONS, IN_NOISE, LEVELS, SHOUT, Scene
from audiodae.evaluation.robustness.sentences import LEVEL_DBFS, active_level_dbfs, at_level
from tests.evaluation.made_up import RATE, voice

VOICE = at_level(voice(2.0), LEVEL_DBFS)
OTHERS = tuple(at_level(voice(2.0, pitch_hz=hz), LEVEL_DBFS) for hz in (150, 210))


def make(name, seed=1):
    return CONDITIONS[name].make(Scene(VOICE, OTHERS, np.random.default_rng(seed), seed, 0))


def snr_db(case):
    return 10 * np.log10(np.sum(case.clean**2) / np.sum((case.noisy - case.clean) ** 2))


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_case_is_sound_and_comes_from_the_seed(name):
    case, again = make(name), make(name)
    assert case.noisy.shape == case.clean.shape and np.isfinite(case.noisy).all() and case.clean.any()
    assert np.array_equal(case.noisy, again.noisy) and np.array_equal(case.clean, again.clean)
    condition = CONDITIONS[name]
    if condition.scored and not condition.compared and name not in LEVELS.values():
        assert np.array_equal(case.noisy, case.clean)
    if condition.compared and condition.scored:
        assert not np.array_equal(case.noisy, make(name, seed=2).noisy)


@pytest.mark.parametrize(
    ("name", "wanted"), [(IN_NOISE, 5), ("babble, 5 dB", 5), ("telephone, noise 10 dB", 10), ("child, noise 5 dB", 5)]
)
def test_noise_lies_as_far_below_the_voice_as_named(name, wanted):
    assert snr_db(make(name)) == pytest.approx(wanted, abs=0.01)


def test_levels_differ_in_nothing_but_the_level():
    cases = {level: make(name) for level, name in LEVELS.items()}
    for level, case in cases.items():
        assert active_level_dbfs(case.clean) == pytest.approx(level, abs=0.3)
        scaled = case.noisy * 10 ** ((LEVEL_DBFS - level) / 20)
        assert np.allclose(scaled, cases[LEVEL_DBFS].noisy, atol=1e-9)


def test_the_telephone_has_its_rate_and_band():
    assert make("8 kHz, noise 10 dB").sample_rate == 8000 and make("8 kHz, noise 10 dB").noisy.size == RATE
    spectrum = np.abs(np.fft.rfft(make("telephone, noise 10 dB").noisy))
    frequency = np.fft.rfftfreq(VOICE.size, 1 / RATE)
    assert spectrum[frequency > 4500].max() < 1e-3 * spectrum.max()


def test_clipping_clips():
    case = make("clipped")
    assert np.abs(case.noisy).max() == 1.0 and np.mean(np.abs(case.noisy) == 1.0) > 0.01
    assert np.abs(case.clean).max() > 2


def test_a_shout_comes_after_silence_at_its_mark():
    case = make(SHOUT)
    assert case.marks == (10 * RATE,) and not case.clean[: 10 * RATE].any()
    assert 20 * np.log10(np.sqrt(np.mean(case.noisy[: 10 * RATE] ** 2))) == pytest.approx(-60, abs=0.5)
    assert active_level_dbfs(case.clean) == pytest.approx(-6, abs=1.5)
    assert np.sqrt(np.mean(case.clean[10 * RATE : 10 * RATE + 1600] ** 2)) > 0.05


def test_clean_speech_is_left_alone():
    assert make(CLEAN).noisy is VOICE
