"""Draws for time series: all the randomness of a noisy example, settled before a sample is touched.

`draw_sequence` and `draw_beat` decide what goes into one example; `audiodae.prep.series.mixing` carries it out and
draws nothing. Each example has a generator of its own, seeded with (seed, split, index): examples may be drawn in any
order, by any number of workers, and are the same.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from audiodae.errors import RecipeError
from audiodae.prep.series.bank import SeriesBank
from audiodae.prep.series.beats import FRAME_SAMPLES, LONGEST_BEAT, usable_beats

if TYPE_CHECKING:
    from audiodae.prep.draws import Split  # that module loads torch, which preparing series does without

SPLIT_NUMBERS = {"train": 1, "valid": 2, "test": 3}
SEQUENCE, BEAT, BATCH = 1, 2, 3  # kinds of draws: their numbers must not be alike

LARGEST_TURN = math.radians(75)

Rng = np.random.Generator


class SeriesDrawSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What examples of time series are like. Ratios in dB, shares and probabilities from 0 to 1.

    Attributes
    ----------
    segment_samples : length of an example
    snr_db : lowest and highest signal-to-noise ratio (of variances), drawn evenly
    clean_share : share of examples with little noise, a third of them with none
    clean_snr_db : lowest and highest signal-to-noise ratio of these
    speed : slowest and fastest that the clean side is played: a heart's rate and width of beats go with it
    noise_speed : the same of noise
    flip_share : share that is turned upside down, as a lead with swapped electrodes is
    turn_share : share of clean sides whose phase is turned, by up to 75 degrees either way: the shapes of waves that
        another lead shows, with the spectrum of this one
    gain_db : lowest and highest gain of the whole example
    kinds : kinds of noise, those with a plus several at once; those that the bank lacks are passed over
    kind_weights : how often each comes, in proportion
    lead_mix_share : share of noises that mix the leads of their recording
    powerline_share : share with 50 or 60 Hz, of 2 to 50 % of the noise's deviation
    white_share : share with white noise, of 2 to 50 % of the noise's deviation
    step_share : share in which the baseline jumps once
    gap_share : share whose noisy side is held at one value for a while, as a stream fills a gap; not judged there
    beats_share : share of batches made of single beats in frames of 512 samples, where the beats are known
    beats_per_row : frames in such a batch for each example of an ordinary one
    masked_share : share of samples that are hidden behind neighbours and judged alone, for noisy recordings only;
        nothing is added to them then
    """

    segment_samples: int = 2560
    snr_db: tuple[float, float] = (-14.0, 22.0)
    clean_share: float = 0.08
    clean_snr_db: tuple[float, float] = (25.0, 45.0)
    speed: tuple[float, float] = (0.7, 1.4)
    noise_speed: tuple[float, float] = (0.7, 1.5)
    flip_share: float = 0.25
    turn_share: float = 0.0
    gain_db: tuple[float, float] = (-17.0, 17.0)
    kinds: tuple[str, ...] = ("bw", "em", "ma", "bw+em+ma", "bw+em", "em+ma", "bw+ma")
    kind_weights: tuple[float, ...] = (0.15, 0.27, 0.2, 0.18, 0.08, 0.06, 0.06)
    lead_mix_share: float = 0.3
    powerline_share: float = 0.15
    white_share: float = 0.15
    step_share: float = 0.05
    gap_share: float = 0.05
    beats_share: float = 0.33
    beats_per_row: int = 4
    masked_share: float = 0.0


def _rises(*ends: tuple[float, float]) -> bool:
    return all(lowest <= highest for lowest, highest in ends)


# What settings have to keep, and what is said where they do not.
RULES: tuple[tuple[str, Callable[[SeriesDrawSettings], bool]], ...] = (
    ("segment_samples needs to be 16 or more", lambda s: s.segment_samples >= 16),
    (
        "snr_db, clean_snr_db, gain_db, speed and noise_speed need the lower number first",
        lambda s: _rises(s.snr_db, s.clean_snr_db, s.gain_db, s.speed, s.noise_speed),
    ),
    ("speed and noise_speed need numbers above 0", lambda s: min(s.speed[0], s.noise_speed[0]) > 0),
    (
        "every _share needs a number from 0 to 1, masked_share less than 1",
        lambda s: (
            all(0 <= getattr(s, name) <= 1 for name in s.__struct_fields__ if name.endswith("_share"))
            and s.masked_share < 1
        ),
    ),
    (
        "kind_weights needs a number above 0 for each of kinds",
        lambda s: len(s.kinds) == len(s.kind_weights) and all(weight > 0 for weight in s.kind_weights),
    ),
    ("beats_per_row needs to be 1 or more", lambda s: s.beats_per_row >= 1),
)


