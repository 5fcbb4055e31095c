"""The loss of a family: the error summed over a patch, and each penalty that has a weight.

A new penalty is a row of `PENALTIES` and a key of the same name in `FamilyLossSettings`, its weight.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from audiodae.training.family_recipe import FamilyLossSettings, one_sigmoid_layer
from audiodae.training.losses import weight_penalty
from audiodae.training.patch_autoencoder import PatchAutoencoder
from audiodae.training.penalties import contraction_exact, contraction_probed, kl_bernoulli, kl_gaussian, noise_in_codes
from audiodae.training.recipe import LossSettings


@dataclass(frozen=True)
class Seen:
    """What a penalty may look at: a batch, and what the encoder made of it."""

    network: PatchAutoencoder
    patches: Tensor  # as corrupted
    clean: Tensor
    codes: Tensor  # of a variational code the means
    log_variance: Tensor | None
    generator: Generator

    @property
    def settings(self) -> FamilyLossSettings:
        """The weights, and what else penalties need."""
        return self.network.recipe.loss


ERRORS: dict[str, Callable[..., Tensor]] = {"mse": F.mse_loss, "l1": F.l1_loss, "bce": F.binary_cross_entropy}


def family_terms(network: PatchAutoencoder, noisy: Tensor, clean: Tensor, generator: Generator) -> dict[str, Tensor]:
    """The weighted terms of the loss of a batch, by name; the loss is their sum.

    Parameters
    ----------
    noisy, clean : float32, shape (patches, rows, columns): what the network sees, and what it should give
    generator : of a variational code, in training, and of probes

    Returns
    -------
    terms : error, and each penalty with a weight above 0: scalars, per patch
    """
    codes, log_variance = network.posterior(noisy)
    seen = Seen(network, noisy, clean, codes, log_variance, generator)
    if log_variance is not None and network.training:
        codes = codes + torch.exp(log_variance / 2) * torch.randn(codes.shape, generator=generator)
    terms = {"error": patch_error(network.decode(codes), clean, network.recipe.loss.error)}
    for name, penalty in PENALTIES.items():
        weight = getattr(seen.settings, name)
        if weight > 0:
            terms[name] = weight * penalty(seen)
    return terms


def patch_error(made: Tensor, wanted: Tensor, kind: str) -> Tensor:
    """Error of a kind, summed over each patch, the mean over the patches."""
    return ERRORS[kind](made, wanted, reduction="sum") / len(wanted)


def _sparsity(seen: Seen) -> Tensor:
    return kl_bernoulli(seen.codes, seen.settings.rho)


def _contraction(seen: Seen) -> Tensor:
    if one_sigmoid_layer(seen.network.recipe) and not seen.settings.probes:
        (layer,) = (module for module in seen.network.stages[0].encode if isinstance(module, nn.Linear))
        return contraction_exact(seen.codes, layer.weight)
    return contraction_probed(seen.network.encode, seen.patches, probes=seen.settings.probes, generator=seen.generator)


def _stability(seen: Seen) -> Tensor:
    return noise_in_codes(seen.codes, seen.network.encode(seen.clean))


def _kl(seen: Seen) -> Tensor:
    assert seen.log_variance is not None  # a rule of the recipe
    return kl_gaussian(seen.codes, seen.log_variance)


def _weights(**weight: float) -> Callable[[Seen], Tensor]:
    settings = LossSettings(**weight)
    return lambda seen: torch.as_tensor(weight_penalty(list(seen.network.parameters()), settings))


PENALTIES: dict[str, Callable[[Seen], Tensor]] = {
    "sparsity": _sparsity,
    "contraction": _contraction,
    "stability": _stability,
    "kl": _kl,
    "weight_l1": _weights(weight_l1=1.0),
    "weight_l2": _weights(weight_l2=1.0),
}
