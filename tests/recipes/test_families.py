"""The recipes of the families: what they run, with a stand-in that writes down how it was called."""

import os
import subprocess
from pathlib import Path

import pytest

RECIPES = Path(__file__).parents[2] / "recipes"
STAND_IN = '#!/bin/sh\necho "$(basename "$0") $*" >> "$CALLS"\n'


@pytest.fixture
def environment(tmp_path):
    programs = tmp_path / "venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n')
    for name in ("python", "audiodae"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return kept | {"VENV": str(programs.parent), "CALLS": str(tmp_path / "calls"), "JOBS": "2"}


def call(recipe, environment, *arguments, **settings):
    subprocess.run(["bash", RECIPES / recipe, *arguments], env=environment | settings, check=True)
    return Path(environment["CALLS"]).read_text().splitlines()


def test_compare_needs_nothing(environment):
    assert call("compare_autoencoders.sh", environment) == [
        "audiodae compare recipes/compare_autoencoders.toml --out runs/families --jobs 2"
    ]


def test_compare_takes_either_folder(environment, tmp_path):
    (both,) = call("compare_autoencoders.sh", environment, tmp_path, tmp_path, OUT="/out", RECIPE="/my.toml")
    assert both == f"audiodae compare /my.toml --out /out --jobs 2 --spoken {tmp_path} --handwritten {tmp_path}"
    _, one = call("compare_autoencoders.sh", environment, "", tmp_path)
    assert one.endswith(f"--jobs 2 --handwritten {tmp_path}")


def test_codes_are_trained_with_or_without_recordings(environment, tmp_path):
    export = "audiodae export runs/codes runs/codes/speech-codes.safetensors --overwrite"
    assert call("train_codes.sh", environment) == ["audiodae train recipes/train_codes.toml --out runs/codes", export]
    assert call("train_codes.sh", environment, tmp_path, tmp_path)[2:] == [
        f"audiodae train recipes/train_codes.toml --data {tmp_path} --out runs/codes --set corruption.noise={tmp_path}",
        export,
    ]


@pytest.mark.parametrize(("recipe", "words"), [("compare_autoencoders.sh", "abc"), ("train_codes.sh", "a")])
def test_too_many_or_too_few_folders(environment, recipe, words):
    done = subprocess.run(["bash", RECIPES / recipe, *words], env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "usage:" in done.stderr
