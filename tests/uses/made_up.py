"""A small network of made-up words, learnt in a second or two, and recordings of such words."""

from functools import lru_cache

import numpy as np
import soundfile

from audiodae.prep.patch_sets import make_spoken_digits, patches_of_waveforms
from audiodae.training.families import family_recipe
from audiodae.training.family_run import train_family

RATE = 8000
SMALL = ["patches.bands=20", "patches.frames=8", "body.filters=[64]", "code.width=8", "run.epochs=8", "run.threads=1"]
IN_NOISE = ["corruption.noise=white", "corruption.versions=2", "body.kind=dense", "code.width=16", "run.epochs=15"]


spoken = lru_cache(make_spoken_digits)


def trained(name="denoising-variational", *overrides):
    """A network of a family that has heard the words of four voices."""
    recipe = family_recipe(name, [*SMALL, "patches.fit=cut", *overrides])
    waveforms, names = spoken(RATE)
    patches = patches_of_waveforms(waveforms[:160], names[:160], recipe.patches)
    return train_family(recipe, patches, patches.select(slice(50))).network


def words(count, *, start=0):
    """Names and samples of some made-up words, 8 kHz."""
    waveforms, names = spoken(RATE)
    return [(f"{name}.wav", samples) for name, samples in zip(names, waveforms, strict=True)][start : start + count]


def write_words(folder, recordings):
    """The same as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, samples in recordings:
        soundfile.write(folder / name, samples, RATE, subtype="PCM_16")
    return folder


def with_noise(samples, snr_db, seed=0):
    noise = np.random.default_rng(seed).standard_normal(samples.size)
    scale = np.sqrt(np.mean(samples**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return (samples + scale * noise).astype(np.float32)
