"""Pictures: spectrograms side by side on one colour scale, and the curves of a training run.

Figures are made as objects and drawn by Agg: no window system, no pyplot, no state between two pictures. Only numpy
and matplotlib are needed (`pip install "audiodae[plot]"`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from audiodae.errors import SignalError
from audiodae.frames import Analyser, FrameGeometry
from audiodae.whole_file import whole_file

RANGE_DB = 80.0  # from the loudest point down
COLUMNS = 2000  # more frames than a picture has pixels would only alias
Levels = npt.NDArray[np.float32]


def draw_before_after(
    path: str | Path, *, noisy: npt.NDArray[np.floating], cleaned: npt.NDArray[np.floating], sample_rate: int
) -> None:
    """Write a PNG with the spectrograms of a sound before and after cleaning, on one colour scale.

    Parameters
    ----------
    path : where the picture goes; appears complete or not at all
    noisy, cleaned : float, shape (samples,) or (samples, channels), full scale 1
    sample_rate : int, Hz

    Raises
    ------
    SignalError
        A sound is empty, or the rate is out of range.
    """
    save(spectrogram_figure([{"before": noisy, "after": cleaned}], sample_rate), path)


def spectrogram_figure(rows: Sequence[Mapping[str, npt.NDArray[np.floating]]], sample_rate: int) -> Figure:
    """Spectrograms in a grid, a row for each sound, all on one colour scale so that they compare.

    Parameters
    ----------
    rows : for each row its panels from left to right: title -> samples, shape (samples,) or (samples, channels)
    sample_rate : int, Hz

    Returns
    -------
    figure : axes in s and kHz, colours in dBFS (a full-scale sine reads 0), the top 80 dB
    """
    geometry = FrameGeometry.for_rate(sample_rate)
    grid = [{title: levels_dbfs(samples, geometry) for title, samples in row.items()} for row in rows]
    loudest = max(float(levels.max()) for row in grid for levels in row.values())
    highest = 5 * np.ceil(loudest / 5)
    n_columns = max(len(row) for row in grid)
    figure = Figure(figsize=(5.0 * n_columns + 1, 3.0 * len(grid) + 0.6), dpi=120, layout="constrained")
    axes = figure.subplots(len(grid), n_columns, squeeze=False, sharey=True)
    for axes_row, row, samples_row in zip(axes, grid, rows, strict=True):
        for axis, (title, levels) in zip(axes_row, row.items(), strict=False):
            seconds = len(samples_row[title]) / sample_rate
            image = axis.imshow(
                levels.T,
                origin="lower",
                aspect="auto",
                cmap="magma",
                vmin=highest - RANGE_DB,
                vmax=highest,
                extent=(0, seconds, 0, sample_rate / 2000),
            )
            axis.set(title=title, xlabel="time (s)")
        axes_row[0].set_ylabel("frequency (kHz)")
    figure.colorbar(image, ax=axes, label="level (dBFS)")
    return figure


def levels_dbfs(samples: npt.NDArray[np.floating], geometry: FrameGeometry) -> Levels:
    """The level of every frame and bin; long sounds are averaged to 2000 columns or fewer.

    Parameters
    ----------
    samples : float, shape (samples,) or (samples, channels); channels are averaged in power

    Returns
    -------
    levels : float32, dBFS, shape (columns, bins), -200 for silence
    """
    if samples.size == 0:
        raise SignalError("nothing to draw: the sound has no samples")
    channels = np.atleast_2d(samples.T).astype(np.float32, copy=False)
    n_samples = channels.shape[1]
    frames_per_column = -(-geometry.n_frames(n_samples) // COLUMNS)
    # A chunk of k hops completes k frames, so a chunk of whole columns is never cut inside one: an hour fits.
    chunk_length = geometry.hop_length * frames_per_column * max(1, 256 // frames_per_column)
    analyser = Analyser(geometry, channels.shape[0])
    columns = []
    for start in range(0, n_samples, chunk_length):
        spectrum = analyser.feed(channels[:, start : start + chunk_length])
        if start + chunk_length >= n_samples:
            spectrum = np.concatenate([spectrum, analyser.flush()], axis=1)
        power = np.square(np.abs(spectrum)).mean(axis=0)  # (frames, bins)
        columns.append(_mean_of_every(frames_per_column, power))
    return (10 * np.log10(np.maximum(np.concatenate(columns), 1e-20))).astype(np.float32)


def draw_curves(log_lines: Sequence[Mapping[str, object]], path: str | Path) -> None:
    """Write a PNG with the curves of a training run: losses above, decibels below, over the step.

    Parameters
    ----------
    log_lines : one mapping a line; numbers under keys with "loss" and keys that end in "_db" are drawn where a line
        has them beside "step", anything else is passed over
    path : where the picture goes; appears complete or not at all
    """
    save(curves_figure(log_lines), path)


def curves_figure(log_lines: Sequence[Mapping[str, object]]) -> Figure:
    """The figure that `draw_curves` writes."""
    keys = list(dict.fromkeys(key for line in log_lines for key in line))
    panels = {
        "loss": [key for key in keys if "loss" in key and not key.endswith("_db")],
        "SI-SDR (dB)": [key for key in keys if key.endswith("_db")],
    }
    panels = {label: found for label, found in panels.items() if found} or {"loss": []}
    figure = Figure(figsize=(8, 3 * len(panels)), dpi=120, layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (label, panel_keys) in zip(axes, panels.items(), strict=True):
        for key in panel_keys:
            _draw_curve(axis, log_lines, key)
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend()
    axes[-1].set_xlabel("step")
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, complete or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        figure.savefig(part, format="png")


def _draw_curve(axis: Axes, log_lines: Sequence[Mapping[str, object]], key: str) -> None:
    points = [(line["step"], line[key]) for line in log_lines if "step" in line and _is_number(line.get(key))]
    if points:
        steps, values = zip(*points, strict=True)
        axis.plot(steps, values, label=key, marker="." if len(points) < 50 else None, linewidth=1)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _mean_of_every(length: int, rows: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Means of consecutive runs of rows, the last run as long as what is left."""
    starts = np.arange(0, len(rows), length)
    counts = np.diff(starts, append=len(rows))
    return np.asarray(np.add.reduceat(rows, starts, axis=0) / counts[:, None])
