"""Which tensors of an ONNX graph surely hold floats; what divides others is not to be run.

A division of whole numbers by 0, or of the least of them by -1, ends a process at once, and whether it comes to that
may hang on the sound. Floats divided so only become infinite.
"""

from audiodae.onnx_graph import FLOAT_TYPES, OnnxFacts, OnnxNode

# Operators that give floats whatever they are given.
GIVE_FLOATS = frozenset(
    """
    AveragePool BatchNormalization Ceil Celu Conv ConvTranspose Cos DequantizeLinear Elu Erf Exp Floor GRU Gelu
    GlobalAveragePool GlobalMaxPool GroupNormalization HardSigmoid HardSwish InstanceNormalization LSTM
    LayerNormalization LeakyRelu Log LogSoftmax LpNormalization MeanVarianceNormalization Mish RMSNormalization RNN
    Reciprocal Round Selu Sigmoid Sin Softmax Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu
    """.split()  # noqa: SIM905 (a table to read, not a list of quotes)
)
# Operators whose outputs are all of one type. Of another only the first is known.
OF_ONE_TYPE = frozenset({"GRU", "LSTM", "RNN", "Split"})
# Operators that give whole numbers, or words of yes and no, whatever they are given.
GIVE_NO_FLOATS = frozenset(
    """
    And ArgMax ArgMin BitShift ConvInteger DynamicQuantizeLinear Equal Greater GreaterOrEqual IsInf IsNaN Less
    LessOrEqual MatMulInteger Not Or QLinearConv QLinearMatMul QuantizeLinear Shape Size Xor
    """.split()  # noqa: SIM905
)
# The input that lends its type to the output, where that is not the first.
LENDS_TYPE = {"CastLike": 1, "Where": 1}


def divides_no_floats(facts: OnnxFacts) -> bool:
    """Tell whether any node divides what is not surely floats; nodes out of order, which ONNX forbids, count so too."""
    types = {port.name: port.element_type for port in facts.inputs} | facts.tensors
    floats = {name for name, element_type in types.items() if element_type in FLOAT_TYPES}
    given = set(types)
    for node in facts.nodes:
        if node.operator in ("Div", "Mod") and not floats.issuperset(node.inputs):
            return True
        if not given.isdisjoint(node.outputs):  # of two of one name a runtime may take the other
            floats.difference_update(node.outputs)
            continue
        given.update(node.outputs)
        if _gives_floats(node, floats):
            floats.update(node.outputs if node.operator in OF_ONE_TYPE else node.outputs[:1])
    return False


def _gives_floats(node: OnnxNode, floats: set[str]) -> bool:
    if node.operator in ("Cast", "Constant", "ConstantOfShape"):
        return node.element_type in FLOAT_TYPES
    if node.operator in GIVE_NO_FLOATS:
        return False
    lender = LENDS_TYPE.get(node.operator, 0)
    return node.operator in GIVE_FLOATS or (lender < len(node.inputs) and node.inputs[lender] in floats)
