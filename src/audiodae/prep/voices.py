"""Voices from nothing: something that has the harmonics, formants, rhythm and pauses of speech, though no words.

Source and filter (Fant 1960): pulses of the glottis with jitter and shimmer, and noise, each shaped in time and
frequency by what the mouth does. The mouth is a row of sounds, each with formants and a kind of source, run into one
another as the tongue does. Formants are multiplied in as magnitudes, frame by frame.

Samples are float32, shape (samples,), 16 kHz.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from audiodae.frames import FrameGeometry, analyse, synthesise
from audiodae.prep.decode import SAMPLE_RATE

FRAMES = FrameGeometry.for_rate(SAMPLE_RATE, window_ms=16.0)
FRAME_SECONDS = FRAMES.hop_length / SAMPLE_RATE
BIN_HZ = np.arange(FRAMES.n_bins) * FRAMES.bin_hz

# First three formants, Hz, of a man (after Peterson and Barney 1952).
VOWELS = (
    (270, 2290, 3010),
    (390, 1990, 2550),
    (530, 1840, 2480),
    (660, 1720, 2410),
    (730, 1090, 2440),
    (570, 840, 2410),
    (440, 1020, 2240),
    (300, 870, 2240),
    (640, 1190, 2390),
    (490, 1350, 1690),
)
NASALS = ((250, 1100, 2200), (250, 1500, 2300), (250, 2000, 2700))
GLIDES = ((300, 610, 2200), (310, 1060, 1380), (360, 1050, 2880), (270, 2290, 3010))
# Centre and width of the noise, Hz, and its level beside a vowel, dB.
FRICATIVES = ((6200, 1500, -11), (3800, 1200, -9), (4500, 4500, -22), (7000, 3000, -20), (1500, 1500, -22))
BURSTS = ((800, 800, -14), (4200, 2000, -10), (2000, 900, -12))
HIGHER_FORMANTS = tuple(float(hz) for hz in range(3400, 14000, 1000))  # those above 8 kHz lift what lies below

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Speaker:
    """What a voice keeps from sentence to sentence.

    Attributes
    ----------
    pitch_hz : middle of the voice, 80 to 330
    tract : factor on all formants: 0.9 for a long throat, 1.25 for a child's
    tempo : factor on the speed, 0.8 to 1.3
    liveliness : semitones that pitch moves by
    jitter, shimmer : share by which periods and pulses differ from the one before
    breath_db : noise in the voice, beside its pulses
    tilt_db : how much the voice falls with each octave
    floor_db : what a good recording has of a background, beside the voice
    level_dbfs : of the loud parts
    """

    pitch_hz: float
    tract: float
    tempo: float
    liveliness: float
    jitter: float
    shimmer: float
    breath_db: float
    tilt_db: float
    floor_db: float
    level_dbfs: float


@dataclass(frozen=True)
class Sound:
    """One speech sound: seconds, formants (Hz, of a man), voice level and noise level (dB, none: off), noise shape."""

    seconds: float
    formants: tuple[float, float, float]
    voice_db: float | None = None
    noise_db: float | None = None
    noise_hz: tuple[float, float] | None = None  # centre and width; None: the formants shape the noise too


def draw_speaker(rng: np.random.Generator) -> Speaker:
    """A man, a woman or a child, each with a voice of their own."""
    low, high, tract = ((85, 145, 0.95), (165, 250, 1.12), (230, 320, 1.28))[rng.choice(3, p=(0.42, 0.42, 0.16))]
    return Speaker(
        pitch_hz=float(rng.uniform(low, high)),
        tract=float(tract * rng.uniform(0.94, 1.06)),
        tempo=float(rng.uniform(0.8, 1.3)),
        liveliness=float(rng.uniform(1.0, 3.5)),
        jitter=float(rng.uniform(0.003, 0.015)),
        shimmer=float(rng.uniform(0.02, 0.1)),
        breath_db=float(rng.uniform(-34, -22)),
        tilt_db=float(rng.uniform(2, 5)),
        floor_db=float(rng.uniform(-75, -55)),
        level_dbfs=float(rng.uniform(-30, -18)),
    )


def speak(speaker: Speaker, seconds: float, rng: np.random.Generator) -> Samples:
    """One sentence after the other until the time is full; ends in silence.

    Parameters
    ----------
    speaker : whose voice
    seconds : float, above 0.5
    rng : draws the sounds, the melody and the noise

    Returns
    -------
    samples : float32, shape (seconds x 16,000,), peaks below 1
    """
    return _sound(_sentences(speaker, seconds, rng), speaker, round(seconds * SAMPLE_RATE), rng)


def speak_word(speaker: Speaker, word: int, rng: np.random.Generator) -> Samples:
    """One made-up word, the same for every speaker; rng draws how long each sound of it is held, its melody and noise.

    Returns
    -------
    samples : float32, shape (samples,), peaks below 1; 0.3 to 2 s
    """
    spelled = _word(speaker, np.random.default_rng([word]))
    held = [replace(sound, seconds=sound.seconds * rng.uniform(0.8, 1.25)) for sound in spelled]
    sounds = [_silence(0.03), *held, _silence(0.05)]
    return _sound(sounds, speaker, round(sum(sound.seconds for sound in sounds) * SAMPLE_RATE), rng)


def _sound(sounds: list[Sound], speaker: Speaker, length: int, rng: np.random.Generator) -> Samples:
    """Let a speaker make a row of sounds."""
    n_frames = FRAMES.n_frames(length)
    formants, voice, noise, shape = _tracks(sounds, speaker, n_frames)
    tilt = 10 ** (-speaker.tilt_db / 20 * np.log2(np.maximum(BIN_HZ, 100) / 100))
    tract = _resonances(formants)
    pulses = _pulses(_melody(sounds, speaker, n_frames, rng), speaker, length, rng)
    hiss = rng.standard_normal(length).astype(np.float32) * np.float32(0.1)
    spectra = analyse(np.stack([pulses, hiss]), FRAMES)  # (2, frames, bins)
    breath = _amplitude(speaker.breath_db) * voice * _unit(np.sqrt(tract))
    floor = _amplitude(speaker.floor_db) * _unit(1 / np.maximum(BIN_HZ, 100))
    spectrum = spectra[0] * voice * _unit(tract * tilt) + spectra[1] * (noise * _unit(shape) + breath + floor)
    samples = synthesise(spectrum[None].astype(np.complex64), FRAMES, length)[0]
    return _at_level(samples, speaker.level_dbfs)


def _sentences(speaker: Speaker, seconds: float, rng: np.random.Generator) -> list[Sound]:
    """Sounds that fill the time, but for a silence at the end."""
    sounds = [_silence(rng.uniform(0.1, 0.3))]
    left = seconds - sounds[0].seconds - 0.2
    while left > 0.4:
        sentence = [sound for _ in range(rng.integers(2, 7)) for sound in _word(speaker, rng)]
        for sound in [*sentence, _silence(rng.uniform(0.25, 0.8))]:
            left -= sound.seconds
            if left > 0:
                sounds.append(sound)
    return [*sounds, _silence(seconds)]


def _word(speaker: Speaker, rng: np.random.Generator) -> list[Sound]:
    """One to four syllables: a consonant or none, a vowel, a consonant or none; now and then a gap after them."""
    sounds: list[Sound] = []
    for _ in range(rng.integers(1, 5)):
        if rng.random() < 0.9:
            sounds += _consonant(rng)
        vowel = VOWELS[rng.integers(len(VOWELS))]
        sounds.append(Sound(rng.uniform(0.07, 0.22), vowel, voice_db=rng.uniform(-6, 0)))
        if rng.random() < 0.35:
            sounds += _consonant(rng)
    if rng.random() < 0.4:
        sounds.append(_silence(rng.uniform(0.03, 0.12)))
    return [Sound(s.seconds / speaker.tempo, s.formants, s.voice_db, s.noise_db, s.noise_hz) for s in sounds]


def _consonant(rng: np.random.Generator) -> list[Sound]:
    kind = rng.choice(4, p=(0.3, 0.4, 0.15, 0.15))
    neutral = (500.0, 1500.0, 2500.0)
    if kind == 0:
        centre, width, level = FRICATIVES[rng.integers(len(FRICATIVES))]
        voice_db = -14.0 if rng.random() < 0.3 else None
        return [Sound(rng.uniform(0.06, 0.15), neutral, voice_db, level + rng.uniform(-3, 3), (centre, width))]
    if kind == 1:
        centre, width, level = BURSTS[rng.integers(len(BURSTS))]
        closed = Sound(rng.uniform(0.04, 0.09), neutral, voice_db=-26.0 if rng.random() < 0.4 else None)
        burst = Sound(rng.uniform(0.012, 0.02), neutral, None, level + rng.uniform(-3, 3), (centre, width))
        breath = Sound(rng.uniform(0.01, 0.05), neutral, None, -14.0)
        return [closed, burst, breath]
    table = NASALS if kind == 2 else GLIDES
    return [Sound(rng.uniform(0.05, 0.1), table[rng.integers(len(table))], voice_db=-8.0 if kind == 2 else -5.0)]


def _silence(seconds: float) -> Sound:
    return Sound(seconds, (500.0, 1500.0, 2500.0))


def _tracks(sounds: list[Sound], speaker: Speaker, n_frames: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Lay sounds out in frames and run them into one another.

    Returns
    -------
    formants : shape (frames, formants), Hz
    voice, noise : shape (frames, 1), amplitudes
    shape : shape (frames, bins), of the noise
    """
    ends = np.cumsum([sound.seconds for sound in sounds])
    of_frame = np.minimum(np.searchsorted(ends, np.arange(n_frames) * FRAME_SECONDS, side="right"), len(sounds) - 1)
    low = np.array([sound.formants for sound in sounds])
    high = np.broadcast_to(HIGHER_FORMANTS, (len(sounds), len(HIGHER_FORMANTS)))
    formants = np.concatenate([low, high], axis=1)[of_frame] * speaker.tract
    levels = np.array([[_amplitude(sound.voice_db), _amplitude(sound.noise_db)] for sound in sounds])[of_frame]
    shapes = np.stack([_noise_shape(sound, speaker) for sound in sounds])[of_frame]
    levels = _smooth(levels, 2)
    return _smooth(formants, 7), levels[:, :1], levels[:, 1:], shapes


