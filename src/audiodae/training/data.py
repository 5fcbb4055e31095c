"""Batches of pairs, numbered by the step they are for.

Batch number s is the same whenever and by whomever it is made: it is drawn from (seed, s) alone. So a run resumes
exactly, and any number of workers or GPUs share the work without a word to each other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from audiodae.errors import RecipeError, ShardError
from audiodae.prep.bank import Bank
from audiodae.prep.corpus import KINDS, Kind
from audiodae.prep.draws import Banks, DrawSettings, Split, draw_example
from audiodae.prep.mixing import mix
from audiodae.prep.resident import ResidentBank
from audiodae.prep.series.bank import SeriesBank, bank_path
from audiodae.prep.series.draws import SeriesDrawSettings
from audiodae.prep.series.mixing import check_bank, series_batch
from audiodae.prep.shards import read_shard, shard_paths
from audiodae.training.recipe import DataSettings, Recipe
from audiodae.training.task import Batch


@dataclass(frozen=True)
class Share:
    """Which part of each step's examples this process makes: number `rank` of `world`."""

    rank: int = 0
    world: int = 1


class MixedPairs(Dataset[Batch]):
    """Waveforms mixed on the fly: item s is (noisy, clean), each float32 of shape (batch, samples)."""

    def __init__(
        self, banks: Banks, *, split: Split, settings: DrawSettings, seed: int, batch_size: int, share: Share
    ) -> None:
        self.banks, self.split, self.settings = banks, split, settings
        self.seed, self.batch_size, self.share = seed, batch_size, share

    def __getitem__(self, step: int) -> Batch:
        first = (step * self.share.world + self.share.rank) * self.batch_size
        draws = [
            draw_example(seed=self.seed, split=self.split, index=index, banks=self.banks, settings=self.settings)
            for index in range(first, first + self.batch_size)
        ]
        return mix(draws, self.banks, length=self.settings.segment_samples, early_ms=self.settings.early_ms)


class ShardPairs(Dataset[Batch]):
    """Magnitudes read from shards: item s is (noisy, clean), each float32 of shape (batch, frames, bins).

    An epoch goes once through all examples in an order of its own; what does not fill a batch is left for another.
    Shards stay on disk: a row is read when its turn comes.
    """

    def __init__(self, folder: Path, *, split: Split, seed: int, batch_size: int, share: Share) -> None:
        paths = shard_paths(folder, split)
        if not paths:
            raise ShardError(f"{folder}: no {split} shards; prepare with --hours above 0, or set data.source = mix")
        self.ends = np.cumsum([len(read_shard(path).noisy) for path in paths])  # reads, and so checks, each of them
        self._files = [safe_open(path, framework="pt") for path in paths]
        examples = int(self.ends[-1])
        self.batches = examples // (batch_size * share.world)
        if self.batches == 0:
            raise ShardError(
                f"{folder}: {examples} {split} examples do not fill a batch of {batch_size * share.world}; "
                "prepare more --hours, or lower run.batch_size"
            )
        self.seed, self.batch_size, self.share = seed, batch_size, share

    def __getitem__(self, step: int) -> Batch:
        epoch, batch = divmod(step, self.batches)
        order = np.random.default_rng([self.seed, epoch]).permutation(int(self.ends[-1]))
        first = (batch * self.share.world + self.share.rank) * self.batch_size
        rows = order[first : first + self.batch_size]
        return self._read("noisy", rows), self._read("clean", rows)

    def _read(self, side: str, rows: npt.NDArray[np.int64]) -> Tensor:
        shards = np.searchsorted(self.ends, rows, side="right")
        starts = np.concatenate([[0], self.ends])
        read = [
            self._files[shard].get_slice(side)[int(row - starts[shard])]
            for row, shard in zip(rows, shards, strict=True)
        ]
        return torch.stack(read).float()


