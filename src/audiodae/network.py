"""A network file: one ONNX graph with its card inside, run by onnxruntime on one thread.

It works on magnitudes, of which it gives gains, or on the samples of a series, of which it gives clean ones; what it
takes and gives is told in `audiodae.network_contract`. Any number of streams and of frames a call, or of samples in
whole steps. The state starts at zero; handed on from call to call, it makes the result independent of how a sound was
cut.

A network file may come from anywhere, so it is looked through before a runtime sees it: one file, no more than
64 MB, plain operators of the ONNX standard without loops, nothing that could end the process or ask for memory beyond
the bound; and after loading it must answer a probe as promised, in time.
"""

import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from audiodae.card import MAGNITUDES, SAMPLES, Card
from audiodae.errors import NetworkError, one_line
from audiodae.network_contract import read_contract, some
from audiodae.onnx_graph import OnnxFacts, read_facts
from audiodae.onnx_types import divides_no_floats

DEFAULT_MODEL = "speech"
MODEL_VARIABLE = "AUDIODAE_MODEL"
MAX_BYTES = 64_000_000
MAX_MEMORY = 2 << 30  # bytes for the tensors of all networks of a process; a few lines of ONNX can ask for terabytes

PROBE_SECONDS = 5.0  # of computing, over a few frames or samples, which take any real network some milliseconds
LARGEST_GAIN = 1e6  # 120 dB; what is far beyond overflows when it is multiplied
MESSAGE_CHARACTERS = 500

