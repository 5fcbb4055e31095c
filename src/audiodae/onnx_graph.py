"""What an ONNX file holds, read from its bytes without the `onnx` package and before any runtime sees them.

An ONNX file is one protobuf message. On the wire that is a run of fields, each a tag (number and wire type) and a
value, which may be a message again (https://protobuf.dev/programming-guides/encoding/). The numbers below are those
of onnx/onnx.proto. Every graph is walked: the main one, bodies of If, Loop and Scan, functions and training graphs,
and every tensor wherever it hides, for a runtime follows them all.

Protobuf merges a message that comes twice, so nothing here stops at the first of its kind.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from audiodae.errors import NetworkError

MAX_FIELDS = 1_000_000  # about a second of walking; a network of a thousand nodes has some ten thousand
MAX_DEPTH = 32  # graphs within attributes within nodes within graphs
MAX_RANK = 64  # dimensions of a tensor; their product stays a small number
MAX_NODES = 10_000  # half a second for a runtime; the shipped networks have a hundred
MAX_ATTRIBUTE = 1_000_000  # hidden size, number of outputs and the like, for which a runtime makes room unasked

FLOAT32 = 1
FLOAT_TYPES = frozenset({1, 10, 11, 16})  # float, half, double, bfloat16
# Tensors of these element types hold weights: float, (u)int8, half, double, bfloat16. Others hold shapes and indices.
WEIGHT_TYPES = frozenset({1, 2, 3, 10, 11, 16})

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED_SIZES = {FIXED64: 8, FIXED32: 4}


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Attributes
    ----------
    name : str
    element_type : int, as TensorProto.DataType counts; 0 where it is no tensor
    shape : one entry a dimension: its size, its name, or None where it has neither; None without any shape
    """

    name: str
    element_type: int
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True)
class OnnxNode:
    """A node of a graph.

    Attributes
    ----------
    operator : str
    inputs, outputs : tuple of str, names of tensors
    element_type : int, of Cast, Constant and ConstantOfShape the type of what comes out, as in Port; else 0
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    element_type: int


@dataclass
class OnnxFacts:
    """All that is asked of an ONNX file before it is trusted.

    Attributes
    ----------
    inputs, outputs : ports of the main graph
    operators : pairs (domain, operator) of every node anywhere; the standard domain is ""
    nodes : every node anywhere, in the order of the file
    tensors : name to element type of every initializer
    metadata : key to value
    functions : names of the functions that the file defines
    parameters : number of weights in all tensors
    has_external_data : whether any tensor asks for another file
    has_sparse_tensors : whether any tensor is told by its few values that are not zero
    """

    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    operators: set[tuple[str, str]] = field(default_factory=set)
    nodes: list[OnnxNode] = field(default_factory=list)
    tensors: dict[str, int] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    parameters: int = 0
    has_external_data: bool = False
    has_sparse_tensors: bool = False


def read_facts(data: bytes) -> OnnxFacts:
    """Walk an ONNX file.

    Parameters
    ----------
    data : the whole file

    Returns
    -------
    facts : what it holds

    Raises
    ------
    NetworkError
        The bytes are no protobuf, no ONNX model, or nested or fragmented beyond any real network.
    """
    walk = _Walk()
    walk.model(memoryview(data))
    if not walk.has_graph:
        raise NetworkError("not an ONNX network: it holds no graph")
    return walk.facts


class _Walk:
    """One walk over one file: the facts so far and how many fields may still come."""

    def __init__(self) -> None:
        self.facts = OnnxFacts()
        self.has_graph = False
        self._fields_left = MAX_FIELDS

    def model(self, data: memoryview) -> None:
        """ModelProto."""
        for number, wire_type, value in self._fields(data):
            if number == 7:
                self.has_graph = True
                self._main_graph(_message(wire_type, value))
            elif number == 14:
                self._metadata(_message(wire_type, value))
            elif number == 20:  # TrainingInfoProto: two graphs and their bindings
                for inner, inner_type, graph in self._fields(_message(wire_type, value)):
                    if inner in (1, 2):
                        self._graph(_message(inner_type, graph), depth=1)
            elif number == 25:
                self._function(_message(wire_type, value))

    def _main_graph(self, data: memoryview) -> None:
        self._graph(data, depth=0)
        for number, wire_type, value in self._fields(data):
            if number in (11, 12):
                ports = self.facts.inputs if number == 11 else self.facts.outputs
                ports.append(self._port(_message(wire_type, value)))

    def _graph(self, data: memoryview, depth: int) -> None:
        """GraphProto: nodes, initializers and sparse initializers."""
        if depth > MAX_DEPTH:
            raise NetworkError(f"damaged or hostile ONNX file: graphs nested more than {MAX_DEPTH} deep")
        for number, wire_type, value in self._fields(data):
            if number == 1:
                self._node(_message(wire_type, value), depth)
            elif number == 5:
                self._tensor(_message(wire_type, value), self.facts.tensors)
            elif number == 15:
                self._sparse_tensor(_message(wire_type, value))

    def _function(self, data: memoryview) -> None:
        """FunctionProto: nodes, and attributes with default values."""
        name = ""
        for number, wire_type, value in self._fields(data):
            if number == 1:
                name = _text(_message(wire_type, value))
            elif number == 7:
                self._node(_message(wire_type, value), depth=1)
            elif number == 11:
                self._attribute(_message(wire_type, value), depth=1)
        self.facts.functions.append(name)

    def _node(self, data: memoryview, depth: int) -> None:
        """NodeProto."""
        texts: dict[int, list[str]] = {1: [], 2: [], 4: [""], 7: [""]}  # inputs, outputs, operator, domain
        types: dict[str, int] = {}
        for number, wire_type, value in self._fields(data):
            if number in texts:
                texts[number].append(_text(_message(wire_type, value)))
            elif number == 5:
                name, element_type = self._attribute(_message(wire_type, value), depth)
                types[name] = 0 if name in types else element_type
        operator, domain = texts[4][-1], texts[7][-1]
        self.facts.operators.add(("" if domain == "ai.onnx" else domain, operator))
        node = OnnxNode(operator, tuple(texts[1]), tuple(texts[2]), _type_given(operator, types))
        self.facts.nodes.append(node)
        if len(self.facts.nodes) > MAX_NODES:
            raise NetworkError(f"more than {MAX_NODES} nodes; a network has fewer")

    def _attribute(self, data: memoryview, depth: int) -> tuple[str, int]:
        """AttributeProto: tensors, sparse tensors and graphs, one or many; give its name and the type that it tells."""
        name, element_type = "", 0
        for number, wire_type, value in self._fields(data):
            if number == 1:
                name = _text(_message(wire_type, value))
            elif number == 3:
                element_type = _number(wire_type, value)
                if MAX_ATTRIBUTE < element_type < 2**64 - MAX_ATTRIBUTE:  # the upper half of 64 bits is negative
                    raise NetworkError(f"asks for an attribute of {element_type}; at most {MAX_ATTRIBUTE} is run")
            elif number == 5:
                element_type = self._tensor(_message(wire_type, value))
            elif number == 10:
                self._tensor(_message(wire_type, value))
            elif number in (22, 23):
                self._sparse_tensor(_message(wire_type, value))
            elif number in (6, 11):
                self._graph(_message(wire_type, value), depth + 1)
        return name, element_type

    def _sparse_tensor(self, data: memoryview) -> None:
        """SparseTensorProto: values and indices are tensors."""
        self.facts.has_sparse_tensors = True
        for number, wire_type, value in self._fields(data):
            if number in (1, 2):
                self._tensor(_message(wire_type, value))

    def _tensor(self, data: memoryview, named: dict[str, int] | None = None) -> int:
        """TensorProto: its size, and whether it lies elsewhere; give its element type."""
        shape: list[int] = []
        name = ""
        element_type = 0
        for number, wire_type, value in self._fields(data):
            if number == 1:
                shape += self._packed(wire_type, value)
            elif number == 2:
                element_type = _number(wire_type, value)
            elif number == 8:
                name = _text(_message(wire_type, value))
            elif number == 13 or (number == 14 and _number(wire_type, value) != 0):
                self.facts.has_external_data = True
        if len(shape) > MAX_RANK:
            raise NetworkError(f"damaged or hostile ONNX file: a tensor of {len(shape)} dimensions")
        if element_type in WEIGHT_TYPES:
            self.facts.parameters += math.prod(shape)
        if named is not None:
            if name in named:
                raise NetworkError(f"two tensors are called {name!r}")
            named[name] = element_type
        return element_type

    def _packed(self, wire_type: int, value: int | memoryview) -> list[int]:
        """Take a repeated number, which may come one a field or all in one."""
        if wire_type == VARINT:
            return [_number(wire_type, value)]
        data, position, numbers = _message(wire_type, value), 0, []
        while position < len(data):
            self._count_field()
            number, position = _varint(data, position)
            numbers.append(number)
        return numbers

    def _metadata(self, data: memoryview) -> None:
        """StringStringEntryProto."""
        key = text = ""
        for number, wire_type, value in self._fields(data):
            if number == 1:
                key = _text(_message(wire_type, value))
            elif number == 2:
                text = _text(_message(wire_type, value))
        if key in self.facts.metadata:
            raise NetworkError(f"the metadata holds {key!r} twice")
        self.facts.metadata[key] = text

    def _port(self, data: memoryview) -> Port:
        """ValueInfoProto."""
        name, element_type, shape = "", 0, None
        for number, wire_type, value in self._fields(data):
            if number == 1:
                name = _text(_message(wire_type, value))
            elif number == 2:
                element_type, shape = self._tensor_type(_message(wire_type, value))
        return Port(name, element_type, shape)

    def _tensor_type(self, data: memoryview) -> tuple[int, tuple[int | str | None, ...] | None]:
        """TypeProto: the element type and shape of a tensor; sequences, maps and the like give 0 and None."""
        element_type, shape = 0, None
        for kind, wire_type, value in self._fields(data):
            if kind != 1:
                continue
            for number, inner_type, inner in self._fields(_message(wire_type, value)):
                if number == 1:
                    element_type = _number(inner_type, inner)
                elif number == 2:
                    shape = self._shape(_message(inner_type, inner))
        return element_type, shape

    def _shape(self, data: memoryview) -> tuple[int | str | None, ...]:
        """TensorShapeProto."""
        sizes: list[int | str | None] = []
        for number, wire_type, value in self._fields(data):
            if number != 1:
                continue
            size: int | str | None = None
            for kind, inner_type, inner in self._fields(_message(wire_type, value)):
                if kind == 1:
                    size = _number(inner_type, inner)
                elif kind == 2:
                    size = _text(_message(inner_type, inner))
            sizes.append(size)
        return tuple(sizes)

    def _fields(self, data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
        """Yield number, wire type and value of each field of a message."""
        position, end = 0, len(data)
        while position < end:
            self._count_field()
            tag, position = _varint(data, position)
            number, wire_type = tag >> 3, tag & 7
            if not 0 < number < 1 << 29:
                raise NetworkError(f"not an ONNX network: field number {number}")
            if wire_type == VARINT:
                value, position = _varint(data, position)
                yield number, wire_type, value
                continue
            if wire_type == BYTES:
                size, position = _varint(data, position)
            elif wire_type in FIXED_SIZES:
                size = FIXED_SIZES[wire_type]
            else:
                raise NetworkError(f"not an ONNX network: wire type {wire_type}")
            if size > end - position:
                raise NetworkError("not an ONNX network, or cut short: a field reaches beyond the end")
            yield number, wire_type, data[position : position + size]
            position += size

    def _count_field(self) -> None:
        self._fields_left -= 1
        if self._fields_left < 0:
            raise NetworkError(f"damaged or hostile ONNX file: more than {MAX_FIELDS} fields")


def _type_given(operator: str, types: dict[str, int]) -> int:
    """Give the element type of what comes out of an operator whose attributes say it; 0 of all others."""
    match operator:
        case "Cast":
            return types.get("to", 0)
        case "ConstantOfShape":
            return types.get("value", FLOAT32)
        case "Constant" if len(types) == 1:
            (name,) = types
            return FLOAT32 if name in ("value_float", "value_floats") else types[name] if name == "value" else 0
    return 0


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """Read seven bits a byte, lowest first; give the number and the position after it."""
    number = 0
    for index in range(10):  # 64 bits
        if position + index >= len(data):
            raise NetworkError("not an ONNX network, or cut short: it ends within a number")
        byte = data[position + index]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, position + index + 1
    raise NetworkError("not an ONNX network: a number longer than 64 bits")


def _message(wire_type: int, value: int | memoryview) -> memoryview:
    if wire_type != BYTES or isinstance(value, int):
        raise NetworkError(f"not an ONNX network: wire type {wire_type} where a message or text belongs")
    return value


def _number(wire_type: int, value: int | memoryview) -> int:
    if wire_type != VARINT or not isinstance(value, int):
        raise NetworkError(f"not an ONNX network: wire type {wire_type} where a number belongs")
    return value


def _text(data: memoryview) -> str:
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError:
        raise NetworkError("not an ONNX network: a name is not text") from None
