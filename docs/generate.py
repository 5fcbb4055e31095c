"""Write the pages that the code knows best: docs/cli.md from the commands' help, docs/recipe.md and
docs/family-recipe.md from the recipes, docs/inputs.md from what `audiodae clean` does with each input, and the page of
each shipped network from its card.

`make docs` runs this; tests/test_docs.py holds the pages to it. Needs `pip install "audiodae[train,evaluate]"`.
"""

import inspect
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

import click
import msgspec

from audiodae.cli import COMMANDS, audiodae
from audiodae.evaluation.card_page import card_page
from audiodae.network import Network, shipped_networks
from audiodae.training.families import FAMILIES
from audiodae.training.family_recipe import FamilyRecipe, encode_family_recipe
from audiodae.training.patch_autoencoder import shipped_patch_autoencoders
from audiodae.training.recipe import Recipe
from audiodae.training.recipe_file import encode_recipe
from audiodae.uses.codes_page import codes_page

HERE = Path(__file__).parent
COLUMNS = 100


def cli_page() -> str:
    """The help of every command and of the scripts that prepare data, as they print it."""
    root = _context(audiodae, "audiodae")
    sections = {"audiodae": _help(root)}
    for name in COMMANDS:
        command = audiodae.get_command(root, name)
        assert command is not None
        sections[f"audiodae {name}"] = _help(_context(command, name, root))
    for path in sorted((HERE.parent / "data_prep").glob("*.py")):
        script = f"python data_prep/{path.name}"
        sections[script] = _help(_context(runpy.run_path(str(path))[path.stem], script))
    head = (
        "# Command line\n\n"
        "<!-- Written by `make docs` from the commands' help: change the help, not this page. -->\n\n"
        "Results go to standard output, progress and warnings to standard error. What you can put right is told in\n"
        "one line, with exit code 1; wrong usage has 2, an interrupted command 130. A command whose output nobody\n"
        "reads any more (`| head`) ends without a word, with 141.\n"
    )
    return head + "".join(f"\n## {title}\n\n```text\n{text}\n```\n" for title, text in sections.items())


def recipe_page() -> str:
    """Every table of a recipe with its keys' defaults, and what the code says of it."""
    defaults = encode_recipe(Recipe())
    head = (
        "# The recipe\n\n"
        "<!-- Written by `make docs` from audiodae.training.recipe: change the code, not this page. -->\n\n"
        "A recipe is a TOML file with the tables below. Each key has the default shown here, so a recipe holds only\n"
        "what differs. A key that is not known or a value of the wrong type is refused, and the nearest key named.\n"
        "`audiodae train --set table.key=value` overrides one.\n"
    )
    return head + "".join(_table(name, value, Recipe) for name, value in defaults.items())


def family_recipe_page() -> str:
    """The rows of the table of families, and every key that a recipe lays over one."""
    rows = "".join(f"| `{name}` | {row.idea} |\n" for name, row in FAMILIES.items())
    head = (
        "# The recipe of a family\n\n"
        "<!-- Written by `make docs` from audiodae.training.families: change the code, not this page. -->\n\n"
        "`audiodae train --family NAME --data FOLDER --out RUN` trains a row of this table. A recipe with a\n"
        "table `[family]`, and `--set table.key=value`, are laid over the row; the rest has the defaults below.\n\n"
        f"| name | idea |\n|---|---|\n{rows}"
    )
    defaults = encode_family_recipe(FamilyRecipe())
    return head + "".join(_table(name, value, FamilyRecipe) for name, value in defaults.items())


def inputs_page() -> str:
    """What happens to which input: a program of its own, which forks for every row."""
    return subprocess.run([sys.executable, HERE / "inputs.py"], stdout=subprocess.PIPE, text=True, check=True).stdout


def write(folder: Path) -> None:
    """Write all pages, and beside each shipped network the page of its card."""
    for path in shipped_networks().values():
        path.with_suffix(".md").write_text(card_page(Network.load(path)), encoding="utf-8")
    for path in shipped_patch_autoencoders().values():
        path.with_suffix(".md").write_text(codes_page(path), encoding="utf-8")
    (folder / "cli.md").write_text(cli_page(), encoding="utf-8")
    (folder / "inputs.md").write_text(inputs_page(), encoding="utf-8")
    (folder / "recipe.md").write_text(recipe_page(), encoding="utf-8")
    (folder / "family-recipe.md").write_text(family_recipe_page(), encoding="utf-8")


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    settings = {**command.context_settings, "max_content_width": COLUMNS, "terminal_width": COLUMNS}
    return click.Context(command, info_name=name, parent=parent, **settings)


def _help(context: click.Context) -> str:
    return "\n".join(line.rstrip() for line in context.get_help().splitlines())


def _table(name: str, values: dict[str, object], parent: type[msgspec.Struct]) -> str:
    """One section: what the struct's docstring says, and its keys as TOML."""
    struct = _field_type(parent, name.rpartition(".")[2])
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    said = _as_markdown(inspect.getdoc(struct) or "")
    page = f"\n## [{name}]\n\n{said}\n\n```toml\n[{name}]\n{_toml(plain, struct)}\n```\n"
    nested = {key: value for key, value in values.items() if isinstance(value, dict)}
    return page + "".join(_table(f"{name}.{key}", value, struct) for key, value in nested.items())


def _field_type(struct: type[msgspec.Struct], field: str) -> type[msgspec.Struct]:
    found: type[msgspec.Struct] = next(f.type for f in msgspec.structs.fields(struct) if f.name == field)
    return found


def _toml(values: dict[str, object], struct: type[msgspec.Struct]) -> str:
    """A line a key; where only some words are allowed, they follow."""
    choices = {field.name: get_args(field.type) for field in msgspec.structs.fields(struct) if _is_choice(field.type)}
    lines = {key: f"{key} = {json.dumps(value)}" for key, value in values.items()}  # JSON of plain values is TOML
    width = max(len(lines[key]) for key in choices) if choices else 0
    return "\n".join(
        f"{line:{width}}  # {', '.join(map(str, choices[key]))}" if key in choices else line
        for key, line in lines.items()
    )


def _is_choice(kind: object) -> bool:
    return get_origin(kind) is Literal


def _as_markdown(docstring: str) -> str:
    """The summary as it is; the attributes as a list."""
    summary, _, attributes = re.sub(r" +\n", "\n", docstring).partition("\nAttributes\n----------\n")
    entries = re.sub(r"\n +", " ", attributes).strip().splitlines()
    items = [re.sub(r"^([\w, ]+?) : ", _as_code, entry) for entry in entries]
    return "\n\n".join(part for part in (summary.strip(), "\n".join(f"- {item}" for item in items)) if part)


def _as_code(match: re.Match[str]) -> str:
    return ", ".join(f"`{key.strip()}`" for key in match[1].split(",")) + ": "


if __name__ == "__main__":
    write(HERE)
