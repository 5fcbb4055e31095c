"""Denoiser and Stream: noisy samples in, clean samples out.

There is one way through, a live stream; `Denoiser.clean` feeds a whole sound or series to one. What a series goes
through is told in `audiodae.series_stream`; a sound::

    samples -> Analyser -> spectra -+-> magnitudes -> network -> gains -+-> spectra x gains -> Synthesiser -> samples
                                    +------------- noisy phase ----------+

Samples of the public API are float, shape (samples,) or (samples, channels), full scale 1; those within are float32,
shape (channels, samples). What comes out is as long as what went in, aligned with it, at the same level, and finite.
"""

import warnings
from os import PathLike
from typing import Literal

import numpy as np
import numpy.typing as npt

from audiodae.errors import SignalError
from audiodae.frames import Analyser, FrameGeometry, Samples, Spectrum, Synthesiser
from audiodae.live_stream import (
    LiveStream,
    Numbers,
    as_array,
    checked_limit_db,
    checked_mix,
    checked_rate,
    refuse_shape,
)
from audiodae.network import LARGEST_GAIN, Floats, Network, find_network
from audiodae.series_stream import SeriesStream

BLOCK_FRAMES = 256  # frames a network call: enough to drown its overhead, few enough to stay in the cache
BLOCK_VALUES = 2**21  # samples of all channels at once; fewer frames a call where rate and channels are many
HELD_FROM = 0.75  # bins above the network's band get the mean gain of its upper quarter, 6 to 8 kHz
# Beyond this a number is no sound but damage, and its square in float32 would be infinite in the sums that follow.
LARGEST_SAMPLE = 1e10


