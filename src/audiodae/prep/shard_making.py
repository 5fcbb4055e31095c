"""Making shards: which examples go into which file, and one file at a time by any process."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch

from audiodae.prep.bank import Bank
from audiodae.prep.corpus import KINDS
from audiodae.prep.draws import Banks, Split, draw_example
from audiodae.prep.examples import manifest_line, mix_one, to_example
from audiodae.prep.settings import PrepareSettings
from audiodae.prep.shards import (
    FORMAT,
    SPEECH_FRAMES,
    Shard,
    ShardHeader,
    manifest_path,
    shard_path,
    write_shard,
)
from audiodae.whole_file import write_whole

SHARD_EXAMPLES = 128  # 16 MB at two seconds
VALID_SHARE, MOST_VALID_HOURS = 0.1, 1.0  # of the hours for training


@dataclass(frozen=True)
class ShardTask:
    """One shard to make: examples `first` to `stop` of a split."""

    out: Path
    settings: PrepareSettings
    split: Split
    number: int
    first: int
    stop: int

    @property
    def path(self) -> Path:
        """Where the shard goes."""
        return shard_path(self.out, self.split, self.number)


def shard_tasks(out: Path, settings: PrepareSettings) -> list[ShardTask]:
    """The shards of a preparation: those for training, then those for validation."""
    valid_hours = min(VALID_SHARE * settings.hours, MOST_VALID_HOURS)
    hours: dict[Split, float] = {"train": settings.hours, "valid": valid_hours}
    tasks = []
    for split, amount in hours.items():
        examples = int(np.ceil(amount * 3600 / settings.mix.segment_seconds))
        for number, first in enumerate(range(0, examples, SHARD_EXAMPLES)):
            tasks.append(ShardTask(out, settings, split, number, first, min(first + SHARD_EXAMPLES, examples)))
    return tasks


def make_shard(task: ShardTask) -> None:
    """Mix the examples of one shard and write it, its part of the manifest first: where a shard is, both are."""
    banks, settings, mix = load_banks(task.out, task.split), task.settings, task.settings.mix
    lines, examples = [], []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the processes are the parallelism, and sums in another order would be other bytes
    try:
        for index in range(task.first, task.stop):
            draw = draw_example(seed=settings.seed, split=task.split, index=index, banks=banks, settings=mix)
            length, early_ms = mix.segment_samples, mix.early_ms
            lines.append(manifest_line(draw, banks, seed=settings.seed, length=length, early_ms=early_ms))
            examples.append(to_example(*mix_one(draw, banks, length=length, early_ms=early_ms)))
    finally:
        torch.set_num_threads(threads)
    manifest = manifest_path(task.out, task.split, task.number)
    manifest.parent.mkdir(parents=True, exist_ok=True)
    write_whole(manifest, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    write_shard(
        task.path,
        Shard(
            header=_header(task),
            noisy=torch.from_numpy(np.stack([example.noisy for example in examples])),
            clean=torch.from_numpy(np.stack([example.clean for example in examples])),
            phase=torch.from_numpy(np.stack([example.phase for example in examples])) if settings.phase else None,
        ),
    )


def load_banks(out: Path, split: Split) -> Banks:
    """The banks of one split of a prepared folder."""
    speech, noise, rooms = (Bank.load(out / "bank" / split / kind) for kind in KINDS)
    return Banks(speech, noise, rooms)


def _header(task: ShardTask) -> ShardHeader:
    return ShardHeader(
        format=FORMAT,
        sample_rate=SPEECH_FRAMES.sample_rate,
        n_fft=SPEECH_FRAMES.n_fft,
        hop_length=SPEECH_FRAMES.hop_length,
        seed=task.settings.seed,
        split=task.split,
        number=task.number,
    )
