"""Mixing of time series: carries out what was drawn. Nothing here is random.

An example is three arrays: what goes in, what should come out, and where the answer is judged. Recordings are cut to
what is needed before anything is computed, so an example costs a fraction of a millisecond.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from audiodae.errors import RecipeError
from audiodae.prep.series.bank import SeriesBank
from audiodae.prep.series.beats import FRAME_SAMPLES, LONGEST_BEAT, in_frame, usable_beats
from audiodae.prep.series.draws import (
    BATCH,
    BEAT,
    SEQUENCE,
    BeatDraw,
    NoiseDraw,
    NoisePiece,
    SequenceDraw,
    SeriesDrawSettings,
    check_settings,
    draw_beat,
    draw_sequence,
    generator,
    stretch,
)

if TYPE_CHECKING:
    from audiodae.prep.draws import Split

NEIGHBOURS = 5  # a masked sample takes the place of one so many before or after it

Values = npt.NDArray[np.float32]


class SeriesExample(NamedTuple):
    """One example, or a batch of them.

    Attributes
    ----------
    noisy, clean : float32, shape (samples,) or (rows, samples), in the unit of the bank
    weights : float32, same shape, how much each sample counts in the loss: 1, or 0 where there is nothing to judge
    """

    noisy: Values
    clean: Values
    weights: Values


def draw_series(seed: int, split: "Split", index: int, bank: SeriesBank, settings: SeriesDrawSettings) -> SeriesExample:
    """Example number `index` of a split: `settings.segment_samples` samples."""
    check_bank(bank, settings)
    return mix_sequence(draw_sequence(generator(seed, split, index, SEQUENCE), bank, settings), bank, settings)


def draw_single_beat(
    seed: int, split: "Split", index: int, bank: SeriesBank, settings: SeriesDrawSettings
) -> SeriesExample:
    """Single beat number `index` of a split: 512 samples."""
    check_bank(bank, settings)
    return mix_beat(draw_beat(generator(seed, split, index, BEAT), bank, settings), bank)


def series_batch(
    seed: int, split: "Split", step: int, batch_size: int, bank: SeriesBank, settings: SeriesDrawSettings
) -> SeriesExample:
    """Batch number `step` of a split, drawn from (seed, split, step) alone.

    Returns
    -------
    batch : of `batch_size` examples, or, in a share of `settings.beats_share` of batches, if the bank knows beats, of
        `batch_size` x `settings.beats_per_row` single beats
    """
    of_beats = generator(seed, split, step, BATCH).random() < settings.beats_share
    check_bank(bank, settings)
    draw, count = draw_series, batch_size
    if of_beats and settings.masked_share == 0 and usable_beats(bank):
        draw, count = draw_single_beat, batch_size * settings.beats_per_row
    rows = [draw(seed, split, index, bank, settings) for index in range(step * count, (step + 1) * count)]
    noisy, clean, weights = (np.stack(side) for side in zip(*rows, strict=True))
    return SeriesExample(noisy, clean, weights)


def check_bank(bank: SeriesBank, settings: SeriesDrawSettings) -> None:
    """Raise RecipeError if the settings make no sense or cannot be met with what the bank holds."""
    check_settings(settings)
    if settings.masked_share > 0:
        return
    if bank.header.noisy_only:
        raise RecipeError(f"{bank.path}: holds noisy recordings only; set masked_share above 0, such as 0.05")
    if not bank.noise:
        raise RecipeError(f"{bank.path}: holds no noise to mix; prepare with --noise, or set masked_share above 0")


def mix_sequence(draw: SequenceDraw, bank: SeriesBank, settings: SeriesDrawSettings) -> SeriesExample:
    """Make the example that was drawn."""
    length = settings.segment_samples
    clean = _play(bank.read(draw.recording, draw.start, stretch(length, draw.speed)), length, draw.speed)
    if draw.turn:
        clean = turn_phase(clean, draw.turn)
    clean -= np.partition(clean, length // 2)[length // 2]  # its median, as the test sets are made
    weights = np.ones(length, np.float32)
    noisy = clean.copy()
    if draw.snr_db is not None:
        noise = mix_noise(draw.noise, bank, length, centred=True)
        # A flat stretch has no level: the noise then stands at the level of one count of nothing.
        noisy += noise * np.float32(math.sqrt(max(float(clean.var()), 1e-8)) / 10 ** (draw.snr_db / 20))
    if draw.gap is not None:
        start, missing = draw.gap
        noisy[start : start + missing] = noisy[start - 1]
        weights[start : start + missing] = 0
    if draw.mask_seed is not None:
        noisy, weights = mask(noisy, settings.masked_share, draw.mask_seed)
    gain = np.float32(draw.gain)
    return SeriesExample(noisy * gain, clean * gain, weights)


def mix_beat(draw: BeatDraw, bank: SeriesBank) -> SeriesExample:
    """Make the frame that was drawn."""
    length = min(int(draw.length / draw.speed), LONGEST_BEAT)
    frame = in_frame(_play(bank.read(draw.recording, draw.start, draw.length), length, draw.speed))
    noise = mix_noise(draw.noise, bank, FRAME_SAMPLES, centred=False)
    noise += np.float32(draw.offset * noise.std())
    scaled = noise * np.float32(draw.ratio * np.ptp(frame) / max(float(np.ptp(noise)), 1e-9))
    gain = np.float32(draw.gain)
    return SeriesExample((frame + scaled) * gain, frame * gain, np.ones(FRAME_SAMPLES, np.float32))


def mix_noise(draw: NoiseDraw, bank: SeriesBank, length: int, *, centred: bool) -> Values:
    """Add up what was drawn.

    Returns
    -------
    noise : float32, shape (length,); centred, with a mean of 0 and a deviation of 1
    """
    total = np.zeros(length, np.float32)
    for piece in draw.pieces:
        total += _noise_piece(piece, bank, length, centred=centred)
    deviation = float(total.std())
    times = np.arange(length, dtype=np.float32)
    if draw.powerline is not None:
        hertz, share, turns = draw.powerline
        turn = 2 * np.pi * (hertz / bank.header.rate_hz)
        total += np.float32(deviation * share) * np.sin(times * np.float32(turn) + np.float32(2 * np.pi * turns))
    if draw.white is not None:
        share, seed = draw.white
        white = np.random.default_rng(seed).standard_normal(length, np.float32)
        total += np.float32(deviation * share) * white
    if draw.step is not None:
        place, size = draw.step
        total[int(place * length) :] += np.float32(deviation * size)
    return _standard(total) if centred else total


def turn_phase(values: Values, angle: float) -> Values:
    """Turn the phase of every frequency but 0 by the same angle: the values' share and that of their Hilbert transform.

    Parameters
    ----------
    values : float32, shape (samples,)
    angle : radians; a quarter turn makes of a bump a swing down and up, half a turn the values upside down
    """
    # Joined to themselves backwards, so that there is no jump where a transform takes the end to meet the start.
    spectrum = np.fft.rfft(np.concatenate([values, values[::-1]]))
    spectrum[1:] *= np.exp(1j * angle)
    return np.asarray(np.fft.irfft(spectrum, 2 * len(values))[: len(values)], np.float32)


def mask(noisy: Values, share: float, seed: int) -> tuple[Values, Values]:
    """Hide some samples behind neighbours, so that a network cannot copy what it is judged by.

    Krull et al., "Noise2Void", CVPR 2019: with noise that is independent from sample to sample, what can be told of a
    hidden sample from those around it is the signal.

    Returns
    -------
    noisy : float32, shape (samples,), with a share of its samples replaced
    weights : float32, shape (samples,), 1 at those
    """
    rng = np.random.default_rng(seed)
    hidden = np.flatnonzero(rng.random(len(noisy)) < share)
    if not len(hidden):
        hidden = rng.integers(len(noisy), size=1)
    away = rng.integers(1, NEIGHBOURS + 1, len(hidden)) * rng.choice([-1, 1], len(hidden))
    # At an end there are neighbours on one side only.
    inside = (hidden + away >= 0) & (hidden + away < len(noisy))
    masked, weights = noisy.copy(), np.zeros(len(noisy), np.float32)
    masked[hidden] = noisy[np.where(inside, hidden + away, hidden - away)]
    weights[hidden] = 1
    return masked, weights


def _noise_piece(piece: NoisePiece, bank: SeriesBank, length: int, *, centred: bool) -> Values:
    recording = bank.noise[piece.kind][piece.recording]
    samples = stretch(length, piece.speed)
    parts = [
        bank.read_noise(recording, lead, piece.start, samples) * np.float32(weight)
        for lead, weight in enumerate(piece.leads)
        if weight
    ]
    noise = _play(sum(parts[1:], start=parts[0]), length, piece.speed)
    noise = _standard(noise) if centred else noise * np.float32(1 / max(float(noise.std()), 1e-6))
    return (noise[::-1] if piece.backwards else noise) * np.float32(piece.gain)


def _standard(values: Values) -> Values:
    """The same values with a mean of 0 and a deviation of 1; a flat line stays flat."""
    values = values - values.mean()
    return values * np.float32(1 / max(math.sqrt(float(values @ values) / len(values)), 1e-6))


def _play(values: Values, length: int, speed: float) -> Values:
    """Play at a speed, straight lines between samples. A new array, shape (length,)."""
    if speed == 1:
        return values[:length].copy()
    places = np.arange(length) * speed
    before = np.minimum(places.astype(np.int64), len(values) - 2)
    part = (places - before).astype(np.float32)
    first = values[before]
    return np.asarray(first + (values[before + 1] - first) * np.minimum(part, 1), np.float32)
