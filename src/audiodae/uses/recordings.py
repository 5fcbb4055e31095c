"""Sound files as a patch autoencoder hears them: one channel, at its rate, refused where there is nothing to hear."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from audiodae.errors import AudiodaeError, AudioFileError, CorpusError, SignalError
from audiodae.frames import Samples
from audiodae.prep.corpus import find_sounds
from audiodae.prep.decode import read_mono
from audiodae.training.patch_autoencoder import PatchAutoencoder

DEFAULT_CODES = "speech-codes"
QUIET = 1e-6  # of full scale, -120 dB: patches hold nothing below

Warn = Callable[[str], None]


def read_recording(path: Path, network: PatchAutoencoder) -> Samples:
    """The first channel of a sound file at the network's rate.

    Raises
    ------
    AudioFileError
        It cannot be read.
    SignalError
        It holds no samples, NaN or infinity, or only silence.
    """
    try:
        samples = read_mono(path, sample_rate=network.recipe.patches.sample_rate)
        if samples.size == 0:
            raise SignalError("no samples")
        if not np.isfinite(samples).all():
            raise SignalError("holds NaN or infinity")
        if np.abs(samples).max() < QUIET:
            raise SignalError("silent: nothing to encode")
    except SignalError as error:
        raise SignalError(f"{path}: {error}") from None
    return samples


def read_recordings(
    source: Path, network: PatchAutoencoder, *, warn: Warn = lambda text: None
) -> Iterator[tuple[str, Samples]]:
    """Names and samples of a sound file, or of all below a folder; of those, what cannot be used is told and left out.

    Raises
    ------
    CorpusError
        The folder holds no recording, or none that can be used.
    AudioFileError, SignalError
        The file cannot be used.
    """
    if not source.is_dir():
        yield source.name, read_recording(source, network)
        return
    names, used = find_sounds(source), 0
    for name in names:
        try:
            samples = read_recording(source / name, network)
        except (AudioFileError, SignalError) as error:
            warn(f"left out: {error}")
            continue
        used += 1
        yield name, samples
    if not used:
        raise CorpusError(f"{source}: none of its {len(names)} recordings can be used")


def load_network(source: str | Path | None) -> PatchAutoencoder:
    """Load a patch autoencoder of sounds: a shipped name, a file or a run folder; None for `speech-codes`.

    Raises
    ------
    TrainingError
        There is none, or it cannot be read.
    AudiodaeError
        It has learnt from images.
    """
    network = PatchAutoencoder.load(source or DEFAULT_CODES)
    if network.shape != network.recipe.patches.shape:
        rows, columns = network.shape
        raise AudiodaeError(f"{source}: has learnt from images of {rows} x {columns}: need a network of sounds")
    return network
