"""A network file: one ONNX graph with its card inside, run by onnxruntime on one thread.

The contract
------------
============  =======  ================================
magnitudes    input    float32 (streams, frames, bins)
state         input    float32 (streams, state_size)
gains         output   float32 (streams, frames, bins)
next_state    output   float32 (streams, state_size)
============  =======  ================================

Any number of streams and frames a call. The state starts at zero; handed on from call to call, it makes the gains
independent of how a sound was cut. Gains multiply the magnitudes.

A network file may come from anywhere, so it is looked through before a runtime sees it: one file, no more than
64 MB, plain operators of the ONNX standard without loops, and after loading it must answer a probe as promised.
"""

import functools
import os
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from audiodae.card import CARD_KEY, Card, read_card
from audiodae.errors import NetworkError
from audiodae.onnx_graph import FLOAT32, OnnxFacts, Port, read_facts

DEFAULT_MODEL = "speech"
MODEL_VARIABLE = "AUDIODAE_MODEL"
MAX_BYTES = 64_000_000
MAX_MEMORY = 2 << 30  # bytes for the tensors of all networks of a process; a few lines of ONNX can ask for terabytes

INPUTS = ("magnitudes", "state")
OUTPUTS = ("gains", "next_state")
MAX_BINS = MAX_STATE_SIZE = 1_000_000

# Operators that compute tensors from tensors. Not here: control flow (a loop may never end), randomness, sequences,
# strings, and everything outside the standard domain.
ALLOWED_OPERATORS = frozenset(
    """
    Abs Add And ArgMax ArgMin AveragePool BatchNormalization BitShift Cast CastLike Ceil Celu Clip Concat Constant
    ConstantOfShape Conv ConvInteger ConvTranspose Cos CumSum DepthToSpace DequantizeLinear Div Dropout
    DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm
    GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish Identity
    InstanceNormalization IsInf IsNaN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization
    MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg Not Or PRelu Pad Pow
    QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum
    ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round
    ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth
    Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile Transpose Trilu Unsqueeze Where Xor
    """.split()  # noqa: SIM905 (a table to read, not a list of quotes)
)

Floats = npt.NDArray[np.float32]


