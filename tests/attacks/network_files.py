"""Hostile network files, made in code: name to how it is made and to what is said of it.

STATIC are refused by what they hold, before a runtime sees them; AT_LOADING by the runtime or by a probe of what it
loaded.
"""

import json
from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests import networks

Maker = Callable[[], onnx.ModelProto | bytes]
node = helper.make_node
KEEP_STATE = node("Identity", ["state"], ["next_state"])
ALL_OPEN = node("Sigmoid", ["magnitudes"], ["gains"])
ESCAPES = "\x1b[2J\x1b]0;owned\x07\nsecond line"


def with_nodes(nodes: Sequence[onnx.NodeProto], result: str, **constants: object) -> onnx.ModelProto:
    """Add to the gains the sum of what nodes compute, so that a runtime must compute it."""
    rest = [node("ReduceSum", [result], ["sum"], keepdims=0), node("Add", ["magnitudes", "sum"], ["gains"]), KEEP_STATE]
    return networks.model([*nodes, *rest], {name: np.asarray(value) for name, value in constants.items()})


def with_operator(operator: str, domain: str = "") -> onnx.ModelProto:
    return networks.model([node(operator, ["magnitudes"], ["gains"], domain=domain), KEEP_STATE])


def with_tensor(**fields: object) -> onnx.ModelProto:
    model = networks.constant(1)
    model.graph.initializer.append(TensorProto(name="big", data_type=TensorProto.FLOAT, **fields))
    model.graph.node.append(node("ReduceSum", ["big"], ["sum"]))
    return model


def external(location: str) -> onnx.ModelProto:
    model = networks.constant(1)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return model


def sparse() -> onnx.ModelProto:
    """A gigabyte in a line."""
    model = with_nodes([], "big")
    one, place = numpy_helper.from_array(np.ones(1, np.float32), "big"), numpy_helper.from_array(np.array([0]))
    model.graph.sparse_initializer.append(onnx.SparseTensorProto(values=one, indices=place, dims=[2**28]))
    return model


def with_function() -> onnx.ModelProto:
    model = networks.constant(1)
    model.functions.append(onnx.FunctionProto(name="Mul", node=[node("Identity", ["a"], ["b"])]))
    return model


def with_body(operator: str) -> onnx.ModelProto:
    """A loop that goes on as long as its own condition is true, or a branch."""
    condition = helper.make_tensor_value_info("go", TensorProto.BOOL, [])
    body = helper.make_graph([node("Identity", ["go_in"], ["go"])], "body", [], [condition])
    return networks.model([ALL_OPEN, KEEP_STATE, node(operator, ["", ""], ["x"], body=body)])


def field(number: int, content: bytes) -> bytes:
    """A field of a protobuf message that holds bytes."""
    size, length = len(content), b""
    while size > 127:
        size, length = size >> 7, length + bytes([size & 127 | 128])
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def nested(levels: int) -> bytes:
    """A branch in a branch in a branch ..., written by hand, for protobuf's own writer stops at a hundred."""
    graph = b""
    for _ in range(levels):
        attribute = field(1, b"then_branch") + field(6, graph)
        graph = field(1, field(4, b"If") + field(5, attribute))
    return field(7, graph)


def nested_types(levels: int) -> bytes:
    """A type that is a sequence of sequences of sequences ..., which only a runtime follows."""
    kind = b""
    for _ in range(levels):
        kind = field(4, field(1, kind))
    return networks.constant(1).SerializeToString() + field(7, field(13, field(1, b"x") + field(2, kind)))


def renamed(ports: str, name: str) -> onnx.ModelProto:
    model = networks.constant(1)
    getattr(model.graph, ports)[0].name = name
    return model


def of_type(element_type: int) -> onnx.ModelProto:
    model = networks.constant(1)
    model.graph.input[0].type.tensor_type.elem_type = element_type
    return model


def of_rank(rank: int) -> onnx.ModelProto:
    model = networks.constant(1)
    del model.graph.input[0].type.tensor_type.shape.dim[rank:]
    return model


def with_card(text: str | None = None, bins: int = networks.BINS, **changes: object) -> onnx.ModelProto:
    return networks.constant(1, bins=bins, card_text=json.dumps(networks.card(**changes)) if text is None else text)


