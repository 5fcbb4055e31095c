"""Patches that a test can afford, and the rows of the table made small enough for them."""

import numpy as np

from audiodae.prep.patch_sets import Patches, patches_of_waveforms
from audiodae.prep.patches import PatchSettings
from audiodae.training.families import FAMILIES, family_recipe

SHAPE = (12, 9)  # one side even, one odd
SMALL_SOUNDS = PatchSettings(sample_rate=4_000, bands=SHAPE[0], frames=SHAPE[1])


def made_patches(count=96, seed=0):
    """Pictures of two bars each: a place for either, and how bright they are."""
    rng = np.random.default_rng(seed)
    rows, columns = np.arange(SHAPE[0])[:, None], np.arange(SHAPE[1])
    at = rng.uniform(0, 1, (count, 2, 1, 1))
    bars = np.exp(-((rows - at[:, 0] * SHAPE[0]) ** 2) / 4) + np.exp(-((columns - at[:, 1] * SHAPE[1]) ** 2) / 4)
    clean = (bars * rng.uniform(0.3, 0.5, (count, 1, 1))).astype(np.float32)
    return Patches(clean, {}, [str(number) for number in range(count)])


def made_sounds(count=24, seed=0):
    """Short tones, as patches."""
    rng = np.random.default_rng(seed)
    time = np.arange(1200) / SMALL_SOUNDS.sample_rate
    tones = [np.sin(2 * np.pi * rng.uniform(200, 1800) * time).astype(np.float32) * 0.3 for _ in range(count)]
    return patches_of_waveforms(tones, [f"{number}.wav" for number in range(count)], SMALL_SOUNDS)


def small(name, *overrides):
    """The recipe of a row with few filters, a short code and few epochs."""
    row = FAMILIES[name]
    filters = [6, 10, 12][: len(row.body.filters)]
    code = ["code.width=5"] if row.code.width else []
    pretraining = ["run.pretrain_epochs=2"] if row.run.pretrain_epochs else []
    sounds = [f"patches.{key}={getattr(SMALL_SOUNDS, key)}" for key in ("sample_rate", "bands", "frames")]
    made = [
        f"body.filters={filters}",
        *code,
        *pretraining,
        *sounds,
        "run.epochs=4",
        "corruption.versions=3",
        "corruption.noise=white",
    ]
    made += ["run.batch_size=16", "optimiser.learning_rate=0.01"]
    return family_recipe(name, [*made, *overrides])
