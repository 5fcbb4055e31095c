"""Export: from a run folder to one ONNX file that keeps the network contract, then the two are compared.

The contract: inputs `magnitudes` float32 (streams, frames, bins) and `state` float32 (streams, state_size), outputs
`gains` and `next_state`; any number of streams and frames; the card as JSON in the metadata. A network for series has
`samples` in and `clean` out, both (streams, samples, 1). docs/network-file.md tells it whole.
"""

import copy
import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from audiodae.card import CARD_KEY, FrameFacts
from audiodae.errors import TrainingError
from audiodae.frames import NETWORK_BINS, WINDOW_MS
from audiodae.network import Network
from audiodae.training.autoencoder import Autoencoder, Layer, build_network
from audiodae.training.blocks import CausalConv1d, CausalUpConv2d
from audiodae.training.recipe import Recipe
from audiodae.training.recipe_file import encode_recipe
from audiodae.training.run_folder import RunFolder, read_checkpoint
from audiodae.training.wave import WaveAutoencoder
from audiodae.whole_file import write_whole

OPSET = 17
TOLERANCE = 1e-4  # of a gain, or a sample of full scale, between torch and onnxruntime: 80 dB below the sound

AnyAutoencoder = Autoencoder | WaveAutoencoder


def export_run(
    run_folder: Path, target: Path, *, metrics: dict[str, Any] | None = None, card: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Export the best weights of a run, with a card, and prove the file equal to them.

    Parameters
    ----------
    run_folder : a folder that `train` left
    target : the ONNX file to write; an old one is replaced whole
    metrics : what an evaluation found, for the card
    card : entries of the recipe's card table (name, version, licence, data, ...) to write instead of those as run

    Returns
    -------
    card : the card as written, with `largest_difference`: of a gain or sample, between torch and onnxruntime

    Raises
    ------
    TrainingError
        No such run, or the two disagree.
    """
    folder = RunFolder(run_folder)
    recipe = folder.recipe([f"card.{key}={json.dumps(value)}" for key, value in (card or {}).items()])
    tensors, facts = read_checkpoint(folder.best)
    network = load_network(recipe, tensors)
    written = make_card(recipe, facts, metrics or {})
    content = to_onnx(network, written)
    largest = largest_difference(network, Network.from_bytes(content, source=str(target)))
    if not largest <= TOLERANCE:
        raise TrainingError(f"{target}: torch and onnxruntime differ by {largest:.2g} (at most {TOLERANCE})")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, content)
    except OSError as error:
        raise TrainingError(f"{target}: cannot be written ({error.strerror})") from error
    return written | {"largest_difference": largest}


def load_network(recipe: Recipe, tensors: dict[str, Tensor]) -> AnyAutoencoder:
    """Build the recipe's network and give it these weights, ready to judge."""
    network = build_network(recipe.network)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise TrainingError(f"the checkpoint does not fit the recipe: {error}") from error
    return network.eval()


def make_card(recipe: Recipe, facts: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    """What the network says of itself; see docs/network-file.md for each key."""
    told = encode_recipe(recipe)
    told["data"]["prepared"] = told["run"]["start_from"] = ""  # where they lay is nobody's business
    return {
        "name": recipe.card.name,
        "version": recipe.card.version,
        **(_series_facts(recipe) if recipe.network.body == "wave" else _sound_facts(recipe)),
        "licence": recipe.card.licence,
        "data": recipe.card.data,
        "made_by": recipe.card.made_by,
        "limits": recipe.card.limits,
        "steps": facts["best_step"],
        "audio_hours": round(facts["audio_seconds"] / 3600, 1),
        "hardware": facts["hardware"],
        "seed": recipe.run.seed,
        "validation": facts["last_look"],
        "metrics": metrics,
        "recipe": told,
        "created_by": "audiodae",
    }


def _sound_facts(recipe: Recipe) -> dict[str, Any]:
    """What the runtime needs to know of a network for sound."""
    frames = FrameFacts(WINDOW_MS, NETWORK_BINS, recipe.network.look_ahead)
    return {
        "kind": "magnitudes",
        "frames": {"window_ms": frames.window_ms, "bins": frames.n_bins, "look_ahead": frames.look_ahead},
        "latency_ms": frames.latency_ms,
    }


def _series_facts(recipe: Recipe) -> dict[str, Any]:
    """What the runtime needs to know of a network for series. It has heard series played at other speeds, which is to
    say at other rates: it may be run at those too.
    """
    wave, draws = recipe.network.wave, recipe.data.series
    delay = WaveAutoencoder(wave).delay
    series = {
        "rate_hz": wave.rate_hz,
        "lowest_rate_hz": round(wave.rate_hz / max(draws.speed[1], 1.0), 1),
        "highest_rate_hz": round(wave.rate_hz / min(draws.speed[0], 1.0), 1),
        "step": wave.step,
        "delay": delay,
        "leads": 1,
        "unit": wave.unit,
        "offset": wave.offset,
    }
    # A sample waits for its frame to be whole, too.
    return {"kind": "samples", "series": series, "latency_ms": round(1000 * (delay + wave.step - 1) / wave.rate_hz, 1)}


def to_onnx(network: AnyAutoencoder, card: dict[str, Any]) -> bytes:
    """Write the network as a single ONNX file with its card inside."""
    if isinstance(network, Autoencoder):
        network = merge_batch_norm(network)
    example = (_example(network, 3), network.initial_state(2))
    buffer: Any = io.BytesIO()  # the exporter takes it, though its types say a path
    with warnings.catch_warnings():
        # It warns of what the comparison after it proves to be well: sizes traced as constants, GRUs of any batch.
        warnings.simplefilter("ignore")
        _trace(network, example, buffer)
    model = onnx.load_from_string(buffer.getvalue())
    onnx.helper.set_model_props(model, {CARD_KEY: json.dumps(card, sort_keys=True)})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def merge_batch_norm(network: Autoencoder) -> Autoencoder:
    """A copy whose batch normalisation is part of the convolutions before it: the same gains by fewer operators.

    onnxruntime does so by itself, but not for transposed convolutions.
    """
    merged = copy.deepcopy(network).eval()
    for layer in merged.modules():
        if not isinstance(layer, Layer) or not layer.after:
            continue
        norm, up = layer.after[0], isinstance(layer.conv, CausalUpConv2d)
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            conv = layer.conv.pointwise if isinstance(layer.conv, CausalConv1d) else layer.conv.conv
            assert norm.running_mean is not None
            assert norm.running_var is not None
            conv.weight, conv.bias = fuse_conv_bn_weights(
                conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias, up
            )
            layer.after[0] = nn.Identity()
    return merged


def _example(network: AnyAutoencoder, frames: int, *, seed: int = 0) -> Tensor:
    """Two streams of what a network takes: magnitudes from silence to full scale, or a series with a slow swing."""
    rng = np.random.default_rng(seed)
    if isinstance(network, Autoencoder):
        return torch.from_numpy((10 ** rng.uniform(-6, 0, (2, frames, NETWORK_BINS))).astype(np.float32))
    swing = np.cumsum(rng.normal(0, 0.1, (2, frames * network.step, 1)), axis=1)
    return torch.from_numpy(np.tanh(swing).astype(np.float32))


def _trace(network: AnyAutoencoder, example: tuple[Tensor, Tensor], buffer: Any) -> None:
    taken, given, time = (
        ("magnitudes", "gains", "frames") if isinstance(network, Autoencoder) else ("samples", "clean", "samples")
    )
    torch.onnx.export(
        _Contract(network).eval(),  # the exporter leaves a module in the mode it came in
        example,
        buffer,
        input_names=[taken, "state"],
        output_names=[given, "next_state"],
        dynamic_axes={
            taken: {0: "streams", 1: time},
            "state": {0: "streams"},
            given: {0: "streams", 1: time},
            "next_state": {0: "streams"},
        },
        opset_version=OPSET,
        dynamo=False,  # writes each GRU as the one operator that onnxruntime has for it
    )


def largest_difference(network: AnyAutoencoder, exported: Network, *, seed: int = 0) -> float:
    """The largest difference of a gain or sample between torch on a whole sound and onnxruntime on its pieces.

    Two streams of 240 frames at levels from silence to full scale, in pieces of all, 1, 7 and 16 frames.
    """
    example = _example(network, 240, seed=seed)
    with torch.no_grad():
        wanted, _ = network(example, network.initial_state(2))
    step = network.step if isinstance(network, WaveAutoencoder) else 1
    return max(
        float(np.abs(_in_pieces(exported, example.numpy(), piece * step) - wanted.numpy()).max())
        for piece in (240, 1, 7, 16)
    )


def _in_pieces(exported: Network, values: np.ndarray[Any, Any], piece: int) -> np.ndarray[Any, Any]:
    state = exported.initial_state(len(values))
    answers: list[np.ndarray[Any, Any]] = []
    for start in range(0, values.shape[1], piece):
        made, state = exported.run(values[:, start : start + piece], state)
        answers.append(made)
    return np.concatenate(answers, axis=1)


class _Contract(nn.Module):
    """The network with nothing but tensors in and out, for the exporter to trace."""

    def __init__(self, network: AnyAutoencoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, values: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        answers, next_state = self.network(values, state)
        return answers, next_state
