"""Composite measures: the figures of an independent implementation, and the parts by slow roads."""

import numpy as np
import pytest
from scipy.linalg import solve_toeplitz

from audiodae.errors import SignalError
from audiodae.evaluation import composite as module
from audiodae.evaluation.composite import composite
from tests.evaluation.made_up import hiss, voice
from tests.evaluation.test_metrics import STORED as STORED_METRICS

# Made once with an independent scorer on the same samples: CSIG, CBAK, COVL, segmental SNR (dB).
STORED = {
    "noisy": (1.0, 1.723251, 1.0, -4.327813),
    "muffled": (5.0, 3.697063, 4.836586, -0.233679),
    "quiet": (1.0, 1.952226, 1.0, -2.997708),
    "clean": (5.0, 4.944256, 5.0, 17.30916),
}
CLEAN = voice()
ESTIMATES = {
    "noisy": CLEAN + hiss(CLEAN.size, 0.05),
    "muffled": np.convolve(CLEAN, np.ones(8) / 8, "same"),
    "quiet": 0.25 * CLEAN + hiss(CLEAN.size, 0.002, seed=1),
    "clean": CLEAN,
}


@pytest.mark.parametrize("name", STORED)
def test_the_figures_are_those_of_another_implementation(name):
    rated = composite(estimate=ESTIMATES[name], clean=CLEAN, pesq_wb=STORED_METRICS[name][0])
    assert tuple(rated) == ("csig", "cbak", "covl", "ssnr_db")
    # A muffled buzz makes linear prediction ill-conditioned: the last bits of a sum show in the third digit.
    assert tuple(rated.values()) == pytest.approx(STORED[name], abs=2e-3)


def test_linear_prediction_solves_the_normal_equations():
    frames = module._frames(CLEAN + hiss(CLEAN.size, 0.01))[:20]
    correlation = module._autocorrelation(frames)
    for r, lpc in zip(correlation, module._prediction(correlation), strict=True):
        np.testing.assert_allclose(lpc[1:], solve_toeplitz(r[:-1], -r[1:]), rtol=1e-6, atol=1e-8)


def test_autocorrelation_is_the_sum_of_products():
    frame = module._frames(CLEAN)[3]
    slow = [np.dot(frame[lag:], frame[: frame.size - lag]) for lag in range(17)]
    np.testing.assert_allclose(module._autocorrelation(frame[None])[0], slow, rtol=1e-9, atol=1e-12)


def test_a_frame_is_as_likely_as_itself_and_no_other_is_more():
    frames = module._frames(CLEAN + hiss(CLEAN.size, 0.01))
    others = module._frames(ESTIMATES["noisy"])
    np.testing.assert_allclose(module._log_likelihood_ratio(frames, frames), 0, atol=1e-9)
    assert (module._log_likelihood_ratio(frames, others) > -1e-9).all()


def test_more_noise_is_rated_lower():
    rated = [composite(estimate=CLEAN + hiss(CLEAN.size, rms), clean=CLEAN, pesq_wb=3.0) for rms in (1e-4, 1e-3, 1e-2)]
    for one in ("cbak", "ssnr_db"):
        values = [each[one] for each in rated]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[-1]


def test_what_cannot_be_rated_is_refused():
    with pytest.raises(SignalError, match="differ"):
        composite(estimate=CLEAN[1:], clean=CLEAN, pesq_wb=2.0)
    with pytest.raises(SignalError, match="need 600"):
        composite(estimate=CLEAN[:500], clean=CLEAN[:500], pesq_wb=2.0)


def test_digital_silence_in_the_estimate_is_rated():
    rated = composite(estimate=np.zeros_like(CLEAN), clean=CLEAN, pesq_wb=1.0)
    assert all(np.isfinite(value) for value in rated.values())
