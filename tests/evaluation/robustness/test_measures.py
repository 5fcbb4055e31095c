import numpy as np
import pytest

from audiodae.evaluation.robustness import measures
from audiodae.evaluation.robustness.measures import Case
from tests.evaluation.made_up import RATE, hiss

HALF_DB = 20 * np.log10(0.5)


def speech_with_pauses():
    """Two words of tone at 0.5 to 1.2 s and 1.6 to 2.4 s, in 3 s."""
    samples = np.zeros(3 * RATE)
    for start, stop in ((0.5, 1.2), (1.6, 2.4)):
        time = np.arange(int(start * RATE), int(stop * RATE))
        samples[time] = 0.2 * np.sin(2 * np.pi * 300 * time / RATE)
    return samples


SPEECH = speech_with_pauses()
CLEAN = Case(SPEECH, SPEECH)
IN_HISS = Case(SPEECH + hiss(SPEECH.size, 0.02), SPEECH)


def softened(start, stop, gain=0.5):
    samples = SPEECH.copy()
    samples[int(start * RATE) : int(stop * RATE)] *= gain
    return samples


def test_words_lie_between_pauses():
    assert measures.words(CLEAN) == [(8000, 19200), (25600, 38400)]
    cut_short = Case(SPEECH[8000:], SPEECH[8000:])  # begins with speech: nobody knows when the word began
    assert measures.words(cut_short) == [(17600, 30400)]


@pytest.mark.parametrize("measure", [measures.onsets, measures.offsets])
def test_what_keeps_everything_alike_loses_no_onset(measure):
    assert measure(CLEAN, 0.3 * SPEECH) == [pytest.approx(0)] * 2
    assert measure(IN_HISS, IN_HISS.noisy) == [pytest.approx(0, abs=0.3)] * 2


def test_a_soft_onset_is_told_of_its_word():
    assert measures.onsets(CLEAN, softened(0.5, 0.6)) == [pytest.approx(HALF_DB), pytest.approx(0)]
    assert measures.offsets(CLEAN, softened(0.5, 0.6)) == [pytest.approx(0, abs=0.8), pytest.approx(0)]
    assert measures.offsets(CLEAN, softened(2.3, 2.4)) == [pytest.approx(0), pytest.approx(HALF_DB)]
    assert measures.onsets(CLEAN, softened(0.5, 0.6, 0.0))[0] == pytest.approx(measures.LOST_DB)


def test_onsets_below_the_noise_are_passed_over():
    noisy = SPEECH.copy()
    noisy[8000:9600] += hiss(1600, 0.3)
    assert len(measures.onsets(Case(noisy, SPEECH), SPEECH)) == 1
    assert len(measures.onset_curves(Case(noisy, SPEECH), SPEECH)) == 1


def test_curves_show_when():
    (first, second) = measures.onset_curves(CLEAN, softened(0.5, 0.55))
    assert first == [pytest.approx(HALF_DB)] * 2 + [pytest.approx(0)] * 18
    assert second == [pytest.approx(0)] * 20
    marked = Case(SPEECH, SPEECH, marks=(8000,))
    assert len(measures.onset_curves(marked, SPEECH)) == 1


def test_speech_kept_is_told_of_moments_with_speech_and_noise_does_not_count():
    kept = measures.kept_moments(CLEAN, softened(0.5, 1.2))
    assert len(kept) == 15
    assert kept == [pytest.approx(HALF_DB)] * 7 + [pytest.approx(0)] * 8
    assert np.mean(measures.kept_moments(IN_HISS, IN_HISS.noisy)) == pytest.approx(0, abs=0.1)
    assert measures.kept_moments(CLEAN, np.zeros_like(SPEECH)) == [measures.LOST_DB] * 15
    assert measures.kept_moments(CLEAN, -SPEECH) == [measures.LOST_DB] * 15


def test_what_is_kept_after_a_mark():
    marked = Case(SPEECH, SPEECH, marks=(8000,))
    assert measures.kept_after_mark(0.1)(marked, softened(0.5, 0.6)) == [pytest.approx(HALF_DB)]
    assert measures.kept_after_mark(0.5)(marked, softened(0.5, 0.6)) == [pytest.approx(20 * np.log10(0.9), abs=0.01)]


def test_level_and_wobble():
    noise = hiss(2 * RATE, 0.1)
    case = Case(noise, noise)
    assert measures.level_change(case, 0.5 * noise) == [pytest.approx(HALF_DB)]
    assert measures.level_change(case, np.zeros_like(noise)) == [measures.LOST_DB]
    assert measures.wobble(case, 0.5 * noise) == [pytest.approx(0, abs=1e-6)]
    pumped = noise * np.repeat(np.resize([1.0, 0.5], 20), RATE // 10)
    assert measures.wobble(case, pumped) == [pytest.approx(-HALF_DB / 2)]


def test_fall_of_clicks():
    clicks = np.zeros_like(SPEECH)
    clicks[[10_000, 30_000]] = 0.8
    case = Case(SPEECH + clicks, SPEECH, marks=(10_000, 30_000))
    assert measures.click_fall(case, SPEECH + 0.1 * clicks) == [pytest.approx(20)] * 2
    assert measures.click_fall(case, case.noisy) == [pytest.approx(0)] * 2
