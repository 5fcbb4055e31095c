"""A recipe that a test can afford: a network of a few thousand weights on half-second examples."""

from audiodae.training.recipe import Recipe
from audiodae.training.recipe_file import decode_recipe

TABLES = {
    "network": {"widths": [4, 6, 8], "code_width": 12, "dropout": 0.1},
    "data": {"workers": 0, "valid_examples": 8, "mix": {"segment_seconds": 0.5}},
    "optimiser": {"learning_rate": 5e-3, "warmup_steps": 5, "ema": 0.9},
    "run": {
        "steps": 24, "batch_size": 4, "valid_every": 8, "save_every": 5, "log_every": 1, "pictures_every": 1000,
        "threads": 1, "device": "cpu", "precision": "32",
    },
}  # fmt: skip


def tiny_tables(prepared, **changes):
    """The recipe's tables with `table__key=value` changes."""
    tables = {name: dict(table) for name, table in TABLES.items()}
    tables["data"]["prepared"] = str(prepared)
    for change, value in changes.items():
        table, key = change.split("__")
        tables.setdefault(table, {})[key] = value
    return tables


def tiny_recipe(prepared, **changes) -> Recipe:
    """The recipe itself."""
    return decode_recipe(tiny_tables(prepared, **changes), source="tiny")