class Network:
    """A network file, checked and ready to run; safe to share between threads and streams, for it keeps no state.

    Attributes
    ----------
    card : Card
    n_bins : int, frequencies that it sees and gives gains for
    state_size : int, numbers that it remembers for each stream
    parameters : int, number of weights
    """

    def __init__(self, data: bytes, *, threads: int = 1) -> None:
        """Check and load the bytes of a network file.

        Raises
        ------
        NetworkError
            They are no network file, unsafe, or do not keep the contract. The message does not name the file.
        """
        if len(data) > MAX_BYTES:
            raise NetworkError(f"more than {MAX_BYTES // 1_000_000} MB; a network file is smaller")
        facts = read_facts(data)
        _refuse_unsafe(facts)
        self.n_bins, self.state_size = _read_sizes(facts)
        self.parameters = facts.parameters
        self.card: Card = _read_card(facts, self.n_bins)
        self._session = _open_session(data, threads)
        _probe(self)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 1) -> "Network":
        """Read, check and load a network file.

        Parameters
        ----------
        path : file, `find_network` gives those of shipped networks
        threads : int, cores that one call of `run` may use

        Raises
        ------
        NetworkError
            The file is missing, no network, unsafe, or does not keep the contract.
        """
        return cls.from_bytes(_read_file(path), source=os.fspath(path), threads=threads)

    @classmethod
    def from_bytes(cls, data: bytes, *, source: str, threads: int = 1) -> "Network":
        """Check and load what `load` would read from a file; source is what errors call it."""
        try:
            return cls(data, threads=threads)
        except NetworkError as error:
            raise NetworkError(f"{source}: {error}") from None

    def initial_state(self, streams: int) -> Floats:
        """Give the state before the first frame, zeros of shape (streams, state_size)."""
        return np.zeros((streams, self.state_size), np.float32)

    def run(self, magnitudes: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Compute the gains of the next frames.

        Parameters
        ----------
        magnitudes : float32, shape (streams, frames, bins), 0 or more; a full-scale sine reads 1
        state : float32, shape (streams, state_size), `initial_state` or what the last call gave

        Returns
        -------
        gains : float32, shape (streams, frames, bins)
        state : float32, shape (streams, state_size), for the next call

        Raises
        ------
        NetworkError
            The shapes do not fit, or the graph fails.
        """
        try:
            gains, next_state = self._session.run(OUTPUTS, dict(zip(INPUTS, (magnitudes, state), strict=True)))
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            raise NetworkError(f"the network failed: {_first_line(error)}") from None
        return gains, next_state


def find_network(model: str | os.PathLike[str] | None = None) -> Path:
    """Find the file of a network.

    Parameters
    ----------
    model : name of a shipped network, path of a file, or None for what the environment variable AUDIODAE_MODEL says
        (name or path), else "speech"

    Raises
    ------
    NetworkError
        There is no such name and no such file; the message lists the names.
    """
    wanted = os.fspath(model or os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL)
    shipped = shipped_networks()
    if wanted in shipped:
        return shipped[wanted]
    if os.path.exists(wanted):
        return Path(wanted)
    names = ", ".join(shipped) or "none"
    raise NetworkError(f"no network {wanted!r}: neither a file nor a shipped network (these are: {names})")


def shipped_networks() -> dict[str, Path]:
    """Give the networks that come with audiodae, name to file."""
    folder = Path(str(resources.files("audiodae"))) / "models"
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}


def _read_file(path: str | os.PathLike[str]) -> bytes:
    if not os.path.isfile(path):  # missing, a folder, or a pipe that might never end
        raise NetworkError(f"{os.fspath(path)}: {'not a file' if os.path.exists(path) else 'no such file'}")
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NetworkError(f"{os.fspath(path)}: cannot be read: {error.strerror}") from None


def _refuse_unsafe(facts: OnnxFacts) -> None:
    if facts.has_external_data:
        raise NetworkError("asks for data in other files; save it as one file")
    if facts.functions:
        raise NetworkError(f"defines functions ({_some(facts.functions)}); inline them")
    unknown = {pair for pair in facts.operators if pair[0] or pair[1] not in ALLOWED_OPERATORS}
    if unknown:
        names = [f"{domain}.{operator}" if domain else operator for domain, operator in unknown]
        raise NetworkError(f"uses operators that audiodae does not run: {_some(names)}")


def _some(names: list[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _read_sizes(facts: OnnxFacts) -> tuple[int, int]:
    """Check the ports against the contract; give the number of bins and the state size."""
    for what, ports, names in (("inputs", facts.inputs, INPUTS), ("outputs", facts.outputs, OUTPUTS)):
        if sorted(port.name for port in ports) != sorted(names):
            found = _some([port.name for port in ports]) or "none"
            raise NetworkError(f"not an audiodae network: its {what} are {found}; need {' and '.join(names)}")
    inputs = {port.name: port for port in facts.inputs}
    n_bins = _last_size(inputs["magnitudes"], rank=3, limit=MAX_BINS)
    state_size = _last_size(inputs["state"], rank=2, limit=MAX_STATE_SIZE)
    if n_bins == 0:
        raise NetworkError("input magnitudes has 0 bins; need 1 or more")
    return n_bins, state_size


def _last_size(port: Port, rank: int, limit: int) -> int:
    if port.element_type != FLOAT32:
        raise NetworkError(f"input {port.name} is not float32")
    if port.shape is None or len(port.shape) != rank:
        raise NetworkError(f"input {port.name} has shape {port.shape}; need {rank} dimensions")
    size = port.shape[-1]
    if not isinstance(size, int) or not 0 <= size <= limit:
        raise NetworkError(f"input {port.name} has shape {port.shape}; the last dimension must be a fixed number")
    return size


def _read_card(facts: OnnxFacts, n_bins: int) -> Card:
    if CARD_KEY not in facts.metadata:
        raise NetworkError(f"holds no card (metadata {CARD_KEY}); make it by `audiodae export`")
    card = read_card(facts.metadata[CARD_KEY])
    if card.n_bins != n_bins:
        raise NetworkError(f"the card says {card.n_bins} bins, the graph {n_bins}")
    return card


def _open_session(data: bytes, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised; its log lines would only double it
    # Threads that spin while they wait would take a core each from the rest of a program.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if _bound_memory():
        options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        # From bytes, not from a path: without a folder there is nothing beside the file to be drawn in.
        # Its fallback, the same again, is announced on stdout.
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:  # as in `run`
        raise NetworkError(f"onnxruntime refuses it: {_first_line(error)}") from None


@functools.cache
def _bound_memory() -> bool:
    """Make the allocator that all networks share, with a bound; false where the program around us has made its own."""
    info = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    default = -1  # onnxruntime's own choice of how the arena grows
    try:
        onnxruntime.create_and_register_allocator(info, onnxruntime.OrtArenaCfg(MAX_MEMORY, default, default, default))
    except Exception:  # as in `run`
        return False
    return True


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _probe(network: Network) -> None:
    """Run two streams of a few frames, at once and in two calls; refuse what does not answer as the contract says."""
    rng = np.random.default_rng(0)
    magnitudes = np.abs(rng.normal(0, 0.05, (2, 5, network.n_bins))).astype(np.float32)
    whole, _ = _checked_run(network, magnitudes, network.initial_state(2))
    first, state = _checked_run(network, magnitudes[:, :2], network.initial_state(2))
    rest, _ = _checked_run(network, magnitudes[:, 2:], state)
    difference = np.max(np.abs(whole - np.concatenate([first, rest], axis=1)))
    if difference > 1e-3:
        raise NetworkError(f"gains of one call and of two differ by {difference:.2g}: not causal, or it loses state")


def _checked_run(network: Network, magnitudes: Floats, state: Floats) -> tuple[Floats, Floats]:
    gains, next_state = network.run(magnitudes, state)
    for name, result, like in (("gains", gains, magnitudes), ("next_state", next_state, state)):
        if result.dtype != np.float32 or result.shape != like.shape:
            raise NetworkError(f"{name} came as {result.dtype} {result.shape}; need float32 {like.shape}")
        if not np.isfinite(result).all():
            raise NetworkError(f"{name} holds numbers that are not finite")
    return gains, next_state
