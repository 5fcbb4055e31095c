import json
import subprocess
import sys

import click
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from audiodae.cli import options
from audiodae.cli.options import cleaning_options
from tests import networks, series_networks
from tests.cli.process import audiodae, here, with_model


@pytest.fixture
def made_up(monkeypatch):
    """A preset unlike every default, under the name of one there is."""
    monkeypatch.setattr(options, "PRESETS", {"asr": {"limit_db": 3.0, "mix": 0.5}})


@pytest.fixture
def half(tmp_path):
    """A network file that halves."""
    path = tmp_path / "half.onnx"
    path.write_bytes(networks.constant(0.5).SerializeToString())
    return path


@click.command()
@cleaning_options
def shown(**values):
    click.echo(json.dumps(values))


@pytest.mark.parametrize(
    ("arguments", "limit_db", "mix"),
    [
        ([], None, 1.0),
        (["--preset", "asr"], 3.0, 0.5),
        (["--preset", "asr", "--limit-db", "20"], 20.0, 0.5),
        (["--mix", "0.9", "--preset", "asr"], 3.0, 0.9),
        (["--mix", "1", "--preset", "asr"], 3.0, 1.0),  # the default, but said
        (["--preset", "asr", "--mix", "0.9", "--limit-db", "0"], 0.0, 0.9),
    ],
)
def test_what_is_said_wins_over_the_preset(made_up, arguments, limit_db, mix):
    done = CliRunner().invoke(shown, arguments)
    assert json.loads(done.output) == {"model": None, "limit_db": limit_db, "mix": mix}


def test_an_unknown_preset_is_refused():
    done = CliRunner().invoke(shown, ["--preset", "hifi"])
    assert done.exit_code == 2 and "'hifi' is not 'asr'" in done.output


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_clean_takes_the_preset(made_up, half, tmp_path, kind):
    sound = np.random.default_rng(0).normal(0, 0.1, 8_000)
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "a.wav", sound, 16_000, subtype="FLOAT")
    names = ("in/a.wav", "out/a.wav") if kind == "file" else ("in", "out")
    (tmp_path / "out").mkdir()
    done = here("clean", *names, "--preset", "asr", "--model", half, "--no-sandbox", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    wanted = sound * (0.5 * 10 ** (-3 / 20) + 0.5)
    np.testing.assert_allclose(soundfile.read(tmp_path / "out" / "a.wav")[0], wanted, atol=1e-5)


PATCHED = """
from audiodae.cli import main, options
options.PRESETS = {"asr": {"limit_db": 3.0, "mix": 0.5}}
main()
"""


@pytest.mark.parametrize("command", [["stream", "--rate", "16000", "--format", "f32le"], ["clean", "-", "-"]])
def test_pipes_take_the_preset(half, tmp_path, command):
    sound = np.random.default_rng(0).normal(0, 0.1, 8_000).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", sound, 16_000, subtype="FLOAT")
    given = sound.tobytes() if command[0] == "stream" else (tmp_path / "in.wav").read_bytes()
    called = [sys.executable, "-c", PATCHED, *command, "--preset", "asr"]
    done = subprocess.run(called, input=given, capture_output=True, env=with_model(half), check=True, timeout=60)
    heard = np.frombuffer(done.stdout[-sound.nbytes :], "<f4")
    np.testing.assert_allclose(heard, sound * (0.5 * 10 ** (-3 / 20) + 0.5), atol=1e-5)


def test_series_have_no_preset(tmp_path):
    network = tmp_path / "series.onnx"
    network.write_bytes(series_networks.smoothed(delay=2, name="smooth").SerializeToString())
    (tmp_path / "in.csv").write_text("ecg\n" + "1\n" * 100)
    arguments = ["--model", network, "--preset", "asr"]
    done = here("clean", "in.csv", "out.csv", "--rate", 360, *arguments, cwd=tmp_path)
    assert done.returncode == 2 and "--preset is for sound, and IN is a series" in done.stderr
    done = audiodae("stream", "--rate", 360, *arguments, input="")
    assert done.returncode == 2 and "--preset is for sound, and the network smooth cleans series" in done.stderr
