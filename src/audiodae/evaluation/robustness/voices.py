"""What becomes of a voice: whispered, a child's, on the telephone, in a room. All are simulations.

They are made from what an adult said aloud, the same for everyone who measures. Where there are recordings of children
or of whispering, put them into a folder of their own among the speech: they are then a group in the report.
"""

import msgspec
import numpy as np
import numpy.typing as npt
import soxr
from scipy.signal import butter, fftconvolve, sosfiltfilt

from audiodae.frames import FrameGeometry, analyse, synthesise
from audiodae.prep.decode import DIRECT_PEAK, FULL_SCALE, SAMPLE_RATE
from audiodae.prep.rooms import draw_room, shortest_t60, simulate

CHILD_FACTOR = 1.35  # on pitch and formants: from a woman's voice that of a child of about six
ENVELOPE_HZ = 350.0  # wider than the harmonics of a voice lie apart, narrower than its formants
TELEPHONE_HZ = (300.0, 3400.0)
ROOM_T60 = 0.6  # s
EARLY_SECONDS = 0.05

Floats = npt.NDArray[np.float64]


def whispered(voice: Floats, rng: np.random.Generator) -> Floats:
    """Replace pulses and melody by breath: noise with the voice's spectral envelope, as a noise vocoder does it.

    A simulation: who whispers also opens the throat, which lifts the first formant, and speaks more slowly. What is
    kept of that is a spectrum that falls less, by 6 dB an octave from 250 Hz to 4 kHz.
    """
    frames = FrameGeometry.for_rate(SAMPLE_RATE, window_ms=16.0)
    spectra = analyse(np.stack([voice, rng.standard_normal(voice.size)]).astype(np.float32), frames)
    width = round(ENVELOPE_HZ / frames.bin_hz)
    window = np.hanning(width + 2)[1:-1] / np.sum(np.hanning(width + 2))
    padded = np.pad(np.abs(spectra[0]) ** 2, ((0, 0), (width // 2, (width - 1) // 2)), mode="reflect")
    envelope = np.sqrt(np.stack([np.convolve(frame, window, mode="valid") for frame in padded]))
    lift = np.clip(np.arange(frames.n_bins) * frames.bin_hz, 250, 4000) / 1000
    whisper = (spectra[1] * envelope * lift)[None].astype(np.complex64)
    return np.asarray(synthesise(whisper, frames, voice.size)[0], np.float64)


def childlike(voice: Floats) -> Floats:
    """Play a voice faster: pitch, formants and tempo all 1.35 times as high, as those of a smaller body."""
    return resampled(voice, round(SAMPLE_RATE * CHILD_FACTOR), SAMPLE_RATE)


def telephone_band(samples: Floats) -> Floats:
    """Keep 300 to 3400 Hz, zero phase."""
    sections = butter(8, TELEPHONE_HZ, btype="bandpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfiltfilt(sections, samples))


def resampled(samples: Floats, rate: int, to: int) -> Floats:
    """The same sound at another rate."""
    return np.asarray(soxr.resample(samples, rate, to), np.float64)


def in_a_room(voice: Floats, *, seed: int, number: int) -> tuple[Floats, Floats]:
    """Put a voice into a simulated room that takes 0.6 s to fall by 60 dB.

    Returns
    -------
    reverberant : what a microphone hears
    early : of that the direct sound and 50 ms of reflections, which belong to the speech
    """
    room = draw_room(seed=seed, split="robustness", index=number)
    room = msgspec.structs.replace(room, t60=max(ROOM_T60, shortest_t60(np.array(room.size))))
    response = simulate(room) / (DIRECT_PEAK * FULL_SCALE)
    kept = response[: round(EARLY_SECONDS * SAMPLE_RATE)]
    return fftconvolve(voice, response)[: voice.size], fftconvolve(voice, kept)[: voice.size]
