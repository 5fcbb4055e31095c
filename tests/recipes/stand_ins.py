"""Recipes run with stand-ins for their programs, which write down how they were called."""

import os
import subprocess
from pathlib import Path

RECIPES = Path(__file__).parents[2] / "recipes"
STAND_IN = '#!/bin/sh\necho "$(basename "$0") $*" >> "$CALLS"\n'


def make_environment(tmp_path):
    """What a recipe is run in: an environment whose programs are stand-ins, and a run folder."""
    programs = tmp_path / "venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n')
    for name in ("python", "audiodae", "pip"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    mine = {"VENV": str(programs.parent), "OUT": str(tmp_path / "out"), "CALLS": str(tmp_path / "calls")}
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return kept | mine


def calls(recipe, environment, *arguments, cwd=None, **settings):
    """What a recipe ran, with OUT for the run folder."""
    subprocess.run(["bash", RECIPES / recipe, *arguments], env=environment | settings, check=True, cwd=cwd)
    return Path(environment["CALLS"]).read_text().replace(environment["OUT"], "OUT").splitlines()
