"""Changed voices: new speakers made of those there, by taking speech apart and putting it together otherwise.

A vocoder (WORLD: Morise et al. 2016, doi:10.1587/transinf.2015EDP7457) splits a recording into pitch, spectral envelope
and aperiodicity. Each is changed, and the rest of the sound follows: voices that are higher or deeper, that sing, shout
or speak in one tone, of larger and smaller heads, drawn out or hurried, and some that whisper. Corpora of read speech
have none of these, and what a network never heard it takes for noise.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from audiodae.errors import CorpusError
from audiodae.prep.bank_building import Source
from audiodae.prep.decode import FULL_SCALE, SAMPLE_RATE, Pcm

Floats = npt.NDArray[np.float64]

MOST_RECORDINGS = 20  # of a speaker: one with hours would be heard again and again
LONGEST_SECONDS = 12.0
FRAME_MS = 5.0
PITCH_HZ = (55.0, 800.0)  # where pitch is looked for
MEAN_PITCH_HZ = (80.0, 520.0)  # of new speakers: a deep voice to a child's shout
WHISPER_SHARE = 0.12
TILT_FROM_HZ = 500.0


@dataclass(frozen=True)
class Change:
    """What makes a new speaker of another.

    Attributes
    ----------
    mean_pitch_hz : of its voiced sounds
    melody : how far pitch moves about its mean, over how far it did; 0.2 is nearly one tone, 2 lively
    formants : by how much the spectral envelope is stretched; above 1 for a smaller head
    tempo : how long a recording becomes; drawn anew for each within 20 %
    tilt_db : an octave, above 500 Hz: a shout is bright, a murmur dull
    whispers : no pitch at all
    """

    mean_pitch_hz: float
    melody: float
    formants: float
    tempo: float
    tilt_db: float
    whispers: bool


def draw_change(rng: np.random.Generator) -> Change:
    """Draw a new speaker: from nearly a real one to far out."""
    low, high = np.log(MEAN_PITCH_HZ)
    return Change(
        mean_pitch_hz=float(np.exp(rng.uniform(low, high))),
        melody=float(rng.uniform(0.2, 2.0)),
        formants=float(np.exp(rng.uniform(np.log(0.85), np.log(1.25)))),
        tempo=float(np.exp(rng.uniform(np.log(0.75), np.log(1.7)))),
        tilt_db=float(rng.uniform(-2, 3)),
        whispers=bool(rng.random() < WHISPER_SHARE),
    )


def changed_voices(speech: Sequence[Source], count: int, *, seed: int) -> list[Source]:
    """New speakers to add to a bank of speech: `count` of its speakers, each changed in a way of its own.

    Every one is a group of its own, `changed/SPEAKER`; a speaker is used once, so there may be fewer.

    Raises
    ------
    CorpusError
        pyworld is missing.
    """
    if count == 0:
        return []
    _world()
    by_speaker: defaultdict[str, list[Source]] = defaultdict(list)
    for source in speech:
        by_speaker[source.group].append(source)
    rng = np.random.default_rng((seed, count))
    chosen = rng.permutation(sorted(by_speaker))[:count]
    made: list[Source] = []
    for speaker in map(str, chosen):
        change = draw_change(rng)
        recordings = by_speaker[speaker]
        for place in sorted(rng.permutation(len(recordings))[:MOST_RECORDINGS]):
            source = recordings[place]
            make = partial(_make, source, change, int(rng.integers(2**31)))
            made.append(Source(f"changed/{source.path}", f"changed/{speaker}", make, recorded=False))
    return made


def change_voice(speech: Floats, change: Change, *, tempo: float) -> Floats:
    """Let somebody else say it.

    Parameters
    ----------
    speech : float64, shape (samples,), 16 kHz
    tempo : length of the result over that of speech

    Returns
    -------
    changed : float64, shape (about samples x tempo,), as loud as speech
    """
    world = _world()
    pitch, times = world.dio(speech, SAMPLE_RATE, f0_floor=PITCH_HZ[0], f0_ceil=PITCH_HZ[1], frame_period=FRAME_MS)
    pitch = world.stonemask(speech, pitch, times, SAMPLE_RATE)
    envelope = world.cheaptrick(speech, pitch, times, SAMPLE_RATE)  # power, shape (frames, bins)
    aperiodicity = world.d4c(speech, pitch, times, SAMPLE_RATE)
    envelope = _stretched(envelope, change.formants) * _tilt(envelope.shape[1], change.tilt_db)
    aperiodicity = _stretched(aperiodicity, change.formants)
    pitch = _other_pitch(pitch, change)
    if change.whispers:
        pitch, aperiodicity = np.zeros_like(pitch), np.ones_like(aperiodicity)
    made: Floats = world.synthesize(pitch, envelope, aperiodicity, SAMPLE_RATE, FRAME_MS * tempo)
    return made * (_root_mean_square(speech) / max(_root_mean_square(made), 1e-9))


def _make(source: Source, change: Change, seed: int) -> Pcm:
    rng = np.random.default_rng(seed)
    speech = source.make().astype(np.float64) / FULL_SCALE
    longest = round(LONGEST_SECONDS * SAMPLE_RATE)
    begin = int(rng.integers(max(speech.size - longest, 0) + 1))
    made = change_voice(speech[begin : begin + longest], change, tempo=change.tempo * float(rng.uniform(0.8, 1.2)))
    made *= min(1.0, 0.98 / max(float(np.abs(made).max()), 1e-9))
    return np.asarray(np.round(made * FULL_SCALE), np.int16)


def _other_pitch(pitch: Floats, change: Change) -> Floats:
    """Move the mean of the pitch, in octaves, and stretch its way about it; 0 stays 0 (no voice)."""
    voiced = pitch > 0
    if not voiced.any():
        return pitch
    octaves = np.log2(pitch[voiced])
    moved = np.zeros_like(pitch)
    moved[voiced] = change.mean_pitch_hz * 2 ** (change.melody * (octaves - octaves.mean()))
    return np.where(voiced, np.clip(moved, *PITCH_HZ), 0.0)


def _stretched(spectrum: Floats, factor: float) -> Floats:
    """Stretch along frequency, shape (frames, bins): bin k takes what was at k / factor, the last beyond the end."""
    bins = np.arange(spectrum.shape[1])
    below = np.minimum(bins / factor, bins[-1])
    low = np.floor(below).astype(int)
    share = below - low
    mixed = spectrum[:, low] * (1 - share) + spectrum[:, np.minimum(low + 1, bins[-1])] * share
    return np.ascontiguousarray(mixed)  # WORLD insists


def _tilt(n_bins: int, db: float) -> Floats:
    """What power is multiplied by in each bin."""
    frequency = np.linspace(0, SAMPLE_RATE / 2, n_bins)
    tilt: Floats = 10 ** (db * np.log2(np.maximum(frequency / TILT_FROM_HZ, 1)) / 10)
    return tilt


def _root_mean_square(samples: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def _world() -> Any:
    try:
        import pyworld
    except ImportError as error:
        raise CorpusError(f"changed voices need pyworld ({error}): pip install 'audiodae[train]'") from error
    return pyworld
