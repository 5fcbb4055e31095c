"""What is added to a voice: hiss, music, clicks and other voices."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audiodae.prep.decode import SAMPLE_RATE

CHORDS = ((48, 55, 60, 64), (45, 52, 57, 60), (41, 48, 57, 60), (43, 50, 59, 62))  # MIDI: C, Am, F, G
BEAT_SECONDS = 0.5
PARTIALS = 12
CLICK_SECONDS = 0.001

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator


def rms(samples: Floats) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(samples**2)))


def at_snr(speech: Floats, noise: Floats, snr_db: float) -> Floats:
    """The noise at a signal-to-noise ratio below the speech, both over the whole sentence."""
    return np.asarray(noise * (rms(speech) / rms(noise) * 10 ** (-snr_db / 20)))


def hiss(n: int, rng: Rng, *, slope: float = 0.0) -> Floats:
    """Stationary noise of rms 1 whose power goes as frequency to the slope: 0 white, -1 pink."""
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 20.0)  # flat below hearing
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * frequency ** (slope / 2), n)
    return np.asarray(noise / rms(noise))


def music(n: int, rng: Rng) -> Floats:
    """A small band of rms 1: a plucked string, chords held below it, a bass drum and a hi-hat."""
    sound = np.zeros(n)
    per_beat = round(BEAT_SECONDS * SAMPLE_RATE)
    for beat, start in enumerate(range(0, n, per_beat)):
        chord = CHORDS[beat // 4 % len(CHORDS)]
        if beat % 4 == 0:
            for note in chord:
                _lay(sound, start, 0.25 * _pluck(note, 2.0, 1.0, rng))
        for half in (0, per_beat // 2):
            _lay(sound, start + half, 0.5 * _pluck(12 + rng.choice(chord), 0.8, 4.0, rng))
            _lay(sound, start + half, 0.15 * _hi_hat(rng))
        if beat % 2 == 0:
            _lay(sound, start, 0.8 * _drum())
    return np.asarray(sound / rms(sound))


def clicks(n: int, rng: Rng, *, peak: float, each_second: float = 4.0) -> tuple[Floats, tuple[int, ...]]:
    """Short pulses of either sign that die away within a millisecond, and the samples where they begin."""
    length = round(CLICK_SECONDS * SAMPLE_RATE)
    apart = round(SAMPLE_RATE / each_second)
    places = [start + int(rng.integers(apart // 2)) for start in range(apart // 4, n - apart, apart)]
    sound = np.zeros(n)
    for place in places:
        pulse = rng.standard_normal(length) * np.exp(-np.arange(length) / 4)
        _lay(sound, place, peak * pulse / np.abs(pulse).max())
    return sound, tuple(places)


def babble(n: int, others: Sequence[Floats], rng: Rng) -> Floats:
    """Other voices at once, rms 1, each from a place of its own in its sentence."""
    mixed = np.zeros(n)
    for voice in others:
        start = int(rng.integers(voice.size))
        mixed += np.resize(np.roll(voice, -start), n)
    return np.asarray(mixed / rms(mixed))


def _lay(sound: Floats, at: int, piece: Floats) -> None:
    kept = max(0, min(piece.size, sound.size - at))
    sound[at : at + kept] += piece[:kept]


def _pluck(note: int, seconds: float, decay: float, rng: Rng) -> Floats:
    """A string: partials that start at once and die the sooner the higher they are."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 440 * 2 ** ((note - 69) / 12)
    partials = np.arange(1, PARTIALS + 1)[:, None]
    partials = partials[partials[:, 0] * pitch < SAMPLE_RATE / 2]
    waves = np.sin(2 * np.pi * partials * pitch * time + rng.uniform(0, 2 * np.pi, partials.shape))
    fade = np.minimum(1, time / 0.003) * np.minimum(1, (time[-1] - time) / 0.02)
    return np.asarray((waves / partials * np.exp(-decay * partials**0.7 * time)).sum(axis=0) * fade)


def _drum() -> Floats:
    """A skin hit low: a tone that falls from 120 to 50 Hz."""
    time = np.arange(round(0.25 * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(50 + 70 * np.exp(-time / 0.03)) / SAMPLE_RATE
    return np.asarray(np.sin(phase) * np.exp(-time / 0.08))


def _hi_hat(rng: Rng) -> Floats:
    """Metal: noise without its low half, gone in some hundredths of a second."""
    noise = np.diff(rng.standard_normal(round(0.06 * SAMPLE_RATE) + 2), n=2)
    return np.asarray(noise * np.exp(-np.arange(noise.size) / SAMPLE_RATE / 0.012))
