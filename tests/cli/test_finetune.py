"""`audiodae finetune` and `audiodae benchmark` as a user meets them."""

import pytest
import soundfile

from audiodae.training.export import export_run
from audiodae.training.trainer import train
from tests.cli.process import assert_refused, audiodae
from tests.evaluation.made_up import write_gate, write_pairs
from tests.markdown import unpadded
from tests.prep.made_banks import make_prepared
from tests.prep.made_corpus import make_noise, make_speech
from tests.training.tiny import tiny_recipe


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finetune")
    train(tiny_recipe(make_prepared(folder / "prepared"), run__steps=2), folder / "run")
    export_run(folder / "run", folder / "tiny.onnx")
    return folder / "tiny.onnx"


def test_gain_and_loss_are_printed_and_the_network_cleans(model, tmp_path):
    speech, noise = make_speech(tmp_path / "speech"), make_noise(tmp_path / "noise")
    few = ["--steps", "2", "--clips", "1", "--quiet"]
    done = audiodae("finetune", model, "--noise", noise, "--speech", speech, "--out", tmp_path / "tuned", *few)
    assert done.returncode == 0, done.stderr
    for part in ("In your noise, 1 clips:", "In other noises, 1 clips:", "| before |", "| after, clean speech in |"):
        assert part in unpadded(done.stdout)
    assert (tmp_path / "tuned" / "report.md").read_text() in done.stdout
    tuned = done.stdout.strip().splitlines()[-1]
    soundfile.write(tmp_path / "in.wav", [0.1, -0.1] * 4000, 16_000)
    assert audiodae("clean", tmp_path / "in.wav", tmp_path / "out.wav", "--model", tuned).returncode == 0


def test_finetuning_refuses_in_one_line(model, tmp_path):
    assert_refused(audiodae("finetune", "no-such", "--noise", tmp_path), "no network 'no-such'")
    empty = tmp_path / "empty"
    empty.mkdir()
    out = ("--out", tmp_path / "out")
    assert_refused(audiodae("finetune", model, "--noise", empty, *out), "empty: no recordings")
    gate = write_gate(tmp_path / "gate.onnx")
    assert_refused(audiodae("finetune", gate, "--noise", empty, *out), "cannot be trained")


def test_the_benchmark_leaves_a_report(tmp_path):
    clean_dir, noisy_dir = write_pairs(tmp_path)
    gate = write_gate(tmp_path / "gate.onnx")
    asked = [clean_dir, noisy_dir, "--out", tmp_path / "report", "--model", gate, "--peer", "speexdsp"]
    done = audiodae("benchmark", *asked)
    assert done.returncode == 0, done.stderr
    assert "| oracle |" in unpadded(done.stdout)
    assert {"report.md", "scores.csv", "quality.png"} <= {path.name for path in (tmp_path / "report").iterdir()}
    assert_refused(audiodae("benchmark", *asked), "report.md: exists already")
    shipped = audiodae("benchmark", *asked[:4], "--peer", "speexdsp", "--overwrite").stdout
    assert "| audiodae speech-tiny |" in unpadded(shipped) and "ecg" not in shipped  # which is for series
    wrong = audiodae("benchmark", *asked[:-1], "nobody", "--overwrite")
    assert wrong.returncode == 2
    assert "'nobody'; known are noisereduce" in wrong.stderr
