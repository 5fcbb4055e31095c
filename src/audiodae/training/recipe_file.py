"""Recipe files: TOML decoded into the structs of `audiodae.training.recipe`, and back.

A key that is not known, or a value of the wrong type, is an error that names the key and the nearest known one.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from audiodae.training.recipe import Recipe
from audiodae.training.recipe_rules import check_recipe
from audiodae.training.recipe_tables import read_tables, to_struct


def load_recipe(path: Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe and lay `key.key=value` overrides over it.

    Raises
    ------
    RecipeError
        No such file, not TOML, an unknown key, a wrong type, or numbers that do not fit together.
    """
    return decode_recipe(read_tables(path, overrides), source=str(path))


def decode_recipe(tables: dict[str, Any], *, source: str) -> Recipe:
    """Turn nested tables into a checked recipe; `source` names them in errors."""
    recipe = to_struct(tables, Recipe, source=source)
    check_recipe(recipe, source)
    return recipe


def encode_recipe(recipe: Recipe) -> dict[str, Any]:
    """The recipe as nested tables of plain values, defaults filled in; `decode_recipe` takes them back."""
    tables: dict[str, Any] = msgspec.to_builtins(recipe)
    return tables


def differences(before: Recipe, now: Recipe) -> list[tuple[str, Any, Any]]:
    """The keys in which two recipes differ, as table.key, with both values."""
    flat_before, flat_now = _flat(encode_recipe(before)), _flat(encode_recipe(now))
    return [(key, flat_before[key], value) for key, value in flat_now.items() if flat_before[key] != value]


def _flat(tables: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
