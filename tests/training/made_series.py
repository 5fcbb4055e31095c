"""A prepared folder of made-up series, and a recipe for it that a test can afford."""

import numpy as np

from audiodae.prep.series.bank import SeriesHeader, bank_path, write_series_bank
from audiodae.training.recipe import Recipe
from audiodae.training.recipe_file import decode_recipe

RATE_HZ = 100.0
TABLES = {
    "network": {"body": "wave", "wave": {"rate_hz": RATE_HZ, "step": 4, "width": 16, "dilations": [1, 2, -4]}},
    "data": {"source": "series", "workers": 0, "valid_examples": 8, "series": {"segment_samples": 256}},
    "loss": {"compressed": 0.0, "complex": 0.0, "si_sdr": 0.0, "snr": 1.0},
    "optimiser": {"learning_rate": 5e-3, "warmup_steps": 5, "ema": 0.9},
    "run": {
        "steps": 30, "batch_size": 8, "valid_every": 10, "save_every": 10, "log_every": 1, "pictures_every": 30,
        "threads": 1, "device": "cpu", "precision": "32",
    },
}  # fmt: skip


def make_series(prepared, *, rate_hz=RATE_HZ):
    """Pulses twice a second, and two noises: a slow wander and a hiss."""
    for split, seed in (("train", 1), ("valid", 2)):
        rng = np.random.default_rng(seed)
        times = np.arange(3000) / RATE_HZ
        pulses = {f"p{n}": np.exp(-(((times * (1.7 + 0.2 * n)) % 1 - 0.5) ** 2) / 0.002) for n in range(3)}
        wander = np.cumsum(rng.normal(0, 0.1, (3000, 2)), axis=0)
        noise = {"wander": {"w": wander}, "hiss": {"h": rng.normal(0, 1, (3000, 1))}}
        write_series_bank(bank_path(prepared, split), SeriesHeader(rate_hz=rate_hz), clean=pulses, noise=noise)
    return prepared


def series_recipe(prepared, **changes) -> Recipe:
    """The recipe, with `table__key=value` changes."""
    tables = {name: dict(table) for name, table in TABLES.items()}
    tables["data"]["prepared"] = str(prepared)
    for change, value in changes.items():
        table, key = change.split("__")
        tables[table][key] = value
    return decode_recipe(tables, source="series")
