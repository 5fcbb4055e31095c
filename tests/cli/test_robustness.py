"""`audiodae robustness`, and `export --robustness`, which keeps its figures in a card."""

import json

import pytest
import soundfile

from audiodae.cli.export import _figures
from audiodae.errors import TrainingError
from tests.cli.process import assert_refused, here
from tests.evaluation.made_up import RATE, voice, write_gate
from tests.markdown import unpadded

ONLY = ("--only", "clean speech", "--only", "hiss alone")


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    return write_gate(tmp_path_factory.mktemp("network") / "gate.onnx")


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    for group, hz in (("low", 110), ("high", 220)):
        (folder / group).mkdir()
        soundfile.write(folder / group / "a.flac", voice(2.0, pitch_hz=hz), RATE)
    return folder


@pytest.fixture(scope="module")
def tried(gate, speech, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "new"
    done = here("robustness", speech, "--model", gate, "--out", out, *ONLY, "--jobs", 1, cwd=speech)
    return done, out


def test_tables_on_stdout_and_files_in_the_folder(tried):
    done, out = tried
    assert done.returncode == 0, done.stderr
    assert done.stdout == (out / "robustness.md").read_text()
    assert done.stdout.startswith("Network `gate` on 2 sentences, recordings.")
    assert "| low | clean speech | 1 |" in unpadded(done.stdout)
    figures = json.loads((out / "robustness.json").read_text())
    assert [row["condition"] for row in figures["conditions"]] == ["clean speech"]
    assert (out / "onsets.png").stat().st_size > 1000
    assert "tried 2 sentences in" in done.stderr and "robustness.md" in done.stderr


def test_json_of_synthesised_voices(gate, tmp_path):
    done = here("robustness", "--model", gate, "--sentences", 2, "--json", "--only", "hiss alone", "--jobs", 1,
                cwd=tmp_path)  # fmt: skip
    figures = json.loads(done.stdout)
    assert figures["speech"] == "synthesised voices" and figures["sentences"] == 2
    assert figures["measures"][0]["mean"] < -1  # a gate makes hiss softer


def test_what_a_user_can_get_wrong(tried, speech, gate, tmp_path):
    again = here("robustness", speech, "--model", gate, "--out", tried[1], *ONLY, cwd=tmp_path)
    assert_refused(again, "robustness.md exists: choose another --out, or add --overwrite")
    assert_refused(here("robustness", tmp_path / "none", "--model", gate, cwd=tmp_path), "none: no such folder")
    assert_refused(here("robustness", speech, "--model", "ecg", *ONLY, cwd=tmp_path), "network for series")
    unknown = here("robustness", speech, "--only", "rain", cwd=tmp_path)
    assert unknown.returncode == 2 and "'rain'; known are 'clean speech'" in unknown.stderr


def test_figures_go_into_the_card_beside_others(tried, tmp_path):
    (tmp_path / "report.json").write_text('{"n_files": 3}')
    figures = _figures(tmp_path / "report.json", tried[1] / "robustness.json")
    assert figures["n_files"] == 3
    assert [row["condition"] for row in figures["robustness"]["conditions"]] == ["clean speech"]
    assert "after_onsets" not in figures["robustness"]
    assert _figures(None, None) is None
    for text, message in (
        ("{}", "is no report of `audiodae robustness`"),
        ("[1]", "need a JSON object"),
        ("{", "JSON"),
    ):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(TrainingError, match=message):
            _figures(None, tmp_path / "other.json")


def test_help_ends_in_an_example(tmp_path):
    assert "audiodae robustness test/clean --model my.onnx" in here("robustness", "--help", cwd=tmp_path).stdout
