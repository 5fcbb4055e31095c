import json
from pathlib import Path

import numpy as np
import pytest

from tests import series_networks
from tests.cli.process import here
from tests.evaluation.made_up import write_gate
from tests.evaluation.series.made_up import write_folders

QUICK = ("--seconds", 8, "--jobs", 1, "--no-peaks")


def audiodae(*arguments):
    """The command within this process: its libraries take long to load."""
    return here("evaluate-ecg", *arguments, cwd=Path.cwd())


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "smooth.onnx"
    path.write_bytes(series_networks.smoothed(delay=2, name="smooth").SerializeToString())
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_folders(tmp_path_factory.mktemp("ecg"))


@pytest.fixture(scope="module")
def scored(folders, network, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "new"
    return audiodae(*folders, "--model", network, "--out", out, *QUICK, "--keep-cleaned"), out


def test_the_report_is_printed_and_written(scored):
    done, out = scored
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# ECG: smooth\n\n`smooth` on 40 noisy series of 2 records")
    assert (out / "report.md").read_text().startswith(done.stdout.rstrip("\n"))
    for title in ("By signal-to-noise ratio", "Clean ECG in", "Single beats", "Published values"):
        assert f"\n## {title}" in done.stdout
    assert "Heart beats found" not in done.stdout
    assert {path.name for path in out.iterdir()} == {
        *("report.md", "report.html", "report.json", "scores.csv", "cleaned"),
        *("gain.png", "cases_0dB.png", "cases_-12dB.png"),
    }
    assert f"the report is {out / 'report.html'}" in done.stderr
    assert np.load(out / "cleaned" / "snr" / "7a_bw_-12dB.npy").shape == (2880,)
    assert np.load(out / "cleaned" / "beats" / "bw.npy").shape[1] == 512


def test_json_of_a_part(folders, network):
    done = audiodae(*folders, "--model", network, *QUICK, "--json", "--no-filters")
    means = json.loads(done.stdout)
    assert means["model"] == "smooth" and {row["system"] for row in means["snr"]} == {"noisy input", "smooth"}
    assert {row["kind"] for row in means["snr"]} == {"bw", "em", "ma", "all"}


def assert_one_line(done, message, code=1):
    assert done.returncode == code
    assert message in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""
    assert code == 2 or len(done.stderr.strip().splitlines()) == 1


def test_a_report_is_not_overwritten_unasked(scored, folders, network):
    done = audiodae(*folders, "--model", network, "--out", scored[1])
    assert_one_line(done, "report.md exists: choose another --out, or add --overwrite")


def test_what_a_user_can_get_wrong_is_one_line(folders, network, tmp_path):
    records, noise = folders
    model = ("--model", network)
    assert_one_line(audiodae(records, tmp_path / "none", *model), "none: no such folder")
    assert_one_line(audiodae(noise, records, *model), "no annotated ECG records")
    assert_one_line(audiodae(records, *model), "name a folder of noise beside the records")
    sound = write_gate(tmp_path / "gate.onnx")
    assert_one_line(audiodae(records, noise, "--model", sound), "a network for sound; name one for series")


def test_wrong_usage():
    done = audiodae("a", "b", "--keep-cleaned")
    assert_one_line(done, "--keep-cleaned needs --out", code=2)


def test_help_ends_in_an_example():
    done = audiodae("--help")
    assert done.returncode == 0
    assert "  Example:\n    audiodae evaluate-ecg records/test noise/test --model ecg --out report" in done.stdout
