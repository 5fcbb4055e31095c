"""The errors of recordings over time, one below the other."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from audiodae.uses.anomaly import Score, Usual


def errors_figure(scores: Sequence[Score], usual: Usual | None) -> Figure:
    """A panel for each recording, on one scale; the limit of what is usual as a line, and what passes it shaded."""
    figure = Figure(figsize=(9, 1.1 * len(scores) + 0.9), dpi=120, layout="constrained")
    for axis, score in zip(figure.subplots(len(scores), 1, squeeze=False, sharey=True)[:, 0], scores, strict=True):
        seconds = np.arange(len(score.frames_db)) * score.frame_seconds
        axis.plot(seconds, score.frames_db, linewidth=0.9, color="#0b7285")
        if usual is not None:
            axis.axhline(usual.limit_db, color="#9aa5b1", linewidth=1)
            odd = score.frames_db > usual.limit_db
            axis.fill_between(seconds, usual.limit_db, score.frames_db, where=odd, color="#d9480f", alpha=0.5)
        axis.set_title(f"{score.name}: {score.error_db:.1f} dB", fontsize=8, loc="left")
        axis.margins(x=0)
        axis.grid(alpha=0.25)
    axis.set_xlabel("time (s)")
    figure.supylabel("error (dB)", fontsize=9)
    return figure