@lru_cache(maxsize=8)
def check_settings(settings: SeriesDrawSettings) -> None:
    """Raise RecipeError, which names the key, if a number makes no sense."""
    for message, holds in RULES:
        if not holds(settings):
            raise RecipeError(f"data.series.{message}")


class NoisePiece(msgspec.Struct, frozen=True):
    """A stretch of one noise: played at `speed` from `start`, its leads in these proportions, its deviation `gain`."""

    kind: str
    recording: int
    start: int
    speed: float
    leads: tuple[float, ...]
    backwards: bool
    gain: float


class NoiseDraw(msgspec.Struct, frozen=True):
    """All that is added up to one noise. Powerline is (Hz, share, turns), white (share, seed), step (place, size)."""

    pieces: tuple[NoisePiece, ...] = ()
    powerline: tuple[float, float, float] | None = None
    white: tuple[float, int] | None = None
    step: tuple[float, float] | None = None


class SequenceDraw(msgspec.Struct, frozen=True):
    """Everything that was drawn for one example. No `snr_db`, no noise; `gap` is (start, length) in samples, `turn` in
    radians.
    """

    recording: int
    start: int
    speed: float
    gain: float
    snr_db: float | None
    noise: NoiseDraw
    turn: float = 0.0
    gap: tuple[int, int] | None = None
    mask_seed: int | None = None


class BeatDraw(msgspec.Struct, frozen=True):
    """Everything that was drawn for one frame with a single beat.

    The noise keeps its own offset, plus `offset` times its deviation, and reaches from peak to peak `ratio` times as
    far as the beat.
    """

    recording: int
    start: int
    length: int
    speed: float
    gain: float
    noise: NoiseDraw
    offset: float
    ratio: float


def generator(seed: int, split: "Split", index: int, what: int) -> Rng:
    """The generator of one draw."""
    return np.random.default_rng([seed, SPLIT_NUMBERS[split], index, what])


def draw_sequence(rng: Rng, bank: SeriesBank, settings: SeriesDrawSettings) -> SequenceDraw:
    """Settle an example of `settings.segment_samples`."""
    length = settings.segment_samples
    masked = settings.masked_share > 0
    # Playing faster or slower lets neighbours share their noise, and masking needs noise that they do not share.
    speed = 1.0 if masked else _between(rng, *settings.speed)
    recording = _recording(rng, bank)
    noise = NoiseDraw() if masked else _noise(rng, bank, length, settings, steps=True)
    return SequenceDraw(
        recording=recording,
        start=_start(rng, int(bank.lengths[recording]), length, speed),
        speed=speed,
        gain=_gain(rng, settings),
        snr_db=None if masked else _snr_db(rng, settings),
        noise=noise,
        turn=float(rng.uniform(-LARGEST_TURN, LARGEST_TURN)) if rng.random() < settings.turn_share else 0.0,
        gap=_gap(rng, length) if rng.random() < settings.gap_share and not masked else None,
        mask_seed=int(rng.integers(2**31)) if masked else None,
    )


def draw_beat(rng: Rng, bank: SeriesBank, settings: SeriesDrawSettings) -> BeatDraw:
    """Settle a frame with a single beat; the bank has to know some."""
    beats = usable_beats(bank)
    recording, start, length = beats[int(rng.integers(len(beats)))]
    # Slowed down no further than the frame holds.
    speed = max(_between(rng, math.exp(-0.2), math.exp(0.2)), length / LONGEST_BEAT)
    # As published the noise is baseline wander alone.
    if "bw" in bank.noise and rng.random() < 0.5:
        noise = NoiseDraw((_piece(rng, bank, "bw", FRAME_SAMPLES, (0.8, 1.25), settings),))
    else:
        noise = _noise(rng, bank, FRAME_SAMPLES, settings, steps=False)
    return BeatDraw(
        recording=recording,
        start=start,
        length=length,
        speed=speed,
        gain=_gain(rng, settings),
        noise=noise,
        offset=float(rng.normal() * 3) if rng.random() < 0.3 else 0.0,
        ratio=float(rng.uniform(0.1, 2)),
    )


