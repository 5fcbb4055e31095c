"""A picture of the moments after onsets: what a table of the first 100 ms cannot show."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from audiodae.plots import save

LOWEST_DB = -30.0


def draw_onsets(figures: Mapping[str, Any], path: str | Path) -> None:
    """Write a PNG with how much of the speech is left over the time after an onset: means, and dashed the worst tenth.

    Parameters
    ----------
    figures : of `report.to_json`
    path : where the picture goes; appears complete or not at all
    """
    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    axes = figure.subplots()
    for colour, (name, curve) in enumerate(figures["after_onsets"].items()):
        axes.plot(curve["ms"], curve["mean_db"], color=f"C{colour}", label=name)
        axes.plot(curve["ms"], curve["worst_db"], color=f"C{colour}", linestyle="--")
    axes.set(xlabel="after the onset (ms)", ylabel="speech kept (dB)", ylim=(LOWEST_DB, 3))
    axes.set_title(f"{figures['model']}: mean, and dashed the worst tenth")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    save(figure, path)