class Denoiser:
    """A network, ready for any number of sounds, or of series.

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
        sample_rate: float,
        *,
        limit_db: float | None = None,
        mix: float = 1.0,
        channels: Literal["linked", "independent"] = "linked",
        output: Literal["speech", "noise"] = "speech",
    ) -> Numbers:
        """Clean a whole sound, or a whole series where the network is one for series.

        Parameters
        ----------
        samples : float, shape (samples,) or (samples, channels), full scale 1; of a series (samples, leads), numbers
            in any unit, whole or not, NaN where there is a gap
        sample_rate : Hz; of sound a whole number, 4,000 to 384,000; of series what the card of the network says
        limit_db : no frequency is made quieter by more than this many dB, 0 or more; None for no limit. Of a series, at
            least this share of the difference to the clean one stays
        mix : share of the cleaned sound, 0 to 1; the rest is the original, aligned
        channels : "linked" gives all channels the same gains, so that the stereo image stands; "independent" cleans
            each as a sound of its own. Leads of a series are always cleaned each by itself
        output : "speech", or "noise": what was removed, the samples less the speech (or the clean series)

        Returns
        -------
        speech or noise : float32, the shape of samples; with a warning where some were not finite and became silence.
            Of a series float64 where float32 would round the samples; gaps stay gaps

        Raises
        ------
        SignalError
            Type, shape, rate or settings cannot be worked with.
        """
        if channels not in ("linked", "independent"):
            raise SignalError(f'channels is {channels!r}; need "linked" or "independent"')
        if output not in ("speech", "noise"):
            raise SignalError(f'output is {output!r}; need "speech" or "noise"')
        kind = SeriesStream if self.network.card.series else Stream
        array = kind.as_samples(samples)
        n_channels = array.shape[1] if array.ndim == 2 else 1
        linked = channels == "linked"
        stream = self.stream(sample_rate, n_channels, limit_db=limit_db, mix=mix, linked=linked)
        clean = np.concatenate([stream.feed(array), stream.flush()])
        if stream.repaired:
            warnings.warn(f"{stream.repaired} samples were not finite and became {kind.REPAIRED_INTO}", stacklevel=2)
        return kind.unchanged(array) - clean if output == "noise" else clean

    def stream(
        self,
        sample_rate: float,
        channels: int = 1,
        *,
        limit_db: float | None = None,
        mix: float = 1.0,
        linked: bool = True,
    ) -> LiveStream:
        """Begin a live sound or series; arguments and errors as in `clean`, but channels is their number.

        Returns
        -------
        stream : Stream, or SeriesStream where the network is one for series
        """
        if self.network.card.series:
            return SeriesStream(self.network, sample_rate, channels, limit_db=limit_db, mix=mix)
        return Stream(self.network, sample_rate, channels, limit_db=limit_db, mix=mix, linked=linked)


class Stream(LiveStream):
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
    bypassed : int, frames so far that went through unchanged because the network gave gains that are not finite, or
        beyond `audiodae.network.LARGEST_GAIN`
    """

    REPAIRED_INTO = "silence"

    def __init__(
        self,
        network: Network,
        sample_rate: float,
        channels: int = 1,
        *,
        limit_db: float | None = None,
        mix: float = 1.0,
        linked: bool = True,
    ) -> None:
        if network.card.frames is None:
            raise SignalError(f"the network {network.card.name} cleans series, not sound")
        self._geometry = FrameGeometry.for_rate(checked_rate(sample_rate), network.card.frames.window_ms)
        super().__init__(self._geometry.sample_rate, channels)
        self._network = network
        self._look_ahead = network.card.frames.look_ahead
        self._streams = 1 if linked else channels
        self._floor = _gain_floor(limit_db)
        self._mix = np.float32(checked_mix(mix))
        self._analyser = Analyser(self._geometry, channels)
        self._synthesiser = Synthesiser(self._geometry, channels)
        self.reset()

    @property
    def latency(self) -> int:
        """Samples by which the output may lag behind the input: one window, and what the network looks ahead."""
        return self._geometry.n_fft + self._look_ahead * self._geometry.hop_length

    @staticmethod
    def as_samples(samples: npt.ArrayLike) -> npt.NDArray[np.floating]:
        """Take float samples of shape (samples,) or (samples, channels); refuse anything else."""
        array = as_array(samples)
        if array.dtype in (np.int16, np.int32):  # as sound files are often read
            full_scale = 2 ** (8 * array.itemsize - 1)
            raise SignalError(
                f"samples are {array.dtype}; convert to float in [-1, 1] first, e.g. samples / {full_scale}"
            )
        if not np.issubdtype(array.dtype, np.floating):
            raise SignalError(f"samples are {array.dtype}; need float in [-1, 1]")
        refuse_shape(array)
        return array

    @staticmethod
    def unchanged(samples: npt.NDArray[np.floating]) -> Samples:
        """Give what would come out if nothing were removed: the samples, silence for those that are no sound."""
        return repair(samples)[0]

    def _start(self) -> None:
        self._fed = self._given = 0  # samples
        self._state = self._network.initial_state(self._streams)
        self._held: Spectrum = self._no_sound(0)  # frames whose gains are still to come
        self._analyser.reset()
        self._synthesiser.reset()

    def _block_length(self) -> int:
        hop = self._geometry.hop_length
        return hop * min(BLOCK_FRAMES, max(1, BLOCK_VALUES // (hop * self.channels)))

    def _clean_block(self, samples: npt.NDArray[np.floating]) -> Samples:
        block, repaired = repair(samples)
        self.repaired += repaired
        ready = self._advance(self._analyser.feed(block))
        self._fed += block.shape[1]
        self._given += ready.shape[1]
        return ready

    def _finish(self) -> Samples:
        rest = self._analyser.flush()
        if rest.shape[1] and self._look_ahead:  # silence pushes out what is held
            rest = np.concatenate([rest, self._no_sound(self._look_ahead)], axis=1)
        return self._advance(rest)[:, : self._fed - self._given]

    def _advance(self, spectrum: Spectrum) -> Samples:
        """Take the next frames through the network; give the samples that they complete."""
        if spectrum.shape[1]:
            gains = self._gains(np.abs(spectrum))  # the last is that of the frame `look_ahead` frames before the last
            if self._look_ahead:
                spectrum = np.concatenate([self._held, spectrum], axis=1)
                ready = max(spectrum.shape[1] - self._look_ahead, 0)
                spectrum, self._held = spectrum[:, :ready], spectrum[:, ready:].copy()
                gains = gains[:, gains.shape[1] - ready :]
            spectrum *= gains
        return self._synthesiser.feed(spectrum)

    def _no_sound(self, n_frames: int) -> Spectrum:
        return np.zeros((self.channels, n_frames, self._geometry.n_bins), np.complex64)

    def _gains(self, magnitudes: Floats) -> Floats:
        """Compute what to multiply each bin by, shape (streams, frames, bins)."""
        seen = magnitudes if self._streams == len(magnitudes) else _root_mean_square(magnitudes)
        gains, state = self._network.run(_fit_bins(seen, self._network.n_bins), self._state)
        gains, self._state = self._checked(gains, state)
        gains = _hold_above(gains, self._geometry.n_bins)
        return self._mix * np.maximum(gains, self._floor) + (1 - self._mix)

    def _checked(self, gains: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Let frames through where the network gave no gains, and start its memory anew where that holds no numbers."""
        good_frames = (np.abs(gains) <= LARGEST_GAIN).all(axis=2, keepdims=True)  # false for NaN
        good_streams = np.isfinite(state).all(axis=1, keepdims=True)
        if good_frames.all() and good_streams.all():
            return gains, state
        self.bypassed += int(np.sum(~good_frames))
        return np.where(good_frames, gains, np.float32(1)), np.where(good_streams, state, np.float32(0))


def repair(samples: npt.NDArray[np.floating]) -> tuple[Samples, int]:
    """Replace what is not finite, or too large to be sound, by silence; give float32 and the number replaced."""
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is repaired
        block = samples.astype(np.float32)
    good = np.abs(block) <= LARGEST_SAMPLE  # false for NaN
    repaired = block.size - int(np.count_nonzero(good))
    return (np.where(good, block, np.float32(0)) if repaired else block), repaired


def _gain_floor(limit_db: float | None) -> np.float32:
    """Give the smallest gain allowed."""
    if limit_db is None:
        return np.float32(-np.inf)
    return np.float32(10 ** (-checked_limit_db(limit_db) / 20))


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
