"""Patches of sounds: what is where in them, how they fit in time, and the way back to gains."""

import numpy as np
import pytest

from audiodae.errors import SignalError
from audiodae.frames import analyse, synthesise
from audiodae.prep.patches import PatchSettings, band_gains, filterbank, patches_of_sound, patches_of_sounds, stretch

RATE = 8_000
BOTH_FITS = pytest.mark.parametrize("fit", ["stretch", "cut"])


def tone(hz, seconds=0.8, amplitude=0.3):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def noise(seconds=0.8, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


@BOTH_FITS
@pytest.mark.parametrize("spacing", ["mel", "linear"])
def test_patches_have_their_shape_and_range(fit, spacing):
    settings = PatchSettings(fit=fit, spacing=spacing)
    patches = patches_of_sound(noise(), settings)
    assert patches.dtype == np.float32
    assert patches.shape[1:] == settings.shape == (40, 32)
    assert patches.min() >= 0 and 0.95 < patches.max() <= 1


def test_cut_makes_as_many_as_the_sound_fills_and_ends_in_silence():
    settings = PatchSettings(fit="cut", frames=10)
    n_frames = settings.geometry.n_frames(int(0.8 * RATE))
    patches = patches_of_sound(noise(), settings)
    assert len(patches) == -(-n_frames // 10)
    assert patches[:-1].min() > 0 and (patches[-1, :, n_frames % 10 or 10 :] == 0).all()


def test_a_higher_tone_lies_in_a_higher_row():
    rows = [patches_of_sound(tone(hz), PatchSettings())[0].mean(axis=1).argmax() for hz in (300, 1000, 3000)]
    assert rows == sorted(set(rows))


def test_later_is_further_right():
    sound = np.concatenate([tone(500, 0.4), tone(500, 0.4, 0.003)])
    level = patches_of_sound(sound, PatchSettings())[0].max(axis=0)
    assert level[4:12].min() > 0.95
    assert level[20:28] == pytest.approx(1 - 40 / 80, abs=0.02)  # 40 dB of 80


def test_level_does_not_matter_and_silence_is_zero():
    settings = PatchSettings()
    np.testing.assert_allclose(
        patches_of_sound(noise(), settings), patches_of_sound(0.1 * noise(), settings), atol=1e-4
    )
    assert not patches_of_sound(np.zeros(4000, np.float32), settings).any()
    with pytest.raises(SignalError, match="no samples"):
        patches_of_sound(np.zeros(0, np.float32), settings)


@BOTH_FITS
def test_many_at_once_are_each_by_itself(fit):
    settings = PatchSettings(fit=fit, frames=12)
    sounds = np.stack([noise(seed=seed) for seed in range(3)])
    each = np.stack([patches_of_sound(sound, settings) for sound in sounds])
    np.testing.assert_allclose(patches_of_sounds(sounds, settings), each, atol=1e-6)


@pytest.mark.parametrize("frames", [1, 5, 20, 33, 64])
def test_stretching_keeps_the_mean(frames):
    levels = np.random.default_rng(0).uniform(0, 1, (3, 20))
    made = stretch(levels, frames)
    assert made.shape == (3, frames)
    np.testing.assert_allclose(made.mean(axis=1), levels.mean(axis=1))
    if frames == 20:
        np.testing.assert_allclose(made, levels)
    if frames == 5:
        np.testing.assert_allclose(made, levels.reshape(3, 5, 4).mean(axis=2))


def test_bands_share_out_what_lies_in_them():
    for spacing in ("mel", "linear"):
        np.testing.assert_allclose(filterbank(PatchSettings(spacing=spacing)).sum(axis=0), 1, rtol=1e-5)


@BOTH_FITS
def test_patches_left_alone_are_gains_of_one(fit):
    settings = PatchSettings(fit=fit)
    patches = patches_of_sound(noise(), settings)
    n_frames = settings.geometry.n_frames(int(0.8 * RATE))
    gains = band_gains(patches, patches, settings, n_frames=n_frames)
    assert gains.shape == (n_frames, settings.geometry.n_bins)
    np.testing.assert_array_equal(gains, 1)


@BOTH_FITS
def test_gains_do_to_the_sound_what_was_done_to_the_patch(fit):
    """Take 20 dB off the upper half of the bands: patches of the sound with these gains show it."""
    settings = PatchSettings(fit=fit)
    sound = noise()
    before = patches_of_sound(sound, settings)
    after = before.copy()
    after[:, 20:] -= 20 / settings.range_db
    spectrum = analyse(sound[None], settings.geometry)
    gains = band_gains(before, after, settings, n_frames=spectrum.shape[1])
    made = patches_of_sound(synthesise(spectrum * gains, settings.geometry, sound.size)[0], settings)
    change_db = (made - before)[0].mean(axis=1) * settings.range_db
    assert change_db[2:18] == pytest.approx(0, abs=1.0)
    assert change_db[22:38] == pytest.approx(-20, abs=1.5)
