"""The page of a network, models/NAME.md: Markdown written from the card inside models/NAME.onnx, so the two agree."""

import textwrap
from typing import Any

from audiodae.card import SeriesFacts
from audiodae.evaluation.robustness.tables import means_tables
from audiodae.markdown_table import markdown_table
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

    The card needs the entries that `audiodae export` writes, with the report of `audiodae evaluate` (for series
    `evaluate-ecg`) as metrics, and among them that of `audiodae robustness`, if there is one.
    """
    card = network.card
    series = card.series
    sees = _series_seen(series) if series else f"{network.n_bins} bins"
    facts = (
        f"{network.parameters:,} parameters, {sees}, {network.state_size:,} numbers of state a stream, "
        f"latency {card.latency_ms:g} ms. Licence of the weights: {card['licence']}."
    )
    heard = "series" if series else "sound"
    made = (
        f"{card['audio_hours']} hours of mixed {heard}, best at step {card['steps']:,} (seed {card['seed']}), "
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
    figures = _ecg_figures if series else _figures
    sections += ["## How good it is", *figures(card["metrics"])]
    if "robustness" in card["metrics"]:
        sections += ["## How robust it is", means_tables(card["metrics"]["robustness"])]
    sections += ["## What it does not do", _wrapped(card["limits"])]
    return "\n\n".join(sections) + "\n"


def _wrapped(text: object) -> str:
    return textwrap.fill(str(text), WIDTH)


def _series_seen(series: SeriesFacts) -> str:
    rates = f"{series.rate_hz:g} Hz ({series.lowest_rate_hz:g} to {series.highest_rate_hz:g} will do)"
    return f"trained on {series.unit or 'samples'} at {rates}"


def _ecg_figures(report: dict[str, Any]) -> list[str]:
    found = {(row["kind"], row["snr_db"], row["system"]): row for row in report["snr"]}
    kinds = list(dict.fromkeys(row["kind"] for row in report["snr"]))
    systems = list(dict.fromkeys(row["system"] for row in report["snr"]))[1:]  # the first is what goes in
    levels = sorted({row["snr_db"] for row in report["snr"]})
    head = ["SNR gain, dB", *(f"{kind} {level:g}" for kind in kinds for level in levels)]
    rows = [head]
    for system in systems:
        gains = (found[kind, level, system]["snr_gain_db"] for kind in kinds for level in levels)
        rows.append([system, *(f"{gain:.1f}" for gain in gains)])
    examined = report["model"]
    beats = [row for row in report["beats"] if row["system"] == examined]
    single = "; ".join(
        f"{row['kind']}: SSD {row['ssd']:.2f}, MAD {row['mad']:.3f} mV, cosine {row['cosine']:.3f}" for row in beats
    )
    clean = next(row for row in report["clean"] if row["system"] == examined)
    return [
        "Columns are the kind of noise (bw baseline wander, em electrode motion, ma muscle artefact, all three at "
        "equal power) and the signal-to-noise ratio that goes in.",
        markdown_table(rows),
        f"Single beats in DeepFilter's protocol: {single}.",
        f"Clean ECG in: SNR {clean['snr_out_db']:.1f} dB out. A day of one lead on one thread: "
        f"{report['seconds_a_day']:.0f} s.",
    ]


def _figures(report: dict[str, Any]) -> list[str]:
    means = {(mean["snr_db"], mean["system"]): mean for mean in report["by_snr"] + report["over_all"]}
    clean_in = means.pop((None, "clean in"))
    names = [name for name, _ in DECIMALS.values()]
    rows = [["SNR (dB)", "system", *names]]
    for (snr_db, system), mean in means.items():
        values = (format(mean[key], decimals) for key, (_, decimals) in DECIMALS.items())
        rows.append(["all" if snr_db is None else f"{snr_db:g}", system, *values])
    return [
        f"Means over {report['n_files']} pairs; `noisy` is what goes in, `cleaned` what comes out, `oracle` the most "
        "that gains on the noisy phase can reach.",
        markdown_table(rows, texts=(1,)),
        f"Clean speech in: SI-SDR {clean_in['si_sdr_db']:.1f} dB, PESQ-WB {clean_in['pesq_wb']:.2f} out. "
        f"Real-time factor on one thread: {report['real_time_factor']:.4f}.",
    ]
