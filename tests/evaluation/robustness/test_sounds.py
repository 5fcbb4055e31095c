import numpy as np
import pytest

from audiodae.evaluation.robustness import sounds
from tests.evaluation.made_up import RATE, voice


def rng(seed=0):
    return np.random.default_rng(seed)


def power_in(samples, low, high):
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    frequency = np.fft.rfftfreq(samples.size, 1 / RATE)
    return spectrum[(frequency >= low) & (frequency < high)].sum()


def in_few_lines(samples):
    """The share of the power in the strongest fiftieth of the spectrum's lines."""
    power = np.sort(np.abs(np.fft.rfft(samples)) ** 2)
    return power[-len(power) // 50 :].sum() / power.sum()


def test_noise_lies_as_far_below_speech_as_said():
    speech, noise = voice(2.0), sounds.hiss(2 * RATE, rng())
    scaled = sounds.at_snr(speech, noise, 7.0)
    assert 20 * np.log10(sounds.rms(speech) / sounds.rms(scaled)) == pytest.approx(7.0)


def test_white_noise_is_as_strong_in_each_hertz_and_pink_in_each_octave():
    white, pink = (sounds.hiss(8 * RATE, rng(), slope=slope) for slope in (0.0, -1.0))
    for noise, ratio in ((white, 8.0), (pink, 1.0)):
        assert power_in(noise, 4000, 8000) / power_in(noise, 500, 1000) == pytest.approx(ratio, rel=0.1)
        assert sounds.rms(noise) == pytest.approx(1.0)


def test_music_has_notes_and_a_beat():
    music = sounds.music(4 * RATE, rng())
    assert sounds.rms(music) == pytest.approx(1.0)
    assert in_few_lines(music) > 0.8 and in_few_lines(sounds.hiss(4 * RATE, rng())) < 0.2
    beats = np.sqrt(np.mean(music.reshape(16, -1) ** 2, axis=1))
    assert beats[::4].mean() > 1.5 * beats[3::4].mean()


def test_clicks_are_short_and_where_they_are_said_to_be():
    clicks, places = sounds.clicks(2 * RATE, rng(), peak=0.7)
    assert len(places) in (7, 8) and np.diff(places).min() > 1000
    near = np.zeros(clicks.size, bool)
    for place in places:
        near[place : place + 16] = True
        assert np.abs(clicks[place : place + 16]).max() == pytest.approx(0.7)
    assert not clicks[~near].any()


def test_babble_is_made_of_all_voices():
    tones = [np.sin(2 * np.pi * hz * np.arange(RATE) / RATE) for hz in (400, 800)]
    babble = sounds.babble(2 * RATE, tones, rng())
    assert babble.size == 2 * RATE and sounds.rms(babble) == pytest.approx(1.0)
    assert [power_in(babble, hz - 5, hz + 5) / power_in(babble, 0, 8000) for hz in (400, 800)] == [
        pytest.approx(0.5, abs=0.01)
    ] * 2
