"""What strikes does so as often, and as hard, as it says; measured."""

import pytest
import torch

from audiodae.training.corruption import CORRUPTIONS, corrupt
from audiodae.training.family_recipe import CorruptionSettings

CLEAN = torch.full((400, 20, 15), 0.5)


def corrupted(seed=0, clean=CLEAN, **settings):
    settings = CorruptionSettings(**{"clean_share": 0.0, **settings})
    return corrupt(clean, settings, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.05), (0.1, 0.08)])
def test_gaussian_noise_has_its_mean_and_deviation(mean, std):
    noise = corrupted(kind="gaussian", mean=mean, std=std) - CLEAN
    assert float(noise.mean()) == pytest.approx(mean, abs=1e-3)
    assert float(noise.std()) == pytest.approx(std, rel=0.01)


@pytest.mark.parametrize("mean", [0.0, 0.5])
def test_the_noise_of_the_texts_is_clipped(mean):
    noisy = corrupted(kind="gaussian", mean=mean, std=0.5)
    assert float(noisy.min()) == 0 and float(noisy.max()) == 1
    # N(0.5 + mean, 0.5^2) lies above 1 with probability Q((0.5 - mean) / 0.5).
    above = 1 - torch.distributions.Normal(0.5 + mean, 0.5).cdf(torch.tensor(1.0))
    assert float((noisy == 1).float().mean()) == pytest.approx(float(above), abs=0.01)


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 1.0])
def test_masking_zeroes_so_many_values(probability):
    noisy = corrupted(kind="masking", probability=probability)
    assert float((noisy == 0).float().mean()) == pytest.approx(probability, abs=0.01)
    assert set(noisy.unique().tolist()) <= {0.0, 0.5}


def test_salt_and_pepper_are_equally_many():
    noisy = corrupted(kind="salt_pepper", probability=0.4)
    assert float((noisy == 0).float().mean()) == pytest.approx(0.2, abs=0.01)
    assert float((noisy == 1).float().mean()) == pytest.approx(0.2, abs=0.01)


def test_frames_go_as_a_whole():
    noisy = corrupted(kind="frames", probability=0.25)
    gone = (noisy == 0).float()
    assert torch.equal(gone.amin(dim=1), gone.amax(dim=1))  # a column is all there or all gone
    assert float(gone.mean()) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_share_stays_clean(kind):
    noisy = corrupted(kind=kind, probability=0.9, clean_share=0.3)
    same = (noisy == CLEAN).flatten(1).all(dim=1).float()
    assert float(same.mean()) == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_what_is_random_comes_from_the_generator(kind):
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    first, again, other = corrupted(1, kind=kind), corrupted(1, kind=kind), corrupted(2, kind=kind)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(CLEAN, torch.full_like(CLEAN, 0.5))  # the input is left alone


@pytest.mark.parametrize("kind", ["none", "mixed"])
def test_the_others_leave_patches_alone(kind):
    assert corrupted(kind=kind) is CLEAN
