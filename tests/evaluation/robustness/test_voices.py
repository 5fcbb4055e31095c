from itertools import pairwise

import numpy as np
import pytest

from audiodae.evaluation.robustness import voices
from tests.evaluation.made_up import RATE, voice


def tone(hz, seconds=1.0):
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)


def loudest_hz(samples):
    return np.argmax(np.abs(np.fft.rfft(samples))) * RATE / samples.size


def band_levels(samples, edges=(300, 1200, 2200, 3400)):
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency = np.fft.rfftfreq(samples.size, 1 / RATE)
    sums = [power[(frequency >= a) & (frequency < b)].sum() for a, b in pairwise(edges)]
    return 10 * np.log10(np.array(sums) / sums[0])


def periodicity(samples):
    """The highest autocorrelation at the lags of a voice's pitch, of its loudest 50 ms."""
    frames = samples.reshape(-1, RATE // 20)
    spectrum = np.abs(np.fft.rfft(frames[np.argmax(np.sum(frames**2, axis=1))], RATE // 10)) ** 2
    correlation = np.fft.irfft(spectrum)
    return correlation[RATE // 400 : RATE // 80].max() / correlation[0]


def test_a_whisper_has_the_syllables_but_no_pitch():
    spoken = voice(2.0)
    whisper = voices.whispered(spoken, np.random.default_rng(0))
    assert periodicity(spoken) > 0.6 and periodicity(whisper) < 0.4
    before, after = (np.sqrt(np.mean(s.reshape(-1, 800) ** 2, axis=1)) for s in (spoken, whisper))
    assert np.corrcoef(before, after)[0, 1] > 0.9
    # The formants stay; the spectrum falls less.
    assert np.all(band_levels(whisper)[1:] > band_levels(spoken)[1:] + 2)
    assert band_levels(whisper, (1050, 1250, 1600, 1800))[2] > 6


def test_a_childs_voice_is_higher_and_sooner_over():
    child = voices.childlike(tone(200))
    assert loudest_hz(child) == pytest.approx(270, abs=2)
    assert child.size == pytest.approx(RATE / 1.35, abs=2)


def test_the_telephone_keeps_its_band_and_shifts_nothing():
    inside, below, above = tone(1000), tone(100), tone(5000)
    kept = voices.telephone_band(inside + below + above)
    middle = slice(2000, -2000)
    assert np.allclose(kept[middle], inside[middle], atol=0.02)


def test_resampling_keeps_a_tone():
    assert np.allclose(
        voices.resampled(voices.resampled(tone(440), RATE, 8000), 8000, RATE)[500:-500], tone(440)[500:-500], atol=1e-3
    )


def test_a_room_adds_echo_after_the_sound_and_early_is_its_beginning():
    pulse = np.zeros(RATE)
    pulse[1000] = 1.0
    heard, early = voices.in_a_room(pulse, seed=1, number=0)
    assert np.abs(heard[:999]).max() < 1e-9 and heard[1000] == pytest.approx(1.0)
    assert np.allclose(heard[:1800], early[:1800]) and np.abs(early[1801:]).max() < 1e-9
    assert np.sum(heard[1800:] ** 2) > 0.01
    again, _ = voices.in_a_room(pulse, seed=1, number=0)
    other, _ = voices.in_a_room(pulse, seed=1, number=1)
    assert np.array_equal(heard, again) and not np.array_equal(heard, other)
