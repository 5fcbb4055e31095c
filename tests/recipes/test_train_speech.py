"""The recipe's commands, in order: the programs are stand-ins that write down how they were called."""

import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.recipes import stand_ins
from tests.recipes.stand_ins import RECIPES

RECIPE = RECIPES / "train_speech.sh"
calls = partial(stand_ins.calls, RECIPE)


@pytest.fixture
def environment(tmp_path):
    return stand_ins.make_environment(tmp_path) | {"JOBS": "2"}


def test_without_arguments_a_small_corpus_is_made(environment):
    assert calls(environment) == [
        "python data_prep/synthesize.py --out OUT/corpus",
        "python data_prep/prepare_speech.py --speech OUT/corpus/speech --noise OUT/corpus/noise --out OUT/data"
        " --hours 0 --simulated-rooms 200 --test-clips 50 --jobs 2",
        "audiodae train recipes/train_speech_small.toml --out OUT --set data.prepared=OUT/data",
        "audiodae export OUT OUT/speech.onnx --overwrite",
        "audiodae evaluate OUT/data/test/clean OUT/data/test/noisy --model OUT/speech.onnx --out OUT/report"
        " --overwrite --jobs 2",
        "audiodae export OUT OUT/speech.onnx --metrics OUT/report/report.json --overwrite",
        "audiodae clean OUT/data/test/noisy/000.flac OUT/example.flac --model OUT/speech.onnx --overwrite",
    ]


def test_with_directories_they_are_used(environment, tmp_path):
    folders = [tmp_path / name for name in ("my speech", "noise", "rooms")]
    for folder in folders:
        folder.mkdir()
    prepare, train, *_ = calls(environment, *folders, HOURS="3", ROOMS="5", CLIPS="7")
    assert prepare == (
        f"python data_prep/prepare_speech.py --speech {folders[0]} --noise {folders[1]} --rir {folders[2]}"
        " --out OUT/data --hours 3 --simulated-rooms 5 --simulated-noises 240 --changed-voices 110"
        " --test-clips 7 --jobs 2"
    )
    assert train == "audiodae train recipes/train_speech.toml --out OUT --set data.prepared=OUT/data"


def test_what_speech_is_like_is_handed_on(environment):
    _, prepare, *_ = calls(environment, MIN_CLEAN_DB="30", SPEAKER_DEPTH="2")
    assert prepare.endswith(" --test-clips 50 --min-clean-db 30 --speaker-depth 2 --jobs 2")


def test_paths_begin_where_the_caller_is(environment, tmp_path):
    given = {"OUT": "my out", "DATA": "data", "RECIPE": "mine.toml", "VENV": "venv"}
    _, prepare, train, *_ = calls(environment, cwd=tmp_path, **given)
    assert f" --out {tmp_path}/data " in prepare
    assert train == f"audiodae train {tmp_path}/mine.toml --out {tmp_path}/my out --set data.prepared={tmp_path}/data"


def test_a_stopped_run_goes_on(environment):
    (Path(environment["OUT"]) / "corpus").mkdir(parents=True)
    (Path(environment["OUT"]) / "last.safetensors").touch()
    prepare, train, *_ = calls(environment)
    assert prepare.startswith("python data_prep/prepare_speech.py --speech OUT/corpus/speech ")
    assert train.endswith("--set data.prepared=OUT/data --resume")


def test_one_folder_is_too_few(environment):
    done = subprocess.run(["bash", RECIPE, "speech"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "usage:" in done.stderr