# How files begin that are called networks and are none.
OTHER_FILES = {
    b"PK": "a zip archive, as torch.save writes",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\x89HDF": "HDF5, as Keras writes",
}

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
    n_bins : int, frequencies that it sees and gives gains for; 0 where it works on samples
    leads : int, leads of a series that it takes together; 0 where it works on magnitudes
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
        for beginning, kind in OTHER_FILES.items():
            if data.startswith(beginning):
                raise NetworkError(f"is {kind}, and no ONNX file; make one by `audiodae export`")
        facts = read_facts(data)
        _refuse_unsafe(facts)
        contract = read_contract(facts)
        self.card: Card = contract.card
        self.n_bins = contract.width if self.card.kind == MAGNITUDES else 0
        self.leads = contract.width if self.card.kind == SAMPLES else 0
        self.state_size = contract.state_size
        self.parameters = facts.parameters
        self._inputs, self._outputs = contract.inputs, contract.outputs
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
            # Names in the file may be long, and hold whatever moves a terminal's cursor.
            raise NetworkError(one_line(f"{source}: {str(error)[:MESSAGE_CHARACTERS]}")) from None

    def initial_state(self, streams: int) -> Floats:
        """Give the state before the first frame, zeros of shape (streams, state_size)."""
        return np.zeros((streams, self.state_size), np.float32)

    def run(self, values: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Compute the gains of the next frames, or clean the next samples.

        Parameters
        ----------
        values : float32, shape (streams, frames, bins), magnitudes: 0 or more, a full-scale sine reads 1; or shape
            (streams, samples, leads), whole steps of samples
        state : float32, shape (streams, state_size), `initial_state` or what the last call gave

        Returns
        -------
        gains or clean samples : float32, the shape of values; the samples are those of `delay` samples before
        state : float32, shape (streams, state_size), for the next call

        Raises
        ------
        NetworkError
            The shapes do not fit, the graph fails, or what it gives is not what the contract says.
        """
        return self._run(values, state, None)

    def _run(self, values: Floats, state: Floats, options: Any) -> tuple[Floats, Floats]:
        given = dict(zip(self._inputs, (values, state), strict=True))
        try:
            results = self._session.run(self._outputs, given, options)
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            raise NetworkError(f"the network failed: {_first_line(error)}") from None
        for name, result, like in zip(self._outputs, results, (values, state), strict=True):
            if result.dtype != np.float32 or result.shape != like.shape:
                raise NetworkError(
                    f"the network gave {name} as {result.dtype} {result.shape}; need float32 {like.shape}"
                )
        first, next_state = results
        return first, next_state


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
    if facts.has_sparse_tensors:  # a few bytes of them may stand for gigabytes
        raise NetworkError("holds sparse tensors; save it with dense ones")
    if facts.functions:
        raise NetworkError(f"defines functions ({some(facts.functions)}); inline them")
    unknown = {pair for pair in facts.operators if pair[0] or pair[1] not in ALLOWED_OPERATORS}
    if unknown:
        names = [f"{domain}.{operator}" if domain else operator for domain, operator in unknown]
        raise NetworkError(f"uses operators that audiodae does not run: {some(names)}")
    if divides_no_floats(facts):
        raise NetworkError("may divide whole numbers, and by zero; cast them to float first")


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
        # Constants are not computed while it is loaded, which nothing could stop; ours have none that would gain by it.
        return onnxruntime.InferenceSession(
            data,
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,
            disabled_optimizers=["ConstantFolding"],
        )
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
    return one_line((str(error).splitlines() or [type(error).__name__])[0][:300])


def _probe(network: Network) -> None:
    """Run two streams of a few frames or samples, at once and in parts; refuse what breaks the contract."""
    values, cuts = _probe_values(network)
    with _stopped_when_out_of_time() as options:
        whole, _ = _finite_run(network, values, network.initial_state(2), options)
        parts, state = [], network.initial_state(2)
        for part in np.split(values, cuts, axis=1):
            some_of_it, state = _finite_run(network, part, state, options)
            parts.append(some_of_it)
    difference = np.max(np.abs(whole - np.concatenate(parts, axis=1)))
    if difference > 1e-3 * max(1, np.max(np.abs(whole))):
        raise NetworkError(
            f"{network._outputs[0]} of one call and of {len(parts)} differ by {difference:.2g}: "
            "not causal, or it loses state"
        )


def _probe_values(network: Network) -> tuple[Floats, list[int]]:
    """Give what two streams are shown at once, and where it is cut to show it again."""
    rng = np.random.default_rng(0)
    series = network.card.series
    if series is None:
        return np.abs(rng.normal(0, 0.05, (2, 5, network.n_bins))).astype(np.float32), [2]
    # More than the delay, before which nothing comes out, and the least that a stream may ask for: one step.
    steps = series.delay // series.step + 6
    values = rng.normal(0, 1, (2, steps * series.step, network.leads)).astype(np.float32)
    return values, [series.step, steps // 2 * series.step]


@contextmanager
def _stopped_when_out_of_time() -> Iterator[Any]:
    """Give the options of runs that are stopped, between two nodes, when they have computed too long."""
    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    done, stopped = threading.Event(), threading.Event()
    computed = _clock_of_this_thread()
    limit = computed() + PROBE_SECONDS

    def watch() -> None:
        while not done.wait(0.5):
            if computed() > limit:
                stopped.set()
                options.terminate = True
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield options
    except NetworkError:
        if stopped.is_set():
            raise NetworkError(f"computes for more than {PROBE_SECONDS:g} s over a few frames or samples") from None
        raise
    finally:
        done.set()
        watcher.join()


def _clock_of_this_thread() -> Callable[[], float]:
    """Give a clock, for any thread to read, of what this one computes: on a busy machine the wall's tells nothing."""
    if not hasattr(time, "pthread_getcpuclockid"):  # not on Windows
        return time.process_time
    return functools.partial(time.clock_gettime, time.pthread_getcpuclockid(threading.get_ident()))


def _finite_run(network: Network, values: Floats, state: Floats, options: Any) -> tuple[Floats, Floats]:
    results = network._run(values, state, options)
    for name, result in zip(network._outputs, results, strict=True):
        if not np.isfinite(result).all():
            raise NetworkError(f"{name} holds numbers that are not finite")
    largest = np.max(np.abs(results[0]))
    if network.card.frames and largest > LARGEST_GAIN:
        raise NetworkError(f"gains of {largest:.2g}; {LARGEST_GAIN:g} at most is a gain")
    return results
