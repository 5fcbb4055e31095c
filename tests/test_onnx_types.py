import numpy as np
import pytest
from onnx import TensorProto, helper

from audiodae.onnx_graph import read_facts
from audiodae.onnx_types import divides_no_floats
from tests import networks

node = helper.make_node
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64


def divides(*nodes, operator="Div", **constants):
    """Whether x is divided by what the last node gives."""
    last = nodes[-1].output[-1]
    model = networks.model([*nodes, node(operator, [last, last], ["y"])], constants)
    return divides_no_floats(read_facts(model.SerializeToString()))


@pytest.mark.parametrize("make", [networks.smoothing, networks.recurrent])
def test_networks_divide_floats(make):
    assert not divides_no_floats(read_facts(make().SerializeToString()))


SURELY_FLOAT = {
    "first input": [node("Add", ["magnitudes", "state"], ["x"])],
    "cast": [node("Shape", ["magnitudes"], ["s"]), node("Cast", ["s"], ["x"], to=FLOAT)],
    "zeros": [node("ConstantOfShape", ["i"], ["x"])],
    "constant": [node("Constant", [], ["x"], value_float=1.0)],
    "chosen": [node("Where", ["b", "magnitudes", "magnitudes"], ["x"])],
    "second part": [node("Split", ["magnitudes"], ["w", "x"], num_outputs=2)],
    "state of a GRU": [node("GRU", ["magnitudes"], ["w", "x"], hidden_size=1)],
}
PERHAPS_NOT = {
    "whole numbers": [node("Add", ["i", "i"], ["x"])],
    "cast": [node("Cast", ["magnitudes"], ["x"], to=INT)],
    "cast like": [node("CastLike", ["magnitudes", "i"], ["x"])],
    "shape": [node("Shape", ["magnitudes"], ["x"])],
    "zeros": [node("ConstantOfShape", ["i"], ["x"], value=helper.make_tensor("v", INT, [1], [0]))],
    "constant": [node("Constant", [], ["x"], value_int=0)],
    "chosen": [node("Where", ["magnitudes", "i", "i"], ["x"])],
    "places of the largest": [node("MaxPool", ["magnitudes"], ["w", "x"], kernel_shape=[2])],
    "unknown": [node("Relu", ["later"], ["x"])],
    "a name twice": [node("Identity", ["magnitudes"], ["x"]), node("Identity", ["i"], ["x"])],
}


@pytest.mark.parametrize("case", SURELY_FLOAT)
def test_surely_float(case):
    assert not divides(*SURELY_FLOAT[case], i=np.array([1]), b=np.array(True))


@pytest.mark.parametrize("case", PERHAPS_NOT)
@pytest.mark.parametrize("operator", ["Div", "Mod"])
def test_perhaps_not(case, operator):
    assert divides(*PERHAPS_NOT[case], operator=operator, i=np.array([1]))
