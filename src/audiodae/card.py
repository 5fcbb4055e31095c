"""The card of a network: what it is, who may use it, how it was made. JSON in the metadata of the ONNX file.

Four entries are read by the runtime and must be there::

    {"name": "speech", "version": "1", "kind": "magnitudes", "frames": {"window_ms": 32.0, "bins": 257}, ...}

All others (licence, data, steps, hardware, seed, metrics, limits, ...) are for people and kept as they are.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audiodae.errors import NetworkError

CARD_KEY = "audiodae.card"
MAGNITUDES = "magnitudes"
MAX_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Card:
    """The card of a network.

    Attributes
    ----------
    name, version : str
    kind : str, "magnitudes"
    window_ms : float, length of the frames that the network was trained on, ms
    n_bins : int, frequencies that it sees, from 0 Hz up, 1000 / window_ms Hz apart
    entries : every entry as read, these included
    """

    name: str
    version: str
    kind: str
    window_ms: float
    n_bins: int
    entries: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        """Give any entry, as `card["licence"]`; KeyError where the card has none."""
        return self.entries[key]

    @property
    def latency_ms(self) -> float:
        """Algorithmic delay: a sample is ready when both its frames are, one window later at the most."""
        return self.window_ms


def read_card(text: str) -> Card:
    """Read and check a card.

    Parameters
    ----------
    text : str, JSON

    Raises
    ------
    NetworkError
        It is no JSON object, an entry that the runtime needs is missing or wrong, or the kind is not known.
    """
    entries = _parse(text)
    kind = _text_entry(entries, "kind")
    if kind != MAGNITUDES:
        raise NetworkError(f"the card says kind {kind!r}; this version of audiodae runs {MAGNITUDES!r}")
    frames = entries.get("frames")
    if not isinstance(frames, dict):
        raise NetworkError('the card needs "frames": {"window_ms": number, "bins": number}')
    window_ms, n_bins = frames.get("window_ms"), frames.get("bins")
    if isinstance(window_ms, bool) or not isinstance(window_ms, int | float) or not 1 <= window_ms <= 1000:
        raise NetworkError(f"the card says frames.window_ms {window_ms!r}; need a number from 1 to 1000")
    if not isinstance(n_bins, int) or isinstance(n_bins, bool) or n_bins < 1:
        raise NetworkError(f"the card says frames.bins {n_bins!r}; need a whole number from 1")
    return Card(
        name=_text_entry(entries, "name"),
        version=_text_entry(entries, "version"),
        kind=kind,
        window_ms=float(window_ms),
        n_bins=n_bins,
        entries=entries,
    )


def _parse(text: str) -> dict[str, Any]:
    if len(text) > MAX_CHARACTERS:
        raise NetworkError(f"the card has {len(text)} characters; at most {MAX_CHARACTERS} are read")
    try:
        entries = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NetworkError(f"the card is not JSON: {error}") from None
    if not isinstance(entries, dict):
        raise NetworkError(f"the card is JSON of type {type(entries).__name__}; need an object")
    return entries


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _text_entry(entries: dict[str, Any], key: str) -> str:
    value = entries.get(key)
    if not isinstance(value, str) or not value:
        raise NetworkError(f'the card needs "{key}" as text; it says {value!r}')
    return value
