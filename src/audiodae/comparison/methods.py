"""What is compared: trained networks, and the methods that any network has to beat. All of them encode patches."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from sklearn.decomposition import PCA

from audiodae.prep.patches import Floats
from audiodae.training import codes
from audiodae.training.patch_autoencoder import PatchAutoencoder

PARTS = 5  # of an utterance, for the means of log-mel energies


@dataclass(frozen=True)
class Method:
    """A way from patches to codes, and where there is one the way back.

    Attributes
    ----------
    encode : patches (n, rows, columns) to codes (n, width)
    reconstruct : patches to patches of the same shape; None where codes do not lead back
    sampled : patches to codes as they are drawn in training; encode where they are not drawn
    parameters : int, numbers that were learnt
    generate : how many and seed to new patches; None for what is no variational family
    """

    encode: Callable[[Floats], Floats]
    reconstruct: Callable[[Floats], Floats] | None
    sampled: Callable[[Floats], Floats]
    parameters: int
    generate: Callable[..., Floats] | None = None


def of_network(network: PatchAutoencoder) -> Method:
    """A trained network."""
    encode = partial(codes.encode, network)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    method = Method(encode, partial(codes.reconstruct, network), encode, parameters)
    if not network.recipe.code.variational:
        return method
    return replace(method, sampled=partial(_drawn, network), generate=partial(codes.generate, network))


@torch.no_grad()
def _drawn(network: PatchAutoencoder, patches: Floats) -> Floats:
    """Codes of a variational network as training sees them: drawn around the mean."""
    mean, log_variance = network.posterior(torch.from_numpy(patches))
    assert log_variance is not None
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(0))
    return np.asarray((mean + torch.exp(log_variance / 2) * noise).numpy(), np.float32)


def principal_components(train: Floats, width: int) -> Method:
    """PCA: the best linear autoencoder there is."""
    shape = train.shape[1:]
    flat = train.reshape(len(train), -1)
    pca = PCA(min(width, *flat.shape), svd_solver="covariance_eigh").fit(flat)

    def encode(patches: Floats) -> Floats:
        return np.asarray(pca.transform(patches.reshape(len(patches), -1)), np.float32)

    def reconstruct(patches: Floats) -> Floats:
        back = pca.inverse_transform(encode(patches)).reshape(-1, *shape)
        return np.asarray(np.clip(back, 0, 1), np.float32)

    return Method(encode, reconstruct, encode, int(pca.components_.size + pca.mean_.size))


def raw() -> Method:
    """The patch itself."""
    return _features(lambda patches: patches.reshape(len(patches), -1))


def part_means() -> Method:
    """The mean of each band over five equal parts of the patch: log-mel features as they are often used."""

    def encode(patches: Floats) -> Floats:
        parts = np.array_split(patches, PARTS, axis=2)
        return np.concatenate([part.mean(axis=2) for part in parts], axis=1)

    return _features(encode)


def _features(encode: Callable[[Floats], Floats]) -> Method:
    return Method(encode, None, encode, 0)
