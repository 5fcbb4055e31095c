"""Penalties of the families: pure functions from codes, or from an encoder, to a scalar that is added to the error.

Codes have shape (patches, code_width). What belongs to a patch is summed over its values, averaged over the patches.
L1 and L2 of the weights are `audiodae.training.losses.weight_penalty`.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def kl_bernoulli(codes: Tensor, rho: float) -> Tensor:
    """Sum over the code's values of KL(rho || mean activation), between coins that show heads so often (sparse).

    Parameters
    ----------
    codes : between 0 and 1, of a whole batch: the mean is over its patches
    rho : between 0 and 1, the mean activation at which the penalty is zero (Ng 2011, CS294A lecture notes)
    """
    mean = codes.mean(dim=0).clamp(1e-6, 1 - 1e-6)  # a unit that is always off would cost infinitely much
    return (rho * torch.log(rho / mean) + (1 - rho) * torch.log((1 - rho) / (1 - mean))).sum()


def kl_gaussian(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)), summed over the code's values (variational; Kingma and Welling 2014,
    arXiv:1312.6114, appendix B).
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()


def contraction_exact(codes: Tensor, weight: Tensor) -> Tensor:
    """Squared Frobenius norm of the Jacobian of sigmoid(W x + b) (contractive; Rifai et al. 2011).

    Parameters
    ----------
    codes : of the sigmoid layer
    weight : W, shape (code_width, values of a patch)
    """
    slope = codes * (1 - codes)
    return (slope.square() @ weight.square().sum(dim=1)).mean()


def contraction_probed(
    encode: Callable[[Tensor], Tensor], patches: Tensor, *, probes: int, generator: torch.Generator
) -> Tensor:
    """Unbiased estimate of the squared Frobenius norm of any encoder's Jacobian: the mean of ||v J||^2 over random v.

    Each v has entries of -1 or 1, so E[v v'] = I and E[||v J||^2] = trace(J' J) (Hutchinson 1990). The encoder must
    treat each patch by itself: no batch normalisation in training.
    """
    with torch.enable_grad():  # the slope is the penalty, also where nobody learns
        patches = patches.detach().requires_grad_()
        codes = encode(patches)
        total = codes.new_zeros(())
        for _ in range(probes):
            signs = torch.randint(0, 2, codes.shape, generator=generator).to(codes) * 2 - 1
            (row,) = torch.autograd.grad(codes, patches, signs, create_graph=True)
            total = total + row.square().sum() / len(patches)
    return total / probes


def noise_in_codes(noisy: Tensor, clean: Tensor) -> Tensor:
    """How much noise is in codes: the power of what it changes over the variance of the clean ones, summed over values.

    A ratio, so that small codes are no way out; after the stability training of Zheng et al. 2016 (arXiv:1604.04326).

    Parameters
    ----------
    noisy, clean : codes of the same patches with and without noise
    """
    spread = clean.var(dim=0, correction=0).clamp_min(1e-8)
    return ((noisy - clean).square().mean(dim=0) / spread).sum()
