"""Noisy patches: noise at its ratio, the same patches cut, drawn from the seed alone."""

import numpy as np
import pytest
import soundfile

from audiodae.errors import CorpusError
from audiodae.prep import noisy_patches as module
from audiodae.prep.noises import NOISES
from audiodae.prep.noisy_patches import noisy_patches, read_noises
from audiodae.prep.patch_sets import Patches, patches_of_waveforms
from audiodae.prep.patches import PatchSettings

SETTINGS = PatchSettings(fit="cut", frames=10)
SOUNDS = [np.random.default_rng(n).uniform(-0.2, 0.2, 4000 + 900 * n).astype(np.float32) for n in range(4)]
PATCHES = patches_of_waveforms(SOUNDS, ["a", "b", "c", "d"], SETTINGS)


def test_without_noise_the_same_patches_come_back():
    quiet = noisy_patches(PATCHES, [], snr_db=(200, 200), seed=0)
    np.testing.assert_allclose(quiet[0], PATCHES.clean, atol=1e-4)
    some = PATCHES.select(np.array([5, 1, 8]))
    np.testing.assert_allclose(noisy_patches(some, [], snr_db=(200, 200), seed=0)[0], some.clean, atol=1e-4)


@pytest.mark.parametrize("noises", [[], [np.sin(np.arange(700)).astype(np.float32)]], ids=["white", "shorter"])
@pytest.mark.parametrize("snr_db", [-5, 5])
def test_the_ratio_is_met(monkeypatch, noises, snr_db):
    mixed = []
    monkeypatch.setattr(module, "patches_of_sounds", lambda s, _: (mixed.append(s), np.zeros((len(s), 9, 40, 10)))[1])
    noisy_patches(PATCHES, noises, snr_db=(snr_db, snr_db), seed=0, versions=2)
    for clean, versions in zip(SOUNDS, mixed, strict=True):
        for noisy in versions:
            ratio = np.square(clean).mean() / np.square(noisy - clean).mean()
            assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.01)


def test_noise_is_drawn_from_the_seed_and_a_share_is_clean():
    first, again = (
        noisy_patches(PATCHES, [], snr_db=(-5, 20), seed=3, versions=40, clean_share=0.25) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, noisy_patches(PATCHES, [], snr_db=(-5, 20), seed=4, versions=40, clean_share=0.25))
    clean = np.isclose(first, PATCHES.clean, atol=1e-6).all(axis=(2, 3)).mean()
    assert clean == pytest.approx(0.25, abs=0.1)
    alone = PATCHES.select(PATCHES.origin[:, 0] == 2)  # the noise of a recording does not depend on its company
    there = noisy_patches(alone, [], snr_db=(-5, 20), seed=3, versions=40, clean_share=0.25)
    np.testing.assert_array_equal(there, first[:, PATCHES.origin[:, 0] == 2])


def test_noises_of_a_folder_of_nowhere_and_none(tmp_path):
    soundfile.write(tmp_path / "hum.wav", np.random.default_rng(0).uniform(-0.1, 0.1, 16_000), 16_000)
    (noise,) = read_noises(str(tmp_path), 8000)
    assert abs(noise.size - 8000) < 20
    assert read_noises("white", 8000) == []
    assert len(read_noises("", 8000)) == len(NOISES)
    with pytest.raises(CorpusError, match="nowhere"):
        read_noises(str(tmp_path / "nowhere"), 8000)


def test_images_cannot_be_mixed():
    images = Patches(np.zeros((2, 8, 8), np.float32), {}, ["0", "1"])
    with pytest.raises(CorpusError, match="images"):
        noisy_patches(images, [], snr_db=(5, 5), seed=0)
