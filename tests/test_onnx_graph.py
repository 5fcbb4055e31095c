import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from audiodae.errors import NetworkError
from audiodae.onnx_graph import FLOAT32, MAX_DEPTH, read_facts
from tests import networks


def external_tensor(name="elsewhere"):
    """A tensor whose numbers lie in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def graph_with(nodes=(), initializers=(), sparse=()):
    graph = helper.make_graph(list(nodes), "inner", [], [], list(initializers))
    graph.sparse_initializer.extend(sparse)
    return graph


def sparse_tensor(values):
    return onnx.SparseTensorProto(values=values, indices=numpy_helper.from_array(np.array([0, 1])), dims=[4])


def node_with(**attributes):
    """A node that holds these attributes, whatever they are."""
    node = onnx.NodeProto(op_type="Holder", output=["x"])
    for name, value in attributes.items():
        attribute = node.attribute.add(name=name)
        getattr(attribute, name).CopyFrom(value) if not isinstance(value, list) else getattr(attribute, name).extend(
            value
        )
    return node


def in_main_graph(model, place):
    """Hide an external tensor in one of the places that a runtime would look at."""
    tensor = external_tensor()
    sparse = sparse_tensor(tensor)
    body = graph_with(initializers=[tensor])
    graph = model.graph
    match place:
        case "initializer":
            graph.initializer.append(tensor)
        case "sparse initializer":
            graph.sparse_initializer.append(sparse)
        case "sparse indices":
            graph.sparse_initializer.append(onnx.SparseTensorProto(indices=tensor))
        case "attribute":
            graph.node.append(node_with(t=tensor))
        case "attribute list":
            graph.node.append(node_with(tensors=[tensor]))
        case "sparse attribute":
            graph.node.append(node_with(sparse_tensor=sparse))
        case "sparse attribute list":
            graph.node.append(node_with(sparse_tensors=[sparse]))
        case "body":
            graph.node.append(node_with(g=body))
        case "body list":
            graph.node.append(node_with(graphs=[body]))
        case "body of a body":
            graph.node.append(node_with(g=graph_with([node_with(g=body)])))
        case "function":
            model.functions.append(onnx.FunctionProto(name="f", node=[node_with(t=tensor)]))
        case "function default":
            function = onnx.FunctionProto(name="f")
            function.attribute_proto.add(name="t").t.CopyFrom(tensor)
            model.functions.append(function)
        case "training":
            model.training_info.add().algorithm.CopyFrom(body)
        case "location only":
            graph.initializer.append(TensorProto(name="x", data_location=TensorProto.EXTERNAL))
        case "entries only":
            hidden = external_tensor()
            hidden.data_location = TensorProto.DEFAULT
            graph.initializer.append(hidden)


PLACES = [
    "initializer",
    "sparse initializer",
    "sparse indices",
    "attribute",
    "attribute list",
    "sparse attribute",
    "sparse attribute list",
    "body",
    "body list",
    "body of a body",
    "function",
    "function default",
    "training",
    "location only",
    "entries only",
]


@pytest.mark.parametrize("place", PLACES)
def test_external_data_is_found_wherever_it_hides(place):
    model = networks.constant(1)
    in_main_graph(model, place)
    assert read_facts(model.SerializeToString()).has_external_data


def test_a_harmless_file_has_no_external_data():
    assert not read_facts(networks.recurrent().SerializeToString()).has_external_data


def test_external_data_in_a_second_graph_that_protobuf_merges():
    second = onnx.ModelProto(graph=graph_with(initializers=[external_tensor()]))
    data = networks.constant(1).SerializeToString() + second.SerializeToString()
    assert len(onnx.load_from_string(data).graph.initializer) == 3  # protobuf merges, so a runtime sees it
    assert read_facts(data).has_external_data


def test_ports_operators_metadata_and_parameters_as_the_onnx_package_reads_them():
    model = networks.recurrent()
    facts = read_facts(model.SerializeToString())
    assert [(port.name, port.element_type, port.shape) for port in facts.inputs] == [
        ("magnitudes", FLOAT32, ("streams", "frames", 257)),
        ("state", FLOAT32, ("streams", 8)),
    ]
    assert [port.name for port in facts.outputs] == ["gains", "next_state"]
    assert facts.operators == {("", node.op_type) for node in model.graph.node}
    assert facts.metadata == {entry.key: entry.value for entry in model.metadata_props}
    weights = [tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT]
    assert facts.parameters == sum(numpy_helper.to_array(tensor).size for tensor in weights) > 8000


def test_operators_in_bodies_and_functions():
    model = networks.constant(1)
    model.graph.node.append(node_with(g=graph_with([helper.make_node("Scan", [], ["x"], domain="ai.onnx")])))
    model.functions.append(onnx.FunctionProto(name="mine", node=[helper.make_node("Evil", [], [], domain="com.x")]))
    facts = read_facts(model.SerializeToString())
    assert {("", "Scan"), ("com.x", "Evil")} <= facts.operators
    assert facts.functions == ["mine"]


def test_sizes_packed_or_not():
    packed = TensorProto(name="p", data_type=1, dims=[3, 5]).SerializeToString()
    unpacked = b"\x08\x03\x08\x05\x10\x01"
    joined = b"\x0a\x02\x03\x05\x10\x01"
    for tensor in (packed, unpacked, joined):
        graph = b"\x2a" + bytes([len(tensor)]) + tensor
        assert read_facts(b"\x3a" + bytes([len(graph)]) + graph).parameters == 15


def deep_graph(levels):
    graph = graph_with()
    for _ in range(levels):
        graph = graph_with([node_with(g=graph)])
    return onnx.ModelProto(graph=graph).SerializeToString()


def test_nesting_has_an_end():
    assert read_facts(deep_graph(MAX_DEPTH - 1)).operators == {("", "Holder")}
    with pytest.raises(NetworkError, match="nested more than"):
        read_facts(deep_graph(MAX_DEPTH + 1))


def test_fields_have_an_end(monkeypatch):
    monkeypatch.setattr("audiodae.onnx_graph.MAX_FIELDS", 1000)
    with pytest.raises(NetworkError, match="more than 1000 fields"):
        read_facts(b"\x08\x01" * 1001)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "holds no graph"),
        (b"hello, I am no network", "not an ONNX network"),
        (b"\x00\x01", "field number 0"),
        (b"\x3b\x01", "wire type 3"),
        (b"\x3a\x05ab", "beyond the end"),
        (b"\x3a", "within a number"),
        (b"\xff" * 12, "longer than 64 bits"),
        (b"\x38\x01", "where a message"),
        (b"\x72\x04\x0a\x02\xff\xfe", "not text"),
        (b"\x72\x03\x0a\x01k" * 2, "twice"),
        (b"\x3a\x04\x2a\x02\x15\x00", "beyond the end"),
    ],
)
def test_damaged_bytes(data, message):
    with pytest.raises(NetworkError, match=message):
        read_facts(data)


def test_every_truncation_is_an_error_or_a_smaller_file():
    data = networks.smoothing().SerializeToString()
    for end in range(len(data)):
        try:
            read_facts(data[:end])
        except NetworkError:
            continue


@given(st.binary(max_size=200), st.integers(0, 1000))
@settings(max_examples=200, deadline=None)
def test_garbage_raises_nothing_else(garbage, position):
    data = networks.constant(1).SerializeToString()
    for hostile in (garbage, data[:position] + garbage + data[position:]):
        try:
            read_facts(hostile)
        except NetworkError:
            continue
