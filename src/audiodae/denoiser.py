"""Denoiser and Stream: noisy samples in, clean samples out.

There is one way through, a Stream; `Denoiser.clean` feeds a whole sound to one::

    samples -> Analyser -> spectra -+-> magnitudes -> network -> gains -+-> spectra x gains -> Synthesiser -> samples
                                    +------------- noisy phase ----------+

Samples of the public API are float, shape (samples,) or (samples, channels), full scale 1; those within are float32,
shape (channels, samples). What comes out is as long as what went in, aligned with it, at the same level, and finite.
"""

import math
import warnings
from collections.abc import Iterator
from os import PathLike
from typing import Literal

import numpy as np
import numpy.typing as npt

from audiodae.errors import SignalError
from audiodae.frames import Analyser, FrameGeometry, Samples, Spectrum, Synthesiser
from audiodae.network import Floats, Network, find_network

BLOCK_FRAMES = 256  # frames a network call: enough to drown its overhead, few enough to stay in the cache
BLOCK_VALUES = 2**21  # samples of all channels at once; fewer frames a call where rate and channels are many
MAX_CHANNELS = 256
HELD_FROM = 0.75  # bins above the network's band get the mean gain of its upper quarter, 6 to 8 kHz
# Beyond this a number is no sound but damage, and its square in float32 would be infinite in the sums that follow.
LARGEST_SAMPLE = 1e10


class Denoiser:
    """A network, ready for any number of sounds.

    Parameters
    ----------
    model : name of a shipped network, path of a network file, a Network, or None for what the environment variable
        AUDIODAE_MODEL says, else "speech"
    threads : int, cores that the network may use; ignored for a Network

    Raises
    ------
    NetworkError
        There is no such network, or its file is refused.
    """

    def __init__(self, model: str | PathLike[str] | Network | None = None, *, threads: int = 1) -> None:
        self.network = model if isinstance(model, Network) else Network.load(find_network(model), threads=threads)

    def clean(
        self,
        samples: npt.ArrayLike,
        sample_rate: int,
        *,
        limit_db: float | None = None,
        mix: float = 1.0,
        channels: Literal["linked", "independent"] = "linked",
        output: Literal["speech", "noise"] = "speech",
    ) -> Samples:
        """Clean a whole sound.

        Parameters
        ----------
        samples : float, shape (samples,) or (samples, channels), full scale 1
        sample_rate : int, Hz, 4,000 to 384,000
        limit_db : no frequency is made quieter by more than this many dB, 0 or more; None for no limit
        mix : share of the cleaned sound, 0 to 1; the rest is the original, aligned
        channels : "linked" gives all channels the same gains, so that the stereo image stands; "independent" cleans
            each as a sound of its own
        output : "speech", or "noise": what was removed, the samples less the speech

        Returns
        -------
        speech or noise : float32, the shape of samples; with a warning where some were not finite and became silence

        Raises
        ------
        SignalError
            Type, shape, rate or settings cannot be worked with.
        """
        if channels not in ("linked", "independent"):
            raise SignalError(f'channels is {channels!r}; need "linked" or "independent"')
        if output not in ("speech", "noise"):
            raise SignalError(f'output is {output!r}; need "speech" or "noise"')
        array = _as_float(samples)
        n_channels = array.shape[1] if array.ndim == 2 else 1
        linked = channels == "linked"
        stream = self.stream(sample_rate, n_channels, limit_db=limit_db, mix=mix, linked=linked)
        clean = np.concatenate([stream.feed(array), stream.flush()])
        if stream.repaired:
            warnings.warn(f"{stream.repaired} samples were not finite and became silence", stacklevel=2)
        return repair(array)[0] - clean if output == "noise" else clean

    def stream(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        limit_db: float | None = None,
        mix: float = 1.0,
        linked: bool = True,
    ) -> "Stream":
        """Begin a live sound; arguments and errors as in `clean`, but channels is their number."""
        return Stream(self.network, sample_rate, channels, limit_db=limit_db, mix=mix, linked=linked)


