"""The patch autoencoders that come with audiodae: small, documented, and worth having."""

import json

import numpy as np
import pytest

from audiodae.errors import TrainingError
from audiodae.training.export_codes import export_codes, read_card
from audiodae.training.patch_autoencoder import PatchAutoencoder, shipped_patch_autoencoders
from audiodae.training.run_folder import read_checkpoint
from audiodae.uses.codes_page import codes_page
from audiodae.uses.encoding import encode_recordings
from audiodae.uses.recordings import DEFAULT_CODES, load_network
from audiodae.uses.search import nearest
from tests.cli.process import assert_refused, here
from tests.markdown import unpadded
from tests.uses.made_up import RATE, SMALL, spoken, with_noise

SHIPPED = shipped_patch_autoencoders()


def test_the_default_is_shipped():
    assert DEFAULT_CODES in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_small_and_says_what_it_is(name):
    path = SHIPPED[name]
    assert path.stat().st_size < 1_000_000
    card = read_card(path)
    assert card["name"] == name
    for key in ("version", "licence", "data", "made_by", "limits", "metrics", "epochs", "validation_error"):
        assert card[key], key
    _, facts = read_checkpoint(path)
    assert "/" not in json.dumps(facts["recipe"])  # no folder of whoever trained it
    assert path.with_suffix(".md").read_text(encoding="utf-8") == codes_page(path)


def test_it_finds_a_recording_in_noise():
    network = load_network(None)
    rate = network.recipe.patches.sample_rate
    waveforms, names = spoken(rate)
    library = encode_recordings(network, list(zip(names, waveforms, strict=True))[::36])
    hits = 0
    for name, samples in list(zip(names, waveforms, strict=True))[::72]:
        query = encode_recordings(network, [("query", with_noise(samples, 15))])
        hits += nearest(library, query, top=1)[0].name == name
    assert hits >= 4  # of 10, among 20; by chance 0.5


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run of a family, with a noise folder in its recipe."""
    from audiodae.prep.patch_sets import patches_of_waveforms
    from audiodae.training.families import family_recipe
    from audiodae.training.family_run import train_family

    recipe = family_recipe("denoising-gaussian", [*SMALL, "run.epochs=1", "corruption.noise=somebodys_folder"])
    waveforms, names = spoken(RATE)
    patches = patches_of_waveforms(waveforms[:20], names[:20], recipe.patches)
    folder = tmp_path_factory.mktemp("family") / "run"
    train_family(recipe, patches, patches, out=folder)
    return folder


def test_export_keeps_the_weights_and_adds_a_card(run, tmp_path):
    target = tmp_path / "mine.safetensors"
    card = export_codes(run, target, metrics={"gain": 3.0}, card={"data": "my words", "licence": "CC0-1.0"})
    assert card["name"] == "mine" and card["epochs"] == 1 and card["metrics"] == {"gain": 3.0}
    before, after = PatchAutoencoder.load(run).state_dict(), PatchAutoencoder.load(target).state_dict()
    for name, tensor in before.items():
        np.testing.assert_array_equal(after[name].numpy(), tensor.numpy())
    assert b"somebodys_folder" not in target.read_bytes()
    page = unpadded(codes_page(target))
    assert "# `mine`, version 1" in page and "my words" in page and "| gain | 3 |" in page


def test_the_command_exports_both_kinds_of_runs(run, tmp_path):
    done = here("export", run, "mine.safetensors", "--card", "data=my words", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "mine.safetensors: 0.1 MB\n")
    assert read_card(tmp_path / "mine.safetensors")["data"] == "my words"
    assert_refused(here("export", run, "mine.safetensors", cwd=tmp_path), "exists already")


def test_what_cannot_be_exported_is_said(run, tmp_path):
    with pytest.raises(TrainingError, match="--card colour: the card of a patch autoencoder has version"):
        export_codes(run, tmp_path / "a.safetensors", card={"colour": "red"})
    with pytest.raises(TrainingError, match="has no card"):
        read_card(run / "model.safetensors")