def _noise(rng: Rng, bank: SeriesBank, length: int, settings: SeriesDrawSettings, *, steps: bool) -> NoiseDraw:
    kinds = _kinds(rng, bank, settings)
    return NoiseDraw(
        pieces=tuple(_piece(rng, bank, kind, length, settings.noise_speed, settings) for kind in kinds),
        powerline=_powerline(rng) if rng.random() < settings.powerline_share else None,
        white=(_share(rng), int(rng.integers(2**31))) if rng.random() < settings.white_share else None,
        step=_step(rng) if steps and rng.random() < settings.step_share else None,
    )


def _kinds(rng: Rng, bank: SeriesBank, settings: SeriesDrawSettings) -> tuple[str, ...]:
    """Kinds that sound at once. In a bank that has none of the settings' kinds: any one, or all of them."""
    choices = [
        (kinds.split("+"), weight)
        for kinds, weight in zip(settings.kinds, settings.kind_weights, strict=True)
        if bank.noise.keys() >= set(kinds.split("+"))
    ]
    if not choices:
        all_kinds = list(bank.noise)
        choices = [([kind], 1.0) for kind in all_kinds] + [(all_kinds, 1.0)]
    ends = np.cumsum([weight for _, weight in choices])
    place = int(np.searchsorted(ends, rng.random() * ends[-1], side="right"))
    return tuple(choices[min(place, len(choices) - 1)][0])


def _piece(
    rng: Rng, bank: SeriesBank, kind: str, length: int, speeds: tuple[float, float], settings: SeriesDrawSettings
) -> NoisePiece:
    recordings = bank.noise[kind]
    number = int(rng.integers(len(recordings)))
    count = len(recordings[number].leads)
    if rng.random() < settings.lead_mix_share:
        leads = tuple(float(part) for part in rng.normal(size=count))
    else:
        chosen = int(rng.integers(count))
        leads = tuple(float(lead == chosen) for lead in range(count))
    speed = _between(rng, *speeds)
    gain = 1.0 if rng.random() < 0.5 else math.exp(rng.normal() * 0.7)
    return NoisePiece(
        kind=kind,
        recording=number,
        start=_start(rng, recordings[number].length, length, speed),
        speed=speed,
        leads=leads,
        backwards=bool(rng.random() < 0.5),
        gain=gain if rng.random() < 0.5 else -gain,
    )


def _recording(rng: Rng, bank: SeriesBank) -> int:
    """As often as the square root of its length: neither does one long night drown the rest, nor a minute count so."""
    ends = np.cumsum(np.sqrt(bank.lengths))
    return min(int(np.searchsorted(ends, rng.random() * ends[-1], side="right")), len(ends) - 1)


def _start(rng: Rng, available: int, length: int, speed: float) -> int:
    return int(rng.integers(max(available - stretch(length, speed), 0) + 1))


def stretch(length: int, speed: float) -> int:
    """How many samples of a recording `length` samples take when it is played at a speed."""
    return math.ceil((length - 1) * speed) + 2


def _between(rng: Rng, lowest: float, highest: float) -> float:
    """A ratio, evenly in its logarithm."""
    return math.exp(rng.uniform(math.log(lowest), math.log(highest)))


def _gain(rng: Rng, settings: SeriesDrawSettings) -> float:
    gain = float(10 ** (rng.uniform(*settings.gain_db) / 20))
    return -gain if rng.random() < settings.flip_share else gain


def _snr_db(rng: Rng, settings: SeriesDrawSettings) -> float | None:
    if rng.random() >= settings.clean_share:
        return float(rng.uniform(*settings.snr_db))
    return None if rng.random() < 1 / 3 else float(rng.uniform(*settings.clean_snr_db))


def _share(rng: Rng) -> float:
    return float(rng.uniform(0.02, 0.5))


def _powerline(rng: Rng) -> tuple[float, float, float]:
    return 50.0 if rng.random() < 0.5 else 60.0, _share(rng), float(rng.random())


def _step(rng: Rng) -> tuple[float, float]:
    """Where the baseline jumps, as a share of the example, and by how many deviations of the noise."""
    return float(rng.uniform(0.05, 0.95)), float(rng.uniform(1, 4) * (1 if rng.random() < 0.5 else -1))


def _gap(rng: Rng, length: int) -> tuple[int, int]:
    """From 1 % to 20 % of the example."""
    missing = int(length * rng.uniform(0.01, 0.2))
    return int(rng.integers(1, length - missing)), missing
