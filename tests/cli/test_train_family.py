"""`audiodae train --family` as a user meets it: one command from a folder of sounds or images to a network."""

import gzip

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from audiodae.cli import audiodae
from audiodae.training.patch_autoencoder import PatchAutoencoder

SMALL = [f"--set={change}" for change in ("run.epochs=2", "body.filters=[8]", "code.width=3", "patches.frames=8")]


def run(*arguments):
    return CliRunner().invoke(audiodae, ["train", *map(str, arguments)])


@pytest.fixture
def sounds(tmp_path):
    folder = tmp_path / "sounds"
    folder.mkdir()
    for number in range(12):
        samples = np.random.default_rng(number).uniform(-0.2, 0.2, 2500 + 100 * number)
        soundfile.write(folder / f"{number:02d}.wav", samples, 8000)
    return folder


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, array in (
        ("images-idx3", rng.integers(0, 256, (30, 6, 5), np.uint8)),
        ("labels-idx1", np.zeros(30, np.uint8)),
    ):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (folder / f"t10k-{name}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes()))
    return folder


def test_a_family_by_its_name(sounds, tmp_path):
    made = run("--family", "variational", "--data", sounds, "--out", tmp_path / "run", "--quiet", *SMALL)
    assert made.exit_code == 0, made.output
    first, second = made.stdout.splitlines()
    assert first.startswith("11 patches, 2 epochs in ")
    assert second.startswith("validation error 0.") and second.endswith("model.safetensors")
    network = PatchAutoencoder.load(tmp_path / "run")
    assert (network.recipe.family.name, network.shape, network.code_width) == ("variational", (40, 8), 3)


def test_images_are_known_by_their_files(images, tmp_path):
    made = run("--family", "stacked", "--data", images, "--out", tmp_path / "run", *SMALL)
    assert made.exit_code == 0, made.output
    assert PatchAutoencoder.load(tmp_path / "run").shape == (6, 5)


def test_a_recipe_with_a_family(sounds, tmp_path):
    recipe = tmp_path / "mine.toml"
    recipe.write_text('[family]\nname = "sparse"\n[code]\nwidth = 50\n')
    made = run(recipe, "--data", sounds, "--out", tmp_path / "run", "--quiet", "--set=run.epochs=1")
    assert made.exit_code == 0, made.output
    network = PatchAutoencoder.load(tmp_path / "run")
    assert (network.recipe.family.name, network.code_width) == ("sparse", 50)
    again = run(recipe, "--family", "regularised-l2", "--data", sounds, "--out", tmp_path / "run2", "--quiet", *SMALL)
    assert again.exit_code == 0, again.output
    assert PatchAutoencoder.load(tmp_path / "run2").recipe.family.name == "regularised-l2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'RECIPE', or option '--family'"),
        (["--family", "sparse", "--resume"], "not for families"),
        (["--family", "sparse", "--device", "cpu"], "not for families"),
    ],
)
def test_wrong_usage_is_told(tmp_path, arguments, message):
    made = run(*arguments, "--out", tmp_path / "run")
    assert made.exit_code == 2
    assert message in made.stderr


def test_data_is_for_families(tmp_path, sounds):
    recipe = tmp_path / "plain.toml"
    recipe.write_text("[run]\nsteps = 5\n")
    made = run(recipe, "--data", sounds, "--out", tmp_path / "run")
    assert made.exit_code == 2
    assert "--data is for families" in made.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--family", "variatonal"], "unknown family variatonal; did you mean variational?"),
        (["--family", "sparse", "--set=loss.rh=1"], "did you mean loss.rho?"),
        (["--family", "sparse", "--data", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_a_slip_is_an_error_of_ours(tmp_path, arguments, message):
    made = run(*arguments, "--out", tmp_path / "run")
    assert message in str(made.exception)
    assert type(made.exception).__module__ == "audiodae.errors"
    assert not (tmp_path / "run").exists()
