"""What a network file promises: the names, types and sizes of what it takes and gives, and that its card agrees.

============  ==============================  ==============================
kind          "magnitudes"                    "samples"
============  ==============================  ==============================
input         magnitudes                      samples
              (streams, frames, bins)         (streams, samples, leads)
input         state (streams, state_size)     state (streams, state_size)
output        gains, shaped as magnitudes     clean, shaped as samples
output        next_state, shaped as state     next_state, shaped as state
============  ==============================  ==============================

All are float32. Streams, frames and samples are free; bins, leads and state_size are fixed numbers of the graph.
"""

from dataclasses import dataclass

from audiodae.card import CARD_KEY, Card, read_card
from audiodae.errors import NetworkError
from audiodae.frames import HIGHEST_RATE, FrameGeometry
from audiodae.onnx_graph import FLOAT32, OnnxFacts, Port

INPUTS = {"magnitudes": ("magnitudes", "state"), "samples": ("samples", "state")}
OUTPUTS = {"magnitudes": ("gains", "next_state"), "samples": ("clean", "next_state")}
WIDTHS = {"magnitudes": "bins", "samples": "leads"}
MAX_WIDTH = MAX_STATE_SIZE = 1_000_000


@dataclass(frozen=True)
class Contract:
    """What one network file promises.

    Attributes
    ----------
    card : Card
    inputs, outputs : names, first the values, then the state
    width : int, numbers in a frame or a sample: bins or leads
    state_size : int, numbers that it remembers for each stream
    """

    card: Card
    inputs: tuple[str, str]
    outputs: tuple[str, str]
    width: int
    state_size: int


def read_contract(facts: OnnxFacts) -> Contract:
    """Read what a file promises, and hold the card and the graph to each other.

    Raises
    ------
    NetworkError
        It has no card, other ports than its kind needs, or card and graph say different things.
    """
    if CARD_KEY not in facts.metadata:
        raise NetworkError(f"holds no card (metadata {CARD_KEY}); make it by `audiodae export`")
    card = read_card(facts.metadata[CARD_KEY])
    inputs, outputs = INPUTS[card.kind], OUTPUTS[card.kind]
    for what, ports, names in (("inputs", facts.inputs, inputs), ("outputs", facts.outputs, outputs)):
        if sorted(port.name for port in ports) != sorted(names):
            found = some([port.name for port in ports]) or "none"
            raise NetworkError(f"not an audiodae network: its {what} are {found}; need {' and '.join(names)}")
    by_name = {port.name: port for port in facts.inputs}
    width = _last_size(by_name[inputs[0]], rank=3, limit=MAX_WIDTH)
    if width == 0:
        raise NetworkError(f"input {inputs[0]} has 0 {WIDTHS[card.kind]}; need 1 or more")
    _hold_to_card(card, width)
    return Contract(card, inputs, outputs, width, _last_size(by_name["state"], rank=2, limit=MAX_STATE_SIZE))


def some(names: list[str]) -> str:
    """Give names in order, of many the first few."""
    names = sorted(names)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _last_size(port: Port, rank: int, limit: int) -> int:
    if port.element_type != FLOAT32:
        raise NetworkError(f"input {port.name} is not float32")
    if port.shape is None or len(port.shape) != rank:
        raise NetworkError(f"input {port.name} has shape {port.shape}; need {rank} dimensions")
    size = port.shape[-1]
    if not isinstance(size, int) or not 0 <= size <= limit:
        raise NetworkError(f"input {port.name} has shape {port.shape}; the last dimension must be a fixed number")
    return size


def _hold_to_card(card: Card, width: int) -> None:
    told = card.series.leads if card.series else card.frames.n_bins if card.frames else 0
    if told != width:
        raise NetworkError(f"the card says {told} {WIDTHS[card.kind]}, the graph {width}")
    if card.frames:
        most = FrameGeometry.for_rate(HIGHEST_RATE, card.frames.window_ms).n_bins
        if width > most:
            raise NetworkError(f"asks for {width} bins; a window of {card.frames.window_ms:g} ms has {most} at most")
