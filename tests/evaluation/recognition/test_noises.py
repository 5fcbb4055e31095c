import numpy as np
import pytest
import soundfile

from audiodae.errors import SignalError
from audiodae.evaluation.recognition.noises import HIGHEST_PEAK, active_rms, add_noise, draw_noise, find_noises
from tests.evaluation.recognition.made_up import RATE, tone, write_noise


@pytest.fixture(scope="module")
def noises(tmp_path_factory):
    return find_noises(write_noise(tmp_path_factory.mktemp("noise")))


def test_the_ratio_is_that_of_the_active_speech():
    speech, noise = tone(440).astype(np.float32) / 10, np.random.default_rng(0).normal(0, 1, RATE).astype(np.float32)
    added = add_noise(speech, noise, snr_db=10.0, sample_rate=RATE) - speech
    active = np.sqrt(np.mean(speech[: RATE // 2] ** 2))  # the silence at the end does not count
    assert 20 * np.log10(active / np.sqrt(np.mean(added**2))) == pytest.approx(10, abs=0.1)
    assert active_rms(speech, RATE) == pytest.approx(active, rel=0.01)


def test_no_noise_is_the_speech_itself():
    speech = tone(440).astype(np.float32)
    assert add_noise(speech, speech, snr_db=None, sample_rate=RATE) is speech


def test_nothing_passes_full_scale():
    speech = tone(440).astype(np.float32)
    noisy = add_noise(
        speech, np.random.default_rng(0).normal(0, 1, RATE).astype(np.float32), snr_db=-10.0, sample_rate=RATE
    )
    assert np.abs(noisy).max() == pytest.approx(HIGHEST_PEAK)


def test_a_name_and_a_seed_decide(noises):
    def drawn(name, seed=0, samples=500):
        return draw_noise(noises, name, samples=samples, sample_rate=RATE, seed=seed)

    np.testing.assert_array_equal(drawn("a"), drawn("a"))
    assert not np.array_equal(drawn("a"), drawn("b"))
    assert not np.array_equal(drawn("a"), drawn("a", seed=1))
    long = drawn("a", samples=5 * RATE)  # two seconds, over and over
    np.testing.assert_array_equal(long[: 2 * RATE], long[2 * RATE : 4 * RATE])


def test_silence_is_no_noise(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    with pytest.raises(SignalError, match="all silent"):
        draw_noise(find_noises(tmp_path), "a", samples=100, sample_rate=RATE, seed=0)
