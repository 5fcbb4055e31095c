"""The recipe's commands, in order: the programs are stand-ins that write down how they were called."""

import subprocess
from functools import partial
from pathlib import Path

import pytest

from audiodae.training.recipe_file import load_recipe
from tests.recipes import stand_ins
from tests.recipes.stand_ins import RECIPES

RECIPE = RECIPES / "train_ecg.sh"
calls = partial(stand_ins.calls, RECIPE)


@pytest.fixture
def environment(tmp_path):
    return stand_ins.make_environment(tmp_path)


@pytest.fixture
def folders(tmp_path):
    made = [tmp_path / "my records", tmp_path / "noise"]
    for folder in made:
        folder.mkdir()
    return made


def test_without_arguments_patients_are_made_up(environment):
    assert calls(environment) == [
        "python data_prep/prepare_ecg.py --out OUT/data",
        "audiodae train recipes/train_ecg_small.toml --out OUT --set data.prepared=OUT/data",
        "audiodae export OUT OUT/ecg.onnx --overwrite",
    ]


def test_records_for_a_test_are_scored(environment, folders):
    records, noise = folders
    for folder in folders:
        (folder / "test").mkdir()
    assert calls(environment, *folders) == [
        f"python data_prep/prepare_ecg.py --records {records} --noise {noise} --out OUT/data",
        "audiodae train recipes/train_ecg.toml --out OUT --set data.prepared=OUT/data",
        "audiodae export OUT OUT/ecg.onnx --overwrite",
        f"audiodae evaluate-ecg {records}/test {noise}/test --model OUT/ecg.onnx --out OUT/report --overwrite",
        "audiodae export OUT OUT/ecg.onnx --metrics OUT/report/report.json --overwrite",
    ]


def test_without_records_for_a_test_it_ends_with_the_network(environment, folders):
    assert calls(environment, *folders)[-1] == "audiodae export OUT OUT/ecg.onnx --overwrite"


def test_a_stopped_run_goes_on(environment):
    Path(environment["OUT"]).mkdir()
    (Path(environment["OUT"]) / "last.safetensors").touch()
    assert calls(environment)[1].endswith("--set data.prepared=OUT/data --resume")


@pytest.mark.parametrize("name", ["train_ecg", "train_ecg_small"])
def test_the_numbers_can_be_read(name):
    assert load_recipe(RECIPES / f"{name}.toml").network.wave.unit == "mV"


def test_one_folder_is_too_few(environment, tmp_path):
    done = subprocess.run(["bash", RECIPE, tmp_path], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "usage:" in done.stderr
