"""Anomalies: how badly a network that learnt what is usual gives a sound back, frame by frame.

The error is in decibels: the root mean square difference, over the bands, between the levels of the sound and of what
the network makes of it. Against recordings known to be usual, an error becomes a number of standard deviations.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from audiodae.errors import CorpusError
from audiodae.frames import Samples
from audiodae.prep.patches import Floats, patches_of_sound
from audiodae.training import codes
from audiodae.training.patch_autoencoder import PatchAutoencoder

ODD_PERCENTILE = 99.0  # of the frames of usual recordings lie below the limit


@dataclass(frozen=True)
class Score:
    """How odd a recording is.

    Attributes
    ----------
    name : of the recording
    frames_db : float32, shape (frames,), error of each frame
    frame_seconds : float, from one frame to the next
    """

    name: str
    frames_db: Floats
    frame_seconds: float

    @property
    def error_db(self) -> float:
        """Of the whole recording: the root mean square over its frames."""
        return float(np.sqrt(np.mean(np.square(self.frames_db, dtype=np.float64))))

    @property
    def worst_seconds(self) -> float:
        """Where the oddest frame lies."""
        return float(np.argmax(self.frames_db) * self.frame_seconds)


@dataclass(frozen=True)
class Usual:
    """What is usual: mean and standard deviation of recordings' errors, and the limit that 1 % of their frames pass."""

    mean_db: float
    std_db: float
    limit_db: float

    def deviations(self, score: Score) -> float:
        """By how many standard deviations a recording's error lies above the mean."""
        return (score.error_db - self.mean_db) / self.std_db

    def odd_share(self, score: Score) -> float:
        """The share of a recording's frames beyond the limit; 0.01 is usual."""
        return float(np.mean(score.frames_db > self.limit_db))


def score_recording(network: PatchAutoencoder, name: str, samples: Samples) -> Score:
    """Score one recording, shape (samples,), at the network's rate."""
    settings = network.recipe.patches
    patches = patches_of_sound(samples, settings)
    difference = codes.reconstruct(network, patches) - patches  # (patches, bands, frames)
    errors = settings.range_db * np.sqrt(np.mean(difference**2, axis=1)).reshape(-1)
    if settings.fit == "stretch":
        return Score(name, errors, samples.size / settings.sample_rate / settings.frames)
    n_frames = settings.geometry.n_frames(samples.size)  # the last patch is filled up: leave that out
    return Score(name, errors[:n_frames], settings.geometry.hop_length / settings.sample_rate)


def learn_usual(scores: Iterable[Score]) -> Usual:
    """What recordings known to be usual score.

    Raises
    ------
    CorpusError
        There are fewer than two: they have no spread.
    """
    known = list(scores)
    if len(known) < 2:
        raise CorpusError(f"{len(known)} usual recordings: need two or more to know how they spread")
    errors = [score.error_db for score in known]
    limit = np.percentile(np.concatenate([score.frames_db for score in known]), ODD_PERCENTILE)
    return Usual(float(np.mean(errors)), max(float(np.std(errors, ddof=1)), 1e-3), float(limit))
