"""Shards: files of prepared examples, and the lines that tell how each was made.

    OUT/shards/SPLIT/00000.safetensors   tensors noisy and clean, float16, shape (examples, frames, bins): magnitudes; a
                                         full-scale sine reads 1; --phase adds phase of noisy
    OUT/manifest/SPLIT/00000.jsonl       a `ManifestLine` per example, in the same order

The header of a shard lies in the safetensors metadata under one key, as JSON: safetensors writes several keys in an
order that changes from run to run. Sixteen bits keep magnitudes to 0.05 % down to -84 dB and to 1 % down to -110 dB.
Files appear by rename, complete or not at all.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import safetensors
import safetensors.torch
from torch import Tensor

from audiodae.errors import ShardError
from audiodae.frames import FrameGeometry
from audiodae.prep.decode import SAMPLE_RATE
from audiodae.whole_file import write_whole

FORMAT = 1
HEADER_KEY = "audiodae"
SPEECH_FRAMES = FrameGeometry.for_rate(SAMPLE_RATE)


class ShardHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a shard says of itself: its format, its frames (Hz, samples), and the draws it holds."""

    format: int
    sample_rate: int
    n_fft: int
    hop_length: int
    seed: int
    split: str
    number: int


@dataclass(frozen=True)
class Shard:
    """Examples of one shard.

    Attributes
    ----------
    header : where they come from
    noisy, clean : float16, shape (examples, frames, bins), magnitudes
    phase : float16, same shape, of noisy, radians; None where it was not kept
    """

    header: ShardHeader
    noisy: Tensor
    clean: Tensor
    phase: Tensor | None = None


def shard_path(folder: Path, split: str, number: int) -> Path:
    """Where shard `number` of a split lies in a prepared folder."""
    return folder / "shards" / split / f"{number:05d}.safetensors"


def manifest_path(folder: Path, split: str, number: int) -> Path:
    """Where the lines of shard `number` of a split lie in a prepared folder."""
    return folder / "manifest" / split / f"{number:05d}.jsonl"


def shard_paths(folder: Path, split: str) -> list[Path]:
    """The shards of a split in a prepared folder, in order; none where there are none."""
    return sorted((folder / "shards" / split).glob("[0-9]*.safetensors"))


def write_shard(path: Path, shard: Shard) -> None:
    """Write a shard, the same bytes for the same examples."""
    tensors = {"noisy": shard.noisy, "clean": shard.clean} | ({} if shard.phase is None else {"phase": shard.phase})
    header = msgspec.json.encode(shard.header).decode()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, safetensors.torch.save(tensors, metadata={HEADER_KEY: header}))


def read_shard(path: Path, geometry: FrameGeometry = SPEECH_FRAMES) -> Shard:
    """Read a shard whole.

    Raises
    ------
    ShardError
        The file is missing, damaged or no shard, of another format, or made with other frames than `geometry`.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = msgspec.json.decode((file.metadata() or {}).get(HEADER_KEY, ""), type=ShardHeader)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no dictionary)
    except (OSError, safetensors.SafetensorError, msgspec.MsgspecError) as error:
        raise ShardError(f"{path}: not a shard that can be read ({error}); delete it and prepare again") from error
    if header.format != FORMAT:
        raise ShardError(f"{path}: shards of format {header.format}, this audiodae reads {FORMAT}; prepare again")
    made = (header.sample_rate, header.n_fft, header.hop_length)
    wanted = (geometry.sample_rate, geometry.n_fft, geometry.hop_length)
    if made != wanted:
        raise ShardError(f"{path}: made with frames {_told(made)}, but {_told(wanted)} are needed; prepare again")
    if not {"noisy", "clean"} <= set(tensors) or tensors["noisy"].shape != tensors["clean"].shape:
        raise ShardError(f"{path}: need tensors noisy and clean of one shape; delete it and prepare again")
    return Shard(header, tensors["noisy"], tensors["clean"], tensors.get("phase"))


def _told(frames: tuple[int, int, int]) -> str:
    sample_rate, n_fft, hop_length = frames
    return f"of {n_fft} samples every {hop_length} at {sample_rate} Hz"
