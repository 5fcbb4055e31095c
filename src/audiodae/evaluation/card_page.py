"""The page of a network, models/NAME.md: Markdown written from the card inside models/NAME.onnx, so the two agree."""

import textwrap
from typing import Any

from audiodae.network import Network

WIDTH = 118
DECIMALS = {
    "pesq_wb": ("PESQ-WB", ".2f"),
    "stoi": ("STOI", ".3f"),
    "estoi": ("ESTOI", ".3f"),
    "si_sdr_db": ("SI-SDR (dB)", ".1f"),
}


def card_page(network: Network) -> str:
    """What a network is, what it was made from and how, how good it is and what it cannot do.

    The card needs the entries that `audiodae export` writes, with the report of `audiodae evaluate` as metrics.
    """
    card = network.card
    facts = (
        f"{network.parameters:,} parameters, {network.n_bins} bins, {network.state_size:,} numbers of state a stream, "
        f"latency {card.latency_ms:g} ms. Licence of the weights: {card['licence']}."
    )
    made = (
        f"{card['audio_hours']} hours of mixed sound, best at step {card['steps']:,} (seed {card['seed']}), "
        f"on {card['hardware']}."
    )
    head = f"# `{card.name}`, version {card.version}"
    note = "<!-- Written by `make docs` from the card inside the network file: change the card, not this page. -->"
    sections = [
        head,
        note,
        facts,
        "## Made from",
        _wrapped(card["data"]),
        made,
        "## Made by",
        f"```sh\n{card['made_by']}\n```",
    ]
    sections += ["## How good it is", *_figures(card["metrics"]), "## What it does not do", _wrapped(card["limits"])]
    return "\n\n".join(sections) + "\n"


def _wrapped(text: object) -> str:
    return textwrap.fill(str(text), WIDTH)


def _figures(report: dict[str, Any]) -> list[str]:
    means = {(mean["snr_db"], mean["system"]): mean for mean in report["by_snr"] + report["over_all"]}
    clean_in = means.pop((None, "clean in"))
    names = [name for name, _ in DECIMALS.values()]
    rows = [["SNR (dB)", "system", *names], ["--:", "---", *["--:"] * len(names)]]
    for (snr_db, system), mean in means.items():
        values = (format(mean[key], decimals) for key, (_, decimals) in DECIMALS.items())
        rows.append(["all" if snr_db is None else f"{snr_db:g}", system, *values])
    return [
        f"Means over {report['n_files']} pairs; `noisy` is what goes in, `cleaned` what comes out, `oracle` the most "
        "that gains on the noisy phase can reach.",
        "\n".join(f"| {' | '.join(row)} |" for row in rows),
        f"Clean speech in: SI-SDR {clean_in['si_sdr_db']:.1f} dB, PESQ-WB {clean_in['pesq_wb']:.2f} out. "
        f"Real-time factor on one thread: {report['real_time_factor']:.4f}.",
    ]
