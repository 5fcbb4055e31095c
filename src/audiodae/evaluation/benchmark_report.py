"""The report of a benchmark: Markdown, CSV and a plot of quality over cost."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from audiodae.evaluation.benchmark import QUALITY, SystemResult
from audiodae.evaluation.benchmark_run import OURS
from audiodae.markdown_table import markdown_table

COSTS = {
    "rtf": "RTF",
    "delay_ms": "delay, ms",
    "first_answer_seconds": "first answer, s",
    "peak_mb": "memory, MB",
}
PLOTTED = ("pesq_wb", "estoi", "si_sdr_db")


def to_markdown(results: Sequence[SystemResult], left_out: Mapping[str, str]) -> str:
    """Two tables: quality, means over the files, and cost; what was left out below."""
    measured = [metric for metric in QUALITY if not all(math.isnan(r.mean(metric)) for r in results)]
    run = [r for r in results if r.cost is not None]
    quality = [["system", *(QUALITY[m] for m in measured)], *(_quality_row(r, measured, run) for r in results)]
    cost = [["system", *COSTS.values()], *([r.system, *(f"{getattr(r.cost, c):.3g}" for c in COSTS)] for r in run)]
    lines = [
        f"Means over {len(results[0].scores)} files; the best system in bold.",
        "",
        markdown_table(quality),
        "",
        "One thread, a process of its own. RTF: processing time / sound time, median over the files, resampling left "
        "out. First answer: from starting the program to the first second of clean sound.",
        "",
        markdown_table(cost),
    ]
    for system, why in left_out.items():
        lines += ["", f"Left out: {system} ({why})."]
    return "\n".join(lines) + "\n"


def _quality_row(result: SystemResult, metrics: Sequence[str], compared: Sequence[SystemResult]) -> list[str]:
    best = {metric: max((other.mean(metric) for other in compared), default=math.nan) for metric in metrics}
    digits = {metric: 3 if "stoi" in metric else 2 for metric in metrics}
    cells = (
        f"**{result.mean(m):.{digits[m]}f}**"
        if result.cost is not None and result.mean(m) == best[m]
        else f"{result.mean(m):.{digits[m]}f}"
        for m in metrics
    )
    return [result.system, *cells]


def to_csv(results: Sequence[SystemResult]) -> str:
    """A row for each system and file."""
    table = io.StringIO()
    rows = csv.DictWriter(table, ["system", "file", *QUALITY], lineterminator="\n", restval="")
    rows.writeheader()
    for result in results:
        for name, score in result.scores.items():
            rows.writerow({"system": result.system, "file": name} | {m: score[m] for m in QUALITY if m in score})
    return table.getvalue()


def draw(results: Sequence[SystemResult], path: Path) -> None:
    """Quality over cost: the higher and the further left, the better; lines for what goes in and the oracle."""
    run = [result for result in results if result.cost is not None]
    figure = Figure(figsize=(4.2 * len(PLOTTED), 4), dpi=120, layout="constrained")
    for axes, metric in zip(figure.subplots(1, len(PLOTTED), squeeze=False)[0], PLOTTED, strict=True):
        for result in results:
            if result.cost is None:
                axes.axhline(result.mean(metric), color="0.6", linestyle=":")
                axes.annotate(result.system, (1, result.mean(metric)), xycoords=("axes fraction", "data"), ha="right")
        for result in run:
            assert result.cost is not None
            ours = result.system.startswith(OURS)
            axes.plot(result.cost.rtf, result.mean(metric), "o" if ours else "s", color="C0" if ours else "C1")
            axes.annotate(
                result.system, (result.cost.rtf, result.mean(metric)), xytext=(5, 4), textcoords="offset points"
            )
        axes.set(xscale="log", xlabel="real-time factor, one thread", ylabel=QUALITY[metric])
        axes.margins(x=0.35)
        axes.grid(alpha=0.3)
    figure.savefig(path)
