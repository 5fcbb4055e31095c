"""Pictures: spectrograms side by side on one colour scale, and the curves of a training run.

Figures are made as objects and drawn by Agg: no window system, no pyplot, no state between two pictures. Only numpy
and matplotlib are needed (`pip install "audiodae[plot]"`).
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from audiodae.errors import SignalError
from audiodae.frames import Analyser, FrameGeometry, Samples, Spectrum
from audiodae.whole_file import whole_file

RANGE_DB = 80.0  # from the loudest point down
COLUMNS = ROWS = 2000  # more frames or bins than a picture has pixels would only alias
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
    highest = _highest(levels for row in grid for levels in row.values())
    n_columns = max(len(row) for row in grid)
    figure = Figure(figsize=(5.0 * n_columns + 1, 3.0 * len(grid) + 0.6), dpi=120, layout="constrained")
    axes = figure.subplots(len(grid), n_columns, squeeze=False, sharey=True)
    for axes_row, row, samples_row in zip(axes, grid, rows, strict=True):
        seconds = [len(samples) / sample_rate for samples in samples_row.values()]
        image = _draw_row(axes_row, row, seconds, sample_rate, highest)
    figure.colorbar(image, ax=axes, label="level (dBFS)")
    return figure


def _draw_row(
    axes: Sequence[Axes], row: Mapping[str, Levels], seconds: Sequence[float], sample_rate: int, highest: float
) -> AxesImage:
    """Draw spectrograms side by side; give one of the images, for its colours."""
    for axis, (title, levels), duration in zip(axes, row.items(), seconds, strict=False):
        image = axis.imshow(
            levels.T,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=highest - RANGE_DB,
            vmax=highest,
            extent=(0, duration, 0, sample_rate / 2000),
        )
        axis.set(title=title, xlabel="time (s)")
    axes[0].set_ylabel("frequency (kHz)")
    return image


def _highest(maps: Iterable[Levels]) -> float:
    """Where the colours end: the loudest point, rounded up to 5 dB."""
    return float(5 * np.ceil(max(float(levels.max()) for levels in maps) / 5))


def _whole_level(levels: Levels, geometry: FrameGeometry) -> Levels:
    """Add up the bins of each column: its root mean square in dBFS, by Parseval's theorem."""
    power = np.sum(10 ** (levels.astype(np.float64) / 10), axis=1) * geometry.n_bins / levels.shape[1]
    window = geometry.window.astype(np.float64)
    noise_bandwidth = geometry.n_fft * np.sum(window**2) / np.sum(window) ** 2  # bins
    # A sine of magnitude 1 has half that power.
    return np.asarray(10 * np.log10(power / 2 / noise_bandwidth), np.float32)


class Cleaning:
    """The picture of a cleaning, drawn while it goes on: however long the sound, it needs no more memory."""

    def __init__(self) -> None:
        self._maps: dict[str, LevelMap] = {}
        self._samples = 0

    def add(self, noisy: Samples, clean: Samples, sample_rate: int) -> None:
        """Take the next samples before and after, float32, shape (samples, channels) both."""
        for title, samples in (("before", noisy), ("after", clean)):
            if title not in self._maps:
                self._maps[title] = LevelMap(FrameGeometry.for_rate(sample_rate), samples.shape[1])
            self._maps[title].feed(samples.T)
        self._samples += len(noisy)

    def save(self, path: str | Path) -> None:
        """Write a PNG: the spectrograms before and after on one colour scale, and below them the levels over time.

        Raises
        ------
        SignalError
            The sound is empty.
        """
        if not self._samples:
            raise SignalError(f"{path}: nothing to draw: the sound has no samples")
        levels = {title: level_map.levels() for title, level_map in self._maps.items()}
        geometry = self._maps["before"].geometry
        seconds = self._samples / geometry.sample_rate
        figure = Figure(figsize=(11, 6), dpi=120, layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=(3, 2))
        left = figure.add_subplot(grid[0, 0])
        axes = [left, figure.add_subplot(grid[0, 1], sharey=left)]
        image = _draw_row(axes, levels, [seconds, seconds], geometry.sample_rate, _highest(levels.values()))
        figure.colorbar(image, ax=axes, label="level (dBFS)")
        below = figure.add_subplot(grid[1, :])
        for title, map_levels in levels.items():
            column = _whole_level(map_levels, geometry)
            below.plot((np.arange(len(column)) + 0.5) * seconds / len(column), column, label=title, linewidth=0.8)
        below.set(xlabel="time (s)", ylabel="level (dBFS)", xlim=(0, seconds))
        below.set_ylim(bottom=max(below.get_ylim()[0], below.get_ylim()[1] - RANGE_DB))
        below.grid(alpha=0.3)
        below.legend()
        save(figure, path)


class LevelMap:
    """The level of every frame and bin of a sound that comes in pieces; in 2000 columns or fewer, by averaging.

    Parameters
    ----------
    geometry : FrameGeometry
    channels : int, averaged in power
    frames_per_column : int, to begin with; doubled as often as the columns would become too many
    """

    def __init__(self, geometry: FrameGeometry, channels: int, frames_per_column: int = 1) -> None:
        self.geometry = geometry
        self._analyser = Analyser(geometry, channels)
        self._frames_per_column = frames_per_column
        self._bins_per_row = -(-geometry.n_bins // ROWS)
        self._columns: list[npt.NDArray[np.floating]] = []
        self._rest = np.zeros((0, -(-geometry.n_bins // self._bins_per_row)), np.float32)

    def feed(self, samples: npt.NDArray[np.floating]) -> None:
        """Take the next samples, shape (channels, samples)."""
        length = self.geometry.hop_length * 256
        for start in range(0, samples.shape[1], length):
            self._take(self._analyser.feed(samples[:, start : start + length].astype(np.float32, copy=False)))

    def levels(self) -> Levels:
        """End the sound and give its levels: float32, dBFS, shape (columns, bins), -200 for silence."""
        self._take(self._analyser.flush())
        rest = [self._rest.mean(axis=0)] if len(self._rest) else []
        power = np.stack(self._columns + rest)
        return np.asarray(10 * np.log10(np.maximum(power, 1e-20)), np.float32)

    def _take(self, spectrum: Spectrum) -> None:
        power = np.square(np.abs(spectrum)).mean(axis=0)  # (frames, bins)
        if self._bins_per_row > 1:
            power = _mean_of_every(self._bins_per_row, power.T).T
        self._rest = np.concatenate([self._rest, power])
        whole = len(self._rest) - len(self._rest) % self._frames_per_column
        self._columns += list(_mean_of_every(self._frames_per_column, self._rest[:whole])) if whole else []
        self._rest = self._rest[whole:]
        while len(self._columns) + bool(len(self._rest)) > COLUMNS:
            pairs = len(self._columns) // 2 * 2
            # The odd one out has half the frames of a column: it goes back to what waits, as that many equal frames.
            odd = [np.repeat(column[None], self._frames_per_column, axis=0) for column in self._columns[pairs:]]
            self._rest = np.concatenate([*odd, self._rest])
            self._columns = list(_mean_of_every(2, np.stack(self._columns[:pairs])))
            self._frames_per_column *= 2


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
    channels = np.atleast_2d(samples.T)
    # A column less than the map would halve: the number of frames is known, and none is averaged that need not be.
    level_map = LevelMap(geometry, len(channels), -(-geometry.n_frames(channels.shape[1]) // COLUMNS))
    level_map.feed(channels)
    return level_map.levels()


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
        "ratio (dB)": [key for key in keys if key.endswith("_db")],
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
