"""Augmentation: plausible variants of a recording, from a network that knows what sounds are likely.

The code of each patch is moved by one random step, the same over the whole recording, and decoded. What that changes in
the levels of the bands becomes gains for the spectrum of the recording, whose phase and fine structure stay: the same
words from another throat or through another microphone. With strength 0 it is the recording itself.

Two rows of patches, half a patch apart, are blended so that no seam is heard::

    patches      |-----0-----|-----1-----|-----2-----|
    half apart   0--|-----1-----|-----2-----|-----3--
    weights      rise to the middle of a patch and fall to its ends; those of the two rows add up to one
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from audiodae.audio import AudioReader, AudioWriter, output_format
from audiodae.errors import SignalError, TrainingError
from audiodae.files import refuse_target
from audiodae.frames import FrameGeometry, Samples, analyse, synthesise
from audiodae.prep.patches import Floats, PatchSettings, band_gains, patches_of_sound
from audiodae.training import codes
from audiodae.training.patch_autoencoder import PatchAutoencoder

BLOCK_SAMPLES = 1 << 18
MOST_CHANGE_DB = 18.0  # of a band: beyond, noise between the words comes up


@dataclass(frozen=True)
class Row:
    """Patches of a recording that begins some frames before its first sample, their codes and what those decode to."""

    lead: int
    codes: Floats
    decoded: Floats


def make_variants(
    network: PatchAutoencoder, samples: Samples, sample_rate: int, *, count: int, strength: float, seed: int
) -> list[Samples]:
    """Make variants of a recording.

    Parameters
    ----------
    samples : float32, shape (samples, channels); the first channel is heard, all get the same gains
    strength : float, length of the step in the code, in parts of its usual spread; 1 is strong
    seed : the same seed, the same variants

    Returns
    -------
    variants : count of float32, shape (samples, channels); as loud as the recording, peaks at most 1 or those of the
        recording

    Raises
    ------
    TrainingError
        The network is of no denoising or variational family: nothing makes codes near a code likely.
    SignalError
        The recording is empty or silent.
    """
    settings = network.recipe.patches
    if not network.recipe.code.variational and network.recipe.corruption.kind == "none":
        raise TrainingError(f"{network.recipe.family.name} makes no variants: need a denoising or variational family")
    if samples.size == 0 or not np.abs(samples).max() > 0:
        raise SignalError("silent: nothing to vary")
    heard = soxr.resample(samples[:, 0], sample_rate, settings.sample_rate).astype(np.float32)
    rows = [_row(network, heard, lead) for lead in _leads(settings)]
    spread = _spread(network, np.concatenate([row.codes for row in rows]))
    rng = np.random.default_rng(seed)
    geometry = FrameGeometry.for_rate(sample_rate, settings.window_ms)
    spectrum = analyse(np.ascontiguousarray(samples.T), geometry)  # (channels, frames, bins)
    variants = []
    for _ in range(count):
        step = (strength * spread * rng.standard_normal(network.code_width)).astype(np.float32)
        gains = _fitted(_gains(network, rows, step, settings.geometry.n_frames(heard.size)), spectrum.shape[1:])
        made = synthesise(spectrum * gains, geometry, len(samples)).T
        variants.append(_as_loud(made, samples))
    return variants


def _leads(settings: PatchSettings) -> list[int]:
    """Frames of silence before each row of patches."""
    return [0] if settings.fit == "stretch" else [0, settings.frames // 2]


def _row(network: PatchAutoencoder, heard: Samples, lead: int) -> Row:
    settings = network.recipe.patches
    silence = np.zeros(lead * settings.geometry.hop_length, np.float32)
    made = codes.encode(network, patches_of_sound(np.concatenate([silence, heard]), settings))
    return Row(lead, made, codes.decode(network, made))


def _spread(network: PatchAutoencoder, made: Floats) -> Floats:
    """How far each value of a code usually strays: 1 for a variational code, else as it does in this recording."""
    if network.recipe.code.variational:
        return np.ones(network.code_width, np.float32)
    # A recording of one patch has no spread: the size of its code stands in.
    return np.asarray(made.std(axis=0) if len(made) > 1 else np.full(made.shape[1], np.sqrt(np.mean(made**2))))


def _gains(network: PatchAutoencoder, rows: list[Row], step: Floats, n_frames: int) -> Floats:
    """Gains of one variant, shape (n_frames, bins), at the network's rate."""
    settings = network.recipe.patches
    most = MOST_CHANGE_DB / settings.range_db
    change_db, weights = [], []
    for row in rows:
        moved = np.clip(codes.decode(network, row.codes + step) - row.decoded, -most, most)
        gains = band_gains(row.decoded, row.decoded + moved, settings, n_frames=row.lead + n_frames)[row.lead :]
        change_db.append(20 * np.log10(gains))
        places = (np.arange(row.lead, row.lead + n_frames) + 0.5) % settings.frames
        weights.append(np.minimum(places, settings.frames - places))
    blended = np.average(change_db, axis=0, weights=np.broadcast_to(np.array(weights)[:, :, None], np.shape(change_db)))
    return np.asarray(10 ** (blended / 20), np.float32)


def _fitted(gains: Floats, shape: tuple[int, ...]) -> Floats:
    """Gains for a sound at another rate: bins lie as far apart at any rate; what is missing continues what is there."""
    frames, bins = (np.minimum(np.arange(size), have - 1) for size, have in zip(shape, gains.shape, strict=True))
    return np.asarray(gains[frames][:, bins])


def _as_loud(made: Samples, samples: Samples) -> Samples:
    """Bring a variant to the loudness of the recording, and under full scale."""
    rms, wanted = (float(np.sqrt(np.mean(np.square(of, dtype=np.float64)))) for of in (made, samples))
    gain = wanted / max(rms, 1e-12)
    highest = max(1.0, float(np.abs(samples).max()))
    return np.asarray(made * min(gain, highest / max(float(np.abs(made).max()), 1e-12)), np.float32)


def augment_file(
    network: PatchAutoencoder,
    source: Path,
    folder: Path,
    *,
    count: int,
    strength: float,
    seed: int,
    overwrite: bool = False,
) -> list[Path]:
    """Write variants of a sound file to FOLDER/NAME_1, NAME_2, ... in its own format; give their paths.

    Raises
    ------
    AudioFileError
        The file cannot be read, or a variant not be written or is there already.
    TrainingError, SignalError
        As `make_variants`.
    """
    digits = len(str(count))
    targets = [folder / f"{source.stem}_{number:0{digits}d}{source.suffix}" for number in range(1, count + 1)]
    with AudioReader(source) as reader:
        for target in targets:
            refuse_target(source, target, overwrite=overwrite)
        blocks = list(reader.blocks(BLOCK_SAMPLES))
    samples = np.concatenate(blocks) if blocks else np.zeros((0, reader.format.channels), np.float32)
    if not np.isfinite(samples).all():
        raise SignalError(f"{source}: holds NaN or infinity")
    try:
        rate = reader.format.sample_rate
        variants = make_variants(network, samples, rate, count=count, strength=strength, seed=seed)
    except SignalError as error:
        raise SignalError(f"{source}: {error}") from None
    for target, variant in zip(targets, variants, strict=True):
        with AudioWriter(target, output_format(reader.format, target), reader.tags) as writer:
            writer.write(variant)
    return targets
