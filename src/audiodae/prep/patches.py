"""Patches: small pictures that autoencoders of the families see, cut from sounds or read as images.

Conventions
-----------
A patch has shape (rows, columns), float32 in [0, 1]. Of a sound the rows are frequency bands, low to high, and the
columns frames: here alone time comes last, so that a patch looks like the picture of it. A value of 1 is the loudest
band and frame of the whole recording, 0 is `range_db` and more below it, and decibels lie straight between::

    samples -> frames.analyse -> power -> bands -> dB below the loudest -> fit in time -> patch

`band_gains` goes the way back: from what a network made of a patch to gains for the spectrum it came from.
"""

from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import torchaudio.functional

from audiodae.errors import SignalError
from audiodae.frames import FrameGeometry, Samples, analyse

Floats = npt.NDArray[np.float32]
SILENCE = 1e-12  # power, -120 dB below a full-scale sine; a sound that stays under it has no loudest point


class PatchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a patch shows of a sound.

    Attributes
    ----------
    sample_rate : Hz that sounds are brought to; bands reach up to half of it
    window_ms : length of a frame; the next begins half of it later
    bands : rows of a patch
    spacing : mel, even for the ear, or linear in Hz
    frames : columns of a patch
    fit : stretch brings each recording to the length of one patch, cut makes a patch of every `frames` frames, the last
        filled up with silence
    range_db : from the loudest point of a recording down to 0
    """

    sample_rate: int = 8_000
    window_ms: float = 32.0
    bands: int = 40
    spacing: Literal["mel", "linear"] = "mel"
    frames: int = 32
    fit: Literal["stretch", "cut"] = "stretch"
    range_db: float = 80.0

    @property
    def geometry(self) -> FrameGeometry:
        """The frames that patches are made of."""
        return FrameGeometry.for_rate(self.sample_rate, self.window_ms)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a patch."""
        return self.bands, self.frames


def patches_of_sound(samples: Samples, settings: PatchSettings) -> Floats:
    """Make the patches of one recording.

    Parameters
    ----------
    samples : float32, shape (samples,), at settings.sample_rate

    Returns
    -------
    patches : float32, shape (patches, bands, frames), in [0, 1]; one patch for fit = stretch

    Raises
    ------
    SignalError
        There are no samples.
    """
    if samples.size == 0:
        raise SignalError("no samples: a patch needs a sound")
    return np.asarray(patches_of_sounds(samples[None], settings)[0])


def patches_of_sounds(samples: Samples, settings: PatchSettings) -> Floats:
    """Make the patches of recordings of one length: (recordings, samples) to (recordings, patches, bands, frames)."""
    power = np.abs(analyse(samples, settings.geometry)) ** 2 @ filterbank(settings)  # (recordings, frames, bands)
    loudest = power.max(axis=(1, 2), keepdims=True)
    below_db = 10 * np.log10(np.maximum(power, SILENCE) / np.maximum(loudest, SILENCE))
    heard = np.where(loudest > SILENCE, np.clip(1 + below_db / settings.range_db, 0, 1), 0)
    levels = heard.transpose(0, 2, 1)  # (recordings, bands, frames)
    if settings.fit == "stretch":
        fitted = np.clip(stretch(levels, settings.frames), 0, 1)  # rounding may pass 1 by a hair
        return np.asarray(fitted[:, None], np.float32)
    missing = -levels.shape[2] % settings.frames
    padded = np.pad(levels, ((0, 0), (0, 0), (0, missing)))
    cut = padded.reshape(len(levels), settings.bands, -1, settings.frames)
    return np.asarray(cut.transpose(0, 2, 1, 3), np.float32)


def stretch(levels: npt.NDArray[np.floating], frames: int) -> npt.NDArray[np.floating]:
    """Bring the last axis to another number of frames: each new one is the mean over the time it covers.

    The mean over all frames stays what it was, whichever way it goes.
    """
    n_frames = levels.shape[-1]
    total = np.concatenate([np.zeros_like(levels[..., :1]), np.cumsum(levels, axis=-1)], axis=-1)
    edges = np.linspace(0, n_frames, frames + 1)
    before = np.minimum(edges.astype(int), n_frames - 1)
    share = edges - before
    at_edges = total[..., before] * (1 - share) + total[..., before + 1] * share
    return np.asarray(np.diff(at_edges, axis=-1) * (frames / n_frames))


def band_gains(before: Floats, after: Floats, settings: PatchSettings, *, n_frames: int) -> Floats:
    """Turn what became of the patches of a recording into gains for its spectrum.

    Parameters
    ----------
    before, after : float32, shape (patches, bands, frames): all patches of one recording, and what was made of them
    n_frames : int, frames of the recording

    Returns
    -------
    gains : float32, shape (n_frames, bins), above 0; 1 where before and after are the same
    """
    change_db = (after - before).transpose(1, 0, 2).reshape(settings.bands, -1) * settings.range_db
    change_db = stretch(change_db, n_frames) if settings.fit == "stretch" else change_db[:, :n_frames]
    weights = filterbank(settings).T  # (bands, bins)
    covered = weights.sum(axis=0)
    # A bin takes the mean of the bands it lies in; below the first and above the last there is nothing to know.
    shares = np.divide(weights, covered, out=np.zeros_like(weights), where=covered > 0)
    return np.asarray(10 ** (change_db.T @ shares / 20), np.float32)


def filterbank(settings: PatchSettings) -> Floats:
    """Triangles that share the bins out to the bands, shape (bins, bands), each with a sum of 1."""
    make = torchaudio.functional.melscale_fbanks if settings.spacing == "mel" else torchaudio.functional.linear_fbanks
    geometry = settings.geometry
    limits = {"f_min": 0.0, "f_max": settings.sample_rate / 2, "sample_rate": settings.sample_rate}
    triangles: Floats = make(geometry.n_bins, **limits, **{_COUNT[settings.spacing]: settings.bands}).numpy()
    return np.asarray(triangles / np.maximum(triangles.sum(axis=0), 1e-9), np.float32)


_COUNT = {"mel": "n_mels", "linear": "n_filter"}
