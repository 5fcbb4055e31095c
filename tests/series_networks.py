"""Small networks on the samples of a series that keep the contract, made in code.

`scaled` remembers nothing, `delayed` gives every sample some samples later, `smoothed` looks to both sides,
`running_level` remembers all that was, `fails_above` gives no numbers once a sample was large.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests import networks

RATE = 360


def card(*, leads: int = 1, step: int = 4, delay: int = 0, **changes: Any) -> dict[str, Any]:
    """Give a valid card; entries of its table `series` are changed by their names, others as in `networks.card`."""
    series = {
        "rate_hz": 360.0,
        "lowest_rate_hz": 250.0,
        "highest_rate_hz": 500.0,
        "step": step,
        "delay": delay,
        "leads": leads,
        "unit": "mV",
    }
    mine = {key: changes.pop(key) for key in [*changes] if key in {*series, "offset"}}
    entries = networks.card(kind="samples", series=series | mine, **changes)
    return {key: value for key, value in entries.items() if key not in ("frames", "latency_ms")}


def model(
    nodes: Sequence[onnx.NodeProto],
    constants: dict[str, np.ndarray] | None = None,
    *,
    state_size: int = 1,
    leads: int | str = 1,
    card_text: str | None = None,
    **card_settings: Any,
) -> onnx.ModelProto:
    """Put nodes into a graph with the contract's inputs and outputs and a card."""
    values, state = ["streams", "samples", leads], ["streams", state_size]
    graph = helper.make_graph(
        list(nodes),
        "network",
        [
            helper.make_tensor_value_info("samples", TensorProto.FLOAT, values),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, state),
        ],
        [
            helper.make_tensor_value_info("clean", TensorProto.FLOAT, values),
            helper.make_tensor_value_info("next_state", TensorProto.FLOAT, state),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    if card_text is None:
        card_text = json.dumps(card(leads=leads if isinstance(leads, int) else 1, **card_settings))
    helper.set_model_props(made, {"audiodae.card": card_text})
    return made


def scaled(gain: float = 1.0, **settings: Any) -> onnx.ModelProto:
    """Multiply every sample."""
    nodes = [
        helper.make_node("Mul", ["samples", "gain"], ["clean"]),
        helper.make_node("Identity", ["state"], ["next_state"]),
    ]
    return model(nodes, {"gain": np.float32(gain)}, **settings)


def delayed(delay: int = 10, gain: float = 1.0, *, leads: int = 1, **settings: Any) -> onnx.ModelProto:
    """Give every sample, multiplied, `delay` later; state: the last `delay` samples."""
    nodes = [*_delay_line(), helper.make_node("Mul", ["late", "gain"], ["clean"])]
    return model(
        nodes,
        _delay_constants(delay, leads) | {"gain": np.float32(gain)},
        state_size=delay * leads,
        leads=leads,
        delay=delay,
        **settings,
    )


def smoothed(delay: int = 9, **settings: Any) -> onnx.ModelProto:
    """Give the mean of 2 delay + 1 samples around each; state: the last 2 delay samples."""
    nodes = [
        helper.make_node("Reshape", ["state", "as_past"], ["past"]),  # (streams, 2 delay, 1)
        helper.make_node("Concat", ["past", "samples"], ["seen"], axis=1),
        helper.make_node("Transpose", ["seen"], ["leads_first"], perm=[0, 2, 1]),
        helper.make_node("AveragePool", ["leads_first"], ["means"], kernel_shape=[2 * delay + 1]),
        helper.make_node("Transpose", ["means"], ["clean"], perm=[0, 2, 1]),
        helper.make_node("Slice", ["seen", "last", "end", "axis"], ["kept"]),
        helper.make_node("Reshape", ["kept", "as_state"], ["next_state"]),
    ]
    return model(nodes, _delay_constants(2 * delay, 1), state_size=2 * delay, delay=delay, **settings)


def fails_above(limit: float, delay: int = 10, **settings: Any) -> onnx.ModelProto:
    """Give half of every sample `delay` later; NaN from the call on in which one was larger, for so is its state."""
    nodes = [
        helper.make_node("Abs", ["samples"], ["size"]),
        helper.make_node("Greater", ["size", "limit"], ["large"]),
        helper.make_node("Cast", ["large"], ["ones"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["ones", "axis"], ["count"], keepdims=0),  # (streams, 1)
        helper.make_node("Slice", ["state", "first", "one", "axis"], ["broken_before"]),
        helper.make_node("Add", ["count", "broken_before"], ["broken"]),
        helper.make_node("Slice", ["state", "one", "end", "axis"], ["line"]),
        *_delay_line("line", "next_line"),
        helper.make_node("Sub", ["zero", "broken"], ["negative"]),
        helper.make_node("Sqrt", ["negative"], ["nan_or_zero"]),
        helper.make_node("Unsqueeze", ["nan_or_zero", "two"], ["spread"]),
        helper.make_node("Mul", ["late", "half"], ["halved"]),
        helper.make_node("Add", ["halved", "spread"], ["clean"]),
        helper.make_node("Add", ["next_line", "nan_or_zero"], ["line_or_nan"]),
        helper.make_node("Concat", ["broken", "line_or_nan"], ["next_state"], axis=1),
    ]
    constants = {
        "limit": np.float32(limit),
        "first": np.array([0]),
        "one": np.array([1]),
        "two": np.array([2]),
        "zero": np.float32(0),
        "half": np.float32(0.5),
    }
    return model(nodes, _delay_constants(delay, 1) | constants, state_size=delay + 1, delay=delay, **settings)


def running_level(**settings: Any) -> onnx.ModelProto:
    """Divide by one more than the mean modulus so far; state: the sum of moduli and their number."""
    nodes = [
        helper.make_node("Slice", ["state", "first", "one", "axis"], ["sum_before"]),  # (streams, 1)
        helper.make_node("Slice", ["state", "one", "two", "axis"], ["number_before"]),
        helper.make_node("Abs", ["samples"], ["size"]),
        helper.make_node("CumSum", ["size", "along"], ["summed"]),  # (streams, samples, 1)
        helper.make_node("Unsqueeze", ["sum_before", "two"], ["sum_spread"]),
        helper.make_node("Add", ["summed", "sum_spread"], ["sums"]),
        helper.make_node("Mul", ["samples", "zero"], ["zeros"]),
        helper.make_node("Add", ["zeros", "unit"], ["ones"]),
        helper.make_node("CumSum", ["ones", "along"], ["counted"]),
        helper.make_node("Unsqueeze", ["number_before", "two"], ["number_spread"]),
        helper.make_node("Add", ["counted", "number_spread"], ["numbers"]),
        helper.make_node("Div", ["sums", "numbers"], ["level"]),
        helper.make_node("Add", ["level", "unit"], ["more"]),
        helper.make_node("Div", ["samples", "more"], ["clean"]),
        helper.make_node("Slice", ["sums", "end_before", "end", "axis"], ["last_sum"]),
        helper.make_node("Slice", ["numbers", "end_before", "end", "axis"], ["last_number"]),
        helper.make_node("Concat", ["last_sum", "last_number"], ["both"], axis=1),
        helper.make_node("Squeeze", ["both", "two"], ["next_state"]),
    ]
    constants = {
        "first": np.array([0]),
        "one": np.array([1]),
        "two": np.array([2]),
        "axis": np.array([1]),
        "along": np.array(1),
        "zero": np.float32(0),
        "unit": np.float32(1),
        "end_before": np.array([-1]),
        "end": np.array([2**31 - 1]),
    }
    return model(nodes, constants, state_size=2, **settings)


def _delay_line(state: str = "state", next_state: str = "next_state") -> list[onnx.NodeProto]:
    """Nodes that give `late`, the samples of the delay before, and keep the last in the state."""
    return [
        helper.make_node("Reshape", [state, "as_past"], ["past"]),  # (streams, delay, leads)
        helper.make_node("Concat", ["past", "samples"], ["seen"], axis=1),
        helper.make_node("Slice", ["seen", "start", "before_last", "axis"], ["late"]),
        helper.make_node("Slice", ["seen", "last", "end", "axis"], ["kept"]),
        helper.make_node("Reshape", ["kept", "as_state"], [next_state]),
    ]


def _delay_constants(delay: int, leads: int) -> dict[str, np.ndarray]:
    return {
        "as_past": np.array([0, delay, leads]),
        "as_state": np.array([0, delay * leads]),
        "start": np.array([0]),
        "before_last": np.array([-delay]),
        "last": np.array([-delay]),
        "end": np.array([2**31 - 1]),
        "axis": np.array([1]),
    }
