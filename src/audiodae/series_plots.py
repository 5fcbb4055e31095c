"""Pictures of series over time: before, after and what was removed, lead by lead.

A series of any length is drawn as it goes by: of each piece that is narrower than a column of the picture only the
lowest and the highest value are kept. Beside the whole stand the ten seconds from which most was removed.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from audiodae.errors import SignalError
from audiodae.plots import save

COLUMNS = 2000  # about the pixels of a panel; even
SHOWN_LEADS = 12
DETAIL_S = 10.0
COLOURS = {"before": "tab:gray", "after": "tab:blue", "removed": "tab:red"}

Floats = npt.NDArray[np.float64]


class Envelope:
    """The lowest and highest values of a series that comes in pieces, in fewer than COLUMNS columns.

    Parameters
    ----------
    leads : int
    """

    def __init__(self, leads: int) -> None:
        self.samples_per_column = 1
        self._low = self._high = np.zeros((0, leads))
        self._rest = np.zeros((0, leads))

    def add(self, values: Floats) -> None:
        """Take the next samples, shape (samples, leads), NaN for gaps."""
        self._rest = np.concatenate([self._rest, values])
        while True:
            width = self.samples_per_column
            n_columns = min(len(self._rest) // width, COLUMNS - len(self._low))
            columns = self._rest[: n_columns * width].reshape(n_columns, width, self._rest.shape[1])
            self._rest = self._rest[n_columns * width :]
            self._low = np.concatenate([self._low, np.fmin.reduce(columns, axis=1)])
            self._high = np.concatenate([self._high, np.fmax.reduce(columns, axis=1)])
            if len(self._low) < COLUMNS:
                return
            self._low = np.fmin(self._low[0::2], self._low[1::2])
            self._high = np.fmax(self._high[0::2], self._high[1::2])
            self.samples_per_column *= 2

    def lines(self) -> tuple[Floats, Floats, Floats]:
        """Give the sample at the middle of each column, and the lowest and highest values there."""
        low: Floats = self._low
        high: Floats = self._high
        if len(self._rest):
            low = np.concatenate([low, np.fmin.reduce(self._rest, axis=0)[None]])
            high = np.concatenate([high, np.fmax.reduce(self._rest, axis=0)[None]])
        middles: Floats = (np.arange(len(low), dtype=np.float64) + 0.5) * self.samples_per_column - 0.5
        return middles, low, high


class SeriesPicture:
    """The picture of a cleaning, drawn while it goes on: however long the series, it needs no more memory.

    Parameters
    ----------
    names, units : str for each lead; of very many the first are drawn
    sample_rate : float, Hz
    """

    def __init__(self, names: Sequence[str], units: Sequence[str], sample_rate: float) -> None:
        self._names, self._units = names[:SHOWN_LEADS], units[:SHOWN_LEADS]
        self._rate = sample_rate
        self._envelopes = {title: Envelope(len(self._names)) for title in COLOURS}
        self._detail = Detail(max(1, round(DETAIL_S * sample_rate)), len(self._names))
        self._samples = 0

    def add(self, before: Floats, after: Floats) -> None:
        """Take the next samples before and after, shape (samples, leads), NaN for gaps."""
        before, after = before[:, : len(self._names)], after[:, : len(self._names)]
        for title, values in _panels(before, after).items():
            self._envelopes[title].add(values)
        self._detail.add(before, after)
        self._samples += len(before)

    def save(self, path: str | Path) -> None:
        """Write a PNG.

        Raises
        ------
        SignalError
            The series is empty.
        """
        save(self.figure(), path)

    def figure(self) -> Figure:
        """Give the figure that `save` writes: three rows for each lead, the whole and, of a long one, a detail."""
        if not self._samples:
            raise SignalError("nothing to draw: the series has no samples")
        # What fits into the columns is drawn sample by sample, and a detail would show the same again.
        detailed = self._envelopes["before"].samples_per_column > 1 and self._detail.found
        leads = len(self._names)
        figure = Figure(figsize=(16 if detailed else 11, 4.2 * leads + 0.8), dpi=100, layout="constrained")
        axes = figure.subplots(3 * leads, 2 if detailed else 1, squeeze=False, sharex="col")
        for lead in range(leads):
            self._draw_lead(axes[3 * lead : 3 * lead + 3], lead)
        for axis, place in zip(axes[-1], ("", ": where most was removed"), strict=False):
            axis.set_xlabel(f"time (s){place}")
        return figure

    def _draw_lead(self, rows: npt.NDArray[np.object_], lead: int) -> None:
        unit = f" ({self._units[lead]})" if self._units[lead] else ""
        start, before, after = self._detail.piece()
        pieces = _panels(before, after)
        seconds = (start + np.arange(len(before))) / self._rate
        for title, row in zip(COLOURS, rows, strict=True):
            middles, low, high = self._envelopes[title].lines()
            _draw(row[0], middles / self._rate, low[:, lead], high[:, lead], COLOURS[title])
            row[0].set_ylabel(f"{self._names[lead]}\n{title}{unit}", fontsize=8)
            for axis in row[1:]:
                _draw(axis, seconds, pieces[title][:, lead], pieces[title][:, lead], COLOURS[title])
        for above, below in zip(rows[0], rows[1], strict=True):  # before and after on one scale
            below.sharey(above)


class Detail:
    """The piece of a series from which most was removed.

    Parameters
    ----------
    length : int, samples of a piece
    leads : int

    Attributes
    ----------
    found : bool, the series is long enough for a piece
    """

    def __init__(self, length: int, leads: int) -> None:
        self.found = False
        self._length = length
        self._most = -1.0
        self._start = self._done = 0
        self._best = self._rest = np.zeros((2, 0, leads))  # before and after

    def add(self, before: Floats, after: Floats) -> None:
        """Take the next samples."""
        self._rest = np.concatenate([self._rest, np.stack([before, after])], axis=1)
        while self._rest.shape[1] >= self._length:
            piece, self._rest = self._rest[:, : self._length], self._rest[:, self._length :]
            removed = piece[0] - piece[1]
            power = float(np.sum(np.square(removed[np.isfinite(removed)])))
            if power > self._most:
                self.found, self._most, self._start, self._best = True, power, self._done, piece.copy()
            self._done += self._length

    def piece(self) -> tuple[int, Floats, Floats]:
        """Give the sample where the piece begins, and its values before and after."""
        return self._start, self._best[0], self._best[1]


def _panels(before: Floats, after: Floats) -> dict[str, Floats]:
    """Name what each row shows; a number that is infinite is not drawn."""
    drawn = np.where(np.isfinite(before), before, np.nan)
    return {"before": drawn, "after": after, "removed": drawn - after}


def _draw(axis: Axes, seconds: Floats, low: Floats, high: Floats, colour: str) -> None:
    """Draw a line where each column is one sample, else the band between the extremes."""
    if np.array_equal(low, high, equal_nan=True):
        axis.plot(seconds, low, color=colour, linewidth=0.7)
    else:
        axis.fill_between(seconds, low, high, color=colour, linewidth=0.3, edgecolor=colour)
    axis.grid(alpha=0.3)
    axis.tick_params(labelsize=7)
    axis.margins(x=0)
