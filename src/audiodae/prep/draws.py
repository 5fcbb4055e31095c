"""Draws: all the randomness of a noisy example, settled before a sample is touched.

`draw_example` decides what goes into one example: which recordings, from which offset, at which SNR and level, in which
room, through which equaliser. `audiodae.prep.mixing` carries it out and draws nothing. A draw is plain numbers, so a
manifest line holds it whole and the example can be made again.

Each example has a generator of its own, seeded with (seed, split, index): examples may be drawn in any order, by any
number of workers, and are the same.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from audiodae.prep.bank import Bank
from audiodae.prep.decode import SAMPLE_RATE
from audiodae.prep.resident import ResidentBank

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")

AnyBank: TypeAlias = Bank | ResidentBank
SPEED_STEP = 0.05  # few ratios of whole numbers, so that a resampler has few filters to make
EQUALISER_HZ = (62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)  # knots of an equaliser curve


class DrawSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What examples are like. Levels and ratios in dB, shares and probabilities from 0 to 1.

    Attributes
    ----------
    segment_seconds : length of an example
    snr_db : lowest and highest signal-to-noise ratio, drawn evenly
    level_dbfs : lowest and highest root mean square of the noisy example
    clean_share : share of examples with little or no noise, so that clean sound is left alone
    clean_snr_db : lowest and highest signal-to-noise ratio of these
    noise_only_share : share with no speech at all, so that noise alone is taken out
    second_noise_share : share with two noises at once
    babble_share : share with a crowd of other speakers as noise
    synthetic_share : share with coloured noise made on the spot (constant slope from -2 to +1 in power)
    speed : slowest and fastest that speech is played, pitch and formants with it, in steps of a twentieth
    noise_speed : the same of noise
    lead_share : share that begins with a pause, so that a first word after silence is kept
    loudness_db : how far the sentences after the first may be louder or fainter than it
    noise_step_share : share in which the noise gets louder or fainter in the middle, all at once
    room_share : share in which the speech stands in a room
    early_ms : what the target keeps of a room: so much after the direct sound
    equaliser_db : largest boost and cut of the equaliser of speech and noise
    band_limit_share : share whose speech and noise end at a lower frequency, as old telephones and codecs do; half of
        them lack the lowest frequencies too
    clip_share : share in which the noisy side is clipped
    """

    segment_seconds: float = 2.0
    snr_db: tuple[float, float] = (-8.0, 20.0)
    level_dbfs: tuple[float, float] = (-45.0, -12.0)
    clean_share: float = 0.08
    clean_snr_db: tuple[float, float] = (20.0, 60.0)
    noise_only_share: float = 0.03
    second_noise_share: float = 0.3
    babble_share: float = 0.08
    synthetic_share: float = 0.1
    speed: tuple[float, float] = (0.85, 1.2)
    noise_speed: tuple[float, float] = (0.7, 1.4)
    lead_share: float = 0.2
    loudness_db: float = 6.0
    noise_step_share: float = 0.1
    room_share: float = 0.35
    early_ms: float = 50.0
    equaliser_db: float = 8.0
    band_limit_share: float = 0.12
    clip_share: float = 0.04

    @property
    def segment_samples(self) -> int:
        """Length of an example in samples."""
        return round(self.segment_seconds * SAMPLE_RATE)


class Piece(msgspec.Struct, frozen=True):
    """A stretch of one recording: what fills `length` samples from `offset` on, laid down at `at`, times `gain`.

    Played at `speed`, a multiple of `SPEED_STEP`, it takes up `length` x `speed` samples of the recording. A piece
    longer than its recording goes round it again (noise only).
    """

    recording: int
    offset: int
    at: int
    length: int
    gain: float
    speed: float = 1.0


class Draw(msgspec.Struct, frozen=True):
    """Everything that was drawn for one example.

    `synthetic` is (slope, seed), `noise_step` (share of the example before it, dB), `room` a recording, `band_hz` the
    lowest and the highest frequency; each may be None.
    """

    index: int
    split: Split
    speech: tuple[Piece, ...]
    noise: tuple[Piece, ...]
    babble: tuple[Piece, ...]
    synthetic: tuple[float, int] | None
    noise_step: tuple[float, float] | None
    snr_db: float
    level_dbfs: float
    room: int | None
    speech_curve_db: tuple[float, ...]
    noise_curve_db: tuple[float, ...]
    band_hz: tuple[float, float] | None
    clip_share: float


class Banks(msgspec.Struct, frozen=True):
    """The recordings of one split: speech, noise and room responses (rooms may hold none)."""

    speech: AnyBank
    noise: AnyBank
    rooms: AnyBank


def draw_example(*, seed: int, split: Split, index: int, banks: Banks, settings: DrawSettings) -> Draw:
    """Settle example number `index` of a split."""
    rng = np.random.default_rng([seed, SPLITS.index(split), index])
    length = settings.segment_samples
    with_speech = rng.random() >= settings.noise_only_share
    clean = with_speech and rng.random() < settings.clean_share
    synthetic = rng.random() < settings.synthetic_share
    babble = rng.random() < settings.babble_share
    return Draw(
        index=index,
        split=split,
        speech=_speech(rng, banks.speech, length, settings) if with_speech else (),
        noise=_noise(rng, banks.noise, length, settings) if not (synthetic or babble) or rng.random() < 0.5 else (),
        babble=_babble(rng, banks.speech, length) if babble else (),
        synthetic=(float(rng.uniform(-2, 1)), int(rng.integers(2**31))) if synthetic else None,
        noise_step=_noise_step(rng) if rng.random() < settings.noise_step_share else None,
        snr_db=float(rng.uniform(*settings.clean_snr_db) if clean else rng.uniform(*settings.snr_db)),
        level_dbfs=float(rng.uniform(*settings.level_dbfs)),
        room=_room(rng, banks.rooms, settings, dry=clean),
        speech_curve_db=_curve(rng, settings.equaliser_db),
        noise_curve_db=_curve(rng, settings.equaliser_db),
        band_hz=_band(rng) if rng.random() < settings.band_limit_share else None,
        clip_share=float(rng.uniform(0.001, 0.02)) if rng.random() < settings.clip_share else 0.0,
    )


