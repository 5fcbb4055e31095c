"""The pictures of a comparison: what runs keep for them, and the figures drawn from it. No pyplot, no window."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from audiodae.comparison.methods import Method
from audiodae.comparison.subjects import Subject
from audiodae.prep.patches import Floats

EXAMPLES, MAPPED, SAMPLES = 10, 600, 20
INK, GREY, ACCENT, SECOND = "#1b2733", "#9aa5b1", "#0b7285", "#d9480f"
Arrays = Mapping[str, npt.NDArray[Any]]
Curves = Mapping[str, Sequence[float]]


def picture_arrays(method: Method, subject: Subject) -> dict[str, npt.NDArray[Any]]:
    """What is kept of a run: examples before and after, a map of its codes, and samples of a variational family."""
    digits = subject.test.labels["digit"]
    shown = [int(np.flatnonzero(digits == digit)[0]) for digit in np.unique(digits)[:EXAMPLES]]
    mapped = np.linspace(0, len(digits) - 1, min(MAPPED, len(digits))).astype(int)
    flat = PCA(2, random_state=0).fit_transform(method.encode(subject.test.clean[mapped]))
    arrays = {
        "clean": subject.test.clean[shown],
        "noisy": subject.at_level[shown],
        "map": flat,
        "digit": digits[mapped],
    }
    if method.reconstruct is not None:
        arrays |= {"of_noisy": method.reconstruct(arrays["noisy"]), "of_clean": method.reconstruct(arrays["clean"])}
    if method.generate is not None:
        arrays["samples"] = method.generate(SAMPLES, seed=0)
    return arrays


def before_after_figure(kept: Mapping[str, Arrays]) -> Figure:
    """Rows: clean, noisy, then what each method makes of the noisy ones; columns: one example of each digit."""
    first = next(iter(kept.values()))
    rows = {"clean": first["clean"], "noisy": first["noisy"], **{name: of["of_noisy"] for name, of in kept.items()}}
    return _grid(rows)


def samples_figure(kept: Mapping[str, Arrays]) -> Figure:
    """Codes drawn from N(0, I) and decoded: two rows for each variational family."""
    rows: dict[str, Floats] = {}
    for name, of in kept.items():
        half = len(of["samples"]) // 2
        rows |= {name: of["samples"][:half], f"{name} ": of["samples"][half : 2 * half]}
    return _grid(rows)


def map_figure(kept: Mapping[str, Arrays]) -> Figure:
    """Test codes on their first two principal components, a colour for each digit."""
    columns = min(3, len(kept))
    height = -(-len(kept) // columns)
    figure = Figure(figsize=(3.3 * columns, 3.3 * height + 0.4), layout="constrained")
    axes = figure.subplots(height, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, (name, of) in zip(axes, kept.items(), strict=False):
        low, high = np.percentile(of["map"], [0.5, 99.5], axis=0)
        axis.scatter(*of["map"].T, c=of["digit"], cmap="tab10", s=7, vmin=-0.5, vmax=9.5, linewidths=0)
        axis.set(xlim=_wider(low[0], high[0]), ylim=_wider(low[1], high[1]), xticks=[], yticks=[])
        axis.set_axis_on()
        axis.set_title(name, fontsize=10, color=INK)
        axis.spines[:].set_color(GREY)
    handles = [Axes.scatter(axes[0], [], [], color=f"C{digit}", s=20, label=str(digit)) for digit in range(10)]
    figure.legend(handles=handles, ncols=10, loc="outside lower center", frameon=False, fontsize=9)
    return figure


def curves_figure(groups: Mapping[str, Curves]) -> Figure:
    """Validation error over the epochs, a panel for each group of families."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    for axis, (title, curves) in zip(figure.subplots(1, len(groups), squeeze=False)[0], groups.items(), strict=True):
        for number, (name, values) in enumerate(curves.items()):
            style = "-" if number < 10 else "--"
            axis.plot(np.arange(1, len(values) + 1), values, style, label=name, linewidth=1.4, color=f"C{number % 10}")
        axis.set(yscale="log", xlabel="epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_title(title, fontsize=10, color=INK)
        axis.legend(fontsize=6.5, frameon=False)
        _plain(axis)
    figure.axes[0].set_ylabel("mean squared error")
    return figure


def levels_figure(gains: Mapping[str, Mapping[float, Sequence[float]]], *, label: str, falling: bool) -> Figure:
    """Denoising gain over the level of the noise: means as lines, the range over the seeds as bands.

    Parameters
    ----------
    gains : method to level to a gain in dB for each seed
    label : what a level is
    falling : whether a lower level is more noise
    """
    figure = Figure(figsize=(8, 4), layout="constrained")
    axis = figure.subplots()
    for number, (name, of) in enumerate(gains.items()):
        levels = sorted(of)
        color, style = f"C{number % 10}", "o-" if number < 10 else "o--"
        axis.plot(levels, [np.mean(of[v]) for v in levels], style, markersize=4, label=name, color=color)
        axis.fill_between(levels, [min(of[v]) for v in levels], [max(of[v]) for v in levels], alpha=0.15, color=color)
    axis.axhline(0, color=GREY, linewidth=1)
    axis.set(xlabel=label, ylabel="denoising gain (dB)", xticks=levels)
    if falling:
        axis.invert_xaxis()
    axis.legend(fontsize=8, frameon=False, ncols=2)
    _plain(axis)
    return figure


def robustness_figure(accuracy: Mapping[str, tuple[float, float]]) -> Figure:
    """Probe accuracy on clean and on noisy input, a line for each method from the one to the other."""
    ordered = sorted(accuracy, key=lambda name: accuracy[name][1])
    figure = Figure(figsize=(8, 0.27 * len(ordered) + 0.9), layout="constrained")
    axis = figure.subplots()
    clean, noisy = zip(*(accuracy[name] for name in ordered), strict=True)
    places = np.arange(len(ordered))
    axis.hlines(places, noisy, clean, color="#d5dbe1", linewidth=3)
    axis.plot(clean, places, "o", color=GREY, label="clean")
    axis.plot(noisy, places, "o", color=SECOND, label="noisy")
    axis.set(yticks=places, yticklabels=ordered, xlabel="accuracy of the linear probe", xlim=(0, 1))
    figure.legend(frameon=False, loc="outside upper right", ncols=2, fontsize=9)
    _plain(axis)
    return figure


def _grid(rows: Mapping[str, Floats]) -> Figure:
    """Patches in a grid, low bands of a sound at the bottom; a name beside each row."""
    count = max(map(len, rows.values()))
    height, width = next(iter(rows.values())).shape[1:]
    figure = Figure(figsize=(1.6 + 0.85 * count, 0.85 * height / width * len(rows)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)  # type: ignore[union-attr, call-arg]
    sound = height != width
    for axes, (name, patches) in zip(figure.subplots(len(rows), count, squeeze=False), rows.items(), strict=True):
        for axis in axes:
            axis.set_axis_off()
        for axis, patch in zip(axes, patches, strict=False):
            axis.imshow(
                patch, cmap="magma" if sound else "gray_r", vmin=0, vmax=1, origin="lower" if sound else "upper",
                aspect="auto",
            )  # fmt: skip
        axes[0].text(
            -0.12, 0.5, name.rstrip(), transform=axes[0].transAxes, ha="right", va="center", fontsize=9, color=INK
        )
    return figure


def _wider(low: float, high: float) -> tuple[float, float]:
    margin = 0.08 * max(high - low, 1e-9)
    return low - margin, high + margin


def _plain(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(GREY)
    axis.tick_params(colors=INK, labelsize=9)
    axis.grid(alpha=0.25)
