"""`audiodae train` and `audiodae export` as a user meets them: from a recipe to a file that cleans."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

from tests.prep.made_banks import make_prepared
from tests.training.tiny import tiny_tables

ROOT = Path(__file__).parents[2]


def audiodae(*arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "audiodae", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    make_prepared(folder / "prepared")
    (folder / "recipe.toml").write_bytes(msgspec.toml.encode(tiny_tables(folder / "prepared", run__steps=4)))
    return folder


def test_from_a_recipe_to_a_clean_file(folder, tmp_path):
    trained = audiodae("train", folder / "recipe.toml", "--out", tmp_path / "run", "--set", "run.steps=6")
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.startswith("6 steps, ")
    assert "loss" in trained.stderr  # the bar
    exported = audiodae("export", tmp_path / "run", tmp_path / "tiny.onnx")
    assert exported.returncode == 0, exported.stderr
    assert exported.stdout.startswith("torch and onnxruntime agree to ")
    assert exported.stderr == ""
    again = audiodae("export", tmp_path / "run", tmp_path / "tiny.onnx")
    assert again.returncode == 1
    assert "tiny.onnx: exists already" in again.stderr
    assert audiodae("export", tmp_path / "run", tmp_path / "tiny.onnx", "--overwrite").returncode == 0
    told = audiodae("info", tmp_path / "tiny.onnx", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["card"]["name"] == "network"
    soundfile.write(tmp_path / "in.wav", np.random.default_rng(0).uniform(-0.1, 0.1, 8000), 16_000)
    cleaned = audiodae("clean", tmp_path / "in.wav", tmp_path / "out.wav", "--model", tmp_path / "tiny.onnx")
    assert cleaned.returncode == 0, cleaned.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == 8000


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["run.step=5"], "unknown key run.step; did you mean run.steps?"),
        (["run.steps=often"], "steps"),
        (["data.prepared=nowhere"], "data.prepared = 'nowhere'"),
        (["run.steps"], "--set run.steps"),
    ],
)
def test_a_slip_is_one_line(folder, tmp_path, overrides, message):
    options = [part for override in overrides for part in ("--set", override)]
    made = audiodae("train", folder / "recipe.toml", "--out", tmp_path / "run", *options)
    assert made.returncode == 1
    assert made.stdout == ""
    assert message in made.stderr
    assert made.stderr.count("\n") == 1


def test_resuming_or_exporting_nothing_is_one_line(folder, tmp_path):
    resumed = audiodae("train", folder / "recipe.toml", "--out", tmp_path / "none", "--resume", "--quiet")
    exported = audiodae("export", tmp_path / "none", tmp_path / "none.onnx")
    for made in (resumed, exported):
        assert made.returncode == 1
        assert made.stderr.count("\n") == 1, made.stderr
        assert str(tmp_path / "none") in made.stderr
    assert not (tmp_path / "none.onnx").exists()


def test_two_processes_reach_what_one_reaches(folder, tmp_path):
    """Each makes half of every batch: the same examples, the same weights afterwards, told once."""
    looks = {}
    for devices, batch in ((1, 4), (2, 2)):
        changes = {"run__devices": devices, "run__batch_size": batch, "network__dropout": 0.0, "run__steps": 6}
        recipe = tmp_path / f"{devices}.toml"
        tables = tiny_tables(folder / "prepared", network__normalisation="none", **changes)
        recipe.write_bytes(msgspec.toml.encode(tables))
        made = audiodae("train", recipe, "--out", tmp_path / str(devices), "--quiet")
        assert made.returncode == 0, made.stderr
        assert made.stdout.count("6 steps, ") == 1
        lines = [json.loads(line) for line in (tmp_path / str(devices) / "log.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines if "loss" in line] == list(range(1, 7))
        looks[devices] = next(line["valid_loss"] for line in lines if "valid_loss" in line)
    assert looks[2] == pytest.approx(looks[1], rel=1e-3)


def test_figures_that_are_no_json_are_named(tmp_path):
    (tmp_path / "figures.json").write_text("none")
    made = audiodae("export", tmp_path, tmp_path / "none.onnx", "--metrics", tmp_path / "figures.json")
    assert made.returncode == 1
    assert "figures.json: cannot be read as JSON" in made.stderr
