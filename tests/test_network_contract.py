"""What a network for series promises, and what is refused; those for sound are in test_network and the attacks."""

import json

import numpy as np
import pytest
from onnx import TensorProto, helper

from audiodae.errors import NetworkError
from audiodae.network import Network
from tests import networks, series_networks

KEEP_STATE = helper.make_node("Identity", ["state"], ["next_state"])


def load(model):
    return Network.from_bytes(model.SerializeToString(), source="here.onnx")


def series(streams=2, samples=40, leads=1):
    return np.random.default_rng(1).normal(0, 1, (streams, samples, leads)).astype(np.float32)


def test_sizes_and_card():
    network = load(series_networks.delayed(7, leads=3, step=5))
    assert (network.card.kind, network.leads, network.n_bins, network.state_size) == ("samples", 3, 0, 21)
    assert (load(networks.recurrent()).leads, load(networks.recurrent()).n_bins) == (0, 257)


@pytest.mark.parametrize("make", [series_networks.smoothed, series_networks.running_level, series_networks.delayed])
def test_pieces_equal_the_whole(make):
    network, values = load(make()), series()
    whole, last = network.run(values, network.initial_state(2))
    state, pieces = network.initial_state(2), []
    for start in range(0, 40, 4):
        piece, state = network.run(values[:, start : start + 4], state)
        pieces.append(piece)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(state, last, atol=1e-5)


def no_kind_but_bins():
    """A card for samples on a graph for magnitudes."""
    return networks.constant(1, card_text=json.dumps(series_networks.card()))


def another_type():
    model = series_networks.scaled()
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    return model


def ahead():
    """Each sample hears those after it, as far as the call goes."""
    nodes = [helper.make_node("CumSum", ["samples", "along"], ["clean"], reverse=1), KEEP_STATE]
    return series_networks.model(nodes, {"along": np.array(1)})


def forgetful():
    model = series_networks.smoothed(delay=50)
    model.graph.node[-1].output[0] = "unused"
    model.graph.node.append(helper.make_node("Sub", ["state", "state"], ["next_state"]))
    return model


def of_other_length():
    """It takes out every other sample."""
    slices = {"start": np.array([0]), "end": np.array([2**31 - 1]), "axis": np.array([1]), "step": np.array([2])}
    nodes = [helper.make_node("Slice", ["samples", "start", "end", "axis", "step"], ["clean"]), KEEP_STATE]
    return series_networks.model(nodes, slices)


def only_in_tens():
    """It takes ten samples at a time, its card says four."""
    nodes = [
        helper.make_node("Reshape", ["samples", "tens"], ["rows"]),
        helper.make_node("Reshape", ["rows", "flat"], ["clean"]),
        KEEP_STATE,
    ]
    return series_networks.model(nodes, {"tens": np.array([0, -1, 10]), "flat": np.array([0, -1, 1])})


def not_finite():
    nodes = [helper.make_node("Log", ["samples"], ["clean"]), KEEP_STATE]
    return series_networks.model(nodes)


REFUSED = {
    "other ports": (no_kind_but_bins, "inputs are magnitudes, state; need samples and state"),
    "other card": (
        lambda: series_networks.scaled(card_text=json.dumps(networks.card())),
        "inputs are samples, state; need magnitudes and state",
    ),
    "other leads": (
        lambda: series_networks.scaled(card_text=json.dumps(series_networks.card(leads=3))),
        "the card says 3 leads, the graph 1",
    ),
    "free leads": (lambda: series_networks.scaled(leads="leads"), "must be a fixed number"),
    "no leads": (
        lambda: series_networks.scaled(leads=0, card_text=json.dumps(series_networks.card())),
        "samples has 0 leads",
    ),
    "float64": (another_type, "samples is not float32"),
    "bad card": (lambda: series_networks.scaled(step=0), "series.step 0"),
    "sees ahead": (ahead, "clean of one call and of 3 differ .*not causal"),
    "forgetful beyond the first call": (forgetful, "loses state"),
    "other length": (of_other_length, "the network gave clean as"),
    "other steps": (only_in_tens, "the network failed"),
    "not finite": (not_finite, "clean holds numbers that are not finite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_the_contract_is_refused_by_name(case):
    make, message = REFUSED[case]
    with pytest.raises(NetworkError, match=message) as caught:
        load(make())
    assert str(caught.value).startswith("here.onnx: ") and "\n" not in str(caught.value)


def test_the_longest_delay_is_probed_in_no_time():
    """Negative control of the bounds in the card: the largest that they let through needs little."""
    load(series_networks.scaled(step=65_536, delay=1_000_000))
