"""An ablation that a test can afford: a base of a few thousand weights and two rows, six steps each."""

import json

from tests.training.tiny import tiny_tables

ROWS = """
[[row]]
group = "code"
name = "none"
set = ["network.code=none"]

[[row]]
group = "augmentation"
name = "without rooms"
set = ["data.mix.room_share=0.0"]
seeds = [1, 2]
"""


def write_ablation(folder, prepared, *, head="steps = 6\nbase_seeds = [1, 2]\n", rows=ROWS, **changes):
    """Write the base and the rows; give the path of the rows."""
    small = {"data__valid_examples": 4, "run__valid_every": 3, "run__save_every": 2, "network__dropout": 0.0}
    tables = tiny_tables(prepared, **small | changes)
    lines = []
    for name, table in tables.items():
        nested = {key: value for key, value in table.items() if isinstance(value, dict)}
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items() if key not in nested)]
        for key, value in nested.items():
            lines += [f"[{name}.{key}]", *(f"{inner} = {json.dumps(told)}" for inner, told in value.items())]
    (folder / "base.toml").write_text("\n".join(lines))
    path = folder / "rows.toml"
    path.write_text(f'base = "base.toml"\n{head}{rows}')
    return path
