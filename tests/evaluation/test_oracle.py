import numpy as np
import pytest

from audiodae.errors import SignalError
from audiodae.evaluation.metrics import si_sdr
from audiodae.evaluation.oracle import oracle_estimate
from tests.evaluation.made_up import RATE, hiss, voice


@pytest.mark.parametrize("noise_rms", [0.01, 0.05, 0.2])
def test_oracle_beats_noisy(noise_rms):
    clean = voice()
    noisy = clean + hiss(clean.size, noise_rms)
    estimate = oracle_estimate(noisy=noisy, clean=clean, sample_rate=RATE)
    assert estimate.dtype == np.float32 and estimate.shape == clean.shape
    assert si_sdr(estimate=estimate, clean=clean) > si_sdr(estimate=noisy, clean=clean) + 3


def test_oracle_of_clean_is_clean():
    clean = voice(0.5).astype(np.float32)
    assert oracle_estimate(noisy=clean, clean=clean, sample_rate=RATE) == pytest.approx(clean, abs=1e-6)


def test_oracle_keeps_the_noisy_phase():
    """A flipped sign stays flipped: only the magnitude is the clean one's."""
    clean = voice(0.5).astype(np.float32)
    estimate = oracle_estimate(noisy=-0.1 * clean, clean=clean, sample_rate=RATE)
    assert estimate == pytest.approx(-clean, abs=1e-5)
    assert estimate != pytest.approx(clean, abs=1e-5)


def test_silence_and_nothing_pass():
    assert not oracle_estimate(noisy=np.zeros(100), clean=np.zeros(100), sample_rate=RATE).any()
    assert oracle_estimate(noisy=np.zeros(0), clean=np.zeros(0), sample_rate=RATE).shape == (0,)


def test_shapes_must_match():
    with pytest.raises(SignalError, match="need one shape"):
        oracle_estimate(noisy=np.zeros(10), clean=np.zeros(11), sample_rate=RATE)
