"""The families of autoencoders: a row each of body, corruption, code, loss and schedule. See docs/families.md.

A row says only what differs from the defaults of `audiodae.training.family_recipe`; a recipe lays its keys over it.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from audiodae.errors import RecipeError
from audiodae.training.family_recipe import (
    BodySettings,
    CodeSettings,
    CorruptionSettings,
    FamilyLossSettings,
    FamilyName,
    FamilyRecipe,
    FamilyRunSettings,
    adam,
    decode_family_recipe,
    encode_family_recipe,
)
from audiodae.training.recipe import OptimiserSettings
from audiodae.training.recipe_tables import Tables, read_tables


class Family(msgspec.Struct, frozen=True):
    """A row of the table: the idea in a few words, and its settings."""

    idea: str
    body: BodySettings = BodySettings()
    corruption: CorruptionSettings = CorruptionSettings()
    code: CodeSettings = CodeSettings()
    loss: FamilyLossSettings = FamilyLossSettings()
    optimiser: OptimiserSettings = msgspec.field(default_factory=adam)
    run: FamilyRunSettings = FamilyRunSettings()


CONVOLUTIONS = BodySettings(kind="conv2d", filters=(16, 32, 64))
ONE_LAYER = BodySettings(filters=(), batch_norm=False)
DEEP = BodySettings(filters=(256, 128, 64), batch_norm=False)

FAMILIES: dict[str, Family] = {
    "undercomplete": Family("clean to clean through a narrow code"),
    "fully-connected": Family("three layers: input, code, output", body=ONE_LAYER),
    "convolutional-1d": Family(
        "bands as channels, convolved over time", body=BodySettings(kind="conv1d", filters=(64, 128))
    ),
    "convolutional-2d": Family("a picture, convolved over both", body=CONVOLUTIONS),
    "denoising-gaussian": Family("N(0, 0.5^2) on the input", corruption=CorruptionSettings(kind="gaussian")),
    "denoising-gaussian-shifted": Family(
        "N(0.5, 0.5^2) on the input", corruption=CorruptionSettings(kind="gaussian", mean=0.5)
    ),
    "denoising-masking": Family("values zeroed", corruption=CorruptionSettings(kind="masking")),
    "denoising-salt-pepper": Family("values set to 0 or 1", corruption=CorruptionSettings(kind="salt_pepper")),
    "denoising-frames": Family("columns zeroed", corruption=CorruptionSettings(kind="frames")),
    "denoising-mixed": Family(
        "noise mixed into the recordings", body=CONVOLUTIONS, corruption=CorruptionSettings(kind="mixed")
    ),
    "denoising-stable": Family(
        "the same, with a wide code that noise leaves alone",
        body=BodySettings(kind="conv2d", filters=(16, 32), kernel=5),
        corruption=CorruptionSettings(kind="mixed"),
        code=CodeSettings(width=0),
        loss=FamilyLossSettings(stability=0.0015),
        optimiser=adam(3e-3),
        run=FamilyRunSettings(batch_size=32),
    ),
    "sparse": Family(
        "a sigmoid code wider than the input, mostly off",
        body=ONE_LAYER,
        code=CodeSettings(width=1500, activation="sigmoid"),
        loss=FamilyLossSettings(sparsity=0.1),
    ),
    "contractive": Family(
        "a sigmoid code that small changes leave alone, exactly",
        body=ONE_LAYER,
        code=CodeSettings(width=256, activation="sigmoid"),
        loss=FamilyLossSettings(contraction=0.1),
    ),
    "contractive-deep": Family(
        "the same for any encoder, by random probes",
        body=BodySettings(batch_norm=False),
        loss=FamilyLossSettings(contraction=0.01, probes=1),
    ),
    "variational": Family(
        "a Gaussian code drawn towards N(0, I)",
        code=CodeSettings(variational=True),
        loss=FamilyLossSettings(error="bce", kl=1.0),
    ),
    "denoising-variational": Family(
        "the same, from corrupted input",
        corruption=CorruptionSettings(kind="gaussian"),
        code=CodeSettings(variational=True),
        loss=FamilyLossSettings(error="bce", kl=1.0),
    ),
    "stacked": Family("deep, each layer trained by itself first", body=DEEP, run=FamilyRunSettings(pretrain_epochs=5)),
    "stacked-residual": Family(
        "deep, with batch normalisation and residual connections in place of pre-training",
        body=BodySettings(filters=DEEP.filters, residual=True),
    ),
    "regularised-l1": Family("small weights, many near zero", loss=FamilyLossSettings(weight_l1=1e-4)),
    "regularised-l2": Family("small weights", loss=FamilyLossSettings(weight_l2=1e-3)),
    "regularised-dropout": Family("a share of the layers' values zeroed", body=BodySettings(dropout=0.2)),
    "digits-strided": Family(
        "the texts' strided network",
        body=BodySettings(kind="conv2d", filters=(32, 64)),
        code=CodeSettings(width=16),
        run=FamilyRunSettings(epochs=10),
    ),
    "digits-pooled": Family(
        "the texts' pooled network",
        body=BodySettings(kind="pooled", filters=(32, 64), activation="relu", batch_norm=False),
        code=CodeSettings(width=0),
        run=FamilyRunSettings(epochs=10),
    ),
}


def family_recipe(name: str, overrides: Iterable[str] = ()) -> FamilyRecipe:
    """The recipe of a row, with `table.key=value` overrides laid over it; see `load_family_recipe`."""
    return load_family_recipe(None, overrides, name=name)


def load_family_recipe(path: Path | None, overrides: Iterable[str] = (), *, name: str | None = None) -> FamilyRecipe:
    """Lay a TOML file, where there is one, and overrides over the row that `name`, or else [family], says.

    Raises
    ------
    RecipeError
        The file cannot be read, there is no such row or key, a wrong type, or numbers that do not fit together.
    """
    tables = read_tables(path, overrides)
    if name is not None:
        tables["family"] = {"name": name}
    family = tables.get("family", {})
    named = str(family.get("name", FamilyName().name)) if isinstance(family, dict) else FamilyName().name
    source = f"--family {named}" if path is None else str(path)
    if named not in FAMILIES:
        near = difflib.get_close_matches(named, FAMILIES, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(FAMILIES)}"
        raise RecipeError(f"{source}: unknown family {named}; {remedy}")
    row = FAMILIES[named]
    recipe = FamilyRecipe(
        family=FamilyName(named),
        corruption=row.corruption,
        body=row.body,
        code=row.code,
        loss=row.loss,
        optimiser=row.optimiser,
        run=row.run,
    )
    return decode_family_recipe(_laid_over(encode_family_recipe(recipe), tables), source=source)


def is_family_recipe(path: Path) -> bool:
    """Whether a recipe is of a family: it has a table [family]."""
    return "family" in read_tables(path)


def _laid_over(below: Tables, above: Tables) -> Tables:
    """Tables with those above laid over them, key by key."""
    laid = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        laid[key] = _laid_over(below[key], value) if both else value
    return laid
