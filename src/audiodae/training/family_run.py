"""A run of a family: patches in, a trained patch autoencoder out. Small enough to hold in memory, on the CPU.

::

    recipe.toml          the recipe as run, defaults filled in
    log.jsonl            a line an epoch
    curves.png           its losses
    model.safetensors    the network, with its recipe and shape: all that using it needs

The same recipe and patches give the same weights on the same machine: everything random comes from run.seed.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Generator, Tensor

from audiodae.errors import TrainingError
from audiodae.plots import draw_curves
from audiodae.prep.noisy_patches import noisy_patches, read_noises
from audiodae.prep.patch_sets import Patches
from audiodae.training.corruption import corrupt
from audiodae.training.family_loss import family_terms, patch_error
from audiodae.training.family_recipe import FamilyRecipe, encode_family_recipe
from audiodae.training.optimise import learning_rate, make_optimiser
from audiodae.training.patch_autoencoder import MODEL, PatchAutoencoder
from audiodae.training.run_folder import LOG, RECIPE
from audiodae.whole_file import write_whole

VALID_SEED = 0  # the noise that runs are judged by is the same for all

Report = Callable[[dict[str, Any]], None]
Terms = Callable[[Tensor, Tensor], dict[str, Tensor]]  # of noisy and clean patches


@dataclass(frozen=True)
class Trained:
    """What a run leaves: the network, ready to use, the lines of its log, and how long it took."""

    network: PatchAutoencoder
    history: list[dict[str, Any]]
    seconds: float


class Corrupted:
    """Clean patches, and noisy ones made anew each time they are asked for."""

    def __init__(self, patches: Patches, recipe: FamilyRecipe, *, seed: int, versions: int) -> None:
        settings = recipe.corruption
        self.clean = torch.from_numpy(patches.clean)
        self.settings, self.generator = settings, Generator().manual_seed(seed)
        self.versions: Tensor | None = None
        if settings.kind == "mixed":
            made = noisy_patches(
                patches,
                read_noises(settings.noise, recipe.patches.sample_rate, seed=seed),
                snr_db=settings.snr_db,
                seed=seed,
                versions=versions,
                clean_share=settings.clean_share,
            )
            self.versions = torch.from_numpy(made)

    def __len__(self) -> int:
        return len(self.clean)

    def batch(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Noisy and clean patches at these places."""
        clean = self.clean[places]
        if self.versions is None:
            return corrupt(clean, self.settings, self.generator), clean
        version = torch.randint(len(self.versions), (len(places),), generator=self.generator)
        return self.versions[version, places], clean

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All patches once, in an order of its own each time, in batches of `size` or a few less."""
        order = torch.randperm(len(self), generator=self.generator)
        # Shared out evenly: a last batch of one would leave batch normalisation nothing to compare.
        for places in torch.tensor_split(order, batches_of(len(self), size)):
            yield self.batch(places)


def batches_of(patches: int, size: int) -> int:
    """How many batches a round through the patches has."""
    return math.ceil(patches / size)


def train_family(
    recipe: FamilyRecipe, train: Patches, valid: Patches, *, out: Path | None = None, report: Report | None = None
) -> Trained:
    """Train as the recipe says: each stage by itself where it asks for it, then all together.

    Parameters
    ----------
    train, valid : patches of one shape
    out : the run folder to make; None leaves nothing behind
    report : called with each line of the log, after each epoch

    Raises
    ------
    TrainingError
        There are too few patches, the folder holds a run or cannot be written, or the loss is no number.
    CorpusError
        The corruption mixes noise into recordings, and the patches are of images.
    """
    started = time.perf_counter()
    if len(train) < 2 or not len(valid):
        raise TrainingError(f"{len(train)} patches to train on and {len(valid)} to judge by: need 2 and 1, or more")
    if out is not None:
        _begin(recipe, out)
    history: list[dict[str, Any]] = []

    def note(line: dict[str, Any]) -> None:
        history.append(line)
        if out is not None:
            with (out / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        if report is not None:
            report(line)

    with _alone(recipe):
        network = PatchAutoencoder.build(recipe, (train.clean.shape[1], train.clean.shape[2]))
        data = Corrupted(train, recipe, seed=recipe.run.seed, versions=recipe.corruption.versions)
        if recipe.run.pretrain_epochs:
            for number in range(len(network.stages)):
                pretrain(network, number, data, note)
        fit(network, data, Corrupted(valid, recipe, seed=VALID_SEED, versions=1), note)
    network.eval()
    if out is not None:
        network.save(out / MODEL)
        draw_curves(history, out / "curves.png")
    return Trained(network, history, time.perf_counter() - started)


def pretrain(network: PatchAutoencoder, number: int, data: Corrupted, note: Report) -> None:
    """Train one stage by itself to give back what it is given, the others frozen (greedy; Bengio et al. 2006)."""
    recipe, stage, before = network.recipe, network.stages[number], network.stages[:number]

    def terms(noisy: Tensor, clean: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            for frozen in before:
                noisy, clean = frozen.encode(noisy), frozen.encode(clean)
        kind = "mse" if number else recipe.loss.error  # features do not lie in [0, 1]
        return {"error": patch_error(stage.decode(stage.encode(noisy)), clean, kind)}

    network.requires_grad_(False).eval()
    stage.requires_grad_(True).train()
    epochs = recipe.run.pretrain_epochs
    for line in _epochs(network, data, terms, epochs, before=number * epochs):
        note({"stage": number, "epoch": line["epoch"], "step": line["step"], "stage_loss": line["loss"]})
    network.requires_grad_(True)


def fit(network: PatchAutoencoder, data: Corrupted, valid: Corrupted, note: Report) -> None:
    """Train all stages together."""

    def terms(noisy: Tensor, clean: Tensor) -> dict[str, Tensor]:
        return family_terms(network, noisy, clean, data.generator)

    run = network.recipe.run
    network.train()
    for line in _epochs(network, data, terms, run.epochs, before=len(network.stages) * run.pretrain_epochs):
        note(line | judge(network, valid))
        network.train()


def judge(network: PatchAutoencoder, valid: Corrupted) -> dict[str, float]:
    """The loss of the validation patches, and the mean square error of a value, always with the same noise."""
    network.eval()
    generator = valid.generator.manual_seed(VALID_SEED)
    with torch.no_grad():
        noisy, clean = valid.batch(torch.arange(len(valid)))
        loss = torch.stack(list(family_terms(network, noisy, clean, generator).values())).sum()
        error = (network(noisy) - clean).square().mean()
    return {"valid_loss": float(loss), "valid_mse": float(error)}


def _epochs(
    network: PatchAutoencoder, data: Corrupted, terms: Terms, epochs: int, *, before: int
) -> Iterator[dict[str, Any]]:
    """Take the steps of some epochs, after those before, with whatever is not frozen; give a line after each."""
    settings, size = network.recipe.optimiser, network.recipe.run.batch_size
    moving = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = make_optimiser(moving, settings)
    in_epoch, step = batches_of(len(data), size), 0
    for epoch in range(1, epochs + 1):
        total: dict[str, float] = {}
        for noisy, clean in data.batches(size):
            optimiser.param_groups[0]["lr"] = learning_rate(step, epochs * in_epoch, settings)
            made = terms(noisy, clean)
            loss = torch.stack(list(made.values())).sum()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(moving, settings.gradient_clip)
            optimiser.step()
            step += 1
            for name, value in {"loss": loss, **made}.items():
                total[name] = total.get(name, 0.0) + float(value.detach()) * len(clean) / len(data)
        if not math.isfinite(total["loss"]):
            raise TrainingError(f"epoch {epoch}: the loss is no number; lower optimiser.learning_rate")
        yield {"epoch": epoch, "step": before * in_epoch + step, **total}


@contextmanager
def _alone(recipe: FamilyRecipe) -> Iterator[None]:
    """Seed torch, and set its threads, for a while: weights and dropout draw from its own generator."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.run.seed)
        torch.set_num_threads(recipe.run.threads or threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _begin(recipe: FamilyRecipe, out: Path) -> None:
    if (out / LOG).exists() or (out / MODEL).exists():
        raise TrainingError(f"{out} holds a run: choose another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / RECIPE, msgspec.toml.encode(encode_family_recipe(recipe)))
    except OSError as error:
        raise TrainingError(f"{out}: cannot be written ({error})") from error
