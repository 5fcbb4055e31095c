import csv
import json
import subprocess
import sys

import pytest

from tests.evaluation.made_up import write_gate, write_pairs


def audiodae(*arguments):
    """The command as a user runs it: a process."""
    command = [sys.executable, "-m", "audiodae.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    return write_gate(tmp_path_factory.mktemp("network") / "gate.onnx")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def scored(folders, gate, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "new"
    return audiodae("evaluate", *folders, "--model", gate, "--out", out, "--jobs", 1, "--keep-cleaned"), out


def test_table_on_stdout_and_in_the_report(scored):
    done, out = scored
    assert done.returncode == 0, done.stderr
    assert done.stdout == (out / "report.md").read_text()
    lines = done.stdout.splitlines()
    assert lines[0] == "Network `gate` on 2 files: means."
    assert lines[2] == "| SNR (dB) | system  | files | PESQ-WB |   STOI |  ESTOI | SI-SDR (dB) |"
    assert [tuple(cell.strip() for cell in line.split("|")[1:3]) for line in lines[4:13]] == [
        (snr, system) for snr in ("0", "10", "all") for system in ("noisy", "cleaned", "oracle")
    ]
    assert lines[14].startswith("Cleaned over noisy: SI-SDR +")
    assert lines[15].startswith("Clean speech in: SI-SDR ")
    assert lines[16].startswith("Real-time factor, one thread")
    assert "scored 2 files in" in done.stderr and str(out) in done.stderr


def test_rows_and_sounds_are_written(scored):
    _, out = scored
    rows = list(csv.DictReader((out / "scores.csv").open(newline="")))
    assert [(row["file"], row["system"]) for row in rows[:4]] == [
        ("a", system) for system in ("noisy", "cleaned", "oracle", "clean in")
    ]
    assert len(rows) == 8 and rows[0]["noise"] == "hiss"
    assert float(rows[1]["si_sdr_db"]) > float(rows[0]["si_sdr_db"])
    assert json.loads((out / "report.json").read_text())["n_files"] == 2
    assert sorted(path.name for path in (out / "cleaned").iterdir()) == ["a.wav", "b.wav"]


def test_json_without_the_oracle(folders, gate):
    done = audiodae("evaluate", *folders, "--model", gate, "--jobs", 1, "--json", "--no-oracle")
    means = json.loads(done.stdout)
    assert {mean["system"] for mean in means["over_all"]} == {"noisy", "cleaned", "clean in"}
    assert [mean["snr_db"] for mean in means["by_snr"]] == [0, 0, 10, 10]


def assert_one_line(done, message, code=1):
    assert done.returncode == code
    assert message in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""
    assert code == 2 or len(done.stderr.strip().splitlines()) == 1


def test_a_report_is_not_overwritten_unasked(scored, folders, gate):
    before = (scored[1] / "scores.csv").stat().st_mtime_ns
    done = audiodae("evaluate", *folders, "--model", gate, "--out", scored[1])
    assert_one_line(done, "report.md exists: choose another --out, or add --overwrite")
    assert (scored[1] / "scores.csv").stat().st_mtime_ns == before


def test_what_a_user_can_get_wrong_is_one_line(folders, gate, tmp_path):
    clean, noisy = folders
    assert_one_line(audiodae("evaluate", clean, tmp_path / "none"), "none: no such folder")
    assert_one_line(audiodae("evaluate", clean, noisy, "--conditions", tmp_path / "c.csv"), "cannot read conditions")
    assert_one_line(audiodae("evaluate", clean, noisy, "--out", clean / "a.flac"), "cannot make the folder")
    assert_one_line(audiodae("evaluate", clean, noisy, "--model", tmp_path / "none.onnx"), "none.onnx")
    assert_one_line(audiodae("evaluate", clean, noisy, "--keep-cleaned"), "--keep-cleaned needs --out", code=2)
    assert_one_line(audiodae("evaluate", clean, noisy, "--jobs", 0), "--jobs", code=2)


def test_help_ends_in_an_example():
    done = audiodae("evaluate", "--help")
    assert done.returncode == 0
    assert "  Example:\n    audiodae evaluate test/clean test/noisy --model my.onnx --out runs/my/report" in done.stdout
