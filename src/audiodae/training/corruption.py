"""Corruption: what is done to patches before a denoising autoencoder sees them (Vincent et al. 2010, JMLR 11).

Pure functions of patches, float32 of shape (patches, rows, columns) in [0, 1], to the same shape and range; what is
random comes from the generator. Noise in recordings is no function of patches: see `audiodae.prep.noisy_patches`.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from audiodae.training.family_recipe import CorruptionSettings


def corrupt(clean: Tensor, settings: CorruptionSettings, generator: Generator) -> Tensor:
    """Corrupt patches as the settings say, but for the share that stays clean; none and mixed leave all as they are."""
    make = CORRUPTIONS.get(settings.kind)
    if make is None:
        return clean
    struck = torch.rand((len(clean), 1, 1), generator=generator) >= settings.clean_share
    return torch.where(struck, make(clean, settings, generator), clean)


def gaussian(clean: Tensor, settings: CorruptionSettings, generator: Generator) -> Tensor:
    """Add noise of a mean and a standard deviation to each value, and clip to [0, 1]."""
    noise = torch.randn(clean.shape, generator=generator)
    return (clean + settings.mean + settings.std * noise).clamp_(0, 1)


def masking(clean: Tensor, settings: CorruptionSettings, generator: Generator) -> Tensor:
    """Zero each value with a probability."""
    return clean * _spared(clean.shape, settings, generator)


def salt_pepper(clean: Tensor, settings: CorruptionSettings, generator: Generator) -> Tensor:
    """Set each value with a probability to 0 or to 1, whichever a coin says."""
    salt = torch.rand(clean.shape, generator=generator) < 0.5
    return torch.where(_spared(clean.shape, settings, generator), clean, salt.to(clean))


def frames(clean: Tensor, settings: CorruptionSettings, generator: Generator) -> Tensor:
    """Zero whole columns, each with a probability."""
    return clean * _spared((len(clean), 1, clean.shape[2]), settings, generator)


def _spared(shape: tuple[int, ...], settings: CorruptionSettings, generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator) >= settings.probability


CORRUPTIONS: dict[str, Callable[[Tensor, CorruptionSettings, Generator], Tensor]] = {
    make.__name__: make for make in (gaussian, masking, salt_pepper, frames)
}
