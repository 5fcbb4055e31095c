import json
import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from audiodae import network as network_module
from audiodae.errors import NetworkError
from audiodae.network import Network, find_network
from tests import networks


def load(model):
    return Network.from_bytes(model.SerializeToString(), source="here.onnx")


def magnitudes(streams=2, frames=20, seed=1):
    rng = np.random.default_rng(seed)
    return np.abs(rng.normal(0, 0.1, (streams, frames, networks.BINS))).astype(np.float32)


@pytest.mark.parametrize("make", [networks.smoothing, networks.recurrent])
@pytest.mark.parametrize("piece", [1, 3, 19])
def test_pieces_equal_the_whole(make, piece):
    network, seen = load(make()), magnitudes()
    whole, last_state = network.run(seen, network.initial_state(2))
    state, gains = network.initial_state(2), []
    for start in range(0, 20, piece):
        some, state = network.run(seen[:, start : start + piece], state)
        gains.append(some)
    np.testing.assert_allclose(np.concatenate(gains, axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(state, last_state, atol=1e-6)
    # Negative control: with the state forgotten, the second piece differs.
    forgotten, _ = network.run(seen[:, 3:6], network.initial_state(2))
    assert np.max(np.abs(forgotten - whole[:, 3:6])) > 1e-3


def test_streams_do_not_hear_each_other():
    network, seen = load(networks.recurrent()), magnitudes()
    both, _ = network.run(seen, network.initial_state(2))
    alone, _ = network.run(seen[1:], network.initial_state(1))
    np.testing.assert_allclose(both[1:], alone, atol=1e-6)


def test_sizes_and_card():
    network = load(networks.recurrent(hidden=8))
    assert (network.n_bins, network.state_size) == (257, 8)
    assert network.parameters == 3 * 8 * (257 + 8 + 2) + 8 * 257
    assert network.card.name == "test" and network.card["seed"] == 7


def test_a_network_without_memory_may_have_no_state():
    network = load(networks.constant(0.5, state_size=0))
    gains, state = network.run(magnitudes(), network.initial_state(2))
    assert np.all(gains == 0.5) and state.shape == (2, 0)


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs, outputs, **attributes)


KEEP_STATE = node("Identity", ["state"], ["next_state"])
ALL_OPEN = node("Sigmoid", ["magnitudes"], ["gains"])


def renamed(model, ports, name):
    ports(model.graph)[0].name = name
    return model


def with_operator(operator, domain=""):
    return networks.model([node(operator, ["magnitudes"], ["gains"], domain=domain), KEEP_STATE])


def with_input_type(element_type):
    model = networks.constant(1)
    model.graph.input[0].type.tensor_type.elem_type = element_type
    return model


def with_external_data():
    model = networks.constant(1)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    return model


def with_function():
    model = networks.constant(1)
    model.functions.append(onnx.FunctionProto(name="Mul", node=[node("Identity", ["a"], ["b"])]))
    return model


def with_loop():
    body = helper.make_graph([], "body", [], [])
    return networks.model([ALL_OPEN, KEEP_STATE, node("Loop", ["", ""], ["x"], body=body)])


def without_card():
    model = networks.constant(1)
    del model.metadata_props[:]
    return model


def backward():
    """Each frame hears the one after it."""
    constants = {"start": np.array([-1]), "end": np.array([-(2**31)]), "axis": np.array([1]), "step": np.array([-1])}
    reverse = [
        node("Slice", ["magnitudes", "start", "end", "axis", "step"], ["reversed"]),
        node("CumSum", ["reversed", "along"], ["summed"]),
        node("Slice", ["summed", "start", "end", "axis", "step"], ["gains"]),
    ]
    return networks.model([*reverse, KEEP_STATE], constants | {"along": np.array(1)})


def forgetful():
    """The smoothing network, but the next state is zero."""
    model = networks.smoothing()
    model.graph.node[-1].output[0] = "unused"
    model.graph.node.append(node("Sub", ["state", "state"], ["next_state"]))
    return model


REFUSED = {
    "external data": (with_external_data, "data in other files"),
    "own domain": (lambda: with_operator("Gain", "com.example"), "com.example.Gain"),
    "random": (lambda: with_operator("RandomNormalLike"), "RandomNormalLike"),
    "unheard of": (lambda: with_operator("Nonsense"), "Nonsense"),
    "loop": (with_loop, "Loop"),
    "function": (with_function, "defines functions"),
    "input name": (lambda: renamed(networks.constant(1), lambda graph: graph.input, "samples"), "inputs are samples"),
    "output name": (lambda: renamed(networks.constant(1), lambda graph: graph.output, "mask"), "outputs are mask"),
    "float64": (lambda: with_input_type(TensorProto.DOUBLE), "magnitudes is not float32"),
    "free bins": (lambda: networks.constant(1, bins="bins"), "must be a fixed number"),
    "free state": (lambda: networks.constant(1, state_size="size"), "must be a fixed number"),
    "negative state": (lambda: networks.constant(1, state_size=-1), "must be a fixed number"),
    "other bins": (
        lambda: networks.constant(1, card_text=json.dumps(networks.card(frames={"window_ms": 32, "bins": 129}))),
        "the card says 129 bins, the graph 257",
    ),
    "no card": (without_card, "holds no card"),
    "bad card": (lambda: networks.constant(1, card_text="{}"), "kind"),
    "not finite": (
        lambda: networks.model([node("Div", ["magnitudes", "zero"], ["gains"]), KEEP_STATE], {"zero": np.float32(0)}),
        "not finite",
    ),
    "wrong shape": (
        lambda: networks.model([node("ReduceMean", ["magnitudes"], ["gains"], axes=[2]), KEEP_STATE]),
        r"gains|onnxruntime refuses",
    ),
    "dangling": (lambda: networks.model([node("Relu", ["nothing"], ["gains"]), KEEP_STATE]), "onnxruntime refuses"),
    "not causal": (backward, "not causal"),
    "forgetful": (forgetful, "loses state"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_unsafe_or_breaks_the_contract_is_refused_by_name(case):
    make, message = REFUSED[case]
    with pytest.raises(NetworkError, match=message) as caught:
        load(make())
    assert str(caught.value).startswith("here.onnx: ") and "\n" not in str(caught.value)


def test_damaged_files(tmp_path):
    data = networks.recurrent().SerializeToString()
    path = tmp_path / "damaged.onnx"
    for damaged in (b"", b"text", data[: len(data) // 2], data[:-1], os.urandom(5000), data.replace(b"GRU", b"G\xffU")):
        path.write_bytes(damaged)
        with pytest.raises(NetworkError, match="damaged.onnx"):
            Network.load(path)


def test_a_refusal_by_onnxruntime_prints_nothing(capfd):
    """A name that is no text makes its Python half fail, which would announce a second try on stdout."""
    model = networks.constant(1)
    model.graph.node[0].input[0] = "magnitudeX"
    data = model.SerializeToString().replace(b"magnitudeX", b"magnitude\xff")
    with pytest.raises(NetworkError, match="onnxruntime refuses"):
        Network.from_bytes(data, source="here.onnx")
    assert capfd.readouterr() == ("", "")


def test_too_large(monkeypatch):
    monkeypatch.setattr(network_module, "MAX_BYTES", 1000)
    with pytest.raises(NetworkError, match="a network file is smaller"):
        load(networks.recurrent())


@pytest.mark.parametrize(("name", "message"), [("missing.onnx", "no such file"), (".", "not a file")])
def test_no_file(tmp_path, name, message):
    with pytest.raises(NetworkError, match=message):
        Network.load(tmp_path / name)


def test_a_small_file_cannot_fill_the_memory():
    nodes = [
        node("ConstantOfShape", ["size"], ["terabytes"]),
        node("ReduceSum", ["terabytes"], ["sum"], keepdims=0),
        node("Add", ["magnitudes", "sum"], ["gains"]),
        KEEP_STATE,
    ]
    for size in (2**30, 2**40):
        with pytest.raises(NetworkError, match="the network failed|onnxruntime refuses"):
            load(networks.model(nodes, {"size": np.array([size])}))
    load(networks.model(nodes, {"size": np.array([2**20])}))  # negative control: it is the size


def test_shapes_that_do_not_fit():
    network = load(networks.constant(1))
    with pytest.raises(NetworkError, match="the network failed"):
        network.run(magnitudes()[:, :, :100], network.initial_state(2))


def test_find_by_path_name_and_environment(tmp_path, monkeypatch):
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(networks.constant(1).SerializeToString())
    monkeypatch.setattr(network_module, "shipped_networks", lambda: {"speech": tmp_path / "shipped.onnx"})
    monkeypatch.delenv("AUDIODAE_MODEL", raising=False)
    assert find_network(mine) == mine
    assert find_network() == find_network("speech") == tmp_path / "shipped.onnx"
    monkeypatch.setenv("AUDIODAE_MODEL", str(mine))
    assert find_network() == mine
    assert find_network("speech") == tmp_path / "shipped.onnx"
    monkeypatch.setenv("AUDIODAE_MODEL", "")
    assert find_network() == tmp_path / "shipped.onnx"


def test_an_unknown_name_lists_the_known(monkeypatch):
    monkeypatch.setattr(network_module, "shipped_networks", lambda: {"speech": "a", "speech-tiny": "b"})
    with pytest.raises(NetworkError, match=r"no network 'speach'.*speech, speech-tiny"):
        find_network("speach")
