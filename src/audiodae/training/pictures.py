"""Pictures of a run: what the network makes of a few validation examples, beside what it should make of them."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from audiodae.plots import save, spectrogram_figure
from audiodae.prep.decode import SAMPLE_RATE


def draw_examples(path: Path, *, noisy: Tensor, estimate: Tensor, clean: Tensor) -> None:
    """Write a grid of spectrograms on one colour scale: a row for each example of `estimate`.

    Parameters
    ----------
    path : the PNG file to write
    noisy, estimate, clean : float32, shape (examples, samples), 16 kHz; noisy and clean may hold more examples
    """
    rows = [
        {"noisy": of_noisy.cpu().numpy(), "cleaned": made.cpu().numpy(), "clean": truth.cpu().numpy()}
        for of_noisy, made, truth in zip(noisy, estimate, clean, strict=False)
    ]
    save(spectrogram_figure(rows, SAMPLE_RATE), path)


def draw_series(path: Path, *, noisy: Tensor, estimate: Tensor, clean: Tensor, rate_hz: float) -> None:
    """Write the series of each example over time, one above the other: noisy, and the cleaned over the clean one.

    Parameters
    ----------
    path : the PNG file to write
    noisy, estimate, clean : float32, shape (examples, samples), rate_hz samples a second
    """
    figure = Figure(figsize=(12, 2.2 * len(noisy)), layout="constrained")
    axes = figure.subplots(len(noisy), 2, sharex=True, squeeze=False)
    seconds = np.arange(noisy.shape[1]) / rate_hz
    for row, before, after, truth in zip(axes, noisy.cpu(), estimate.cpu(), clean.cpu(), strict=True):
        row[0].plot(seconds, before.numpy(), linewidth=0.6, color="0.4", label="noisy")
        row[1].plot(seconds, truth.numpy(), linewidth=1.6, color="tab:orange", label="clean")
        row[1].plot(seconds, after.numpy(), linewidth=0.6, color="tab:blue", label="cleaned")
        for axis in row:
            axis.legend(loc="upper right", fontsize="small")
    for axis in axes[-1]:
        axis.set_xlabel("time (s)")
    save(figure, path)
