import numpy as np
import pytest

from audiodae.comparison import methods
from audiodae.evaluation.codes import moments, squared_error
from audiodae.training.families import family_recipe
from audiodae.training.patch_autoencoder import PatchAutoencoder


@pytest.fixture
def patches():
    """Of rank 3, in [0, 1]."""
    rng = np.random.default_rng(0)
    flat = rng.random((60, 3)) @ rng.random((3, 48)) / 3
    return flat.reshape(60, 6, 8).astype(np.float32)


def test_pca_gives_back_what_has_its_rank(patches):
    exact, short = (methods.principal_components(patches[:40], width) for width in (3, 1))
    assert squared_error(estimate=exact.reconstruct(patches[40:]), clean=patches[40:]) < 1e-8
    assert squared_error(estimate=short.reconstruct(patches[40:]), clean=patches[40:]) > 1e-4
    assert exact.encode(patches).shape == (60, 3) and exact.parameters == 4 * 48


def test_raw_and_part_means_have_no_way_back(patches):
    assert methods.raw().encode(patches).shape == (60, 48)
    wide = np.repeat(patches, 5, axis=2)[:, :, :40]
    code = methods.part_means().encode(wide)
    np.testing.assert_allclose(code[:, 6:12], wide[:, :, 8:16].mean(axis=2), rtol=1e-5)
    assert methods.raw().reconstruct is None and methods.part_means().reconstruct is None


def test_a_variational_code_is_drawn_around_its_mean(patches):
    network = PatchAutoencoder.build(family_recipe("variational", ["code.width=4"]), (6, 8)).eval()
    method = methods.of_network(network)
    mean, drawn = method.encode(patches), method.sampled(patches)
    assert mean.shape == drawn.shape and not np.allclose(mean, drawn)
    assert moments(drawn)["std"] > moments(mean)["std"]
    assert method.generate(5, seed=0).shape == (5, 6, 8)
    plain = methods.of_network(PatchAutoencoder.build(family_recipe("undercomplete"), (6, 8)).eval())
    assert plain.generate is None and plain.sampled is plain.encode
