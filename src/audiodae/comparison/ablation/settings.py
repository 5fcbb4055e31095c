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
from audiodae.training.recipe_rules import PESQ_SECONDS
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
    base : that of the base, on whose validation examples all are judged
    """

    group: str
    name: str
    set: tuple[str, ...]
    recipe: Recipe
    base: Recipe

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
        """The name of its run folder. It holds a fingerprint: another recipe, or another judge, is another run."""
        name = re.sub(r"\W+", "-", f"{self.group} {self.name}".lower()).strip("-")
        return f"{name[:60]}-{self.seed}-{fingerprint(self)}"


def fingerprint(trial: Trial) -> str:
    """Eight letters for all that decides what a run finds."""
    recipe, judge = trial.recipe, trial.base.data
    data = msgspec.structs.replace(recipe.data, prepared=str(Path(recipe.data.prepared).resolve()))
    told = encode_recipe(msgspec.structs.replace(recipe, card=CardSettings(), data=data))
    told["judge"] = [msgspec.to_builtins(judge.mix), judge.valid_examples]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]


def load_ablation(path: Path, overrides: Iterable[str] = (), *, prepared: Path) -> list[Trial]:
    """Read a TOML file, with `key=value` overrides laid over it, and settle every run: those of the base first.

    Raises
    ------
    RecipeError
        An unknown key, a wrong type, a row whose recipe does not hold or that could be taken for the base, two rows
        that are the same run, or a base that cannot be judged.
    """
    settings = to_struct(read_tables(path, overrides), Ablation, source=str(path))
    if not settings.seeds:
        raise RecipeError(f"{path}: seeds needs one seed or more")
    for row in settings.row:
        if not row.group or row.name == BASE:
            raise RecipeError(f"{path}: row {row.name!r}: needs a group, and another name than {BASE!r}")
    first = Row(group="", name=BASE, set=(), seeds=settings.base_seeds)
    base = _recipe(path, settings, first, (first.seeds or settings.seeds)[0], prepared)
    trials = [
        Trial(row.group, row.name, row.set, _recipe(path, settings, row, seed, prepared), base)
        for row in (first, *settings.row)
        for seed in row.seeds or settings.seeds
    ]
    if base.data.source != "mix":
        raise RecipeError(f"{path}: an ablation needs data.source = mix")
    if base.data.mix.segment_seconds < PESQ_SECONDS:
        raise RecipeError(f"{path}: an ablation needs data.mix.segment_seconds of {PESQ_SECONDS} or more, for PESQ")
    _refuse_twins(path, trials)
    return trials


def _recipe(path: Path, settings: Ablation, row: Row, seed: int, prepared: Path) -> Recipe:
    if isinstance(settings.base, str):
        tables = read_tables(path.parent / settings.base)
    else:
        tables = json.loads(json.dumps(settings.base))  # a copy: overrides are laid over in place
    own = (f"run.steps={max(1, round(row.times * settings.steps))}", f"run.seed={seed}")
    for override in (*settings.set, *own, *row.set):
        lay_over(tables, override)
    tables.setdefault("data", {})["prepared"] = str(prepared)
    return decode_recipe(tables, source=f"{path}: {row.name}")


def _refuse_twins(path: Path, trials: list[Trial]) -> None:
    """Refuse two rows that are one run, such as a row that changes nothing, and two of one name in a table."""
    if len({(trial.group, trial.name, trial.seed) for trial in trials}) < len(trials):
        raise RecipeError(f"{path}: two rows of a group have the same name, or a row has the same seed twice")
    first: dict[str, str] = {}
    for trial in trials:
        same = first.setdefault(fingerprint(trial), f"{trial.group} {trial.name}")
        if same != f"{trial.group} {trial.name}":
            raise RecipeError(f"{path}: {trial.group}: {trial.name!r} is the same run as {same.strip()!r}")