def _speech(rng: np.random.Generator, bank: AnyBank, length: int, settings: DrawSettings) -> tuple[Piece, ...]:
    """Sentences of one speaker, one after the other with a pause between, until the example is full."""
    recording = _by_speaker(rng, bank)
    same_speaker = np.flatnonzero(bank.groups == bank.groups[recording])
    speed = _speed(rng, settings.speed)
    pieces: list[Piece] = []
    at = int(rng.uniform(0.1, 0.5) * length) if rng.random() < settings.lead_share else 0
    gain = 1.0
    while at < length:
        available = int(bank.lengths[recording] / speed)
        # Begin anywhere in the first sentence if it is long enough to fill the example, at its start otherwise.
        begins = 0 if pieces else int(rng.integers(max(available - length, 0) + 1))
        taken = min(available - begins, length - at)
        if taken > 0:
            pieces.append(Piece(recording, int(begins * speed), at, taken, gain, speed))
        at += taken + int(rng.uniform(0.1, 0.6) * SAMPLE_RATE)
        recording = int(rng.choice(same_speaker))
        gain = float(10 ** (rng.uniform(-settings.loudness_db, settings.loudness_db) / 20))
    return tuple(pieces)


def _noise(rng: np.random.Generator, bank: AnyBank, length: int, settings: DrawSettings) -> tuple[Piece, ...]:
    """One noise, or two of which the second is up to 12 dB weaker. Kinds come equally often, whatever their amount."""
    kinds = np.unique(bank.groups)
    count = 2 if rng.random() < settings.second_noise_share else 1
    pieces: list[Piece] = []
    for number in range(count):
        recording = int(rng.choice(np.flatnonzero(bank.groups == rng.choice(kinds))))
        speed = _speed(rng, settings.noise_speed)
        offset = int(rng.integers(max(int(bank.lengths[recording]) - int(length * speed), 0) + 1))
        gain = 1.0 if number == 0 else float(10 ** (-rng.uniform(0, 12) / 20))
        pieces.append(Piece(recording, offset, 0, length, gain, speed))
    return tuple(pieces)


def _speed(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    slowest, fastest = (round(end / SPEED_STEP) for end in ends)
    return round(int(rng.integers(slowest, fastest + 1)) * SPEED_STEP, 2)


def _noise_step(rng: np.random.Generator) -> tuple[float, float]:
    """Where the noise changes, as a share of the example, and by how many dB."""
    return float(rng.uniform(0.2, 0.8)), float(rng.uniform(6, 24) * rng.choice([-1, 1]))


def _band(rng: np.random.Generator) -> tuple[float, float]:
    """Lowest and highest frequency; a telephone has 300 to 3,400 Hz."""
    highest = float(np.exp(rng.uniform(np.log(3000), np.log(7500))))
    return float(rng.uniform(100, 400)) if rng.random() < 0.5 else 0.0, highest


def _babble(rng: np.random.Generator, bank: AnyBank, length: int) -> tuple[Piece, ...]:
    """Three to eight voices from anywhere in the corpus, each at a level of its own."""
    voices: Sequence[int] = [_by_length(rng, bank) for _ in range(rng.integers(3, 9))]
    return tuple(
        Piece(voice, int(rng.integers(int(bank.lengths[voice]))), 0, length, float(10 ** (-rng.uniform(0, 9) / 20)))
        for voice in voices
    )


def _by_speaker(rng: np.random.Generator, bank: AnyBank) -> int:
    """A recording whose speaker comes as often as the square root of how long they speak.

    By length alone a few voices with hours would drown hundreds with a minute, and those are what makes a network at
    home with a voice it has never met; with every speaker alike, the sentences of the hundreds would come round too
    soon.
    """
    numbers, of_recording = np.unique(bank.groups, return_inverse=True)
    weights = np.sqrt(np.bincount(of_recording, weights=bank.lengths))
    ends = np.cumsum(weights)
    speaker = int(np.searchsorted(ends, rng.random() * ends[-1], side="right"))
    theirs = np.flatnonzero(of_recording == min(speaker, len(numbers) - 1))
    spoken = np.cumsum(bank.lengths[theirs])
    return int(theirs[np.searchsorted(spoken, rng.integers(spoken[-1]), side="right")])


def _by_length(rng: np.random.Generator, bank: AnyBank) -> int:
    """A recording drawn so that every second of the bank is as likely: many short ones do not drown the long."""
    ends = np.cumsum(bank.lengths)
    return int(np.searchsorted(ends, rng.integers(ends[-1]), side="right"))


def _room(rng: np.random.Generator, bank: AnyBank, settings: DrawSettings, *, dry: bool) -> int | None:
    if len(bank.lengths) == 0 or rng.random() >= settings.room_share:
        return None
    room = int(rng.integers(len(bank.lengths)))
    # Clean sound is to be left alone: in a room its target would lack the late echoes, which are not noise.
    return None if dry else room


def _curve(rng: np.random.Generator, largest_db: float) -> tuple[float, ...]:
    """Gains at `EQUALISER_HZ`: a random walk, so that neighbours are alike, within the largest boost and cut."""
    steps = np.cumsum(rng.normal(0, largest_db / 4, len(EQUALISER_HZ)))
    return tuple(float(g) for g in np.clip(steps - steps.mean(), -largest_db, largest_db).round(2))
