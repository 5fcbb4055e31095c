import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

DATA_PREP = Path(__file__).parents[3] / "data_prep"


def run(script, *arguments):
    command = [sys.executable, DATA_PREP / script, *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def write_csv(path, seed, rows=6000):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, np.random.default_rng(seed).standard_normal((rows, 2)), delimiter=",", fmt="%.4f")


def test_an_ecg_from_nothing(tmp_path):
    few = ["--synthetic-patients", "2", "--minutes", "0.5", "--synthetic-noises", "1"]
    told = run("prepare_ecg.py", "--out", tmp_path / "out", *few)
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0].startswith("train     0.02 h  2 leads of 2 patients  ") and lines[0].endswith(" beats")
    assert "valid      5.0 min of noise em" in lines
    assert lines[-1] == str(tmp_path / "out")
    assert "making up train" in told.stderr


def test_what_a_user_can_cause_is_told_in_a_line(tmp_path):
    told = run("prepare_ecg.py", "--records", "/nowhere", "--out", tmp_path / "out")
    assert told.returncode == 1 and told.stderr == "prepare_ecg: /nowhere: no such folder\n"


def test_a_sensor_with_clean_recordings_and_noise(tmp_path):
    for number in range(3):
        write_csv(tmp_path / "clean" / f"{number}.csv", number)
    write_csv(tmp_path / "noise" / "fan.csv", 9)
    folders = ["--clean", tmp_path / "clean", "--noise", tmp_path / "noise", "--out", tmp_path / "out"]
    told = run("prepare_series.py", *folders, "--rate", "100", "--columns", "1")
    assert told.returncode == 0, told.stderr
    assert "train     0.03 h  2 leads of 2 groups" in told.stdout and "min of noise fan" in told.stdout


@pytest.fixture(scope="module")
def commands():
    return {name: runpy.run_path(str(DATA_PREP / f"{name}.py"))[name] for name in ("prepare_ecg", "prepare_series")}


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("prepare_ecg", ["--synthetic-patients", "0"], "nothing to learn from"),
        ("prepare_ecg", ["--valid-share", "0"], "0.0 is not in the range 0<x<1"),
        ("prepare_series", [], "Missing option '--rate'"),
        ("prepare_series", ["--rate", "9"], "give either --clean or --noisy"),
        ("prepare_series", ["--clean", "a", "--noisy", "b", "--rate", "9"], "give either --clean or --noisy"),
        ("prepare_series", ["--clean", "a", "--rate", "9"], "give --noise too"),
        ("prepare_series", ["--noisy", "a", "--noise", "b", "--rate", "9"], "goes with --clean"),
        ("prepare_series", ["--noisy", "a", "--rate", "9", "--high-pass", "5"], "half the rate"),
    ],
)
def test_wrong_usage(commands, script, arguments, message):
    told = CliRunner().invoke(commands[script], ["--out", "out", *arguments])
    assert told.exit_code == 2 and message in told.output


@pytest.mark.parametrize("script", ["prepare_ecg", "prepare_series"])
def test_help_ends_in_examples(commands, script):
    told = CliRunner().invoke(commands[script], ["--help"])
    assert told.exit_code == 0 and f"Examples:\n    python data_prep/{script}.py " in told.output