class Stream:
    """One live sound: chunks of any length in, what is ready out.

    All that `feed` and `flush` give, put together, is what `Denoiser.clean` gives for the whole sound, however it was
    cut. Made by `Denoiser.stream`.

    Attributes
    ----------
    sample_rate : int, Hz
    channels : int
    latency : int, samples: what is fed comes out at most this much later. A program that must give back as many
        samples as it got puts this many zeros before the output, once
    latency_ms : float, the same in ms
    repaired : int, samples so far that were not finite (or absurdly large) and became silence
    bypassed : int, frames so far that went through unchanged because the network gave gains that are not finite
    """

    def __init__(
        self,
        network: Network,
        sample_rate: int,
        channels: int = 1,
        *,
        limit_db: float | None = None,
        mix: float = 1.0,
        linked: bool = True,
    ) -> None:
        self._geometry = FrameGeometry.for_rate(_checked_rate(sample_rate), network.card.window_ms)
        if not 1 <= channels <= MAX_CHANNELS:
            raise SignalError(f"{channels} channels; need 1 to {MAX_CHANNELS}, in an array (samples, channels)")
        self.sample_rate = self._geometry.sample_rate
        self.channels = channels
        self._network = network
        self._streams = 1 if linked else channels
        self._floor = _gain_floor(limit_db)
        self._mix = _checked_mix(mix)
        self._analyser = Analyser(self._geometry, channels)
        self._synthesiser = Synthesiser(self._geometry, channels)
        self.reset()

    @property
    def latency(self) -> int:
        """Samples by which the output may lag behind the input: one window."""
        return self._geometry.n_fft

    @property
    def latency_ms(self) -> float:
        """The latency in ms."""
        return 1000 * self.latency / self.sample_rate

    def reset(self) -> None:
        """Forget the sound so far and the counts; the next `feed` starts a new sound."""
        self.repaired = 0
        self.bypassed = 0
        self._flat = self.channels == 1
        self._start_sound()

    def feed(self, chunk: npt.ArrayLike) -> Samples:
        """Take the next samples of the sound.

        Parameters
        ----------
        chunk : float, shape (samples, channels), or (samples,) where there is one channel; any number of samples

        Returns
        -------
        clean : float32, as many dimensions as chunk; the samples now ready, perhaps none

        Raises
        ------
        SignalError
            Type or shape do not fit; nothing of the chunk was taken.
        """
        array = _as_float(chunk)
        n_channels = array.shape[1] if array.ndim == 2 else 1
        if n_channels != self.channels:
            raise SignalError(f"a chunk of shape {array.shape}; need {self.channels} channels: (samples, channels)")
        self._flat = array.ndim == 1
        samples = array.reshape(len(array), self.channels).T
        return self._public([self._clean_block(block) for block in self._blocks(samples)])

    def flush(self) -> Samples:
        """End the sound and give the rest of it; the next `feed` starts a new sound."""
        rest = self._advance(self._analyser.flush())[:, : self._fed - self._given]
        self._start_sound()
        return self._public([rest])

    def _start_sound(self) -> None:
        self._fed = self._given = 0  # samples
        self._state = self._network.initial_state(self._streams)
        self._analyser.reset()
        self._synthesiser.reset()

    def _blocks(self, samples: npt.NDArray[np.floating]) -> Iterator[npt.NDArray[np.floating]]:
        """Cut a chunk, however long, so that what is computed at once stays small."""
        hop = self._geometry.hop_length
        length = hop * min(BLOCK_FRAMES, max(1, BLOCK_VALUES // (hop * self.channels)))
        for start in range(0, samples.shape[1], length):
            yield samples[:, start : start + length]

    def _clean_block(self, samples: npt.NDArray[np.floating]) -> Samples:
        block, repaired = repair(samples)
        self.repaired += repaired
        ready = self._advance(self._analyser.feed(block))
        self._fed += block.shape[1]
        self._given += ready.shape[1]
        return ready

    def _advance(self, spectrum: Spectrum) -> Samples:
        """Take the next frames through the network; give the samples that they complete."""
        if spectrum.shape[1]:
            spectrum *= self._gains(np.abs(spectrum))
        return self._synthesiser.feed(spectrum)

    def _gains(self, magnitudes: Floats) -> Floats:
        """Compute what to multiply each bin by, shape (streams, frames, bins)."""
        seen = magnitudes if self._streams == len(magnitudes) else _root_mean_square(magnitudes)
        gains, state = self._network.run(_fit_bins(seen, self._network.n_bins), self._state)
        gains, self._state = self._checked(gains, state)
        gains = _hold_above(gains, self._geometry.n_bins)
        return self._mix * np.maximum(gains, self._floor) + (1 - self._mix)

    def _checked(self, gains: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Let frames through where the network gave no numbers, and start its memory anew where that holds none."""
        good_frames = np.isfinite(gains).all(axis=2, keepdims=True)
        good_streams = np.isfinite(state).all(axis=1, keepdims=True)
        if good_frames.all() and good_streams.all():
            return gains, state
        self.bypassed += int(np.sum(~good_frames))
        return np.where(good_frames, gains, np.float32(1)), np.where(good_streams, state, np.float32(0))

    def _public(self, blocks: list[Samples]) -> Samples:
        """Join blocks of shape (channels, samples) to the caller's shape."""
        joined = np.concatenate([np.zeros((self.channels, 0), np.float32), *blocks], axis=1)
        return joined[0] if self._flat else np.ascontiguousarray(joined.T)


def _as_float(samples: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """Take an array of float samples, shape (samples,) or (samples, channels); refuse anything else."""
    try:
        array = np.asarray(samples)
    except ValueError as error:
        raise SignalError(f"samples make no array: {error}") from None
    if array.size == 0 and not isinstance(samples, np.ndarray):
        array = array.astype(np.float32)  # an empty list is a sound of no length
    if array.dtype in (np.int16, np.int32):  # as sound files are often read
        full_scale = 2 ** (8 * array.itemsize - 1)
        raise SignalError(f"samples are {array.dtype}; convert to float in [-1, 1] first, e.g. samples / {full_scale}")
    if not np.issubdtype(array.dtype, np.floating):
        raise SignalError(f"samples are {array.dtype}; need float in [-1, 1]")
    if array.ndim not in (1, 2):
        raise SignalError(f"samples have shape {array.shape}; need (samples,) or (samples, channels)")
    if array.ndim == 2 and array.shape[1] > MAX_CHANNELS:
        raise SignalError(f"samples have shape {array.shape}, (samples, channels); transpose them: samples.T")
    return array


def repair(samples: npt.NDArray[np.floating]) -> tuple[Samples, int]:
    """Replace what is not finite, or too large to be sound, by silence; give float32 and the number replaced."""
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is repaired
        block = samples.astype(np.float32)
    good = np.abs(block) <= LARGEST_SAMPLE  # false for NaN
    repaired = block.size - int(np.count_nonzero(good))
    return (np.where(good, block, np.float32(0)) if repaired else block), repaired


def _checked_rate(sample_rate: object) -> int:
    """Refuse what is no number at all; how large it may be is for the frames to say."""
    if not isinstance(sample_rate, int | float | np.number) or not math.isfinite(sample_rate):
        raise SignalError(f"sample rate {sample_rate!r}: need a whole number of Hz")
    return sample_rate  # type: ignore[return-value]  # a float that is whole passes, as 16000.0


def _gain_floor(limit_db: float | None) -> np.float32:
    """Give the smallest gain allowed."""
    if limit_db is None:
        return np.float32(-np.inf)
    if not (math.isfinite(limit_db) and limit_db >= 0):
        raise SignalError(f"limit_db is {limit_db}; need a finite number from 0, or None for no limit")
    return np.float32(10 ** (-limit_db / 20))


def _checked_mix(mix: float) -> np.float32:
    if not 0 <= mix <= 1:
        raise SignalError(f"mix is {mix}; need a share from 0 (the original) to 1 (all cleaned)")
    return np.float32(mix)


def _root_mean_square(magnitudes: Floats) -> Floats:
    """What linked channels show the network: (channels, frames, bins) to (1, frames, bins)."""
    mean: Floats = np.sqrt(np.mean(np.square(magnitudes), axis=0, keepdims=True))
    return mean


def _fit_bins(magnitudes: Floats, n_bins: int) -> Floats:
    """Cut what lies above the network's band, or fill up with zeros what lies above the sound's."""
    missing = n_bins - magnitudes.shape[2]
    if missing > 0:
        return np.pad(magnitudes, ((0, 0), (0, 0), (0, missing)))
    return np.ascontiguousarray(magnitudes[:, :, :n_bins])


def _hold_above(gains: Floats, n_bins: int) -> Floats:
    """Continue gains to n_bins bins by the mean of the upper quarter of the band; cut them where that is fewer.

    Nothing above 8 kHz was ever shown to the network. What is noise there mostly is noise just below, and a mean over
    64 bins does not flutter as the last bin would.
    """
    missing = n_bins - gains.shape[2]
    if missing <= 0:
        return gains[:, :, :n_bins]
    held = gains[:, :, int(HELD_FROM * gains.shape[2]) :].mean(axis=2, keepdims=True)  # (streams, frames, 1)
    return np.concatenate([gains, np.repeat(held, missing, axis=2)], axis=2)
