"""Examples: from a draw to the magnitudes in a shard, and from a line of the manifest to the same magnitudes again.

Examples are mixed one at a time. A transform of many rows may round otherwise than that of one, and a line of the
manifest must give the very numbers of the shard.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from audiodae.errors import ShardError
from audiodae.frames import analyse
from audiodae.prep.bank import Bank
from audiodae.prep.draws import AnyBank, Banks, Draw, Piece
from audiodae.prep.mixing import mix
from audiodae.prep.shards import SPEECH_FRAMES

Magnitudes = npt.NDArray[np.float16]
Samples = npt.NDArray[np.float32]


class ManifestLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one example was made: the draw, the mixing settings, and the paths of the recordings that the draw numbers.

    Attributes
    ----------
    seed : the preparation's
    length : samples
    early_ms : what the target keeps of a room
    draw : recordings by number, offsets, gains, SNR, level, room, equalisers
    speech, noise, babble : paths of the recordings, one per piece of the draw
    room : path of the room response, or None
    """

    seed: int
    length: int
    early_ms: float
    draw: Draw
    speech: tuple[str, ...]
    noise: tuple[str, ...]
    babble: tuple[str, ...]
    room: str | None


@dataclass(frozen=True)
class Example:
    """One pair: float16 magnitudes of shape (frames, bins), and the phase of the noisy side in radians."""

    noisy: Magnitudes
    clean: Magnitudes
    phase: Magnitudes


def manifest_line(draw: Draw, banks: Banks, *, seed: int, length: int, early_ms: float) -> ManifestLine:
    """Write down how an example is made."""
    return ManifestLine(
        seed=seed,
        length=length,
        early_ms=early_ms,
        draw=draw,
        speech=_paths(draw.speech, banks.speech),
        noise=_paths(draw.noise, banks.noise),
        babble=_paths(draw.babble, banks.speech),
        room=None if draw.room is None else _path(draw.room, banks.rooms),
    )


def mix_one(draw: Draw, banks: Banks, *, length: int, early_ms: float) -> tuple[Samples, Samples]:
    """The waveforms of one example: noisy and clean, float32 of shape (samples,)."""
    noisy, clean = mix([draw], banks, length=length, early_ms=early_ms)
    return noisy[0].cpu().numpy(), clean[0].cpu().numpy()


def to_example(noisy: Samples, clean: Samples) -> Example:
    """The magnitudes of a pair of waveforms, as a shard keeps them."""
    spectrum = analyse(np.stack([noisy, clean]), SPEECH_FRAMES)  # (2, frames, bins)
    magnitude = np.abs(spectrum).astype(np.float16)
    return Example(magnitude[0], magnitude[1], np.angle(spectrum[0]).astype(np.float16))


def remake(line: ManifestLine, banks: Banks) -> Example:
    """Make an example again, equal to the one in the shard.

    Parameters
    ----------
    line : of the manifest
    banks : of the split of the example, from the same preparation

    Raises
    ------
    ShardError
        The banks hold other recordings than those the line names.
    """
    try:
        again = manifest_line(line.draw, banks, seed=line.seed, length=line.length, early_ms=line.early_ms)
        same = again == line
    except IndexError:
        same = False
    if not same:
        raise ShardError(f"example {line.draw.index}: the banks hold other recordings than its manifest line names")
    return to_example(*mix_one(line.draw, banks, length=line.length, early_ms=line.early_ms))


def _paths(pieces: Sequence[Piece], bank: AnyBank) -> tuple[str, ...]:
    return tuple(_path(piece.recording, bank) for piece in pieces)


def _path(recording: int, bank: AnyBank) -> str:
    assert isinstance(bank, Bank), "a bank in a device's memory has no names"
    return bank.paths[recording]
