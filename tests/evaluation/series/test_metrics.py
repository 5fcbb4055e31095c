import math

import numpy as np
import pytest

from audiodae.errors import SignalError
from audiodae.evaluation.series import metrics
from audiodae.evaluation.series.metrics import frame_means, snr_gain_db, snr_out_db


def frames(seed, count=7, length=512):
    return np.random.default_rng(seed).standard_normal((count, length)) + 0.3


def slow(estimate, clean):
    """Each measure, sample by sample."""
    everything = [x for frame in clean for x in frame]
    overall = sum(everything) / len(everything)
    found = {name: [] for name in ("ssd", "mad", "prd", "prd_deepfilter", "cosine")}
    for y, x in zip(estimate.tolist(), clean.tolist(), strict=True):
        error = sum((a - b) ** 2 for a, b in zip(y, x, strict=True))
        own = sum(x) / len(x)
        found["ssd"].append(error)
        found["mad"].append(max(abs(a - b) for a, b in zip(y, x, strict=True)))
        found["prd"].append(100 * math.sqrt(error / sum((b - own) ** 2 for b in x)))
        found["prd_deepfilter"].append(100 * math.sqrt(error / sum((a - overall) ** 2 for a in y)))
        norm = math.sqrt(sum(a * a for a in y) * sum(b * b for b in x))
        found["cosine"].append(sum(a * b for a, b in zip(y, x, strict=True)) / norm)
    return found


def test_measures_are_their_formulas():
    clean, estimate = frames(0), 0.8 * frames(0) + 0.3 * frames(1)
    expected = slow(estimate, clean)
    means = frame_means(estimate=estimate, clean=clean)
    for name, values in expected.items():
        measured = getattr(metrics, name)(estimate=estimate, clean=clean)
        assert measured == pytest.approx(values)
        assert (means[name], means[f"{name}_sd"]) == pytest.approx((np.mean(values), np.std(values)))
    assert means["prd"] != pytest.approx(means["prd_deepfilter"])


def test_known_answers():
    clean = np.tile([1.0, -1.0], (1, 256))
    assert frame_means(estimate=1.5 * clean, clean=clean) == pytest.approx(
        {"ssd": 128, "mad": 0.5, "prd": 50, "prd_deepfilter": 100 / 3, "cosine": 1} | dict.fromkeys(
            ("ssd_sd", "mad_sd", "prd_sd", "prd_deepfilter_sd", "cosine_sd"), 0)
    )  # fmt: skip
    assert metrics.cosine(estimate=0 * clean, clean=clean) == [0]
    assert metrics.cosine(estimate=-clean, clean=clean) == pytest.approx([-1])


def test_an_offset_of_the_frame_counts_in_prd():
    clean = np.tile([1.0, -1.0], (1, 256))
    assert metrics.prd(estimate=clean + 1, clean=clean) == pytest.approx([100])


def test_a_long_series_is_cut():
    clean, estimate = frames(0), frames(1)
    joined = {"estimate": np.append(estimate.ravel(), np.ones(511)), "clean": np.append(clean.ravel(), np.zeros(511))}
    assert frame_means(**joined) == pytest.approx(frame_means(estimate=estimate, clean=clean))


def test_flat_frames_are_left_out_where_they_have_no_answer():
    clean, estimate = frames(0), frames(1)
    flat = np.zeros((1, 512))
    with_flat = frame_means(estimate=np.vstack([estimate, flat + 0.1]), clean=np.vstack([clean, flat]))
    without = frame_means(estimate=estimate, clean=clean)
    assert with_flat["prd"] == pytest.approx(without["prd"]) and with_flat["cosine"] == pytest.approx(without["cosine"])
    assert with_flat["mad"] == pytest.approx((7 * without["mad"] + 0.1) / 8)


def test_gain_and_ratio():
    clean = frames(0)
    noisy = clean + 1.0
    assert snr_gain_db(estimate=clean + 0.1, noisy=noisy, clean=clean) == pytest.approx(np.full(7, 20.0))
    assert float(snr_gain_db(estimate=noisy[0] + 9, noisy=noisy[0], clean=clean[0])) == pytest.approx(-20)
    assert snr_gain_db(estimate=clean, noisy=noisy, clean=clean).tolist() == [100.0] * 7
    assert np.isnan(snr_gain_db(estimate=noisy, noisy=clean, clean=clean)).all()
    assert snr_out_db(estimate=clean[0] + clean[0].std() / 10, clean=clean[0]) == pytest.approx(20)
    assert snr_out_db(estimate=clean[0], clean=clean[0]) == 100


def test_what_cannot_be_measured():
    with pytest.raises(SignalError, match=r"shape \(511,\), its reference \(512,\)"):
        frame_means(estimate=np.ones(511), clean=np.ones(512))
    for n_samples in (0, 511, 1024):
        with pytest.raises(SignalError, match="nothing to measure"):
            frame_means(estimate=np.ones(n_samples), clean=np.zeros(n_samples))
    with pytest.raises(SignalError, match="reference is constant"):
        snr_out_db(estimate=np.ones(9), clean=np.zeros(9))
