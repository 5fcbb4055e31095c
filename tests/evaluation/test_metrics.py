import numpy as np
import pytest

from audiodae.errors import SignalError
from audiodae.evaluation import metrics
from tests.evaluation.made_up import RATE, hiss, voice

# Made once with an independent scorer on the same samples: PESQ-WB, STOI, ESTOI, SI-SDR (dB).
STORED = {
    "noisy": (1.020831, 0.762744, 0.440162, 0.742239),
    "muffled": (4.405631, 0.990847, 0.959329, 5.003773),
    "quiet": (1.153147, 0.967316, 0.842303, 16.713963),
    "clean": (4.643888, 1.0, 1.0, 100.0),
}


@pytest.fixture(scope="module")
def clean():
    return voice()


@pytest.fixture(scope="module")
def estimates(clean):
    return {
        "noisy": clean + hiss(clean.size, 0.05),
        "muffled": np.convolve(clean, np.ones(8) / 8, "same"),
        "quiet": 0.25 * clean + hiss(clean.size, 0.002, seed=1),
        "clean": clean,
    }


def all_metrics(estimate, clean):
    return (
        metrics.pesq_wb(estimate=estimate, clean=clean, sample_rate=RATE),
        metrics.stoi(estimate=estimate, clean=clean, sample_rate=RATE),
        metrics.estoi(estimate=estimate, clean=clean, sample_rate=RATE),
        metrics.si_sdr(estimate=estimate, clean=clean),
    )


def slow_si_sdr(estimate, clean):
    """The error left by the best scale, sample by sample: the definition, not the formula."""
    estimate, clean = estimate - np.mean(estimate), clean - np.mean(clean)
    scale = np.linalg.lstsq(clean[:, None], estimate, rcond=None)[0][0]
    signal = sum((scale * c) ** 2 for c in clean)
    error = sum((e - scale * c) ** 2 for e, c in zip(estimate, clean, strict=True))
    return 10 * np.log10(signal / error)


@pytest.mark.parametrize("name", STORED)
def test_metrics_equal_stored_scores(name, clean, estimates):
    assert all_metrics(estimates[name], clean) == pytest.approx(STORED[name], abs=2e-5)


def test_stored_scores_notice_a_change(clean, estimates):
    broken = all_metrics(estimates["quiet"] + hiss(clean.size, 0.0005, seed=2), clean)
    assert all(abs(got - kept) > 2e-5 for got, kept in zip(broken, STORED["quiet"], strict=True))


@pytest.mark.parametrize("name", ["noisy", "muffled", "quiet"])
def test_si_sdr_equals_its_definition(name, clean, estimates):
    estimate = estimates[name] + 0.1  # an offset does not count
    assert metrics.si_sdr(estimate=estimate, clean=clean) == pytest.approx(slow_si_sdr(estimate, clean), abs=1e-9)
    shifted = np.roll(estimate, 1)
    assert metrics.si_sdr(estimate=shifted, clean=clean) != pytest.approx(slow_si_sdr(estimate, clean), abs=1e-9)


def test_si_sdr_ignores_scale_and_sign_but_not_delay(clean, estimates):
    score = metrics.si_sdr(estimate=estimates["noisy"], clean=clean)
    assert metrics.si_sdr(estimate=-7 * estimates["noisy"], clean=clean) == pytest.approx(score, abs=1e-9)
    assert metrics.si_sdr(estimate=np.roll(estimates["noisy"], 8), clean=clean) < score - 1


def test_si_sdr_of_known_mixture():
    """Orthogonal sines: the ratio of their powers."""
    time = np.arange(RATE) / RATE
    clean, noise = np.sin(2 * np.pi * 100 * time), np.sin(2 * np.pi * 200 * time)
    assert metrics.si_sdr(estimate=clean + 0.1 * noise, clean=clean) == pytest.approx(20, abs=1e-9)
    assert metrics.si_sdr(estimate=noise, clean=clean) == -100


def test_float32_scores_as_float64(clean, estimates):
    as_float32 = all_metrics(estimates["noisy"].astype(np.float32), clean.astype(np.float32))
    assert as_float32 == pytest.approx(STORED["noisy"], abs=1e-4)


REFUSED = {
    "lengths": (lambda clean: clean[:-1], "need one length"),
    "nan": (lambda clean: np.where(np.arange(clean.size) == 9, np.nan, clean), "estimate holds NaN"),
    "infinity": (lambda clean: np.where(np.arange(clean.size) == 9, np.inf, clean), "estimate holds NaN or infinity"),
    "silence": (np.zeros_like, "estimate is silent"),
    "constant": (lambda clean: np.full_like(clean, 0.5), "estimate is silent"),
    "channels": (lambda clean: np.stack([clean, clean], axis=1), "need one channel"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_every_metric_refuses(case, clean):
    break_it, message = REFUSED[case]
    calls = [
        lambda bad: metrics.si_sdr(estimate=bad, clean=clean),
        lambda bad: metrics.pesq_wb(estimate=bad, clean=clean, sample_rate=RATE),
        lambda bad: metrics.stoi(estimate=bad, clean=clean, sample_rate=RATE),
        lambda bad: metrics.estoi(estimate=bad, clean=clean, sample_rate=RATE),
    ]
    for call in calls:
        with pytest.raises(SignalError, match=message):
            call(break_it(clean))


def test_silent_or_empty_clean_is_refused(clean):
    with pytest.raises(SignalError, match="clean is silent"):
        metrics.si_sdr(estimate=clean, clean=np.zeros_like(clean))
    with pytest.raises(SignalError, match="silent"):
        metrics.si_sdr(estimate=clean[:0], clean=clean[:0])


def test_short_signals_are_refused(clean):
    brief = clean[:2000]
    with pytest.raises(SignalError, match="PESQ: .*"):
        metrics.pesq_wb(estimate=brief, clean=brief, sample_rate=RATE)
    for measure in (metrics.stoi, metrics.estoi):
        with pytest.raises(SignalError, match=r"less than 0\.4 s"):
            measure(estimate=brief, clean=brief, sample_rate=RATE)


@pytest.mark.parametrize("length", [1, 2, 100, 255, 256, 300, 700])
def test_stoi_of_next_to_nothing_is_refused(length):
    brief = hiss(length, 0.1) + np.arange(length)
    if length == 1:
        brief = np.array([1.0])
    with pytest.raises(SignalError):
        metrics.stoi(estimate=brief, clean=brief, sample_rate=RATE)


def test_pesq_knows_one_rate(clean):
    with pytest.raises(SignalError, match="16000 Hz, not 8000: resample"):
        metrics.pesq_wb(estimate=clean, clean=clean, sample_rate=8000)
