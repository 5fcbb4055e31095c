"""From a network file back to weights that can be trained: the inverse of `audiodae.training.export`.

The exporter keeps the names of some weights and renames others, merges batch normalisation into the convolutions of
the encoder, turns matrices round and sorts the gates of GRUs its own way; but it names every operator after the module
that it came from, and that is enough. The card holds the recipe. What comes back has no batch normalisation, for it is
part of the convolutions, and is proved to give the gains of the file before anyone gets it.
"""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper

from audiodae.card import MAGNITUDES
from audiodae.errors import TrainingError
from audiodae.network import Network
from audiodae.training.autoencoder import Autoencoder, build_autoencoder
from audiodae.training.export import TOLERANCE, largest_difference
from audiodae.training.recipe import Recipe
from audiodae.training.recipe_file import decode_recipe

Floats = npt.NDArray[np.float32]
Weights = dict[str, Floats]

ROOT = "network"  # what the exporter's wrapper calls the network
BATCH_NORM_EPSILON = 1e-5  # where the operator names none


def read_network_file(path: Path) -> tuple[Autoencoder, Recipe]:
    """Give a trainable network with the weights of a network file, and the recipe it was trained with.

    Parameters
    ----------
    path : an ONNX file that `export_run` wrote

    Returns
    -------
    network : ready to judge; give it to `train` by its `state_dict`
    recipe : as in the card, with `network.normalisation` none where it was batch

    Raises
    ------
    NetworkError
        No such file, or it breaks the contract.
    TrainingError
        The file is one for series, or was not made by `audiodae export`, or by one that named things otherwise.
    """
    exported = Network.load(path)
    if exported.card.kind != MAGNITUDES:
        raise TrainingError(
            f"{path}: is a network for series; train it on by `audiodae train` with run.start_from = best.safetensors"
        )
    model = onnx.load(str(path))
    try:
        recipe = _without_batch_norm(decode_recipe(dict(exported.card.entries["recipe"]), source=str(path)))
        network = build_autoencoder(recipe.network)
        network.load_state_dict({name: torch.from_numpy(value) for name, value in read_weights(model).items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise TrainingError(f"{path}: its weights cannot be trained, it was not made by audiodae export") from error
    network.eval()
    largest = largest_difference(network, exported)
    if not largest <= TOLERANCE:
        raise TrainingError(f"{path}: the weights read from it give other gains, by up to {largest:.2g}")
    return network, recipe


def read_weights(model: onnx.ModelProto) -> Weights:
    """The weights of an exported network by their names in torch, batch normalisation merged into what is before it."""
    stored = {one.name: np.array(numpy_helper.to_array(one)) for one in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in stored:  # equal weights are stored once
            stored[node.output[0]] = stored[node.input[0]]
    weights = {name.removeprefix(f"{ROOT}."): value for name, value in stored.items() if name.startswith(f"{ROOT}.")}
    gru_layers: dict[str, int] = {}
    for node in model.graph.node:
        module = _module(node.name)
        if node.op_type in ("Conv", "ConvTranspose", "LayerNormalization"):
            weights |= {f"{module}.weight": stored[node.input[1]], f"{module}.bias": stored[node.input[2]]}
        elif node.op_type == "MatMul":
            weights[f"{module}.weight"] = stored[node.input[1]].T.copy()
        elif node.op_type == "PRelu":
            weights[f"{module}.weight"] = stored[node.input[1]].reshape(-1)
        elif node.op_type == "GRU":
            layer = gru_layers.get(module, 0)
            gru_layers[module] = layer + 1
            for name, value in _gru_weights([stored[each] for each in node.input[1:4]], layer):
                weights[f"{module}.{name}"] = value
        elif node.op_type == "BatchNormalization":
            _merge_batch_norm(weights, module, _epsilon(node))
    return weights


def _module(node_name: str) -> str:
    """/network/encoder/layers.0/after/after.1/LeakyRelu came from encoder.layers.0.after.1."""
    parts = node_name.strip("/").split("/")[1:-1]
    # A part of a sequence is called by the name of the sequence and its own.
    whole = [part for part, within in zip_longest(parts, parts[1:], fillvalue="") if not within.startswith(f"{part}.")]
    return ".".join(whole)


def _gru_weights(parts: list[Floats], layer: int) -> Iterator[tuple[str, Floats]]:
    """ONNX keeps the gates as update, reset, new; torch as reset, update, new. A second direction is the reverse."""
    inner, recurrent, bias = parts  # (directions, 3 width, in), (directions, 3 width, width), (directions, 6 width)
    for direction, suffix in zip(range(len(inner)), ("", "_reverse"), strict=False):
        of_input, of_state = np.split(bias[direction], 2)
        for name, value in (
            ("weight_ih", inner[direction]),
            ("weight_hh", recurrent[direction]),
            ("bias_ih", of_input),
            ("bias_hh", of_state),
        ):
            update, reset, new = np.split(value, 3)
            yield f"{name}_l{layer}{suffix}", np.concatenate([reset, update, new])


def _merge_batch_norm(weights: Weights, module: str, epsilon: float) -> None:
    """Merge a batch normalisation, X.after.0, into the transposed convolution before it, X.conv.conv; forget it."""
    scale, shift, mean, variance = (
        weights.pop(f"{module}.{name}") for name in ("weight", "bias", "running_mean", "running_var")
    )
    conv = module.removesuffix("after.0") + "conv.conv"
    gain = scale / np.sqrt(variance + epsilon)
    weights[f"{conv}.weight"] = weights[f"{conv}.weight"] * gain[None, :, None, None]  # (in, out, frames, bands)
    weights[f"{conv}.bias"] = (weights[f"{conv}.bias"] - mean) * gain + shift


def _epsilon(node: Any) -> float:
    found = [float(attribute.f) for attribute in node.attribute if attribute.name == "epsilon"]
    return found[0] if found else BATCH_NORM_EPSILON


def _without_batch_norm(recipe: Recipe) -> Recipe:
    if recipe.network.normalisation != "batch":
        return recipe
    network = msgspec.structs.replace(recipe.network, normalisation="none")
    return msgspec.structs.replace(recipe, network=network)
