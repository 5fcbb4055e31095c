import importlib.util
import json
from pathlib import Path

import pytest

from tests.cli.process import assert_refused, here
from tests.evaluation.made_up import write_gate
from tests.evaluation.recognition.made_up import write_digits, write_noise, write_sentences

QUICK = ("--snrs", "0,none", "--limits", "none,6", "--mixes", "1", "--most", 2, "--most-digits", 6)


def audiodae(*arguments):
    """The command within this process: its libraries take long to load."""
    return here("evaluate-asr", *arguments, cwd=Path.cwd())


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    return write_gate(tmp_path_factory.mktemp("network") / "gate.onnx")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    return {
        "noise": write_noise(folder / "noise"),
        "digits": write_digits(folder / "digits"),
        "speech": write_sentences(folder / "speech"),
    }


@pytest.fixture(scope="module")
def scored(folders, gate, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "new"
    return audiodae(folders["noise"], "--digits", folders["digits"], "--model", gate, "--out", out, *QUICK), out


def test_the_report_is_printed_and_written(scored):
    done, out = scored
    assert done.returncode == 0, done.stderr
    assert done.stdout == (out / "report.md").read_text()
    assert done.stdout.startswith("Network `gate`: word error rates, %")
    assert "- digits: 6 utterances, 6 words, 3 speakers. Best" in done.stdout
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| ")]
    assert rows[2:] == ["noisy", "no limit", "limit 6 dB"]
    assert {path.name for path in out.iterdir()} == {"report.md", "report.json", "report.png", "heard.csv"}
    assert "heard 36 utterances in" in done.stderr


def test_json(scored, folders, gate):
    done = audiodae(folders["noise"], "--digits", folders["digits"], "--model", gate, *QUICK, "--json")
    assert json.loads(done.stdout) == json.loads((scored[1] / "report.json").read_text())


def test_without_the_recogniser_it_is_left_out(folders, gate, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pocketsphinx" else found(name))
    both = ("--speech", folders["speech"], "--digits", folders["digits"])
    done = audiodae(folders["noise"], *both, "--model", gate, *QUICK)
    assert "- Left out: sentences (pocketsphinx is missing: pip install" in done.stdout
    done = audiodae(folders["noise"], *both[:2], "--model", gate, *QUICK)
    assert_refused(done, "nothing to try: pocketsphinx is missing")


def test_what_a_user_can_get_wrong_is_one_line(scored, folders, gate, tmp_path):
    digits = ("--digits", folders["digits"], "--model", gate)
    assert_refused(audiodae(tmp_path / "none", *digits), "none: no such folder")
    assert_refused(audiodae(folders["noise"], *digits, "--out", scored[1]), "report.md exists")
    assert_refused(audiodae(folders["noise"], "--digits", folders["speech"]), "digits are named SPEAKER_DIGIT_TAKE")
    for wrong, told in (
        ((), "nothing to recognise: give --speech, --digits or both"),
        ((*digits, "--snrs", "loud"), "'loud' is not a valid float"),
        ((*digits, "--snrs", "5,nan"), "'nan' is no finite number"),
        ((*digits, "--limits", "inf"), "'inf' is no finite number"),
        ((*digits, "--mixes", "1,2"), "2.0 is not in the range"),
        ((*digits, "--limits", ","), "no numbers in it"),
        ((*digits, "--seed", "-1"), "-1 is not in the range"),
    ):
        done = audiodae(folders["noise"], *wrong)
        assert done.returncode == 2 and told in done.stderr


def test_help_ends_in_an_example():
    assert "Example:\n    audiodae evaluate-asr noise --speech" in audiodae("--help").stdout
