"""Pictures of a run: what the network makes of a few validation examples, beside what it should make of them."""

from pathlib import Path

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