class SeriesPairs(Dataset[Batch]):
    """Time series mixed on the fly: item s is (noisy, clean, weights), each float32 of shape (rows, samples)."""

    def __init__(
        self, bank: SeriesBank, *, split: Split, settings: SeriesDrawSettings, seed: int, batch_size: int, share: Share
    ) -> None:
        self.bank, self.split, self.settings = bank, split, settings
        self.seed, self.batch_size, self.share = seed, batch_size, share

    def __getitem__(self, step: int) -> Batch:
        number = step * self.share.world + self.share.rank
        sides = series_batch(self.seed, self.split, number, self.batch_size, self.bank, self.settings)
        return tuple(torch.from_numpy(side) for side in sides)


def examples_in(folder: Path, split: Split) -> int:
    """How many examples the shards of a split hold."""
    return sum(len(read_shard(path).noisy) for path in shard_paths(folder, split))


def load_banks(
    prepared: Path, split: Split, device: torch.device, *, shares: Mapping[Kind, float] | None = None
) -> Banks:
    """The banks of one split of a prepared folder: on disk for a CPU, in its memory for a GPU.

    `shares` says what share of the recordings of a kind to use; of other kinds it is all.
    """
    banks = [Bank.load(prepared / "bank" / split / kind, share=(shares or {}).get(kind, 1.0)) for kind in KINDS]
    return Banks(*(banks if device.type == "cpu" else (ResidentBank(bank, device) for bank in banks)))


def make_pairs(recipe: Recipe, *, split: Split, batch_size: int, share: Share, device: torch.device) -> Dataset[Batch]:
    """The data that a recipe asks for: train is drawn with the run's seed, valid with a fixed one."""
    settings: DataSettings = recipe.data
    prepared = Path(settings.prepared)
    if not settings.prepared or not prepared.is_dir():
        makers = "prepare_ecg.py or prepare_series.py" if settings.source == "series" else "prepare_speech.py"
        raise RecipeError(f"data.prepared = {settings.prepared!r}: no such folder; make it with {makers}")
    seed = recipe.run.seed if split == "train" else 0
    if settings.source == "series":
        bank = _load_series(recipe, split)
        return SeriesPairs(bank, split=split, settings=settings.series, seed=seed, batch_size=batch_size, share=share)
    if settings.source == "shards":
        if split == "valid":  # there may be few, and they are judged by one process
            batch_size = min(batch_size, max(examples_in(prepared, split), 1))
        return ShardPairs(prepared, split=split, seed=seed, batch_size=batch_size, share=share)
    shares: dict[Kind, float] = {"speech": settings.speech_share, "noise": settings.noise_share}
    banks = load_banks(prepared, split, device, shares=shares if split == "train" else None)
    return MixedPairs(banks, split=split, settings=settings.mix, seed=seed, batch_size=batch_size, share=share)


def _load_series(recipe: Recipe, split: Split) -> SeriesBank:
    bank = SeriesBank.load(bank_path(recipe.data.prepared, split))
    if bank.header.rate_hz != recipe.network.wave.rate_hz:
        raise RecipeError(
            f"{bank.path}: holds {bank.header.rate_hz:g} Hz, and network.wave.rate_hz is "
            f"{recipe.network.wave.rate_hz:g}; make them one"
        )
    check_bank(bank, recipe.data.series)
    return bank


def feed(pairs: Dataset[Batch], steps: Sequence[int], *, workers: int, device: torch.device) -> Iterator[Batch]:
    """The batches of these steps, in order, made ahead by worker processes (none: made when asked for)."""
    loader = DataLoader(
        pairs,
        batch_size=None,
        sampler=list(steps),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=device.type == "cuda" and workers > 0,
        # A fork would copy the locks of running threads; a spawned worker opens the memory-mapped banks anew.
        multiprocessing_context="spawn" if workers else None,
    )
    for batch in loader:
        yield tuple(side.to(device, non_blocking=True) for side in batch)