def without_card() -> onnx.ModelProto:
    model = networks.constant(1)
    del model.metadata_props[:]
    return model


def division(operator: str, dividend: int, divisor: int) -> onnx.ModelProto:
    """Whole numbers, computed from the sound, so that nobody knows them before."""
    nodes = [
        node("ReduceMax", ["magnitudes"], ["loudest"], keepdims=0),
        node("Mul", ["loudest", "nothing"], ["none"]),
        node("Cast", ["none"], ["zero"], to=TensorProto.INT64),
        node("Add", ["zero", "dividend"], ["a"]),
        node("Add", ["zero", "divisor"], ["b"]),
        node(operator, ["a", "b"], ["c"]),
        node("Cast", ["c"], ["d"], to=TensorProto.FLOAT),
    ]
    return with_nodes(nodes, "d", nothing=np.float32(0), dividend=np.int64(dividend), divisor=np.int64(divisor))


def hidden_division() -> onnx.ModelProto:
    """Two tensors of one name: one of floats to be looked at, one of whole numbers to be run."""
    nodes = [node("Constant", [], ["a"], value_int=0), node("Div", ["a", "a"], ["b"])]
    nodes.append(node("Cast", ["b"], ["c"], to=TensorProto.FLOAT))
    return with_nodes(nodes, "c", a=np.float32(1))


def chain(nodes: int) -> onnx.ModelProto:
    links = [node("Relu", [f"x{index}"], [f"x{index + 1}"]) for index in range(nodes)]
    links[0].input[0] = "magnitudes"
    return networks.model([*links, node("Sigmoid", [f"x{nodes}"], ["gains"]), KEEP_STATE])


def doubled(times: int) -> onnx.ModelProto:
    """Each tensor is the one before, twice."""
    nodes = [node("Concat", [f"x{index}", f"x{index}"], [f"x{index + 1}"], axis=0) for index in range(times)]
    return with_nodes(nodes, f"x{times}", x0=np.ones(1024, np.float32))


def endless() -> onnx.ModelProto:
    """Hours of multiplications in a few lines."""
    nodes = [node("ConstantOfShape", ["size"], ["m"]), node("Identity", ["m"], ["x0"])]
    nodes += [node("MatMul", [f"x{index}", "m"], [f"x{index + 1}"]) for index in range(9000)]
    return with_nodes(nodes, "x9000", size=np.array([1024, 1024]))


def backward() -> onnx.ModelProto:
    """Each frame hears the one after it."""
    constants = {"start": np.array([-1]), "end": np.array([-(2**31)]), "axis": np.array([1]), "step": np.array([-1])}
    reverse = [
        node("Slice", ["magnitudes", "start", "end", "axis", "step"], ["reversed"]),
        node("CumSum", ["reversed", "along"], ["summed"]),
        node("Slice", ["summed", "start", "end", "axis", "step"], ["gains"]),
    ]
    return networks.model([*reverse, KEEP_STATE], constants | {"along": np.array(1)})


def forgetful() -> onnx.ModelProto:
    """The smoothing network, but the next state is zero."""
    model = networks.smoothing()
    model.graph.node[-1].output[0] = "unused"
    model.graph.node.append(node("Sub", ["state", "state"], ["next_state"]))
    return model


def scaled(factor: float) -> onnx.ModelProto:
    return networks.model([node("Div", ["magnitudes", "by"], ["gains"]), KEEP_STATE], {"by": np.float32(factor)})


def turned_nan(above: float = 10.0) -> onnx.ModelProto:
    """Gains of one, but NaN in a frame that is louder than any that a probe would try."""
    nodes = [
        node("Sub", ["limit", "magnitudes"], ["room"]),
        node("Sqrt", ["room"], ["root"]),
        node("Mul", ["root", "zero"], ["nothing"]),
        node("Add", ["nothing", "one"], ["gains"]),
    ]
    constants = {"limit": np.float32(above), "zero": np.float32(0), "one": np.float32(1)}
    return networks.model([*nodes, KEEP_STATE], constants)


def shrinking(frames: int = 20) -> onnx.ModelProto:
    """Gains as promised, but never for more frames a call than a probe would try."""
    constants = {"start": np.array([0]), "end": np.array([frames]), "axis": np.array([1])}
    nodes = [node("Relu", ["magnitudes"], ["all"]), node("Slice", ["all", "start", "end", "axis"], ["gains"])]
    return networks.model([*nodes, KEEP_STATE], constants)