def _noise_shape(sound: Sound, speaker: Speaker) -> Floats:
    if sound.noise_hz is None:
        formants = np.array([*sound.formants, *HIGHER_FORMANTS]) * speaker.tract
        return _resonances(formants[None]).reshape(-1)
    centre, width = sound.noise_hz
    return np.asarray(1 / (1 + ((BIN_HZ - centre) / width) ** 4))


def _resonances(formants: Floats) -> Floats:
    """Magnitudes of a row of resonances, shape (frames, formants) to (frames, bins); 1 at 0 Hz."""
    squared = formants[:, :, None] ** 2  # (frames, formants, 1)
    widths = 50 + 0.03 * formants[:, :, None] + 2e-6 * squared
    denominator = (squared - BIN_HZ**2) ** 2 + (widths * BIN_HZ) ** 2
    return np.asarray(np.prod(squared / np.sqrt(denominator), axis=1))


def _unit(magnitude: Floats) -> Floats:
    """Scale each frame's magnitudes to a root mean square of 1, so that levels mean the same for every sound."""
    return np.asarray(magnitude / np.sqrt(np.mean(magnitude**2, axis=-1, keepdims=True)))


def _melody(sounds: list[Sound], speaker: Speaker, n_frames: int, rng: np.random.Generator) -> Floats:
    """Pitch of each frame, Hz: falls over each sentence, moves with each syllable, trembles a little."""
    silent = np.array([sound.voice_db is None and sound.noise_db is None and sound.seconds > 0.2 for sound in sounds])
    ends = np.cumsum([sound.seconds for sound in sounds])
    seconds = np.arange(n_frames) * FRAME_SECONDS
    starts = np.concatenate([[0.0], ends[silent]])
    since = seconds - starts[np.searchsorted(starts, seconds, side="right") - 1]
    falling = speaker.liveliness * (0.8 - 0.9 * np.minimum(since, 3.0))
    knots = rng.normal(0, speaker.liveliness, int(seconds[-1] / 0.25) + 3)
    moving = np.interp(seconds, np.arange(knots.size) * 0.25, knots)
    semitones = _smooth((falling + moving)[:, None], 12)[:, 0] + rng.normal(0, 0.1, n_frames)
    return np.asarray(np.clip(speaker.pitch_hz * 2 ** (semitones / 12), 65, 450))


