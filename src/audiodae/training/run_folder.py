"""The run folder: everything a training run leaves behind, each file whole or absent.

::

    recipe.toml          the recipe as run, defaults filled in
    log.jsonl            a line every few steps, and one for each look at the validation set
    last.safetensors     everything needed to go on: weights, their average, the optimiser's memory, counters
    best.safetensors     the averaged weights with the lowest validation loss
    curves.png           losses and SI-SDR over the steps
    pictures/            before, after and clean spectrograms of a few validation examples

A checkpoint is one safetensors file: tensors by name, and JSON for the rest in its metadata. Nothing is pickled.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from audiodae.errors import TrainingError
from audiodae.training.recipe import Recipe
from audiodae.training.recipe_file import encode_recipe, load_recipe
from audiodae.whole_file import write_whole

RECIPE, LOG, LAST, BEST = "recipe.toml", "log.jsonl", "last.safetensors", "best.safetensors"


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Store tensors and JSON-able facts in one file."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, save(plain, metadata={"facts": json.dumps(facts, sort_keys=True)}))


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Give back what `write_checkpoint` stored, on the CPU.

    Raises
    ------
    TrainingError
        The file is missing, damaged or not one of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            facts = json.loads(file.metadata()["facts"])
    except (OSError, SafetensorError, TypeError, KeyError, ValueError) as error:
        raise TrainingError(f"{path}: not a checkpoint of a training run ({error})") from error
    return tensors, facts


class RunFolder:
    """The folder of one run: where each thing lies, and the log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last, self.best, self.log = folder / LAST, folder / BEST, folder / LOG
        self.curves = folder / "curves.png"

    def begin(self, recipe: Recipe) -> None:
        """Make the folder and keep the recipe in it.

        Raises
        ------
        TrainingError
            A run lies there already, or the folder cannot be written.
        """
        if self.last.exists() or self.log.exists():
            raise TrainingError(f"{self.folder} holds a run: go on with --resume, or choose another --out")
        try:
            (self.folder / "pictures").mkdir(parents=True, exist_ok=True)
            self.keep_recipe(recipe)
        except OSError as error:
            raise TrainingError(f"{self.folder}: cannot be written ({error})") from error

    def keep_recipe(self, recipe: Recipe) -> None:
        """Write the recipe, every default filled in."""
        write_whole(self.folder / RECIPE, msgspec.toml.encode(encode_recipe(recipe)))

    def picture(self, step: int) -> Path:
        """Where the spectrograms of a step go."""
        return self.folder / "pictures" / f"{step:07d}.png"

    def recipe(self, overrides: Iterable[str] = ()) -> Recipe:
        """The recipe that the run was started with, with `key.key=value` overrides laid over it."""
        return load_recipe(self.folder / RECIPE, overrides)

    def append(self, line: Mapping[str, Any]) -> None:
        """Add a line to the log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """The log's lines; a last line that a kill cut short is left out."""
        if not self.log.exists():
            return []
        whole = self.log.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in whole]

    def forget_after(self, step: int) -> None:
        """Drop log lines beyond the checkpoint that a run resumes from: those steps are about to be taken again."""
        kept = [line for line in self.lines() if line["step"] <= step]
        write_whole(self.log, "".join(json.dumps(line) + "\n" for line in kept).encode())
