"""The card of a network: what it is, who may use it, how it was made. JSON in the metadata of the ONNX file.

Four entries are read by the runtime and must be there::

    {"name": "speech", "version": "1", "kind": "magnitudes", "frames": {"window_ms": 32.0, "bins": 257}, ...}
    {"name": "ecg", "version": "1", "kind": "samples", "series": {"rate_hz": 360.0, "lowest_rate_hz": 250.0,
     "highest_rate_hz": 500.0, "step": 8, "delay": 640, "leads": 1, "unit": "mV"}, ...}

All others (licence, data, steps, hardware, seed, metrics, limits, ...) are for people and kept as they are.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from audiodae.errors import NetworkError

CARD_KEY = "audiodae.card"
MAGNITUDES = "magnitudes"
SAMPLES = "samples"
MAX_CHARACTERS = 1_000_000
MAX_NAME = 100  # characters
MAX_LEADS = 256
MAX_LOOK_AHEAD = 256  # frames, about 4 s
MAX_STEP = 65_536  # samples of all leads, as the delay
MAX_DELAY = 1_000_000
MAX_RATE_HZ = 1e9
OFFSETS = ("removed", "kept")


@dataclass(frozen=True)
class FrameFacts:
    """What a network of the kind "magnitudes" works on.

    Attributes
    ----------
    window_ms : float, length of the frames that the network was trained on, ms
    n_bins : int, frequencies that it sees, from 0 Hz up, 1000 / window_ms Hz apart
    look_ahead : int, frames by which its gains lag behind the magnitudes: it has seen so many more when it chooses them
    """

    window_ms: float
    n_bins: int
    look_ahead: int = 0

    @property
    def latency_ms(self) -> float:
        """One window, for a sample is ready when both its frames are, and half a window for each frame ahead."""
        return self.window_ms * (1 + self.look_ahead / 2)


@dataclass(frozen=True)
class SeriesFacts:
    """What a network of the kind "samples" works on.

    Attributes
    ----------
    rate_hz : float, sample rate that it was trained at
    lowest_rate_hz, highest_rate_hz : float, sample rates that it may be used at, without resampling
    step : int, samples; a call takes any multiple of it
    delay : int, samples by which what comes out lags behind what went in
    leads : int, leads that the network takes together; 1 where each is a series of its own
    unit : str, of the samples that it was trained on; for people, "" where there is none
    offset : "removed" where the clean series lies around zero wherever the noisy one did, as an ECG without its
        baseline; "kept" where its level means something, as that of a temperature: the first sample, which the network
        never sees, is then added to what it gives
    """

    rate_hz: float
    lowest_rate_hz: float
    highest_rate_hz: float
    step: int
    delay: int
    leads: int
    unit: str
    offset: Literal["removed", "kept"]

    @property
    def latency(self) -> int:
        """Samples by which a stream may lag: the delay, and what waits for a step to be full."""
        return self.delay + self.step - 1


@dataclass(frozen=True)
class Card:
    """The card of a network.

    Attributes
    ----------
    name, version : str
    frames : FrameFacts of a network that gives gains for magnitudes (kind "magnitudes"), else None
    series : SeriesFacts of a network that gives clean samples (kind "samples"), else None
    entries : every entry as read, these included
    """

    name: str
    version: str
    frames: FrameFacts | None
    series: SeriesFacts | None
    entries: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        """Give any entry, as `card["licence"]`; KeyError where the card has none."""
        return self.entries[key]

    @property
    def kind(self) -> str:
        """What the network works on, "magnitudes" or "samples"."""
        return SAMPLES if self.series else MAGNITUDES

    @property
    def latency_ms(self) -> float:
        """Algorithmic delay; of a network for series at `rate_hz`."""
        if self.series:
            return 1000 * self.series.latency / self.series.rate_hz
        assert self.frames
        return self.frames.latency_ms


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
    if kind not in (MAGNITUDES, SAMPLES):
        raise NetworkError(f"the card says kind {kind!r}; this version of audiodae runs {MAGNITUDES!r} and {SAMPLES!r}")
    return Card(
        name=_text_entry(entries, "name"),
        version=_text_entry(entries, "version"),
        frames=_read_frames(entries.get("frames")) if kind == MAGNITUDES else None,
        series=_read_series(entries.get("series")) if kind == SAMPLES else None,
        entries=entries,
    )


def _read_frames(frames: object) -> FrameFacts:
    if not isinstance(frames, dict):
        raise NetworkError('the card needs "frames": {"window_ms": number, "bins": number}')
    window_ms = _number(frames, "frames.window_ms", 1, 1000)
    n_bins = frames.get("bins")
    if not isinstance(n_bins, int) or isinstance(n_bins, bool) or n_bins < 1:
        raise NetworkError(f"the card says frames.bins {n_bins!r}; need a whole number from 1")
    look_ahead = _whole_number({"look_ahead": 0} | frames, "frames.look_ahead", 0, MAX_LOOK_AHEAD)
    return FrameFacts(window_ms, n_bins, look_ahead)


def _read_series(series: object) -> SeriesFacts:
    if not isinstance(series, dict):
        raise NetworkError('the card needs "series": {"rate_hz": number, "step": number, "delay": number, ...}')
    lowest, rate, highest = (
        _number(series, f"series.{key}", 1e-9, MAX_RATE_HZ) for key in ("lowest_rate_hz", "rate_hz", "highest_rate_hz")
    )
    if not lowest <= rate <= highest:
        raise NetworkError(f"the card says series.rate_hz {rate:g}, outside {lowest:g} to {highest:g}")
    leads = _whole_number(series, "series.leads", 1, MAX_LEADS)
    unit, offset = series.get("unit", ""), series.get("offset", OFFSETS[0])
    if not isinstance(unit, str):
        raise NetworkError(f"the card says series.unit {unit!r}; need text")
    if offset not in OFFSETS:
        raise NetworkError(f"the card says series.offset {offset!r}; need one of {', '.join(OFFSETS)}")
    return SeriesFacts(
        rate_hz=rate,
        lowest_rate_hz=lowest,
        highest_rate_hz=highest,
        step=_whole_number(series, "series.step", 1, MAX_STEP // leads),
        delay=_whole_number(series, "series.delay", 0, MAX_DELAY // leads),
        leads=leads,
        unit=unit,
        offset=offset,
    )


def _number(entries: dict[str, Any], name: str, least: float, most: float) -> float:
    """Give the number that name's last part says."""
    value = entries.get(name.rpartition(".")[2])
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise NetworkError(f"the card says {name} {value!r}; need a number from {least:g} to {most:g}")
    return float(value)


def _whole_number(entries: dict[str, Any], name: str, least: int, most: int) -> int:
    value = entries.get(name.rpartition(".")[2])
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise NetworkError(f"the card says {name} {value!r}; need a whole number from {least} to {most}")
    return value


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
    if len(value) > MAX_NAME or not value.isprintable():  # it is shown, and must not move a terminal's cursor
        raise NetworkError(f'the card needs "{key}" as printable text of at most {MAX_NAME} characters')
    return value
