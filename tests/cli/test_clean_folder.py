import json
import os
import pty
import re
import signal
import subprocess
import time

import numpy as np
import pytest
import soundfile

from audiodae.cli.clean_folder import _show
from tests import networks
from tests.cli.process import COMMAND, assert_refused, audiodae


@pytest.fixture
def half(tmp_path):
    """A network file that halves."""
    path = tmp_path / "half.onnx"
    path.write_bytes(networks.constant(0.5).SerializeToString())
    return path


@pytest.fixture
def noisy(tmp_path):
    """A folder of two sounds and a picture."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for name in ("a b.wav", "sub/c.flac"):
        soundfile.write(folder / name, np.random.default_rng(0).normal(0, 0.1, (8_000, 2)), 16_000)
    (folder / "cover.jpg").touch()
    return folder


SUMMARY = """\
cleaned                 2 \\(1\\.00 s of sound in \\d+\\.\\d\\d s\\)
skipped, done before    0
failed                  0
other files, left alone 1
noise reduction, mean   6\\.0 dB
speech level, mean      -2\\d\\.\\d dBFS
time muted              0\\.0 %
"""


def test_a_folder_is_cleaned_once(noisy, half, tmp_path):
    arguments = ["clean", noisy, tmp_path / "out", "--model", half, "--jobs", "2"]
    done = audiodae(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(SUMMARY, done.stdout), done.stdout
    heard = soundfile.read(tmp_path / "out" / "sub" / "c.flac")[0]
    np.testing.assert_allclose(heard, soundfile.read(noisy / "sub" / "c.flac")[0] / 2, atol=2**-15)
    again = json.loads(audiodae(*arguments, "--json").stdout)
    assert (again["cleaned"], again["skipped"], again["failed"], again["others"]) == (0, 2, 0, 1)
    assert (again["input"], again["output"]) == (str(noisy), str(tmp_path / "out"))


def test_one_bad_file_stops_no_other(noisy, half, tmp_path):
    (noisy / "bad\n.wav").write_text("no sound")
    report = tmp_path / "report.jsonl"
    done = audiodae("clean", noisy, tmp_path / "out", "--model", half, "--report", report, "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    told, end = done.stderr.splitlines()
    assert told.startswith(f"audiodae: {noisy}/bad .wav: no sound file")
    assert end == "audiodae: 1 of 3 sounds failed"
    lines = {line["path"]: line["error"] for line in map(json.loads, report.read_text().splitlines())}
    assert lines.pop("bad\n.wav") and lines == {"a b.wav": None, "sub/c.flac": None}


def test_include(noisy, half, tmp_path):
    done = audiodae("clean", noisy, tmp_path / "out", "--model", half, "--include", "sub/*", "--include", "x", "--json")
    assert json.loads(done.stdout)["cleaned"] == 1
    assert [path.name for path in (tmp_path / "out").rglob("[!.]*.*")] == ["c.flac"]


@pytest.mark.parametrize("option", [["--jobs", "2"], ["--include", "*.wav"], ["--report", "r.jsonl"]])
def test_options_of_folders_are_refused_elsewhere(noisy, tmp_path, option):
    done = audiodae("clean", noisy / "a b.wav", tmp_path / "out.wav", *option)
    assert done.returncode == 2 and f"{option[0]} is for folders" in done.stderr


def test_refused(noisy, half, tmp_path):
    assert_refused(audiodae("clean", noisy, noisy, "--model", half), "the input itself")
    assert_refused(audiodae("clean", noisy, half, "--model", half), "is no folder")
    assert "no pipe" in audiodae("clean", noisy, "-", "--model", half).stderr


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(half, tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(12):
        seconds = 1 if number else 300  # the largest comes first, and is still under way when others are done
        soundfile.write(tmp_path / "in" / f"{number}.wav", np.zeros(16_000 * seconds, np.int16), 16_000)
    out = tmp_path / "out"
    arguments = ["clean", tmp_path / "in", out, "--model", half, "--jobs", "2"]
    running = subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(list(out.glob("[!.]*"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    _, err = running.communicate(timeout=30)
    assert (running.returncode, err.strip()) == (130, "audiodae: interrupted")
    kept = {path.name: path.stat().st_mtime_ns for path in out.glob("[!.]*")}
    assert 3 <= len(kept) < 12 and not list(out.glob(".*.part"))
    assert json.loads(audiodae(*arguments, "--json").stdout)["failed"] == 0
    assert len(list(out.glob("[!.]*"))) == 12
    # What either process had just finished may not have been noted as done yet.
    assert sum((out / name).stat().st_mtime_ns != changed for name, changed in kept.items()) <= 2


def test_the_summary_on_a_terminal_is_a_table(monkeypatch):
    ours, theirs = pty.openpty()
    with open(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        _show({"cleaned": "2", "failed": "[0]"})
        terminal.flush()
        shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "│ cleaned │ 2   │" in shown and "│ failed  │ [0] │" in shown
