"""What an ablation is made of: a base recipe, and rows that each change something in it (`recipes/ablation.toml`)."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from audiodae.errors import RecipeError
from audiodae.training.recipe import CardSettings, Recipe
from audiodae.training.recipe_file import decode_recipe, encode_recipe
from audiodae.training.recipe_tables import lay_over, read_tables, to_struct

BASE = "base"


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change.

    Attributes
    ----------
    group : the table it stands in
    name : what it is called there
    set : table.key=value, laid over the base
    seeds : a run for each; none for those of the ablation
    times : as many steps as the others take, for rows whose steps cost more or less
    """

    group: str
    name: str
    set: tuple[str, ...]
    seeds: tuple[int, ...] = ()
    times: float = 1.0


class Ablation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole ablation.

    Attributes
    ----------
    base : a recipe file, its path beginning at this file's folder, or the tables of a recipe
    set : table.key=value, laid over the base for every run
    steps : of every run
    seeds : of every row that names none
    base_seeds : of the base; none for those of the rows
    row : the rows
    """

    base: str | dict[str, Any]
    steps: int
    set: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (1,)
    base_seeds: tuple[int, ...] = ()
    row: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Trial:
    """One training: a row with a seed.

    Attributes
    ----------
    group, name : of the row; the base has no group
    set : what the row changes
    recipe : the whole recipe as trained
    """

    group: str
    name: str
    set: tuple[str, ...]
    recipe: Recipe

    @property
    def seed(self) -> int:
        """Of the draws and of the first weights."""
        return self.recipe.run.seed

    @property
    def title(self) -> str:
        """What it is called where it stands alone."""
        return f"{self.group + ': ' if self.group else ''}{self.name}, seed {self.seed}"

    @property
    def folder(self) -> str:
        """The name of its run folder. It holds a fingerprint of the recipe: another recipe is another run."""
        name = re.sub(r"\W+", "-", f"{self.group} {self.name}".lower()).strip("-")
        return f"{name[:60]}-{self.seed}-{fingerprint(self.recipe)}"


def fingerprint(recipe: Recipe) -> str:
    """Eight letters for all that decides what a run finds."""
    data = msgspec.structs.replace(recipe.data, prepared=str(Path(recipe.data.prepared).resolve()))
    told = encode_recipe(msgspec.structs.replace(recipe, card=CardSettings(), data=data))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]


def load_ablation(path: Path, overrides: Iterable[str] = (), *, prepared: Path) -> list[Trial]:
    """Read a TOML file, with `key=value` overrides laid over it, and settle every run: those of the base first.

    Raises
    ------
    RecipeError
        An unknown key, a wrong type, a row whose recipe does not hold, or two rows that are the same run.
    """
    settings = to_struct(read_tables(path, overrides), Ablation, source=str(path))
    if not settings.seeds:
        raise RecipeError(f"{path}: seeds needs one seed or more")
    base = Row(group="", name=BASE, set=(), seeds=settings.base_seeds)
    trials = [
        _trial(path, settings, row, seed, prepared)
        for row in (base, *settings.row)
        for seed in row.seeds or settings.seeds
    ]
    if trials[0].recipe.data.source != "mix":
        raise RecipeError(f"{path}: an ablation needs data.source = mix")
    _refuse_twins(path, trials)
    return trials


def _trial(path: Path, settings: Ablation, row: Row, seed: int, prepared: Path) -> Trial:
    if isinstance(settings.base, str):
        tables = read_tables(path.parent / settings.base)
    else:
        tables = json.loads(json.dumps(settings.base))  # a copy: overrides are laid over in place
    own = (f"run.steps={max(1, round(row.times * settings.steps))}", f"run.seed={seed}")
    for override in (*settings.set, *own, *row.set):
        lay_over(tables, override)
    tables.setdefault("data", {})["prepared"] = str(prepared)
    return Trial(row.group, row.name, row.set, decode_recipe(tables, source=f"{path}: {row.name}"))


def _refuse_twins(path: Path, trials: list[Trial]) -> None:
    """Refuse two rows that are one run, such as a row that changes nothing, and two of one name in a table."""
    if len({(trial.group, trial.name, trial.seed) for trial in trials}) < len(trials):
        raise RecipeError(f"{path}: two rows of a group have the same name, or a row has the same seed twice")
    first: dict[str, str] = {}
    for trial in trials:
        same = first.setdefault(fingerprint(trial.recipe), f"{trial.group} {trial.name}")
        if same != f"{trial.group} {trial.name}":
            raise RecipeError(f"{path}: {trial.group}: {trial.name!r} is the same run as {same.strip()!r}")
