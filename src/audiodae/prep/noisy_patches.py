"""Noisy patches: noise mixed into the recordings at a signal-to-noise ratio, then cut into patches as clean ones are.

The ratio is over the whole recording. Noise number v of recording n is drawn from (seed, v, n) alone.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr

from audiodae.errors import CorpusError
from audiodae.frames import Samples
from audiodae.prep.corpus import find_sounds
from audiodae.prep.decode import SAMPLE_RATE, read_mono
from audiodae.prep.noises import NOISES, make_noise
from audiodae.prep.patch_sets import Patches
from audiodae.prep.patches import Floats, patches_of_sounds

WHITE = "white"
MADE_SECONDS = 10.0


def read_noises(source: str, sample_rate: int, *, seed: int = 0) -> list[Samples]:
    """The noises to draw from.

    Parameters
    ----------
    source : a folder of recordings; empty for one made up of each kind; white for an empty list, which stands for noise
        drawn anew each time
    """
    if source == WHITE:
        return []
    if source:
        return [read_mono(Path(source) / name, sample_rate=sample_rate) for name in find_sounds(Path(source))]
    kinds = enumerate(NOISES)
    made = [make_noise(kind, MADE_SECONDS, np.random.default_rng([seed, number])) for number, kind in kinds]
    return [soxr.resample(noise, SAMPLE_RATE, sample_rate) for noise in made]


def noisy_patches(
    patches: Patches,
    noises: Sequence[Samples],
    *,
    snr_db: tuple[float, float],
    seed: int,
    versions: int = 1,
    clean_share: float = 0.0,
) -> Floats:
    """Mix noise into the recordings that patches come from, and cut the same patches again.

    Parameters
    ----------
    noises : to draw from, at the rate of the patches; none for white noise
    snr_db : lowest and highest, drawn evenly; over the whole recording
    clean_share : of the versions that stay as they are

    Returns
    -------
    noisy : float32, shape (versions, patches, bands, frames)

    Raises
    ------
    CorpusError
        The patches are of images.
    """
    if patches.settings is None:
        raise CorpusError("noise is mixed into recordings, and these patches are of images: corrupt them otherwise")
    noisy = np.empty((versions, *patches.clean.shape), np.float32)
    for number in np.unique(patches.origin[:, 0]):
        clean = patches.waveforms[number]
        mixed = [
            _mix(clean, noises, snr_db, clean_share, np.random.default_rng([seed, version, number]))
            for version in range(versions)
        ]
        of_this = np.flatnonzero(patches.origin[:, 0] == number)
        noisy[:, of_this] = patches_of_sounds(np.stack(mixed), patches.settings)[:, patches.origin[of_this, 1]]
    return noisy


def _mix(
    clean: Samples, noises: Sequence[Samples], snr_db: tuple[float, float], clean_share: float, rng: np.random.Generator
) -> Samples:
    if rng.random() < clean_share:
        return clean
    if noises:
        noise = noises[int(rng.integers(len(noises)))]
        start = int(rng.integers(noise.size))
        piece = np.take(noise, np.arange(start, start + clean.size), mode="wrap")
    else:
        piece = rng.standard_normal(clean.size).astype(np.float32)
    power, noise_power = np.mean(clean**2), np.mean(piece**2)
    if noise_power == 0:
        return clean
    gain = np.sqrt(power / noise_power) * 10 ** (-rng.uniform(*snr_db) / 20)
    return np.asarray(clean + gain * piece, np.float32)
