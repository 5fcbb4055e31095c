"""What a comparison is made of: `recipes/compare_autoencoders.toml` holds its numbers."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from audiodae.errors import RecipeError
from audiodae.training.families import FAMILIES, family_recipe
from audiodae.training.family_recipe import BodySettings, FamilyRecipe
from audiodae.training.recipe_tables import read_tables, to_struct

SubjectName = Literal["spoken", "handwritten"]


class SubjectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the families meet one kind of digits.

    Attributes
    ----------
    families : which rows of the table of families; none for all
    overrides : table.key=value, laid over every family
    common_body : more of them, for the families whose row names no body of its own
    own_overrides : more of them for single families
    levels : of the test's noise: signal-to-noise ratios in dB (spoken), or standard deviations (handwritten)
    level : the one that stands in the tables
    denoiser : the family held against plain, which sees clean input only
    plain : the family of the same body and code, without corruption
    train_most : patches to train on, at most
    unseen : the digit that is kept from a second training of each family, to be found as an anomaly
    unseen_epochs_share : of the epochs, for that training
    by_speaker : families that are trained again without each speaker, and measured on that speaker
    """

    families: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    common_body: tuple[str, ...] = ()
    own_overrides: dict[str, tuple[str, ...]] = {}
    levels: tuple[float, ...] = ()
    level: float = 0.0
    denoiser: str = "denoising-gaussian"
    plain: str = "undercomplete"
    train_most: int = 10_000
    unseen: int = 9
    unseen_epochs_share: float = 0.5
    by_speaker: tuple[str, ...] = ()


class ComparisonSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole comparison.

    Attributes
    ----------
    seeds : one training of each family for each
    spoken, handwritten : the two kinds of digits
    """

    seeds: tuple[int, ...] = (1, 2, 3)
    spoken: SubjectSettings = SubjectSettings(levels=(20, 10, 5, 0, -5), level=5, denoiser="denoising-mixed")
    handwritten: SubjectSettings = SubjectSettings(levels=(0.25, 0.5, 0.75, 1.0), level=0.5)

    def of(self, subject: SubjectName) -> SubjectSettings:
        """The settings of one kind of digits."""
        return self.spoken if subject == "spoken" else self.handwritten


def settled(name: str, seed: int, subject: SubjectSettings, *, epochs_share: float = 1.0) -> FamilyRecipe:
    """The recipe of one training: the family's row with all that the comparison lays over it.

    Raises
    ------
    RecipeError
        An override does not fit the family.
    """
    common = subject.common_body if FAMILIES[name].body == BodySettings() else ()
    overrides = [*subject.overrides, *common, *subject.own_overrides.get(name, ())]
    recipe = family_recipe(name, [*overrides, f"run.seed={seed}", "run.threads=1"])
    epochs = max(1, round(epochs_share * recipe.run.epochs))
    return msgspec.structs.replace(recipe, run=msgspec.structs.replace(recipe.run, epochs=epochs))


def load_comparison(path: Path, overrides: Iterable[str] = ()) -> ComparisonSettings:
    """Read a TOML file, with `key=value` overrides laid over it.

    Raises
    ------
    RecipeError
        An unknown key or family, a wrong type, no seeds, or a level that is not among the levels.
    """
    settings: ComparisonSettings = to_struct(read_tables(path, overrides), ComparisonSettings, source=str(path))
    if not settings.seeds:
        raise RecipeError(f"{path}: seeds needs one seed or more")
    for name, subject in (("spoken", settings.spoken), ("handwritten", settings.handwritten)):
        named = {*subject.families, *subject.own_overrides, *subject.by_speaker, subject.denoiser, subject.plain}
        unknown = sorted(named - {*FAMILIES})
        if unknown:
            raise RecipeError(f"{path}: {name}: unknown family {unknown[0]}; known are {', '.join(FAMILIES)}")
        if subject.level not in subject.levels:
            raise RecipeError(f"{path}: {name}.level = {subject.level:g} needs to be one of {name}.levels")
    return settings
