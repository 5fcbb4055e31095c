"""Export: one file that onnxruntime reads as torch meant it, whole and in pieces, with its card inside."""

import numpy as np
import onnx
import pytest
import torch

from audiodae import Denoiser
from audiodae.errors import RecipeError, TrainingError
from audiodae.frames import FrameGeometry
from audiodae.network import Network
from audiodae.training.autoencoder import build_autoencoder
from audiodae.training.export import TOLERANCE, export_run, largest_difference, load_network, make_card, to_onnx
from audiodae.training.recipe import DataSettings, NetworkSettings, Recipe, RunSettings
from audiodae.training.run_folder import RunFolder, read_checkpoint, write_checkpoint
from audiodae.training.sound_task import clean_waveforms
from audiodae.training.spectra import Frames
from tests.training.test_autoencoder import MAKES, sound

CARD = {"name": "test", "version": "1", "kind": "magnitudes", "frames": {"window_ms": 32.0, "bins": 257}}


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    target = tmp_path_factory.mktemp("models") / "tiny.onnx"
    return target, export_run(finished, target, metrics={"note": "made by a test"})


@pytest.mark.parametrize("make", MAKES)
def test_every_make_of_network_survives_the_export(make):
    torch.manual_seed(3)
    network = build_autoencoder(NetworkSettings(code_width=12, **MAKES[make]))
    for _ in range(2):
        network(sound(), network.initial_state(2))
    network.eval()
    exported = Network.from_bytes(to_onnx(network, CARD), source=make)
    assert exported.state_size == network.state_size
    assert largest_difference(network, exported) < TOLERANCE


def test_other_weights_are_noticed():
    """Control."""
    networks = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        networks.append(build_autoencoder(NetworkSettings(widths=(4, 6, 8), code_width=12)).eval())
    assert largest_difference(networks[0], Network.from_bytes(to_onnx(networks[1], CARD), source="other")) > TOLERANCE


def test_the_card_tells_how_the_network_was_made(exported):
    target, card = exported
    assert card["largest_difference"] <= TOLERANCE
    read = Network.load(target).card
    assert read["steps"] in (8, 16, 24)
    assert read["seed"] == 1
    assert read["metrics"] == {"note": "made by a test"}
    assert read["recipe"]["network"]["widths"] == [4, 6, 8]


def test_the_card_names_no_path():
    facts = {"best_step": 1, "audio_seconds": 1.0, "hardware": "a CPU", "last_look": {}}
    recipe = Recipe(
        data=DataSettings(prepared="/home/me/speech"), run=RunSettings(start_from="/home/me/best.safetensors")
    )
    assert "/home/me" not in str(make_card(recipe, facts, {}))


def test_the_card_can_be_told_more(finished, tmp_path):
    export_run(finished, tmp_path / "told.onnx", card={"name": "mine", "data": 'my "own" kitchen'})
    told = Network.load(tmp_path / "told.onnx").card
    assert (told.name, told["data"]) == ("mine", 'my "own" kitchen')
    with pytest.raises(RecipeError, match=r"unknown key card\.nmae; did you mean card\.name\?"):
        export_run(finished, tmp_path / "told.onnx", card={"nmae": "mine"})


def test_the_same_weights_give_the_same_bytes(finished, exported, tmp_path):
    target, _ = exported
    export_run(finished, tmp_path / "again.onnx", metrics={"note": "made by a test"})
    assert (tmp_path / "again.onnx").read_bytes() == target.read_bytes()


def test_the_graph_is_plain_and_small(exported):
    model = onnx.load(exported[0])
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    assert not any(tensor.external_data for tensor in model.graph.initializer)


def test_what_is_trained_is_what_is_shipped(finished, exported):
    """The waveform that training sees is the waveform that a user gets."""
    folder = RunFolder(finished)
    recipe = folder.recipe()
    network = load_network(recipe, read_checkpoint(folder.best)[0])
    noisy = np.random.default_rng(0).uniform(-0.5, 0.5, 20_000).astype(np.float32)
    denoiser = Denoiser(exported[0])
    trained = clean_waveforms(
        network, torch.from_numpy(noisy)[None], Frames(FrameGeometry.for_rate(16_000), torch.device("cpu"))
    )
    shipped = denoiser.clean(noisy, sample_rate=16_000)
    np.testing.assert_allclose(shipped, trained[0].numpy(), atol=1e-4)
    assert not np.allclose(shipped, noisy, atol=1e-2)  # control: it did something


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(RecipeError, match=str(tmp_path)):
        export_run(tmp_path, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_weights_of_another_network_are_refused(finished, tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.begin(RunFolder(finished).recipe())
    tensors, facts = read_checkpoint(finished / "best.safetensors")
    tensors.pop(next(iter(tensors)))
    write_checkpoint(folder.best, tensors, facts)
    with pytest.raises(TrainingError, match="does not fit the recipe"):
        export_run(tmp_path / "run", tmp_path / "model.onnx")


def test_a_target_that_cannot_be_written_is_named(finished, tmp_path):
    with pytest.raises(TrainingError, match="cannot be written"):
        export_run(finished, tmp_path)


def test_a_disagreement_is_an_error(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("audiodae.training.export.largest_difference", lambda network, exported: 0.5)
    with pytest.raises(TrainingError, match=r"differ by 0\.5"):
        export_run(finished, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_what_looks_ahead_is_aligned_alike_in_training_and_in_a_stream():
    torch.manual_seed(3)
    network = build_autoencoder(NetworkSettings(widths=(4, 8), strides=(4, 2), code_width=12, look_ahead=3)).eval()
    frames = {"window_ms": 32.0, "bins": 257, "look_ahead": 3}
    exported = Network.from_bytes(to_onnx(network, CARD | {"frames": frames}), source="ahead")
    noisy = np.random.default_rng(0).normal(0, 0.1, 8_000).astype(np.float32)
    noisy[:4_000] *= 0.01
    made = clean_waveforms(
        network, torch.from_numpy(noisy)[None], Frames(FrameGeometry.for_rate(16_000), torch.device("cpu"))
    )[0].numpy()
    np.testing.assert_allclose(Denoiser(exported).clean(noisy, 16_000), made, atol=1e-5)
