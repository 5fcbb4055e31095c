"""Each penalty by another road: an integral, the Jacobian that torch.func gives, a ratio known beforehand."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch.func import jacrev, vmap

from audiodae.training.family_loss import family_terms
from audiodae.training.patch_autoencoder import PatchAutoencoder
from audiodae.training.penalties import contraction_exact, contraction_probed, kl_bernoulli, kl_gaussian, noise_in_codes
from tests.training.patch_recipes import SHAPE, made_patches, small


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def network(name, *overrides):
    torch.manual_seed(1)
    return PatchAutoencoder.build(small(name, *overrides), SHAPE).double()


def jacobian_norm(encode, patches):
    """Squared Frobenius norm of the whole Jacobian, by automatic differentiation in reverse, mean over the patches."""
    return vmap(jacrev(lambda patch: encode(patch[None])[0]))(patches).square().sum(dim=(1, 2, 3)).mean()


PATCHES = torch.from_numpy(made_patches(7).clean).double()


@pytest.mark.parametrize("rho", [0.05, 0.3])
def test_the_sparse_penalty_is_zero_at_its_target(rho):
    assert kl_bernoulli(torch.full((8, 4), rho, dtype=torch.float64), rho) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("rho", "mean"), [(0.05, 0.2), (0.05, 0.9), (0.3, 0.01)])
def test_the_sparse_penalty_is_the_integral_of_its_slope(rho, mean):
    """The slope over the mean m is (m - rho) / (m (1 - m)), and the penalty is zero at rho."""
    integral, _ = quad(lambda m: (m - rho) / (m * (1 - m)), rho, mean)
    codes = torch.tensor([[mean - 0.005, mean], [mean + 0.005, mean]], dtype=torch.float64)
    assert kl_bernoulli(codes, rho) == pytest.approx(2 * integral, rel=1e-6)


def test_a_unit_that_is_always_off_costs_much_but_not_infinitely():
    codes = torch.zeros(4, 3, requires_grad=True)
    penalty = kl_bernoulli(codes, 0.05)
    assert 0.1 < float(penalty.detach()) < 10
    penalty.backward()
    assert torch.isfinite(codes.grad).all()


def test_the_gaussian_divergence_is_zero_at_the_standard_normal():
    assert kl_gaussian(torch.zeros(5, 3), torch.zeros(5, 3)) == 0


@pytest.mark.parametrize(("mean", "deviation"), [(0.7, 1.0), (0.0, 0.3), (-1.5, 2.0)])
def test_the_gaussian_divergence_is_its_integral(mean, deviation):
    def integrand(z):
        return norm.pdf(z, mean, deviation) * (norm.logpdf(z, mean, deviation) - norm.logpdf(z))

    integral, _ = quad(integrand, mean - 12 * deviation, mean + 12 * deviation)
    means = torch.full((4, 3), mean, dtype=torch.float64)
    log_variance = torch.full((4, 3), 2 * np.log(deviation), dtype=torch.float64)
    assert kl_gaussian(means, log_variance) == pytest.approx(3 * integral, rel=1e-6)


def test_the_exact_contraction_is_the_norm_of_the_jacobian():
    made = network("contractive", "loss.contraction=0.25")
    term = family_terms(made, PATCHES, PATCHES, seeded())["contraction"]
    assert float(term) == pytest.approx(0.25 * float(jacobian_norm(made.encode, PATCHES)), rel=1e-9)


def test_another_layer_has_another_contraction():
    made = network("contractive")
    codes, weight = made.encode(PATCHES), made.stages[0].encode[1].weight
    with torch.no_grad():
        wrong = contraction_exact(codes, 1.1 * weight)
    assert float(wrong) != pytest.approx(float(jacobian_norm(made.encode, PATCHES)), rel=1e-3)


@pytest.mark.parametrize("name", ["contractive-deep", "digits-pooled"])
def test_probes_are_unbiased(name):
    """The mean of many lies within four standard errors of the whole norm, and they do spread."""
    made = network(name, "body.activation=tanh", "body.dropout=0.0").eval()
    exact = float(jacobian_norm(made.encode, PATCHES))
    generator = seeded()
    one = np.array([float(contraction_probed(made.encode, PATCHES, probes=1, generator=generator)) for _ in range(400)])
    assert one.std() > 0.01 * exact
    assert abs(one.mean() - exact) < 4 * one.std() / np.sqrt(len(one))
    assert one.std() / np.sqrt(len(one)) < 0.1 * exact  # so that a bias of a half would be seen


def test_probes_are_a_mean_and_reach_the_weights():
    made = network("contractive-deep")
    many = contraction_probed(made.encode, PATCHES, probes=300, generator=seeded())
    assert float(many) == pytest.approx(float(jacobian_norm(made.encode, PATCHES)), rel=0.1)
    many.backward()
    assert made.stages[0].encode[1].weight.grad.abs().sum() > 0


def test_probes_work_where_nobody_learns():
    with torch.no_grad():
        assert contraction_probed(network("contractive-deep").encode, PATCHES, probes=1, generator=seeded()) > 0


def test_noise_in_codes_is_noise_over_signal_whatever_the_scale():
    generator = seeded()
    clean = torch.randn(5000, 3, generator=generator, dtype=torch.float64) * torch.tensor([1.0, 5.0, 0.1])
    noisy = clean + torch.randn(clean.shape, generator=generator) * torch.tensor([0.5, 2.5, 0.0])
    assert noise_in_codes(clean, clean) == 0
    assert float(noise_in_codes(noisy, clean)) == pytest.approx(0.25 + 0.25 + 0, rel=0.05)
    assert noise_in_codes(9 * noisy, 9 * clean) == pytest.approx(float(noise_in_codes(noisy, clean)))
