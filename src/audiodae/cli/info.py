"""`audiodae info`: a network's card, size and speed."""

import json
import time

import click
import numpy as np

from audiodae.cli.options import json_option
from audiodae.denoiser import Denoiser
from audiodae.errors import one_line
from audiodae.network import find_network, shipped_networks

MEASURED_RATE = 16_000
MEASURED_SECONDS = 10
LONGEST_JSON = 200  # characters of an entry, such as a whole recipe, that would only drown the others


@click.command(epilog="\b\nExample:\n  audiodae info speech")
@click.argument("model", metavar="[MODEL]", required=False)
@json_option
def info(model: str | None, as_json: bool) -> None:
    """Show the card of MODEL (a shipped network's name or a file), its parameters, latency and real-time factor.

    Without MODEL, of the network that `audiodae clean` would use. The real-time factor is measured here and now, one
    thread, mono, 16 kHz: 0.01 means that 100 s of sound take 1 s.
    """
    path = find_network(model)
    denoiser = Denoiser(path)
    network = denoiser.network
    facts = {
        "file": str(path),
        "parameters": network.parameters,
        "state_size": network.state_size,
        "latency_ms": network.card.latency_ms,
        "rtf": float(f"{measure_rtf(denoiser):.3g}"),
        "shipped": list(shipped_networks()),
    }
    if as_json:
        click.echo(json.dumps({"card": dict(network.card.entries), **facts}, indent=2))
        return
    rows = {**network.card.entries, **facts}
    width = max(len(key) for key in rows)
    for key, value in rows.items():
        click.echo(f"{one_line(key):<{width}}  {_shown(value)}")


def measure_rtf(denoiser: Denoiser) -> float:
    """Time the cleaning of ten seconds of noise at 16 kHz; the best of three, over the length."""
    noise = np.random.default_rng(0).normal(0, 0.1, MEASURED_RATE * MEASURED_SECONDS).astype(np.float32)
    times = []
    for _ in range(3):
        started = time.perf_counter()
        denoiser.clean(noise, MEASURED_RATE)
        times.append(time.perf_counter() - started)
    return min(times) / MEASURED_SECONDS


def _shown(value: object) -> str:
    """Give text as it is, a list of names with commas, and all else as JSON where it is short."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return one_line(text) if isinstance(value, str) or len(text) <= LONGEST_JSON else "(long: see --json)"
