"""From a network file back to weights: whatever was exported can be trained on, and is the same network."""

from pathlib import Path

import onnx
import pytest
import torch

from audiodae.errors import NetworkError, TrainingError
from audiodae.network import Network, find_network
from audiodae.training.autoencoder import build_autoencoder
from audiodae.training.export import TOLERANCE, largest_difference, to_onnx
from audiodae.training.from_onnx import read_network_file
from audiodae.training.recipe import NetworkSettings, Recipe
from audiodae.training.recipe_file import encode_recipe
from tests.training.test_autoencoder import MAKES, sound

CARD = {"name": "test", "version": "1", "kind": "magnitudes", "frames": {"window_ms": 32.0, "bins": 257}}


def write_network(path, settings, card=CARD):
    torch.manual_seed(3)
    network = build_autoencoder(settings)
    for _ in range(2):  # so that batch normalisation has seen something
        network(sound(), network.initial_state(2))
    told = {"recipe": encode_recipe(Recipe(network=settings))} if card is CARD else {}
    path.write_bytes(to_onnx(network.eval(), card | told))
    return path


@pytest.mark.parametrize("code_layers", [1, 2])
@pytest.mark.parametrize("make", MAKES)
def test_every_make_of_network_comes_back(make, code_layers, tmp_path):
    settings = NetworkSettings(code_width=12, **MAKES[make] | {"code_layers": code_layers})
    path = write_network(tmp_path / "net.onnx", settings)
    network, recipe = read_network_file(path)
    assert recipe.network.normalisation in ("none", "channel")
    assert largest_difference(network, Network.load(path)) <= TOLERANCE
    network.train()
    gains, _ = network(sound(), network.initial_state(2))
    gains.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_shipped_networks_come_back():
    network, _ = read_network_file(find_network("speech"))
    assert sum(parameter.numel() for parameter in network.parameters()) > 200_000


def test_a_file_with_other_weights_than_its_operators_say_is_refused(tmp_path):
    """Control: the comparison at the end is what holds the rest up."""
    path = write_network(tmp_path / "net.onnx", NetworkSettings(widths=(4, 6, 8), code_width=12))
    model = onnx.load(path)
    gru = next(node for node in model.graph.node if node.op_type == "GRU")
    convs = [node for node in model.graph.node if node.op_type == "ConvTranspose"]
    assert gru.name
    assert convs
    convs[0].name, convs[1].name = "/network/decoder/layers.9/conv/conv/ConvTranspose", convs[0].name
    onnx.save(model, path)
    with pytest.raises(TrainingError, match=r"net.onnx: its weights cannot be trained"):
        read_network_file(path)


@pytest.mark.parametrize("told", [{}, {"recipe": "none"}, {"recipe": {"network": {"body": "other"}}}])
def test_a_network_without_a_recipe_is_refused(told, tmp_path):
    settings = NetworkSettings(widths=(4, 6, 8), code_width=12)
    path = write_network(tmp_path / "net.onnx", settings, CARD | told)
    with pytest.raises(TrainingError, match="not made by audiodae export"):
        read_network_file(path)


def test_no_file_is_refused():
    with pytest.raises(NetworkError, match="no such file"):
        read_network_file(Path("missing.onnx"))
