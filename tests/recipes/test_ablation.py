"""The recipe of the ablation: what it runs, with stand-ins for its programs."""

import subprocess

import pytest

from tests.recipes.stand_ins import RECIPES, calls, make_environment


@pytest.fixture
def environment(tmp_path):
    return make_environment(tmp_path) | {"JOBS": "2"}


def test_without_a_folder_a_small_one_is_made_up(environment):
    assert calls("ablation.sh", environment) == [
        "python data_prep/synthesize.py --out OUT/corpus",
        "python data_prep/prepare_speech.py --speech OUT/corpus/speech --noise OUT/corpus/noise --out OUT/data"
        " --hours 0 --simulated-rooms 50 --test-clips 10 --jobs 2",
        "audiodae ablate recipes/ablation.toml --prepared OUT/data --out OUT --set steps=8",
    ]


def test_with_a_folder_it_is_used_in_full(environment, tmp_path):
    assert calls("ablation.sh", environment, tmp_path) == [
        f"audiodae ablate recipes/ablation.toml --prepared {tmp_path} --out OUT"
    ]


def test_paths_begin_where_the_caller_is(environment, tmp_path):
    (tmp_path / "my data").mkdir()
    (line,) = calls("ablation.sh", environment, "my data", cwd=tmp_path, OUT="made", RECIPE="mine.toml", STEPS="9")
    assert (
        line
        == f"audiodae ablate {tmp_path}/mine.toml --prepared {tmp_path}/my data --out {tmp_path}/made --set steps=9"
    )


def test_two_folders_are_too_many(environment):
    done = subprocess.run(["bash", RECIPES / "ablation.sh", "a", "b"], env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "usage:" in done.stderr
