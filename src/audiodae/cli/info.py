"""`audiodae info`: a network's card, size and speed."""

import json
import time

import click
import numpy as np

from audiodae.card import SeriesFacts
from audiodae.cli.options import json_option
from audiodae.denoiser import Denoiser
from audiodae.errors import one_line
from audiodae.network import find_network, shipped_networks

MEASURED_RATE = 16_000
MEASURED_SECONDS = 10
MEASURED_SAMPLES = 100_000  # of a series
LONGEST_JSON = 200  # characters of an entry, such as a whole recipe, that would only drown the others


@click.command(epilog="\b\nExample:\n  audiodae info speech")
@click.argument("model", metavar="[MODEL]", required=False)
@json_option
def info(model: str | None, as_json: bool) -> None:
    """Show the card of MODEL (a shipped network's name or a file), its parameters, latency and real-time factor.

    Without MODEL, of the network that `audiodae clean` would use. The real-time factor is measured here and now, one
    thread, mono, 16 kHz (of a network for series one lead, at its own rate): 0.01 means that 100 s take 1 s.
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
    if network.card.series:
        rows["series"] = _told(network.card.series)
    width = max(len(key) for key in rows)
    for key, value in rows.items():
        click.echo(f"{one_line(key):<{width}}  {_shown(value)}")


def measure_rtf(denoiser: Denoiser) -> float:
    """Time the cleaning of ten seconds of noise at 16 kHz, or of some minutes of a series; the best of three."""
    series = denoiser.network.card.series
    rate = series.rate_hz if series else MEASURED_RATE
    shape = (MEASURED_SAMPLES, series.leads) if series else (MEASURED_RATE * MEASURED_SECONDS,)
    noise = np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)
    times = []
    for _ in range(3):
        started = time.perf_counter()
        denoiser.clean(noise, rate)
        times.append(time.perf_counter() - started)
    return min(times) * rate / len(noise)


def _told(series: SeriesFacts) -> str:
    """Say what a network for series takes."""
    leads = "any number of leads, each by itself" if series.leads == 1 else f"{series.leads} leads together"
    unit = f", in {series.unit}" if series.unit else ""
    return (
        f"{series.rate_hz:g} Hz ({series.lowest_rate_hz:g} to {series.highest_rate_hz:g}), {leads}{unit}; "
        f"steps of {series.step} samples, {series.delay} samples of delay, offset {series.offset}"
    )


def _shown(value: object) -> str:
    """Give text as it is, a list of names with commas, and all else as JSON where it is short."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return one_line(text) if isinstance(value, str) or len(text) <= LONGEST_JSON else "(long: see --json)"
