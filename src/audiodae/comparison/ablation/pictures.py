"""The picture of an ablation: loss over parameters and over the cost of a hop, and the learning curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from audiodae.comparison.ablation.report import mean_of
from audiodae.comparison.ablation.runs import Found, Outcome

INK, GREY = "#1b2733", "#9aa5b1"
COSTS = {"parameters": "parameters", "hop_ms": "ms a hop, processor time"}


def figure(outcome: Outcome) -> Figure:
    """Three panels: the lower and the further left, the better; the rows that no other beats in both are named."""
    rows: dict[tuple[str, str], list[Found]] = {}
    for of in outcome.found:
        rows.setdefault((of["group"], of["name"]), []).append(of)
    groups = list(dict.fromkeys(group for group, _ in rows if group))
    style: dict[str, dict[str, Any]] = {
        group: {"color": f"C{n % 10}", "marker": "os^D"[n // 10 % 4]} for n, group in enumerate(groups)
    }
    style[""] = {"color": INK, "marker": "*"}
    drawn = Figure(figsize=(17, 5.5), dpi=110, layout="constrained")
    panels = drawn.subplots(1, 3)
    for axis, (measure, label) in zip(panels, COSTS.items(), strict=False):
        _scatter(axis, rows, measure, style)
        scale = "log" if measure == "parameters" else "linear"
        axis.set(xscale=scale, xlabel=label, ylabel="loss")
    _curves(panels[2], rows, style)
    for axis in panels:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    handles = [Axes.scatter(panels[0], [], [], label=group or "base", **of) for group, of in style.items()]
    drawn.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=8)
    return drawn


def _scatter(
    axis: Axes, rows: Mapping[tuple[str, str], Sequence[Found]], measure: str, style: Mapping[str, Mapping[str, Any]]
) -> None:
    places = {row: (mean_of(of, measure), mean_of(of, "loss")) for row, of in rows.items()}
    known = {row: (x, y) for row, (x, y) in places.items() if x is not None and y is not None and np.isfinite(y)}
    for (group, name), (x, y) in known.items():
        axis.scatter(x, y, s=110 if not group else 28, zorder=3 if not group else 2, **style[group])
        if not any(other_x <= x and other_y < y for other_x, other_y in known.values()):
            axis.annotate(name, (x, y), xytext=(4, -9), textcoords="offset points", fontsize=7, color=INK)


def _curves(
    axis: Axes, rows: Mapping[tuple[str, str], Sequence[Found]], style: Mapping[str, Mapping[str, Any]]
) -> None:
    for (group, _), runs in rows.items():
        for of in runs:
            if of["curve"]:
                width = 0.8 if group else 2.2
                axis.plot(
                    *zip(*of["curve"], strict=True), color=style[group]["color"], linewidth=width, alpha=0.8, marker="."
                )
    axis.set(xlabel="step", ylabel="SI-SDR on the validation examples, dB")
