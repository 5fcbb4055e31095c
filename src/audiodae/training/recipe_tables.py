"""Recipes as nested tables: read from TOML, overridden by `key.key=value`, turned into frozen structs.

A key that is not known, or a value of the wrong type, is an error that names the key and the nearest known one.
"""

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

from audiodae.errors import RecipeError

Tables = dict[str, Any]
Struct = TypeVar("Struct", bound=msgspec.Struct)


def read_tables(path: Path | None, overrides: Iterable[str] = ()) -> Tables:
    """Read a TOML file, or none, and lay `key.key=value` overrides over it.

    Raises
    ------
    RecipeError
        No such file, not TOML, or an override that is none.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")) if path else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read as a recipe ({error})") from error
    for override in overrides:
        lay_over(tables, override)
    return tables


def lay_over(tables: Tables, override: str) -> None:
    """Set one value, in place; `override` is table.key=value."""
    key, equals, value = override.partition("=")
    if not equals or not key.strip():
        raise RecipeError(f"--set {override}: write it as table.key=value, say run.steps=500")
    *path, last = key.strip().split(".")
    for name in path:
        tables = tables.setdefault(name, {})
        if not isinstance(tables, dict):
            raise RecipeError(f"--set {override}: {name} is a value, not a table")
    try:
        tables[last] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        tables[last] = value.strip()  # a bare word is a string: --set run.device=cpu


def to_struct(tables: Tables, struct: type[Struct], *, source: str) -> Struct:
    """Turn tables into a struct; `source` names them in errors.

    Raises
    ------
    RecipeError
        An unknown key or a value of the wrong type.
    """
    refuse_unknown(tables, struct, source=source)
    try:
        return msgspec.convert(tables, struct)
    except msgspec.ValidationError as error:
        raise RecipeError(f"{source}: {error}") from error


def refuse_unknown(tables: Tables, struct: type[msgspec.Struct], *, source: str, prefix: str = "") -> None:
    """Name the nearest known key, which msgspec does not."""
    hints = get_type_hints(struct)
    for key, value in tables.items():
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1)
            remedy = f"did you mean {prefix}{near[0]}?" if near else f"known are {', '.join(hints)}"
            raise RecipeError(f"{source}: unknown key {prefix}{key}; {remedy}")
        if isinstance(hints[key], type) and issubclass(hints[key], msgspec.Struct) and isinstance(value, dict):
            refuse_unknown(value, hints[key], source=source, prefix=f"{prefix}{key}.")
