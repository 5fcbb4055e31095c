import subprocess
import sys
from pathlib import Path

import click
import pytest

from audiodae.errors import CorpusError
from audiodae.prep.scripts import progress_bars, run_script
from tests.prep.made_corpus import make_noise, make_speech

DATA_PREP = Path(__file__).parents[2] / "data_prep"


def run(script, *arguments):
    command = [sys.executable, DATA_PREP / script, *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", ["prepare_speech.py", "synthesize.py"])
def test_help_ends_in_an_example(script):
    told = run(script, "--help")
    assert told.returncode == 0
    assert f"Example:\n    python data_prep/{script} " in told.stdout


def test_prepare_speech(tmp_path):
    make_speech(tmp_path / "speech")
    make_noise(tmp_path / "noise")
    (tmp_path / "speech/speaker1/x.mp3").write_bytes(b"nothing")
    folders = ["--speech", tmp_path / "speech", "--noise", tmp_path / "noise", "--out", tmp_path / "out"]
    few = ["--hours", "0.002", "--simulated-rooms", "0", "--test-clips", "1", "--bad-share", "0.5"]
    told = run("prepare_speech.py", *folders, *few, "--snr-db", "-5", "15")
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[-1] == str(tmp_path / "out")
    assert "train pairs         4" in told.stdout
    assert " h  1 speakers\n" in told.stdout
    assert f"1 bad recordings skipped, 0 too noisy left out: see {tmp_path / 'out/bad_files.txt'}" in told.stderr
    assert "mixing shards" in told.stderr
    again = run("prepare_speech.py", *folders, *few)
    assert again.returncode == 1
    assert again.stderr.startswith("prepare_speech: ") and again.stderr.count("\n") == 1
    assert "was begun with mix.snr_db = (-5.0, 15.0)" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--speech", "/nowhere", "--noise", "/nowhere", "--out", "out"],
            1,
            "prepare_speech: /nowhere: no such folder",
        ),
        (["--speech", "a", "--noise", "b"], 2, "Missing option '--out'"),
        (["--speech", "a", "--noise", "b", "--out", "c", "--snr-db", "9", "3"], 2, "give the lower one first"),
    ],
)
def test_wrong_use_is_told_in_a_line(arguments, code, message):
    told = run("prepare_speech.py", *arguments)
    assert told.returncode == code
    assert message in told.stderr
    assert "Traceback" not in told.stderr


def test_an_error_of_ours_is_one_line(capsys, monkeypatch):
    @click.command()
    def fail():
        raise CorpusError("this\nis \x1b[31mwrong")

    monkeypatch.setattr(sys, "argv", ["script"])
    with pytest.raises(SystemExit, match="1"):
        run_script(fail, "script")
    assert capsys.readouterr().err == "script: this is  [31mwrong\n"


def test_a_bug_keeps_its_traceback(monkeypatch):
    @click.command()
    def fail():
        raise ZeroDivisionError

    monkeypatch.setattr(sys, "argv", ["script"])
    with pytest.raises(ZeroDivisionError):
        run_script(fail, "script")


def test_bars_go_to_stderr(capsys):
    with progress_bars() as report:
        report("reading", 1, 2)
        report("reading", 2, 2)
    told = capsys.readouterr()
    assert told.out == ""
    assert "reading" in told.err and "2/2" in told.err
