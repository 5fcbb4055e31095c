"""The loss that follows PESQ, against PESQ itself."""

import math

import numpy as np
import pytest
import torch

from audiodae.prep.voices import draw_speaker, speak
from audiodae.training.pesq_loss import pesq_distance


@pytest.fixture(scope="module")
def clean():
    rng = np.random.default_rng(0)
    return np.concatenate([speak(draw_speaker(rng), 2.0, rng) for _ in range(2)]).astype(np.float32)


def made(clean, kind):
    rng = np.random.default_rng(1)
    hiss = rng.normal(0, clean.std(), clean.size).astype(np.float32)
    hum = (np.sin(2 * math.pi * 100 * np.arange(clean.size) / 16_000) * clean.std()).astype(np.float32)
    muffled = np.convolve(clean, np.ones(8) / 8, "same").astype(np.float32)
    return {
        "the same": clean,
        "-40 dB of hiss": clean + 0.01 * hiss,
        "-20 dB of hiss": clean + 0.1 * hiss,
        "-10 dB of hiss": clean + 0.3 * hiss,
        "as much hiss": clean + hiss,
        "hum": clean + 0.5 * hum,
        "muffled": muffled,
        "muffled, hiss": muffled + 0.1 * hiss,
        "clipped": np.clip(clean, -0.2 * np.abs(clean).max(), 0.2 * np.abs(clean).max()),
    }[kind]


KINDS = (
    *("the same", "-40 dB of hiss", "-20 dB of hiss", "-10 dB of hiss", "as much hiss"),
    *("hum", "muffled", "muffled, hiss", "clipped"),
)


def distance(estimate, clean):
    return float(pesq_distance(estimate=torch.from_numpy(estimate)[None], clean=torch.from_numpy(clean)[None]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_made_of_it_is_near_that_of_pesq(clean, kind):
    pesq = pytest.importorskip("pesq", reason="pesq is in the extra [evaluate]")
    estimate = made(clean, kind)
    # The mapping of P.862.2 from a raw score.
    score = 0.999 + 4 / (1 + math.exp(-1.3669 * (4.5 - distance(estimate, clean)) + 3.8224))
    assert score == pytest.approx(pesq.pesq(16_000, clean, estimate, "wb"), abs=0.25)


def test_it_does_not_hear_the_level(clean):
    noisy = made(clean, "-20 dB of hiss")
    assert distance(0.1 * noisy, clean) == pytest.approx(distance(noisy, clean), rel=1e-3)


def test_segments_do_not_mix(clean):
    noisy = made(clean, "-10 dB of hiss")
    both = pesq_distance(
        estimate=torch.from_numpy(np.stack([noisy, clean])), clean=torch.from_numpy(np.stack([clean, clean]))
    )
    assert float(both[0]) == pytest.approx(distance(noisy, clean), rel=1e-4)
    assert float(both[1]) < 1e-3


def test_less_noise_is_nearer_and_the_slope_says_so(clean):
    truth, hiss = torch.from_numpy(clean)[None], torch.from_numpy(made(clean, "as much hiss") - clean)[None]
    share = torch.tensor(0.3, requires_grad=True)
    pesq_distance(estimate=truth + share * hiss, clean=truth).sum().backward()
    assert share.grad > 0.1


@pytest.mark.parametrize("level", [0.0, 1e-9, 1e3])
@pytest.mark.parametrize("target", ["silent", "speech"])
def test_slopes_are_finite_for_silence_and_beyond_full_scale(clean, level, target):
    truth = torch.from_numpy(clean)[None] * (target == "speech")
    estimate = (level * torch.from_numpy(made(clean, "hum"))[None]).requires_grad_()
    found = pesq_distance(estimate=estimate, clean=truth)
    found.sum().backward()
    assert torch.isfinite(found).all() and torch.isfinite(estimate.grad).all()