GOOD = networks.recurrent().SerializeToString()

STATIC: dict[str, tuple[Maker, str]] = {
    "external data, absolute": (lambda: external("/etc/passwd"), "data in other files"),
    "external data, outside": (lambda: external("../../secret.bin"), "data in other files"),
    "external data, by a link": (lambda: external("link.bin"), "data in other files"),
    "sparse tensor": (sparse, "sparse tensors"),
    "too many dimensions": (lambda: with_tensor(dims=[2] * 100), "a tensor of 100 dimensions"),
    "two tensors of one name": (lambda: with_tensor(dims=[0]).SerializeToString() * 2, "two tensors are called"),
    "loop": (lambda: with_body("Loop"), "Loop"),
    "branch": (lambda: with_body("If"), "If"),
    "scan": (lambda: with_body("Scan"), "Scan"),
    "function": (with_function, "defines functions"),
    "own domain": (lambda: with_operator("Gain", "com.example"), "com.example.Gain"),
    "the runtime's own domain": (lambda: with_operator("Inverse", "com.microsoft"), "com.microsoft.Inverse"),
    "random": (lambda: with_operator("RandomNormalLike"), "RandomNormalLike"),
    "unheard of": (lambda: with_operator("Nonsense"), "Nonsense"),
    "an operator that moves the cursor": (lambda: with_operator(ESCAPES), "does not run"),
    "division by zero": (lambda: division("Div", 1, 0), "divide whole numbers"),
    "division beyond the range": (lambda: division("Div", -(2**63), -1), "divide whole numbers"),
    "remainder beyond the range": (lambda: division("Mod", -(2**63), -1), "divide whole numbers"),
    "division under a false name": (hidden_division, "divide whole numbers"),
    "a billion outputs": (
        lambda: with_nodes([node("Split", ["m"], ["x"], num_outputs=2**30)], "x", m=[1.0]),
        "1073741824",
    ),
    "a hundred thousand nodes": (lambda: chain(100_000), "more than 10000 nodes"),
    "nested graphs": (lambda: nested(1000), "nested more than"),
    "empty": (lambda: b"", "holds no graph"),
    "text": (lambda: b"weights: 1, 2, 3", "not an ONNX network"),
    "cut in half": (lambda: GOOD[: len(GOOD) // 2], "cut short"),
    "cut at the end": (lambda: GOOD[:-1], "cut short"),
    "length of 2^63": (lambda: b"\x3a" + b"\xff" * 8 + b"\x7f" + GOOD, "beyond the end"),
    "endless number": (lambda: b"\x08" + b"\xff" * 50_000 + GOOD, "longer than 64 bits"),
    "a million fields": (lambda: b"\x08\x01" * 1_000_001, "more than 1000000 fields"),
    "a name that is no text": (lambda: GOOD.replace(b"GRU", b"G\xffU"), "not text"),
    "zip": (lambda: b"PK\x03\x04" + bytes(100), "a zip archive"),
    "pickle": (lambda: b"\x80\x04\x95" + b"cos\nsystem\n(S'true'\ntR.", "a pickle"),
    "input name": (lambda: renamed("input", "samples"), "inputs are samples, state"),
    "input name that moves the cursor": (lambda: renamed("input", ESCAPES), "its inputs are"),
    "output name": (lambda: renamed("output", "mask"), "outputs are mask"),
    "float64": (lambda: of_type(TensorProto.DOUBLE), "magnitudes is not float32"),
    "text for sound": (lambda: of_type(TensorProto.STRING), "magnitudes is not float32"),
    "rank": (lambda: of_rank(2), "need 3 dimensions"),
    "free bins": (lambda: networks.constant(1, bins="bins"), "must be a fixed number"),
    "no bins": (lambda: networks.constant(1, bins=0), "need 1 or more"),
    "a state without size": (lambda: networks.constant(1, state_size="size"), "must be a fixed number"),
    "a state of 2^31": (lambda: networks.constant(1, state_size=2**31), "must be a fixed number"),
    "a negative state": (lambda: networks.constant(1, state_size=-1), "must be a fixed number"),
    "other bins than the card's": (lambda: with_card(frames={"window_ms": 32, "bins": 129}), "the card says 129 bins"),
    "a million bins": (lambda: with_card(frames={"window_ms": 32, "bins": 10**6}, bins=10**6), "has 6145 at most"),
    "a window of an hour": (lambda: with_card(frames={"window_ms": 3.6e6, "bins": 257}), "from 1 to 1000"),
    "a negative window": (lambda: with_card(frames={"window_ms": -32, "bins": 257}), "from 1 to 1000"),
    "no card": (without_card, "holds no card"),
    "a card that is no JSON": (lambda: with_card("name = speech"), "not JSON"),
    "a card that is nested": (lambda: with_card('{"a":' * 50_000), "not JSON"),
    "a card of a huge number": (lambda: with_card('{"name": ' + "9" * 10_000 + "}"), "not JSON"),
    "an enormous card": (lambda: with_card(" " * 1_000_001), "at most 1000000 are read"),
    "an enormous name": (lambda: with_card(name="x" * 10_000), "100 characters"),
    "a name that moves the cursor": (lambda: with_card(name=ESCAPES), "printable"),
    "a name of half a character": (lambda: with_card(name="\ud800"), "printable"),
    "a kind that moves the cursor": (lambda: with_card(kind=ESCAPES), "printable"),
}

AT_LOADING: dict[str, tuple[Maker, str]] = {
    "petabytes promised": (lambda: with_tensor(dims=[2**40, 2**10]), "onnxruntime refuses"),
    "a size beyond 64 bits": (lambda: with_tensor(dims=[2**32, 2**32]), "onnxruntime refuses"),
    "a negative size": (lambda: with_tensor(dims=[-4, -4], raw_data=bytes(64)), "onnxruntime refuses"),
    "a gigabyte promised": (lambda: with_tensor(dims=[2**28]), "onnxruntime refuses"),
    "terabytes of zeros": (
        lambda: with_nodes([node("ConstantOfShape", ["n"], ["x"])], "x", n=np.array([2**40])),
        "the network failed",
    ),
    "terabytes of copies": (
        lambda: with_nodes([node("Expand", ["m", "n"], ["x"])], "x", m=np.ones(1, np.float32), n=np.array([2**36])),
        "the network failed",
    ),
    "padding beyond 64 bits": (
        lambda: with_nodes(
            [node("Pad", ["m", "n"], ["x"])], "x", m=np.ones(1, np.float32), n=np.array([2**63 - 1] * 2)
        ),
        "the network failed",
    ),
    "an index outside": (
        lambda: with_nodes([node("Gather", ["m", "n"], ["x"])], "x", m=np.ones(9, np.float32), n=np.array([2**62])),
        "the network failed|onnxruntime refuses",
    ),
    "nested types": (lambda: nested_types(3000), "onnxruntime refuses"),
    "version of 2^40": (
        lambda: onnx.ModelProto(ir_version=2**40).SerializeToString() + GOOD[2:],
        "onnxruntime refuses",
    ),
    "in a circle": (
        lambda: networks.model(
            [node("Add", ["b", "magnitudes"], ["a"]), node("Relu", ["a"], ["b"]), ALL_OPEN, KEEP_STATE]
        ),
        "onnxruntime refuses",
    ),
    "dangling": (lambda: networks.model([node("Relu", ["nothing"], ["gains"]), KEEP_STATE]), "onnxruntime refuses"),
    "dangling from what moves the cursor": (
        lambda: networks.model([node("Relu", [ESCAPES], ["gains"]), KEEP_STATE]),
        "onnxruntime refuses",
    ),
    "divided by zero": (lambda: scaled(0), "not finite"),
    "weights that are no numbers": (lambda: networks.constant(float("nan")), "not finite"),
    "infinite weights": (lambda: networks.constant(float("inf")), "not finite"),
    "gains beyond all measure": (lambda: networks.constant(3e38), "gains of 3e"),
    "another shape": (
        lambda: networks.model([node("ReduceMean", ["magnitudes"], ["gains"], axes=[2]), KEEP_STATE]),
        "the network gave gains as|onnxruntime refuses",
    ),
    "not causal": (backward, "not causal"),
    "forgetful": (forgetful, "loses state"),
}


def content(make: Maker) -> bytes:
    made = make()
    return made if isinstance(made, bytes) else made.SerializeToString()
