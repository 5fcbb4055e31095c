"""Noises from nothing: a row in one table for each kind.

Each is a function of (n_samples, rng) that gives float64 of shape (n_samples,) at 16 kHz and any level; `make_noise`
brings it to one. Everything random comes from rng, so a kind sounds otherwise each time.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

from audiodae.prep.bank_building import Source
from audiodae.prep.decode import FULL_SCALE, SAMPLE_RATE, Pcm
from audiodae.prep.draws import SPLITS, Split
from audiodae.prep.voices import draw_speaker, speak

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]
Rng = np.random.Generator

SIMULATED_SECONDS = 20.0


def make_noise(kind: str, seconds: float, rng: Rng) -> Samples:
    """Make a noise of a kind in `NOISES`.

    Returns
    -------
    samples : float32, shape (seconds x 16,000,), -30 to -15 dBFS, peaks below 1
    """
    noise = NOISES[kind](round(seconds * SAMPLE_RATE), rng)
    gain = 10 ** (rng.uniform(-30, -15) / 20) / max(float(np.sqrt(np.mean(noise**2))), 1e-9)
    gain = min(gain, 0.9 / max(float(np.abs(noise).max()), 1e-9))
    return np.asarray(noise * gain, np.float32)


def simulated_noises(count: int, *, seed: int, split: Split) -> list[Source]:
    """Noises to add to a bank: the kinds of `NOISES` in turn, each a group of its own.

    `babble` is left out, for its voices say no words: real voices make a better crowd (`DrawSettings.babble_share`).
    """
    kinds = [kind for kind in NOISES if kind != "babble"]
    sources: list[Source] = []
    for index in range(count):
        kind = kinds[index % len(kinds)]
        make = partial(_simulate, kind, (seed, SPLITS.index(split), index))
        sources.append(
            Source(f"simulated/{kind}/{seed}-{split}-{index:04d}", f"simulated/{kind}", make, recorded=False)
        )
    return sources


def _simulate(kind: str, numbers: tuple[int, ...]) -> Pcm:
    noise = make_noise(kind, SIMULATED_SECONDS, np.random.default_rng(numbers))
    return np.asarray(np.round(noise * FULL_SCALE), np.int16)


def hiss(n: int, rng: Rng) -> Floats:
    """Electronics: white, or leaning to either side."""
    return _coloured(n, rng, rng.uniform(-0.5, 0.5))


def pink(n: int, rng: Rng) -> Floats:
    """As much in each octave."""
    return _coloured(n, rng, rng.uniform(-1.2, -0.8))


def rumble(n: int, rng: Rng) -> Floats:
    """Traffic behind walls: little above some hundred hertz."""
    return _coloured(n, rng, rng.uniform(-2.5, -1.8)) * (1 + 0.4 * _slow(n, rng, hz=0.3))


def hum(n: int, rng: Rng) -> Floats:
    """The mains: 50 or 60 Hz and its harmonics, over a little hiss."""
    strength = rng.exponential(1, 20) / np.arange(1, 21)
    return _harmonics(np.full(n, rng.choice([50.0, 60.0])), strength, rng) + 0.05 * hiss(n, rng)


def fan(n: int, rng: Rng) -> Floats:
    """Air through a grille, with the tone of the blades."""
    blades = rng.uniform(60, 400) * (1 + 0.01 * _slow(n, rng, hz=0.2))
    tone = _harmonics(blades, np.array([1, 0.5, 0.25, 0.12, 0.06]), rng)
    return _band(n, rng, rng.uniform(100, 400), rng.uniform(1500, 5000)) + rng.uniform(0.1, 0.5) * tone


def engine(n: int, rng: Rng) -> Floats:
    """A motor whose speed wanders, its noise beating with each turn."""
    speed = rng.uniform(20, 70) * (1 + 0.2 * _slow(n, rng, hz=0.3))
    tone = _harmonics(speed, rng.exponential(1, 40) / np.sqrt(np.arange(1, 41)), rng)
    beat = 0.6 + 0.4 * np.sin(2 * np.pi * np.cumsum(speed) / SAMPLE_RATE)
    return tone + 0.5 * beat * _band(n, rng, 200, 3000)


def wind(n: int, rng: Rng) -> Floats:
    """Gusts over a microphone, and the whistle that they raise."""
    gusts = np.exp(1.2 * _slow(n, rng, hz=0.5))
    return gusts * _coloured(n, rng, -2.2) + 0.1 * gusts**2 * _band(n, rng, 400, rng.uniform(800, 2000))


def rain(n: int, rng: Rng) -> Floats:
    """Drops, each a short bright knock, over a wash of far ones."""
    return _knocks(n, rng, per_second=rng.uniform(40, 400), hz=(1500, 7000), decay_ms=(0.5, 3)) + 0.3 * _band(
        n, rng, 800, 7500
    )


def typing(n: int, rng: Rng) -> Floats:
    """Keys: single knocks with a body of wood, over a faint room."""
    keys = _knocks(n, rng, per_second=rng.uniform(3, 9), hz=(600, 4500), decay_ms=(3, 15))
    return keys + 0.02 * pink(n, rng)


def crackle(n: int, rng: Rng) -> Floats:
    """An old record or a bad contact."""
    return _knocks(n, rng, per_second=rng.uniform(10, 60), hz=(1000, 7500), decay_ms=(0.1, 1.0)) + 0.05 * hiss(n, rng)


def alarm(n: int, rng: Rng) -> Floats:
    """A tone that sweeps or is switched."""
    swing = np.sin(2 * np.pi * rng.uniform(0.3, 4) * np.arange(n) / SAMPLE_RATE + rng.uniform(0, 6))
    middle, width = rng.uniform(600, 2200), rng.uniform(0.05, 0.5)
    if rng.random() < 0.5:
        swing = np.sign(swing)
    return _harmonics(middle * (1 + width * swing), np.array([1, 0.4, 0.16, 0.06]), rng) + 0.02 * pink(n, rng)


def music(n: int, rng: Rng) -> Floats:
    """Notes of one scale that ring out over each other."""
    total = np.zeros(n)
    for _ in range(max(1, round(n / SAMPLE_RATE * rng.uniform(2, 6)))):
        start = int(rng.integers(n))
        pitch = 110 * 2 ** (rng.choice([0, 2, 4, 7, 9, 12, 14, 16, 19, 21, 24, 28]) / 12)
        length = min(n - start, SAMPLE_RATE)
        note = _harmonics(np.full(length, pitch), rng.exponential(1, 8) / np.arange(1, 9), rng)
        total[start : start + length] += note * np.exp(-np.arange(length) / SAMPLE_RATE / rng.uniform(0.1, 0.5))
    return total + 0.001 * pink(n, rng)


def babble(n: int, rng: Rng) -> Floats:
    """A crowd: four to seven voices that are in no speech folder, all at once."""
    total = np.zeros(n)
    for _ in range(rng.integers(4, 8)):
        voice = speak(draw_speaker(rng), max(n / SAMPLE_RATE, 1.0), rng)[:n].astype(np.float64)
        # Turned round, or all would begin and end in silence together.
        total += rng.uniform(0.4, 1) * np.roll(_standard(voice), rng.integers(n))
    return total


NOISES: dict[str, Callable[[int, Rng], Floats]] = {
    make.__name__: make
    for make in (hiss, pink, rumble, hum, fan, engine, wind, rain, typing, crackle, alarm, music, babble)
}


def _coloured(n: int, rng: Rng, slope: float) -> Floats:
    """Gaussian noise whose power goes as frequency to the slope, with a standard deviation of 1."""
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 30.0)
    return _standard(np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * frequency ** (slope / 2), n))


def _band(n: int, rng: Rng, low: float, high: float) -> Floats:
    """Gaussian noise between two frequencies, falling softly outside, with a standard deviation of 1."""
    frequency = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    gain = 1 / np.sqrt((1 + (low / np.maximum(frequency, 1)) ** 4) * (1 + (frequency / high) ** 4))
    return _standard(np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * gain, n))


def _slow(n: int, rng: Rng, *, hz: float) -> Floats:
    """Something that wanders between about -2 and 2, so many times a second."""
    knots = rng.standard_normal(int(n / SAMPLE_RATE * hz * 2) + 3)
    steps = np.arange(n) * (knots.size - 1) / max(n, 1)
    whole = steps.astype(int)
    part = 0.5 - 0.5 * np.cos(np.pi * (steps - whole))
    return np.asarray(knots[whole] * (1 - part) + knots[whole + 1] * part)


def _harmonics(pitch_hz: Floats, strength: Floats, rng: Rng) -> Floats:
    """A tone of changing pitch, shape (n,), with harmonics of the given strengths as far as they stay under 7.8 kHz."""
    turns = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
    total = np.zeros(pitch_hz.size)
    for number, amplitude in enumerate(strength, start=1):
        if number * pitch_hz.max(initial=0.0) < 7800:
            total += amplitude * np.sin(number * turns + rng.uniform(0, 2 * np.pi))
    return _standard(total)


def _knocks(n: int, rng: Rng, *, per_second: float, hz: tuple[float, float], decay_ms: tuple[float, float]) -> Floats:
    """Knocks at random times, of eight bodies that ring at their own frequency and die away."""
    total = np.zeros(n)
    for _ in range(8):
        times = np.zeros(n)
        count = rng.poisson(per_second / 8 * n / SAMPLE_RATE)
        np.add.at(times, rng.integers(n, size=count), rng.exponential(1, count) * rng.choice([-1, 1], count))
        seconds = np.arange(SAMPLE_RATE // 10) / SAMPLE_RATE
        decay = rng.uniform(*decay_ms) / 1000
        total += fftconvolve(times, np.exp(-seconds / decay) * np.sin(2 * np.pi * rng.uniform(*hz) * seconds))[:n]
    return _standard(total)


def _standard(noise: Floats) -> Floats:
    return np.asarray(noise / max(float(noise.std()), 1e-9))
