"""Codes as numpy arrays: the same as torch gives, for any number of patches."""

import numpy as np
import pytest
import torch

from audiodae.errors import TrainingError
from audiodae.prep.patches import patches_of_sound
from audiodae.training import codes
from audiodae.training.patch_autoencoder import PatchAutoencoder
from tests.training.patch_recipes import SHAPE, made_patches, small


def built(name):
    torch.manual_seed(0)
    return PatchAutoencoder.build(small(name), SHAPE).eval()


@pytest.mark.parametrize("count", [1, 4, 5, 11])
def test_batches_are_the_whole(monkeypatch, count):
    monkeypatch.setattr(codes, "AT_ONCE", 4)
    network, patches = built("denoising-gaussian"), made_patches(count).clean
    with torch.no_grad():
        coded = network.encode(torch.from_numpy(patches))
        made = network.decode(coded)
    np.testing.assert_allclose(codes.encode(network, patches), coded, atol=1e-6)
    np.testing.assert_allclose(codes.decode(network, coded.numpy()), made, atol=1e-6)
    np.testing.assert_allclose(codes.reconstruct(network, patches), made, atol=1e-6)


def test_a_sound_is_the_codes_of_its_patches():
    network = built("undercomplete")
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, 3000).astype(np.float32)
    wanted = codes.encode(network, patches_of_sound(samples, network.recipe.patches))
    np.testing.assert_array_equal(codes.encode_sound(network, samples), wanted)


def test_only_a_variational_family_generates():
    made = codes.generate(built("variational"), 6, seed=1)
    assert made.shape == (6, *SHAPE) and made.min() >= 0 and made.max() <= 1
    np.testing.assert_array_equal(made, codes.generate(built("variational"), 6, seed=1))
    assert not np.array_equal(made, codes.generate(built("variational"), 6, seed=2))
    with pytest.raises(TrainingError, match="sparse is no variational family"):
        codes.generate(built("sparse"), 6, seed=1)


@pytest.mark.parametrize("shape", [(2, 9, 12), SHAPE, (0, 3)])
def test_patches_of_another_shape_are_refused(shape):
    for use in (codes.encode, codes.reconstruct):
        with pytest.raises(TrainingError, match=r"takes \(patches, 12, 9\)"):
            use(built("undercomplete"), np.zeros(shape, np.float32))
