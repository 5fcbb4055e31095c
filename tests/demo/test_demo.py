"""The demo as a process, and the sample that comes with it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiodae.evaluation.metrics import si_sdr
from tests.networks import smoothing

DEMO = Path(__file__).parents[2] / "demo"
MADE = ("noisy.wav", "clean.wav", "before_after.png")


@pytest.fixture
def demo(tmp_path):
    """A copy of the demo, so that what it makes does not lie in the tree; called with its arguments."""
    (tmp_path / "network.onnx").write_bytes(smoothing().SerializeToString())
    for name in ("demo.py", "sample_clean.flac", "sample_noisy.flac"):
        (tmp_path / name).write_bytes((DEMO / name).read_bytes())
    environment = {
        **os.environ,
        "AUDIODAE_MODEL": str(tmp_path / "network.onnx"),
        "PYTHONPATH": str(DEMO.parent / "src"),
    }

    def run(*arguments):
        command = [sys.executable, tmp_path / "demo.py", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    run.folder = tmp_path
    return run


def test_the_bundled_sample_is_cleaned_and_drawn(demo):
    run = demo()
    assert (run.returncode, run.stderr) == (0, "")
    for told in ("SI-SDR", "real-time factor", *(str(demo.folder / name) for name in MADE)):
        assert told in run.stdout
    for name in MADE:
        assert (demo.folder / name).stat().st_size > 10_000
    assert soundfile.info(demo.folder / "clean.wav").frames == soundfile.info(DEMO / "sample_noisy.flac").frames


def test_a_users_sound_is_cleaned_and_drawn(demo, tmp_path):
    noise = np.random.default_rng(2).normal(0, 0.05, (22_050, 2))
    soundfile.write(tmp_path / "my own.wav", noise, 44_100)
    run = demo(tmp_path / "my own.wav")
    assert (run.returncode, run.stderr) == (0, "")
    assert "SI-SDR" not in run.stdout  # nothing to compare with
    assert "pauses" in run.stdout
    assert soundfile.info(demo.folder / "clean.wav").channels == 2


def test_what_is_no_sound_is_one_line(demo):
    run = demo("nowhere.wav")
    assert run.returncode == 1
    assert run.stderr.startswith("demo: nowhere.wav")
    assert len(run.stderr.splitlines()) == 1


def test_the_sample_is_small_and_as_noisy_as_it_says():
    paths = [DEMO / f"sample_{kind}.flac" for kind in ("clean", "noisy")]
    assert sum(path.stat().st_size for path in paths) < 300_000
    clean, noisy = (soundfile.read(path)[0] for path in paths)
    assert si_sdr(estimate=noisy, clean=clean) == pytest.approx(3.0, abs=0.2)
