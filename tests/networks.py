"""Small networks that keep the contract, made in code: what the tests run until, and beside, a shipped one.

`unit` changes nothing, `constant` halves, `smoothing` remembers three frames, `late` looks ahead, `recurrent` is a GRU.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BINS = 257


def card(**changes: Any) -> dict[str, Any]:
    """Give a valid card, changed at will."""
    entries = {
        "name": "test",
        "version": "1",
        "kind": "magnitudes",
        "frames": {"window_ms": 32.0, "bins": BINS},
        "latency_ms": 32.0,
        "licence": "MIT",
        "seed": 7,
    }
    return entries | changes


def model(
    nodes: Sequence[onnx.NodeProto],
    constants: dict[str, np.ndarray] | None = None,
    *,
    state_size: int | str = 1,
    bins: int | str = BINS,
    card_text: str | None = None,
    domains: Sequence[str] = (),
) -> onnx.ModelProto:
    """Put nodes into a graph with the contract's inputs and outputs and a card."""
    frames, state = ["streams", "frames", bins], ["streams", state_size]
    graph = helper.make_graph(
        list(nodes),
        "network",
        [
            helper.make_tensor_value_info("magnitudes", TensorProto.FLOAT, frames),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, state),
        ],
        [
            helper.make_tensor_value_info("gains", TensorProto.FLOAT, frames),
            helper.make_tensor_value_info("next_state", TensorProto.FLOAT, state),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid(domain, 18 if domain == "" else 1) for domain in ["", *domains]]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    helper.set_model_props(made, {"audiodae.card": json.dumps(card()) if card_text is None else card_text})
    return made


def constant(gain: float, **settings: Any) -> onnx.ModelProto:
    """Give every bin the same gain."""
    nodes = [
        helper.make_node("Mul", ["magnitudes", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "gain"], ["gains"]),
        helper.make_node("Identity", ["state"], ["next_state"]),
    ]
    return model(nodes, {"zero": np.float32(0), "gain": np.float32(gain)}, **settings)


def smoothing(memory: int = 3, **settings: Any) -> onnx.ModelProto:
    """Give m / (m + 0.01), where m is the mean magnitude of this frame and the `memory` before; state: those frames."""
    nodes = [
        helper.make_node("Reshape", ["state", "as_frames"], ["past"]),  # (streams, memory, bins)
        helper.make_node("Concat", ["past", "magnitudes"], ["seen"], axis=1),
        helper.make_node("Transpose", ["seen"], ["bins_first"], perm=[0, 2, 1]),
        helper.make_node("AveragePool", ["bins_first"], ["means"], kernel_shape=[memory + 1]),
        helper.make_node("Transpose", ["means"], ["mean"], perm=[0, 2, 1]),  # (streams, frames, bins)
        helper.make_node("Add", ["mean", "small"], ["more"]),
        helper.make_node("Div", ["mean", "more"], ["gains"]),
        helper.make_node("Slice", ["seen", "start", "end", "axis"], ["last"]),
        helper.make_node("Reshape", ["last", "as_state"], ["next_state"]),
    ]
    constants = {
        "as_frames": np.array([0, memory, BINS]),
        "as_state": np.array([0, memory * BINS]),
        "small": np.float32(0.01),
        "start": np.array([-memory]),
        "end": np.array([2**31 - 1]),
        "axis": np.array([1]),
    }
    return model(nodes, constants, state_size=memory * BINS, **settings)


def late(frames: int, told: int | None = None) -> onnx.ModelProto:
    """Give m / (m + 0.01) of the magnitude m of each bin, `frames` frames late; its card says `told`."""
    nodes = [
        helper.make_node("Reshape", ["state", "as_frames"], ["past"]),  # (streams, frames, bins)
        helper.make_node("Concat", ["past", "magnitudes"], ["seen"], axis=1),
        helper.make_node("Slice", ["seen", "zero", "minus", "axis"], ["then"]),
        helper.make_node("Add", ["then", "small"], ["more"]),
        helper.make_node("Div", ["then", "more"], ["gains"]),
        helper.make_node("Slice", ["seen", "minus", "end", "axis"], ["last"]),
        helper.make_node("Reshape", ["last", "as_state"], ["next_state"]),
    ]
    constants = {
        "as_frames": np.array([0, frames, BINS]),
        "as_state": np.array([0, frames * BINS]),
        "small": np.float32(0.01),
        "zero": np.array([0]),
        "minus": np.array([-frames]),
        "end": np.array([2**31 - 1]),
        "axis": np.array([1]),
    }
    facts = {"window_ms": 32.0, "bins": BINS, "look_ahead": frames if told is None else told}
    return model(nodes, constants, state_size=frames * BINS, card_text=json.dumps(card(frames=facts)))


def recurrent(hidden: int = 8, **settings: Any) -> onnx.ModelProto:
    """Give sigmoid(GRU), random weights from one seed; state: what the GRU remembers."""
    rng = np.random.default_rng(3)
    nodes = [
        helper.make_node("Transpose", ["magnitudes"], ["frames_first"], perm=[1, 0, 2]),
        helper.make_node("Unsqueeze", ["state", "first"], ["before"]),  # (1, streams, hidden)
        helper.make_node(
            "GRU", ["frames_first", "w", "r", "b", "", "before"], ["code", "after"], hidden_size=hidden
        ),  # code (frames, 1, streams, hidden)
        helper.make_node("Squeeze", ["code", "second"], ["flat"]),
        helper.make_node("MatMul", ["flat", "out"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["open"]),
        helper.make_node("Transpose", ["open"], ["gains"], perm=[1, 0, 2]),
        helper.make_node("Squeeze", ["after", "first"], ["next_state"]),
    ]

    def weights(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.5, shape).astype(np.float32)

    constants = {
        "w": weights(1, 3 * hidden, BINS),
        "r": weights(1, 3 * hidden, hidden),
        "b": weights(1, 6 * hidden),
        "out": weights(hidden, BINS) * 4,
        "first": np.array([0]),
        "second": np.array([1]),
    }
    return model(nodes, constants, state_size=hidden, **settings)
