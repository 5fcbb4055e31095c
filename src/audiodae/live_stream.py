"""What all live streams have in common: chunks of any length in, what is ready out, aligned and as long in the end.

A stream of sound and one of a series differ in what they do with a block. What they take from a caller and give back,
how a long chunk is cut and what is counted is told here once.
"""

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from audiodae.errors import SignalError

MAX_CHANNELS = 256

Numbers = npt.NDArray[Any]


class LiveStream(ABC):
    """One live sound or series.

    Attributes
    ----------
    sample_rate : Hz
    channels : int
    repaired : int, samples so far that were no numbers to work on, and became what REPAIRED_INTO says
    bypassed : int, frames or samples so far that went through unchanged because the network gave no numbers
    """

    REPAIRED_INTO: ClassVar[str]

    def __init__(self, sample_rate: float, channels: int) -> None:
        if not 1 <= channels <= MAX_CHANNELS:
            raise SignalError(f"{channels} channels; need 1 to {MAX_CHANNELS}, in an array (samples, channels)")
        self.sample_rate = sample_rate
        self.channels = channels
        self._dtype = np.dtype(np.float32)  # of what comes out

    @property
    @abstractmethod
    def latency(self) -> int:
        """Samples by which the output may lag behind the input."""

    @property
    def latency_ms(self) -> float:
        """The latency in ms."""
        return 1000 * self.latency / self.sample_rate

    def reset(self) -> None:
        """Forget all that came, and the counts; the next `feed` starts anew."""
        self.repaired = 0
        self.bypassed = 0
        self._flat = self.channels == 1
        self._start()

    def feed(self, chunk: npt.ArrayLike) -> Numbers:
        """Take the next samples.

        Parameters
        ----------
        chunk : shape (samples, channels), or (samples,) where there is one channel; any number of samples

        Returns
        -------
        clean : as many dimensions as chunk; the samples now ready, perhaps none

        Raises
        ------
        SignalError
            Type or shape do not fit; nothing of the chunk was taken.
        """
        array = self.as_samples(chunk)
        n_channels = array.shape[1] if array.ndim == 2 else 1
        if n_channels != self.channels:
            raise SignalError(f"a chunk of shape {array.shape}; need {self.channels} channels: (samples, channels)")
        self._flat = array.ndim == 1
        self._dtype = self._dtype_given_back(array.dtype)
        samples = array.reshape(len(array), self.channels).T
        # However long the chunk, what is computed at once stays small.
        length = self._block_length()
        starts = range(0, samples.shape[1], length)
        return self._public([self._clean_block(samples[:, start : start + length]) for start in starts])

    def flush(self) -> Numbers:
        """End the sound or series and give the rest of it; the next `feed` starts a new one."""
        rest = self._finish()
        self._start()
        return self._public([rest])

    @staticmethod
    @abstractmethod
    def as_samples(samples: npt.ArrayLike) -> Numbers:
        """Take an array of samples, shape (samples,) or (samples, channels); refuse what cannot be worked on."""

    @staticmethod
    @abstractmethod
    def unchanged(samples: Numbers) -> Numbers:
        """Give what would come out if nothing were removed, repaired where that is needed."""

    @abstractmethod
    def _start(self) -> None:
        """Begin a new sound or series."""

    @abstractmethod
    def _block_length(self) -> int:
        """Samples that are worked on at once."""

    @abstractmethod
    def _clean_block(self, samples: Numbers) -> Numbers:
        """Take the next block, shape (channels, samples); give what is ready."""

    @abstractmethod
    def _finish(self) -> Numbers:
        """Give what is not given yet, shape (channels, samples)."""

    def _dtype_given_back(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Type of what comes out where dtype goes in."""
        return self._dtype

    def _public(self, blocks: list[Numbers]) -> Numbers:
        """Join blocks of shape (channels, samples) to the caller's shape."""
        joined = np.concatenate([np.zeros((self.channels, 0), self._dtype), *blocks], axis=1, dtype=self._dtype)
        return joined[0] if self._flat else np.ascontiguousarray(joined.T)


def as_array(samples: npt.ArrayLike) -> Numbers:
    """Make an array of whatever was given; its type is for the caller to judge."""
    try:
        array = np.asarray(samples)
    except ValueError as error:
        raise SignalError(f"samples make no array: {error}") from None
    if array.size == 0 and not isinstance(samples, np.ndarray):
        array = array.astype(np.float32)  # an empty list is a sound of no length
    return array


def refuse_shape(array: Numbers) -> None:
    """Refuse what is not (samples,) or (samples, channels)."""
    if array.ndim not in (1, 2):
        raise SignalError(f"samples have shape {array.shape}; need (samples,) or (samples, channels)")
    if array.ndim == 2 and array.shape[1] > MAX_CHANNELS:
        raise SignalError(f"samples have shape {array.shape}, (samples, channels); transpose them: samples.T")


def checked_rate(sample_rate: object) -> Any:
    """Refuse what is no number at all; how large it may be is for the stream to say."""
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, int | float | np.number):
        raise SignalError(f"sample rate {sample_rate!r}: need a number of Hz")
    if not math.isfinite(sample_rate):
        raise SignalError(f"sample rate {sample_rate!r}: need a number of Hz")
    return sample_rate


def checked_limit_db(limit_db: float) -> float:
    """Refuse what is no finite number of dB from 0."""
    if not (math.isfinite(limit_db) and limit_db >= 0):
        raise SignalError(f"limit_db is {limit_db}; need a finite number from 0, or None for no limit")
    return limit_db


def checked_mix(mix: float) -> float:
    """Refuse what is no share."""
    if not 0 <= mix <= 1:
        raise SignalError(f"mix is {mix}; need a share from 0 (the original) to 1 (all cleaned)")
    return mix
