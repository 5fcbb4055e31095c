"""Mixing: carries out what `audiodae.prep.draws` settled, for a batch of examples at once, on any device.

Everything here is a pure function of float32 tensors of shape (examples, samples) at 16 kHz; no random number is drawn.
Rooms, equalisers and band limits are products of spectra over the whole segment, so a GPU mixes as well as a CPU.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import add_noise, resample

from audiodae.prep.decode import DIRECT_PEAK, SAMPLE_RATE
from audiodae.prep.draws import EQUALISER_HZ, SPEED_STEP, AnyBank, Banks, Draw, Piece

LONGEST_ROOM = SAMPLE_RATE  # a second of reverberation; what comes later is 60 dB down in most rooms
SILENCE_RMS = 1e-6  # -120 dBFS


def mix(draws: Sequence[Draw], banks: Banks, *, length: int, early_ms: float = 50.0) -> tuple[Tensor, Tensor]:
    """Make a batch of examples.

    Parameters
    ----------
    draws : settled examples, all of one split
    banks : the recordings they were drawn from
    length : int, samples of each example
    early_ms : float, what the target keeps of a room after the direct sound

    Returns
    -------
    noisy, clean : float32, shape (examples, length); clean is what noisy would be without noise and late echoes
    """
    limits, n_fft = [d.band_hz for d in draws], _n_fft(length)
    speech = _lay([d.speech for d in draws], banks.speech, length)
    rooms = _rooms([d.room for d in draws], banks.rooms) if any(d.room is not None for d in draws) else None
    curve = curves([d.speech_curve_db for d in draws], limits, n_fft).to(speech)
    reverberant, clean = place(speech, rooms, curve=curve, early_ms=early_ms)
    curve = curves([d.noise_curve_db for d in draws], limits, n_fft).to(speech)
    noise, _ = place(_all_noise(draws, banks, length), None, curve=curve)
    noisy = mix_at_snr(reverberant, noise, snr_db=torch.tensor([d.snr_db for d in draws]))
    noisy, clean = at_level(noisy, clean, level_dbfs=torch.tensor([d.level_dbfs for d in draws]))
    return clip_peaks(noisy, [d.clip_share for d in draws]), clean


def mix_at_snr(speech: Tensor, noise: Tensor, *, snr_db: Tensor) -> Tensor:
    """Add noise to speech, each example at its signal-to-noise ratio over the whole segment.

    Where either side is silent no ratio can be met: the two are added as they are.

    Parameters
    ----------
    speech, noise : float32, shape (examples, samples)
    snr_db : float32, shape (examples,), 20 log10(rms(speech) / rms(scaled noise))

    Returns
    -------
    noisy : float32, shape (examples, samples)
    """
    silent = (_rms(speech) < SILENCE_RMS) | (_rms(noise) < SILENCE_RMS)
    # A stand-in keeps the division finite in the rows that are replaced below.
    safe_noise = torch.where(silent[:, None], torch.ones_like(noise), noise)
    safe_speech = torch.where(silent[:, None], torch.ones_like(speech), speech)
    noisy: Tensor = add_noise(safe_speech, safe_noise, snr_db.to(speech))
    return torch.where(silent[:, None], speech + noise, noisy)


def place(sound: Tensor, rooms: Tensor | None, *, curve: Tensor, early_ms: float = 50.0) -> tuple[Tensor, Tensor]:
    """Put sound through rooms and an equaliser, by products of spectra.

    Parameters
    ----------
    sound : float32, shape (examples, samples)
    rooms : float32, shape (examples, taps), the direct sound at tap 0; a unit pulse is no room; None for none at all
    curve : float32, shape (examples, bins), gains of the equaliser
    early_ms : float, how much of the response the early part keeps

    Returns
    -------
    reverberant, early : float32, shape (examples, samples); the same with no rooms
    """
    length = sound.shape[1]
    n_fft = _n_fft(length)
    spectrum = torch.fft.rfft(sound, n_fft) * curve
    if rooms is None:
        dry = torch.fft.irfft(spectrum, n_fft)[:, :length]
        return dry, dry
    kept = torch.arange(rooms.shape[1], device=rooms.device) < early_ms * SAMPLE_RATE / 1000
    both = torch.stack([rooms, rooms * kept])  # (2, examples, taps)
    placed = torch.fft.irfft(spectrum * torch.fft.rfft(both, n_fft), n_fft)[..., :length]
    return placed[0], placed[1]


def curves(knots_db: Sequence[Sequence[float]], bands_hz: Sequence[tuple[float, float] | None], n_fft: int) -> Tensor:
    """Draw out equaliser knots and band limits to gains of shape (examples, n_fft // 2 + 1).

    Between the knots decibels run straight over the logarithm of frequency. Beyond the highest frequency of a band it
    falls by 60 dB over 300 Hz, below the lowest by 24 dB an octave.
    """
    frequency = np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE)
    octave = np.log2(np.maximum(frequency, 1.0))
    gains_db = np.stack([np.interp(octave, np.log2(EQUALISER_HZ), knots) for knots in knots_db])
    for row, band in zip(gains_db, bands_hz, strict=True):
        if band is not None:
            lowest, highest = band
            row -= np.clip((frequency - highest) / 5.0, 0, 60)
            row -= np.clip(24 * (np.log2(max(lowest, 1.0)) - octave), 0, 60)
    return torch.from_numpy((10 ** (gains_db / 20)).astype(np.float32))


def at_level(noisy: Tensor, clean: Tensor, *, level_dbfs: Tensor) -> tuple[Tensor, Tensor]:
    """Scale both sides alike so that the noisy one has the level, or less where its peak would pass full scale."""
    gain = 10 ** (level_dbfs.to(noisy) / 20) / _rms(noisy).clamp_min(SILENCE_RMS)
    gain = torch.minimum(gain, 0.99 / noisy.abs().amax(dim=1).clamp_min(SILENCE_RMS))
    return noisy * gain[:, None], clean * gain[:, None]


def clip_peaks(noisy: Tensor, shares: Sequence[float]) -> Tensor:
    """Clip so that a share of the samples of each example lies at the limit; a share of 0 leaves it alone."""
    clipped = noisy.clone()
    for row, share in zip(clipped, shares, strict=True):
        if share > 0:
            limit = row.abs().kthvalue(max(1, round((1 - share) * len(row)))).values
            row.clamp_(-limit, limit)
    return clipped


def _n_fft(length: int) -> int:
    """A transform long enough for the segment and the longest room, of small factors so that it is fast."""
    step = 2048
    return -(-(length + LONGEST_ROOM) // step) * step


def _rms(sound: Tensor) -> Tensor:
    return sound.square().mean(dim=1).sqrt()


def _lay(pieces: Sequence[Sequence[Piece]], bank: AnyBank, length: int) -> Tensor:
    """Lay the pieces of each example down on silence."""
    sound = torch.zeros(len(pieces), length, device=bank.device)
    for row, of_example in zip(sound, pieces, strict=True):
        for piece in of_example:
            row[piece.at : piece.at + piece.length] += _play(bank, piece) * piece.gain
    return sound


def _play(bank: AnyBank, piece: Piece) -> Tensor:
    """The samples of a piece at its speed, as if recorded at another rate: shape (piece.length,)."""
    if piece.speed == 1.0:
        return torch.as_tensor(bank.read(piece.recording, piece.offset, piece.length))
    was, becomes = round(piece.speed / SPEED_STEP), round(1 / SPEED_STEP)
    needed = -(-piece.length * was // becomes) + 1
    cut = torch.as_tensor(bank.read(piece.recording, piece.offset, needed))
    played: Tensor = resample(cut, was, becomes)[: piece.length]
    return played


def _all_noise(draws: Sequence[Draw], banks: Banks, length: int) -> Tensor:
    """Recorded, babbling and synthetic noise of each example, each brought to the same level before they add up."""
    kinds = [
        _lay([d.noise[:1] for d in draws], banks.noise, length),
        _lay([d.noise[1:] for d in draws], banks.noise, length),
        _lay([d.babble for d in draws], banks.speech, length),
        torch.stack([coloured_noise(d.synthetic, length) for d in draws]).to(banks.noise.device),
    ]
    total = torch.zeros_like(kinds[0])
    second = torch.tensor([d.noise[1].gain if len(d.noise) > 1 else 1.0 for d in draws], device=total.device)
    for kind, gain in zip(kinds, (None, second, None, None), strict=True):
        level = _rms(kind)
        unit = torch.where(level > SILENCE_RMS, 1 / level.clamp_min(SILENCE_RMS), torch.zeros_like(level))
        total += kind * (unit if gain is None else unit * gain)[:, None]
    for row, draw in zip(total, draws, strict=True):
        if draw.noise_step is not None:
            before, step_db = draw.noise_step
            row[round(before * length) :] *= 10 ** (step_db / 20)
    return total


def coloured_noise(synthetic: tuple[float, int] | None, length: int) -> Tensor:
    """Gaussian noise whose power falls as frequency to the slope: 0 white, -1 pink, -2 brown; silence for None."""
    if synthetic is None:
        return torch.zeros(length)
    slope, seed = synthetic
    white = np.random.default_rng(seed).standard_normal(length)
    frequency = np.maximum(np.fft.rfftfreq(length, 1 / SAMPLE_RATE), 20.0)  # flat below hearing
    noise = np.fft.irfft(np.fft.rfft(white) * frequency ** (slope / 2), length)
    return torch.from_numpy((noise / noise.std()).astype(np.float32))


def _rooms(numbers: Sequence[int | None], bank: AnyBank) -> Tensor:
    """The responses, direct sound 1 at tap 0; a unit pulse for no room."""
    responses = torch.zeros(len(numbers), LONGEST_ROOM, device=bank.device)
    responses[:, 0] = 1.0
    for row, number in zip(responses, numbers, strict=True):
        if number is not None:
            taps = min(int(bank.lengths[number]), LONGEST_ROOM)
            row[:taps] = torch.as_tensor(bank.read(number, 0, taps)) / DIRECT_PEAK
    return responses
