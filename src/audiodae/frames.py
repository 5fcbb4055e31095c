"""Frames: from samples to spectra and back, whole or in pieces, at any rate from 4 kHz to 384 kHz.

Conventions
-----------
Samples are float32, shape (channels, samples). Spectra are complex64, shape (channels, frames, bins): time before
frequency, the other way round from `torch.stft` and `librosa.stft`.

Frame k covers the samples from (k - 1) hops to (k + 1) hops, as `torch.stft(center=True, pad_mode="constant")` with
n_fft = 2 hops counts them; what lies before the first sample or after the last is zero::

    samples        |----hop----|----hop----|----hop----|--|
    frame 0  ......|...........|
    frame 1        |...........|...........|
    frame 2                    |...........|...........|
    frame 3                                |...........|..........|
    frame 4                                            |..........|..........|

So n samples make ceil(n / hop) + 1 frames (none make none), every sample lies in exactly two frames, and the square
root of a periodic Hann window, used in analysis and synthesis alike, adds up to one: sin^2 + cos^2
(Princen and Bradley 1986, doi:10.1109/TASSP.1986.1164954). Gains of one give the samples back.

A sample is ready when both its frames are: after the one that starts at it, one window (two hops) later at the most.
That is the algorithmic delay.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from audiodae.errors import SignalError

LOWEST_RATE, HIGHEST_RATE = 4_000, 384_000
WINDOW_MS = 32.0
NETWORK_BINS = 257  # 0 to 8 kHz, 31.25 Hz apart

Samples = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]


@dataclass(frozen=True)
class FrameGeometry:
    """The numbers of a short-time Fourier transform: a square-root Hann window that moves by half its length.

    Attributes
    ----------
    sample_rate : int, Hz
    n_fft : int, window length in samples, even
    """

    sample_rate: int
    n_fft: int

    @classmethod
    def for_rate(cls, sample_rate: int, window_ms: float = WINDOW_MS) -> "FrameGeometry":
        """Choose the even window length nearest window_ms, so that bins lie equally far apart (in Hz) at every rate.

        Raises
        ------
        SignalError
            The rate is no whole number from 4,000 to 384,000 Hz, or the window is shorter than 4 samples.
        """
        if int(sample_rate) != sample_rate or not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
            raise SignalError(f"sample rate {sample_rate} Hz: need a whole number from {LOWEST_RATE} to {HIGHEST_RATE}")
        n_fft = 2 * round(window_ms * sample_rate / 2000)
        if n_fft < 4:
            raise SignalError(f"a window of {window_ms} ms holds {n_fft} samples at {sample_rate} Hz: need 4 or more")
        return cls(int(sample_rate), n_fft)

    @property
    def hop_length(self) -> int:
        """Samples between the starts of two frames: half a window."""
        return self.n_fft // 2

    @property
    def n_bins(self) -> int:
        """Frequencies of a frame, from 0 Hz to half the sample rate."""
        return self.n_fft // 2 + 1

    @property
    def bin_hz(self) -> float:
        """Distance between two bins, Hz."""
        return self.sample_rate / self.n_fft

    @cached_property
    def window(self) -> Samples:
        """Square root of the periodic Hann window, shape (n_fft,)."""
        return np.sin(np.pi * np.arange(self.n_fft) / self.n_fft).astype(np.float32)

    @cached_property
    def scale(self) -> float:
        """Factor that makes a sine of amplitude 1 read 1 in its bin, at every rate."""
        return float(2.0 / self.window.sum(dtype=np.float64))

    def n_frames(self, n_samples: int) -> int:
        """Frames that n_samples make."""
        return 0 if n_samples == 0 else -(-n_samples // self.hop_length) + 1


def analyse(samples: Samples, geometry: FrameGeometry) -> Spectrum:
    """Short-time Fourier transform of a whole signal.

    Parameters
    ----------
    samples : float32, shape (channels, samples), finite

    Returns
    -------
    spectrum : complex64, shape (channels, frames, bins); a full-scale sine has magnitude 1
    """
    analyser = Analyser(geometry, channels=samples.shape[0])
    return np.concatenate([analyser.feed(samples), analyser.flush()], axis=1)


def synthesise(spectrum: Spectrum, geometry: FrameGeometry, length: int) -> Samples:
    """Overlap-add a whole spectrum back to samples: `synthesise(analyse(x, g), g, n) = x`.

    Parameters
    ----------
    spectrum : complex64, shape (channels, frames, bins), with the frames that `length` samples make
    length : int, samples to return

    Returns
    -------
    samples : float32, shape (channels, length)

    Raises
    ------
    SignalError
        The number of frames or bins does not fit.
    """
    if spectrum.shape[1:] != (geometry.n_frames(length), geometry.n_bins):
        raise SignalError(
            f"spectrum has {spectrum.shape[1]} frames of {spectrum.shape[2]} bins; {length} samples at "
            f"{geometry.sample_rate} Hz make {geometry.n_frames(length)} of {geometry.n_bins}"
        )
    return Synthesiser(geometry, channels=spectrum.shape[0]).feed(spectrum)[:, :length]


class Analyser:
    """The analysis of one live sound: takes any number of samples, gives the frames that they complete.

    Fed in any pieces, the frames are those of `analyse` on the whole.
    """

    def __init__(self, geometry: FrameGeometry, channels: int) -> None:
        self.geometry = geometry
        self.channels = channels
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far."""
        # The hop of silence before the first sample, so that the first frame is half full.
        self._pending: Samples = np.zeros((self.channels, self.geometry.hop_length), np.float32)
        self._fed = 0

    def feed(self, chunk: Samples) -> Spectrum:
        """Take a chunk, shape (channels, samples); give the frames now complete, shape (channels, frames, bins)."""
        hop = self.geometry.hop_length
        self._fed += chunk.shape[1]
        pending = np.concatenate([self._pending, chunk], axis=1)
        n_frames = max(pending.shape[1] // hop - 1, 0)
        self._pending = pending[:, n_frames * hop :].copy()  # a view would keep the whole chunk alive
        return self._transform(pending[:, : (n_frames + 1) * hop], n_frames)

    def flush(self) -> Spectrum:
        """End the sound: the last one or two frames, filled up with zeros. The next `feed` starts a new sound."""
        if self._fed == 0:
            return self._transform(self._pending, 0)
        # Pending holds one hop already framed once and the rest of less than a hop; both need their last frame.
        hop = self.geometry.hop_length
        n_frames = 1 if self._pending.shape[1] == hop else 2
        padded = np.zeros((self.channels, (n_frames + 1) * hop), np.float32)
        padded[:, : self._pending.shape[1]] = self._pending
        self.reset()
        return self._transform(padded, n_frames)

    def _transform(self, samples: Samples, n_frames: int) -> Spectrum:
        if n_frames == 0:
            return np.zeros((self.channels, 0, self.geometry.n_bins), np.complex64)
        hops = samples.reshape(self.channels, n_frames + 1, self.geometry.hop_length)
        frames = np.concatenate([hops[:, :-1], hops[:, 1:]], axis=2)  # (channels, frames, n_fft)
        spectrum = np.fft.rfft(frames * self.geometry.window, axis=2)
        return (spectrum * np.float32(self.geometry.scale)).astype(np.complex64)


class Synthesiser:
    """The overlap-add of one live sound: takes frames, gives the samples that they complete, a hop for each frame.

    The very first frame completes nothing: the hop before the first sample is not part of the sound.
    """

    def __init__(self, geometry: FrameGeometry, channels: int) -> None:
        self.geometry = geometry
        self.channels = channels
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far."""
        self._overlap: Samples = np.zeros((self.channels, self.geometry.hop_length), np.float32)
        self._started = False

    def feed(self, spectrum: Spectrum) -> Samples:
        """Take frames, shape (channels, frames, bins); give the samples now complete, shape (channels, samples)."""
        hop, n_frames = self.geometry.hop_length, spectrum.shape[1]
        if n_frames == 0:
            return np.zeros((self.channels, 0), np.float32)
        unscaled = spectrum * np.float32(1 / self.geometry.scale)
        frames = np.fft.irfft(unscaled, n=self.geometry.n_fft, axis=2).astype(np.float32) * self.geometry.window
        ready = frames[:, :, :hop]  # (channels, frames, hop)
        ready[:, 0] += self._overlap
        ready[:, 1:] += frames[:, :-1, hop:]
        self._overlap = frames[:, -1, hop:].copy()
        first = 0 if self._started else 1
        self._started = True
        return ready[:, first:].reshape(self.channels, (n_frames - first) * hop)
