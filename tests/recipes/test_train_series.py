"""The recipe's commands, in order: the programs are stand-ins that write down how they were called."""

import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.recipes import stand_ins
from tests.recipes.stand_ins import RECIPES

RECIPE = RECIPES / "train_series.sh"
calls = partial(stand_ins.calls, RECIPE)


@pytest.fixture
def environment(tmp_path):
    return stand_ins.make_environment(tmp_path) | {"RATE": "1000"}


def test_clean_recordings_and_noise(environment, tmp_path):
    folders = [tmp_path / name for name in ("my clean", "noise")]
    assert calls(environment, *folders, LEADS="1,3", HIGH_PASS="2", UNIT="g") == [
        f"python data_prep/prepare_series.py --clean {folders[0]} --noise {folders[1]} --out OUT/data --rate 1000"
        " --columns 1,3 --high-pass 2",
        "audiodae train recipes/train_series.toml --out OUT --set data.prepared=OUT/data"
        " --set network.wave.rate_hz=1000 --set network.wave.level_seconds=2.88 --set network.wave.unit=g",
        "audiodae export OUT OUT/series.onnx --overwrite",
    ]


def test_noisy_recordings_alone_are_masked(environment, tmp_path):
    (tmp_path / "sensor.csv").touch()
    prepare, train, _ = calls(environment, "sensor.csv", cwd=tmp_path)
    assert prepare == (
        f"python data_prep/prepare_series.py --noisy {tmp_path}/sensor.csv --out OUT/data --rate 1000 --high-pass 0"
    )
    assert train.endswith(
        " --set data.series.masked_share=0.05 --set data.series.speed=[1.0, 1.0] --set loss.snr=0.0 --set loss.mse=1.0"
    )


def test_a_stopped_run_goes_on(environment, tmp_path):
    Path(environment["OUT"]).mkdir()
    (Path(environment["OUT"]) / "last.safetensors").touch()
    assert calls(environment, tmp_path, tmp_path)[1].endswith(" --resume")


def test_the_recipe_and_what_is_set_can_be_read():
    from audiodae.training.recipe_file import load_recipe

    plain = load_recipe(RECIPE.with_suffix(".toml"), ["network.wave.rate_hz=1000", "network.wave.level_seconds=2.88"])
    assert plain.network.wave.rate_hz == 1000
    masked = ["data.series.masked_share=0.05", "data.series.speed=[1.0, 1.0]", "loss.snr=0.0", "loss.mse=1.0"]
    assert load_recipe(RECIPE.with_suffix(".toml"), masked).data.series.speed == (1.0, 1.0)


@pytest.mark.parametrize(("rate", "words"), [("", ["a"]), ("9", []), ("9", ["a", "b", "c"])])
def test_wrong_usage(environment, rate, words):
    run = ["bash", RECIPE, *words]
    done = subprocess.run(run, env=environment | {"RATE": rate}, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "usage: RATE=HZ" in done.stderr
