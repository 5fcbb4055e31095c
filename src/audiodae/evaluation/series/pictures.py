"""Pictures of an evaluation of ECG: four seconds of the best, the median and the worst case, and the gain.

Drawn as in `audiodae.plots`: figures as objects, no window system, no state between two pictures.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from audiodae.evaluation.series.metrics import prd
from audiodae.evaluation.series.records import SAMPLE_RATE_HZ
from audiodae.evaluation.series.report import EcgReport
from audiodae.evaluation.series.scoring import NOISY, Cleaner, cleaned_by
from audiodae.evaluation.series.sets import Condition, EcgSet, Samples

WINDOW_S = 4
WINDOW = WINDOW_S * SAMPLE_RATE_HZ
CASES = ("best", "median", "worst")
DPI = 120


@dataclass(frozen=True)
class Case:
    """Four seconds of a noisy series.

    Attributes
    ----------
    start : number of the first sample
    prd : of the cleaned window, %
    noisy, cleaned, clean : float32, shape (samples,), mV
    """

    condition: Condition
    start: int
    prd: float
    noisy: Samples
    cleaned: Samples
    clean: Samples


def find_cases(test_set: EcgSet, cleaner: Cleaner, snr_db: float) -> dict[str, Case]:
    """The windows that were cleaned best, middling and worst, of all series with one signal-to-noise ratio in.

    Windows follow one another; they are ranked by the PRD that is left. Those with a flat reference do not count.
    """
    conditions = [condition for condition in test_set.conditions() if condition.snr_db == snr_db]
    ranked: list[tuple[float, Condition, int]] = []
    for condition in conditions:
        cleaned = cleaned_by(cleaner, test_set.noisy(condition), name=condition.name)
        clean = test_set.clean(condition.record).samples
        whole = clean.size // WINDOW * WINDOW
        errors = prd(estimate=cleaned[:whole].reshape(-1, WINDOW), clean=clean[:whole].reshape(-1, WINDOW))
        ranked += [(float(error), condition, n * WINDOW) for n, error in enumerate(errors) if np.isfinite(error)]
    if not ranked:
        return {}
    ranked.sort(key=lambda entry: entry[0])
    chosen = (ranked[0], ranked[len(ranked) // 2], ranked[-1])
    return {name: _case(test_set, cleaner, *entry) for name, entry in zip(CASES, chosen, strict=True)}


def _case(test_set: EcgSet, cleaner: Cleaner, error: float, condition: Condition, start: int) -> Case:
    noisy = test_set.noisy(condition)
    shown = slice(start, start + WINDOW)
    cleaned = cleaned_by(cleaner, noisy, name=condition.name)
    return Case(condition, start, error, noisy[shown], cleaned[shown], test_set.clean(condition.record).samples[shown])


def cases_figure(cases: Mapping[str, Case]) -> Figure:
    """A column for each case: noisy, cleaned over clean, and the difference."""
    figure = Figure(figsize=(5.2 * len(cases), 6.6), dpi=DPI, layout="constrained")
    grid = figure.subplots(3, len(cases), squeeze=False, sharex="col", gridspec_kw={"height_ratios": (3, 3, 2)})
    seconds = np.arange(WINDOW) / SAMPLE_RATE_HZ
    for column, (name, case) in enumerate(cases.items()):
        above, middle, below = grid[:, column]
        above.plot(seconds, case.noisy, color="0.45", linewidth=0.8)
        above.set_title(
            f"{name}: record {case.condition.record} at {case.start / SAMPLE_RATE_HZ:.0f} s, "
            f"{case.condition.kind}, {case.condition.snr_db:g} dB in"
        )
        middle.plot(seconds, case.clean, color="0.6", linewidth=2.2, label="clean")
        middle.plot(seconds, case.cleaned, color="C0", linewidth=0.9, label=f"cleaned, PRD {case.prd:.0f} %")
        middle.legend(loc="upper right", ncols=2, fontsize="small")
        below.plot(seconds, case.cleaned - case.clean, color="C3", linewidth=0.8)
        below.set(xlabel="time (s)", xlim=(0, WINDOW_S))
        _one_scale(middle, below, case)
        for axes in (above, middle, below):
            axes.grid(alpha=0.3)
    for axes, label in zip(grid[:, 0], ("noisy (mV)", "cleaned (mV)", "cleaned − clean (mV)"), strict=True):
        axes.set_ylabel(label)
    return figure


def gain_figure(report: EcgReport) -> Figure:
    """The gain of each system over the signal-to-noise ratio that went in, a panel for each kind of noise."""
    kinds = report.kinds("snr")
    figure = Figure(figsize=(3.4 * len(kinds) + 0.6, 3.8), dpi=DPI, layout="constrained")
    panels = figure.subplots(1, len(kinds), squeeze=False, sharey=True)[0]
    for axes, kind in zip(panels, kinds, strict=True):
        for system in report.systems:
            if system == NOISY:
                continue
            gains = [report.mean(system, "snr_gain_db", kind=kind, snr_db=snr) for snr in report.snrs_db]
            ours = system == report.examined
            axes.plot(report.snrs_db, gains, "o-" if ours else ".--", label=system, linewidth=2 if ours else 1)
        axes.axhline(0, color="0.5", linewidth=0.8)
        axes.set(title=kind, xlabel="SNR in (dB)", xticks=report.snrs_db)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("SNR gain (dB)")
    panels[-1].legend(fontsize="small")
    return figure


def pictures(test_set: EcgSet, cleaner: Cleaner, report: EcgReport) -> list[tuple[str, str, bytes]]:
    """All pictures of a report: file name, what it shows, PNG.

    The cases are drawn at the middle and at the lowest signal-to-noise ratio.
    """
    found = [("gain.png", "SNR gain by kind of noise and signal-to-noise ratio in.", as_png(gain_figure(report)))]
    levels = report.snrs_db
    for snr_db in dict.fromkeys((levels[len(levels) // 2], levels[0])):
        if cases := find_cases(test_set, cleaner, snr_db):
            said = (
                f"Best, median and worst {WINDOW_S} seconds of all series with {snr_db:g} dB in, by the PRD left: "
                "noisy, cleaned over clean, and the difference."
            )
            found.append((f"cases_{snr_db:g}dB.png", said, as_png(cases_figure(cases))))
    return found


def as_png(figure: Figure) -> bytes:
    """The figure as a PNG."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _one_scale(middle: Axes, below: Axes, case: Case) -> None:
    """Let a millivolt of the difference be as high as one of the signal, so that errors look as large as they are."""
    values = np.concatenate([case.clean, case.cleaned])
    low, high = float(values.min()), float(values.max())
    height = max(high - low, 1e-9)
    low, high = low - 0.05 * height, high + 0.25 * height  # room for the legend above the beats
    middle.set_ylim(low, high)
    # The panel below is two thirds as high. A larger difference would not fit: then the scale is another.
    half = max((high - low) / 3, 1.05 * float(np.abs(case.cleaned - case.clean).max()))
    below.set_ylim(-half, half)
