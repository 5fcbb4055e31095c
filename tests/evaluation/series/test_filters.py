import numpy as np
import pytest
from scipy.signal import butter, filtfilt, firwin

from audiodae.errors import SignalError
from audiodae.evaluation.series.filters import classic_filters, fir, iir, wavelet
from tests.evaluation.series.made_up import RATE, heart

TIME = np.arange(30 * RATE) / RATE
MIDDLE = slice(10 * RATE, 20 * RATE)


def level_db(apply, hertz):
    """By how much a sine comes out louder."""
    sine = np.sin(2 * np.pi * hertz * TIME)
    return 20 * np.log10(np.std(apply(sine[None])[0, MIDDLE]) / np.std(sine[MIDDLE]))


def test_iir_passes_its_band():
    assert abs(level_db(lambda x: iir(x, highest_hz=150), 10)) < 0.01
    assert level_db(lambda x: iir(x, highest_hz=150), 0.67) == pytest.approx(-6.02, abs=0.1)  # 3 dB, twice
    assert level_db(lambda x: iir(x, highest_hz=40), 40) == pytest.approx(-6.02, abs=0.1)
    assert level_db(lambda x: iir(x, highest_hz=40), 90) < -40
    assert level_db(lambda x: iir(x, highest_hz=150), 0.2) < -40


def test_fir_passes_its_band():
    def apply(leads):
        return fir(leads, highest_hz=150)

    assert abs(level_db(apply, 10)) < 1 and abs(level_db(apply, 100)) < 1
    assert level_db(apply, 0.5) < -20 and level_db(apply, 160) < -30


def test_wavelet_keeps_qrs_and_drops_drift():
    assert abs(level_db(wavelet, 8)) < 0.5
    assert level_db(wavelet, 0.1) < -20
    hiss = np.random.default_rng(0).standard_normal((1, TIME.size))
    assert np.std(wavelet(hiss)) < 0.45 * np.std(hiss)


def test_iir_is_scipys_own_far_from_the_ends():
    noise = np.random.default_rng(0).standard_normal(TIME.size)
    expected = noise
    for cutoff_hz, kind in ((0.67, "highpass"), (150, "lowpass")):
        numerator, denominator = butter(4, cutoff_hz, kind, fs=RATE)
        expected = filtfilt(numerator, denominator, expected)
    found = iir(noise[None], highest_hz=150)[0]
    assert np.allclose(found[MIDDLE], expected[MIDDLE], atol=1e-4)
    assert not np.allclose(found[MIDDLE], expected[10 * RATE + 1 : 20 * RATE + 1], atol=1e-2)


def test_fir_is_each_window_twice():
    noise = np.random.default_rng(0).standard_normal(TIME.size)
    expected = noise
    for kernel in (
        firwin(2009, 0.67, window="boxcar", pass_zero=False, fs=RATE),
        firwin(2009, 150, window="boxcar", fs=RATE),
    ):
        for _ in range(2):
            expected = np.convolve(expected, kernel, "same")
    assert np.allclose(fir(noise[None], highest_hz=150)[0, MIDDLE], expected[MIDDLE], atol=1e-4)


@pytest.mark.parametrize("name", classic_filters())
def test_filters_have_the_face_of_a_denoiser(name):
    cleaner = classic_filters()[name]
    leads = np.stack([heart(4, seed)[0] for seed in range(3)], axis=1).astype(np.float32)
    together = cleaner.clean(leads, 360.0)
    alone = cleaner.clean(leads[:, 1], 360)
    assert together.shape == leads.shape and alone.shape == (len(leads),) and alone.dtype == np.float32
    assert np.allclose(together[:, 1], alone, atol=1e-6) and not np.allclose(together[:, 0], alone, atol=1e-2)
    backwards = cleaner.clean(leads[::-1, 1], 360)
    assert name.startswith("wavelet") or np.allclose(backwards[::-1], alone, atol=5e-3)  # no delay
    with pytest.raises(SignalError, match="360 Hz, not 500: resample"):
        cleaner.clean(leads, 500)


@pytest.mark.parametrize("name", classic_filters())
def test_short_series(name):
    cleaner = classic_filters()[name]
    shortest = np.random.default_rng(0).standard_normal(16).astype(np.float32)
    assert np.isfinite(cleaner.clean(shortest, 360)).all()
    with pytest.raises(SignalError, match="15 samples: the filters need 16"):
        cleaner.clean(shortest[1:], 360)
