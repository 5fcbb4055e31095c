"""Codes of patches and of sounds, as numpy arrays: the encoder as a feature extractor, the decoder as a generator."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from audiodae.errors import TrainingError
from audiodae.frames import Samples
from audiodae.prep.patches import Floats, patches_of_sound
from audiodae.training.patch_autoencoder import PatchAutoencoder

AT_ONCE = 512  # patches: what a batch needs does not grow with the corpus


def encode(network: PatchAutoencoder, patches: Floats) -> Floats:
    """Codes of patches, shape (patches, rows, columns) to (patches, code_width).

    Raises
    ------
    TrainingError
        The patches have another shape than the network's.
    """
    _refuse_other_shape(network, patches)
    return _in_batches(network.encode, patches)


def decode(network: PatchAutoencoder, codes: Floats) -> Floats:
    """Patches of codes, shape (patches, code_width) to (patches, rows, columns)."""
    return _in_batches(network.decode, codes)


def reconstruct(network: PatchAutoencoder, patches: Floats) -> Floats:
    """What the network makes of patches, the same shape.

    Raises
    ------
    TrainingError
        As `encode`.
    """
    _refuse_other_shape(network, patches)
    return _in_batches(network, patches)


def encode_sound(network: PatchAutoencoder, samples: Samples) -> Floats:
    """Codes of a recording, shape (samples,) at network.recipe.patches.sample_rate to (patches, code_width)."""
    return encode(network, patches_of_sound(samples, network.recipe.patches))


def generate(network: PatchAutoencoder, count: int, *, seed: int) -> Floats:
    """Patches of codes drawn from N(0, I), shape (count, rows, columns).

    Raises
    ------
    TrainingError
        The family is not variational: nothing draws its codes towards N(0, I).
    """
    if not network.recipe.code.variational:
        raise TrainingError(f"{network.recipe.family.name} is no variational family: its codes follow no known law")
    return decode(network, np.random.default_rng(seed).standard_normal((count, network.code_width)).astype(np.float32))


def _refuse_other_shape(network: PatchAutoencoder, patches: Floats) -> None:
    if patches.ndim != 3 or patches.shape[1:] != network.shape:
        raise TrainingError(
            f"patches of shape {patches.shape}: this network takes (patches, {network.shape[0]}, {network.shape[1]})"
        )


@torch.no_grad()
def _in_batches(make: Callable[[Tensor], Tensor], values: Floats) -> Floats:
    made = [make(part) for part in torch.split(torch.from_numpy(np.ascontiguousarray(values)), AT_ONCE)]
    return np.asarray(torch.cat(made).numpy(), np.float32)
