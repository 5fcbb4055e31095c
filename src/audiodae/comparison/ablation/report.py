"""The tables of an ablation: one for each group of rows, the base first, as Markdown; every run as CSV."""

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from audiodae.comparison.ablation.runs import Found, Outcome
from audiodae.comparison.ablation.settings import BASE
from audiodae.comparison.tables import Column, Table, make_table, to_markdown

COLUMNS = (
    Column("loss", "loss", 4, "lower"),
    Column("SI-SDR, dB", "si_sdr_db", 2),
    Column("to base", "si_sdr_to_base_db", 2, ""),
    Column("PESQ distance", "pesq", 3, "lower"),
    Column("compressed", "compressed", 4, "lower"),
    Column("complex", "complex", 4, "lower"),
    Column("parameters", "parameters", None, ""),
    Column("s a step", "step_seconds", 3, ""),
    Column("ms a hop", "hop_ms", 3, ""),
    Column("rtf", "rtf", 4, ""),
)
CSV_MEASURES = ("noisy_si_sdr_db", *(column.measure for column in COLUMNS))
HOW_TO_READ = (
    "Every row is the base with one change, trained from scratch with the same draws; all are judged on the same "
    "validation examples. Loss: compressed + 0.5 complex + 0.002 SI-SDR, whatever the row was trained by. PESQ "
    "distance: 4.5 less its raw score, as the loss `pesq` has it. To base: SI-SDR less that of the base, of the same "
    "seeds. Best in bold; ± is the standard deviation over seeds. Cost is processor time: of a step without mixing, of "
    "a hop streamed frame by frame, and of a second of sound (rtf), one thread."
)


def report(outcome: Outcome) -> str:
    """The whole report as Markdown."""
    found = with_difference(outcome.found)
    base = [of for of in found if not of["group"]]
    blocks = ["# Ablation", HOW_TO_READ, *_spread(base)]
    for group in dict.fromkeys(of["group"] for of in found if of["group"]):
        rows = {BASE: base} if base else {}
        for of in found:
            if of["group"] == group:
                rows[of["name"]] = [*rows.get(of["name"], []), of]
        blocks += [f"## {group}", to_markdown(_table(rows)).rstrip()]
    if outcome.failed:
        blocks += ["## Not trained", *(f"- {name}: {why}" for name, why in outcome.failed.items())]
    return "\n\n".join(blocks) + "\n"


def with_difference(found: Sequence[Found]) -> list[Found]:
    """The same runs, each with its SI-SDR less that of the base with the same seed, where there is one."""
    base = {of["seed"]: of["measures"].get("si_sdr_db") for of in found if not of["group"]}
    return [of | {"measures": of["measures"] | _difference(of, base)} for of in found]


def to_csv(outcome: Outcome) -> str:
    """A line for each run."""
    table = io.StringIO()
    rows = csv.DictWriter(
        table, ["group", "row", "seed", "steps", *CSV_MEASURES, "set"], lineterminator="\n", restval=""
    )
    rows.writeheader()
    for of in with_difference(outcome.found):
        told = {"group": of["group"], "row": of["name"], "seed": of["seed"], "steps": of["steps"]}
        measures = {name: f"{of['measures'][name]:.9g}" for name in CSV_MEASURES if name in of["measures"]}
        rows.writerow(told | measures | {"set": " ".join(of["set"])})
    return table.getvalue()


def _difference(of: Found, base: Mapping[int, float | None]) -> dict[str, float]:
    before, after = base.get(of["seed"]), of["measures"].get("si_sdr_db")
    return {} if not of["group"] or before is None or after is None else {"si_sdr_to_base_db": after - before}


def _spread(base: Sequence[Mapping[str, Any]]) -> list[str]:
    """By how much the base differs from itself: what no row can be told by."""
    values = [of["measures"]["si_sdr_db"] for of in base if "si_sdr_db" in of["measures"]]
    if not values:
        return []
    noisy = base[0]["measures"]["noisy_si_sdr_db"]
    told = f"What goes in has {noisy:.2f} dB. Each run has {base[0]['steps']:,} steps unless its row says otherwise."
    if len(values) > 1:
        told += (
            f" The {len(values)} seeds of the base lie within {max(values) - min(values):.2f} dB of each other: a row "
            "with one seed that differs by less decides nothing."
        )
    return [told]


def _table(rows: Mapping[str, Sequence[Found]]) -> Table:
    table = make_table("", rows, COLUMNS)
    return replace(table, titles=["", *table.titles[1:]])


def mean_of(runs: Sequence[Found], measure: str) -> float | None:
    """The mean over the seeds of a row; None where no run has the measure."""
    values = [of["measures"][measure] for of in runs if measure in of["measures"]]
    return statistics.fmean(values) if values else None