def _pulses(pitch: Floats, speaker: Speaker, length: int, rng: np.random.Generator) -> Samples:
    """A pulse per period, each at its own place between the samples, with jitter and shimmer."""
    per_sample = np.interp(np.arange(length), np.arange(pitch.size) * FRAMES.hop_length, pitch)
    turns = np.cumsum(per_sample) / SAMPLE_RATE
    wanted = np.arange(1, int(turns[-1]) + 1) if length else np.zeros(0)
    places = np.interp(wanted + rng.normal(0, speaker.jitter, wanted.size), turns, np.arange(length))
    # The same energy for every pitch, so that a high voice is not louder.
    heights = (1 + rng.normal(0, speaker.shimmer, wanted.size)) / np.sqrt(
        np.interp(places, np.arange(length), per_sample)
    )
    taps = np.arange(-8, 9)
    at = np.round(places).astype(int)[:, None] + taps  # (pulses, taps)
    distance = at - places[:, None]
    kernel = np.sinc(distance) * (0.5 + 0.5 * np.cos(np.pi * np.clip(distance / 9, -1, 1)))
    inside = (at >= 0) & (at < length)
    return np.bincount(at[inside], (heights[:, None] * kernel)[inside], minlength=length).astype(np.float32) * 16


def _smooth(tracks: Floats, frames: int) -> Floats:
    """Weighted mean over so many frames to each side, shape kept."""
    window = _hann(2 * frames + 1)
    padded = np.pad(tracks, ((frames, frames), (0, 0)), mode="edge")
    return np.stack([np.convolve(track, window, mode="valid") for track in padded.T], axis=1)


@cache
def _hann(length: int) -> Floats:
    window = np.hanning(length + 2)[1:-1]
    return np.asarray(window / window.sum())


def _amplitude(level_db: float | None) -> float:
    return 0.0 if level_db is None else float(10 ** (level_db / 20))


def _at_level(samples: Samples, level_dbfs: float) -> Samples:
    """Scale so that the loud parts (95th percentile of 20 ms frames) have the level, and no peak passes full scale."""
    frame = SAMPLE_RATE // 50
    frames = samples[: samples.size // frame * frame].reshape(-1, frame)
    loud = np.percentile(np.sqrt(np.mean(frames**2, axis=1)), 95)
    gain = min(10 ** (level_dbfs / 20) / max(float(loud), 1e-9), 0.9 / max(float(np.abs(samples).max()), 1e-9))
    return samples * np.float32(gain)
