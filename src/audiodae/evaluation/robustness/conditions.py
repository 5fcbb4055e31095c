"""The conditions, a row each in one table: what is made of a sentence, and what is asked of the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from audiodae.evaluation.robustness import measures, sounds, voices
from audiodae.evaluation.robustness.measures import Case, Floats, Measure
from audiodae.evaluation.robustness.sentences import LEVEL_DBFS, at_level
from audiodae.prep.decode import SAMPLE_RATE

TELEPHONE_RATE = 8000
SILENCE_SECONDS = 10.0
ROOM_NOISE_DBFS, SHOUT_DBFS = -60.0, -6.0
WHISPER_DBFS = LEVEL_DBFS - 10
DRIVEN_DB = 12.0  # by how much the highest peak passes the limit where sound is clipped
CLICK_PEAK = 0.7
PINK = -1.0  # slope


@dataclass(frozen=True)
class Scene:
    """What a condition is made of.

    Attributes
    ----------
    voice : the sentence, float64, 16 kHz, at LEVEL_DBFS
    others : other voices, for babble
    rng : of this condition and sentence
    seed, number : of the rooms
    """

    voice: Floats
    others: tuple[Floats, ...]
    rng: np.random.Generator
    seed: int
    number: int


@dataclass(frozen=True)
class Condition:
    """A row of the table.

    Attributes
    ----------
    name : in the report
    make : gives the case of a scene
    told : what it is, for people
    scored : whether there is speech to score: PESQ-WB, ESTOI, SI-SDR and the speech kept
    compared : whether what goes in is scored too; not where it is clean, or scored in another row
    measures : beside the scores
    in_card : whether a network's card keeps the row
    curves : whether the moments after onsets are drawn
    """

    name: str
    make: Callable[[Scene], Case]
    told: str
    scored: bool = True
    compared: bool = True
    measures: tuple[Measure, ...] = ()
    in_card: bool = True
    curves: bool = False


def _clean(scene: Scene) -> Case:
    return Case(scene.voice, scene.voice)


def _in_hiss(scene: Scene, *, snr_db: float, slope: float) -> Case:
    return _mixed(scene.voice, sounds.hiss(scene.voice.size, scene.rng, slope=slope), snr_db)


def _at_level(scene: Scene, *, level_dbfs: float) -> Case:
    """The same noise at each level: what then differs comes from the level alone."""
    rng = np.random.default_rng([scene.seed, scene.number])
    gain = 10 ** ((level_dbfs - LEVEL_DBFS) / 20)
    return _mixed(scene.voice * gain, sounds.hiss(scene.voice.size, rng, slope=PINK), 10.0)


def _in_babble(scene: Scene) -> Case:
    return _mixed(scene.voice, sounds.babble(scene.voice.size, scene.others, scene.rng), 5.0)


def _over_music(scene: Scene) -> Case:
    return _mixed(scene.voice, sounds.music(scene.voice.size, scene.rng), 5.0)


def _with_clicks(scene: Scene) -> Case:
    clicks, places = sounds.clicks(scene.voice.size, scene.rng, peak=CLICK_PEAK)
    return Case(scene.voice + clicks, scene.voice, marks=places)


def _telephone(scene: Scene, *, snr_db: float | None) -> Case:
    voice = voices.telephone_band(scene.voice)
    noise = voices.telephone_band(sounds.hiss(voice.size, scene.rng, slope=PINK))
    return Case(voice, voice) if snr_db is None else _mixed(voice, noise, snr_db)


def _at_8_khz(scene: Scene) -> Case:
    mixed = _in_hiss(scene, snr_db=10.0, slope=PINK)
    noisy, clean = (voices.resampled(each, SAMPLE_RATE, TELEPHONE_RATE) for each in (mixed.noisy, mixed.clean))
    return Case(noisy, clean, TELEPHONE_RATE)


def _in_a_room(scene: Scene, *, snr_db: float | None) -> Case:
    heard, early = voices.in_a_room(scene.voice, seed=scene.seed, number=scene.number)
    if snr_db is not None:
        heard = heard + sounds.at_snr(heard, sounds.hiss(heard.size, scene.rng, slope=PINK), snr_db)
    return Case(heard, early)


def _clipped(scene: Scene) -> Case:
    mixed = _in_hiss(scene, snr_db=15.0, slope=PINK)
    drive = 10 ** (DRIVEN_DB / 20) / np.abs(mixed.noisy).max()
    return Case(np.clip(mixed.noisy * drive, -1, 1), mixed.clean * drive)


def _changed(scene: Scene, *, whisper: bool, snr_db: float | None) -> Case:
    made = voices.whispered(scene.voice, scene.rng) if whisper else voices.childlike(scene.voice)
    voice = at_level(made, WHISPER_DBFS if whisper else LEVEL_DBFS)
    if snr_db is None:
        return Case(voice, voice)
    return _mixed(voice, sounds.hiss(voice.size, scene.rng, slope=PINK), snr_db)


def _music(scene: Scene) -> Case:
    return _alone(sounds.music(scene.voice.size, scene.rng))


def _hiss(scene: Scene) -> Case:
    return _alone(sounds.hiss(scene.voice.size, scene.rng))


def _shout(scene: Scene, *, level_dbfs: float, noise_dbfs: float | None) -> Case:
    """Silence, then two seconds of speech from its first loud moment on."""
    step = round(measures.STEP_SECONDS * SAMPLE_RATE)
    frames = scene.voice[: scene.voice.size // step * step].reshape(-1, step)
    loud = np.sqrt(np.mean(frames**2, axis=1)) > 10 ** ((LEVEL_DBFS - measures.ACTIVE_DB) / 20)
    start = int(np.argmax(loud)) * step
    speech = scene.voice[start : start + 2 * SAMPLE_RATE] * 10 ** ((level_dbfs - LEVEL_DBFS) / 20)
    silence = round(SILENCE_SECONDS * SAMPLE_RATE)
    clean = np.concatenate([np.zeros(silence), speech])
    noise = sounds.hiss(clean.size, scene.rng, slope=PINK)
    amplitude = 0.0 if noise_dbfs is None else 10 ** (noise_dbfs / 20)
    return Case(clean + amplitude * noise, clean, marks=(silence,))


def _mixed(voice: Floats, noise: Floats, snr_db: float) -> Case:
    return Case(voice + sounds.at_snr(voice, noise, snr_db), voice)


def _alone(sound: Floats) -> Case:
    at_speech_level = sound * 10 ** (LEVEL_DBFS / 20)
    return Case(at_speech_level, at_speech_level)


CLEAN, IN_NOISE, SHOUT = "clean speech", "pink noise, 5 dB", "a shout after 10 s"
LEVELS = {level: f"at {level:g} dBFS" for level in (-45.0, LEVEL_DBFS, -3.0)}

_words = (measures.ONSETS, measures.OFFSETS)
_ROWS = (
    Condition(
        CLEAN, _clean, "nothing to do", compared=False, measures=(measures.LEVEL_CHANGE, *_words), curves=True
    ),
    Condition("white noise, 5 dB", partial(_in_hiss, snr_db=5.0, slope=0.0), "stationary hiss"),
    Condition(
        IN_NOISE, partial(_in_hiss, snr_db=5.0, slope=PINK), "stationary noise", measures=_words
    ),
    Condition("babble, 5 dB", _in_babble, "up to six other voices of the set at once"),
    Condition("music, 5 dB", _over_music, "strings, chords and drums, synthesised, under the speech"),
    Condition(
        "clicks", _with_clicks, "four a second, 1 ms, peak 0.7 of full scale", measures=(measures.CLICK_FALL,)
    ),
    *(
        Condition(
            name,
            partial(_at_level, level_dbfs=level),
            f"speech at {level:g} dBFS, pink noise 10 dB below it",
            compared=level == LEVEL_DBFS,
            in_card=level != LEVEL_DBFS,
        )
        for level, name in LEVELS.items()
    ),
    Condition("8 kHz, noise 10 dB", _at_8_khz, "a sample rate of 8 kHz, pink noise"),
    Condition("telephone, clean", partial(_telephone, snr_db=None), "300 to 3400 Hz", compared=False, in_card=False),
    Condition("telephone, noise 10 dB", partial(_telephone, snr_db=10.0), "300 to 3400 Hz, noise too"),
    Condition("room", partial(_in_a_room, snr_db=None), "T60 0.6 s; clean is the sound of the first 50 ms"),
    Condition("room, noise 10 dB", partial(_in_a_room, snr_db=10.0), "the same with pink noise", in_card=False),
    Condition("clipped", _clipped, "pink noise 15 dB below, both driven 12 dB into clipping"),
    Condition(
        "whisper, clean", partial(_changed, whisper=True, snr_db=None), "noise with the envelope of speech (simulated)",
        compared=False,
    ),
    Condition(
        "whisper, noise 10 dB", partial(_changed, whisper=True, snr_db=10.0), "the same in pink noise", in_card=False
    ),
    Condition(
        "child, clean", partial(_changed, whisper=False, snr_db=None), "pitch and formants up by 1.35 (simulated)",
        compared=False,
    ),
    Condition(
        "child, noise 5 dB", partial(_changed, whisper=False, snr_db=5.0), "the same in pink noise", in_card=False
    ),
    Condition(
        "music alone", _music, "no speech", scored=False, measures=(measures.MUSIC_LEVEL_CHANGE, measures.WOBBLE)
    ),
    Condition(
        "hiss alone", _hiss, "no speech", scored=False, measures=(measures.NOISE_LEVEL_CHANGE, measures.WOBBLE)
    ),
    Condition(
        SHOUT,
        partial(_shout, level_dbfs=SHOUT_DBFS, noise_dbfs=ROOM_NOISE_DBFS),
        "speech at -6 dBFS after 10 s of noise at -60 dBFS",
        scored=False, measures=(measures.FIRST_100_MS, measures.FIRST_500_MS), curves=True,
    ),
    Condition(
        "speech after 10 s of zeros",
        partial(_shout, level_dbfs=LEVEL_DBFS, noise_dbfs=None),
        "digital silence, then speech at -26 dBFS",
        scored=False, measures=(measures.FIRST_100_MS, measures.FIRST_500_MS),
    ),
)  # fmt: skip
CONDITIONS = {row.name: row for row in _ROWS}
