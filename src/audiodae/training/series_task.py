"""The task of series: samples in, samples out, judged by how much nearer to the truth they came."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from audiodae.training.pictures import draw_series
from audiodae.training.recipe import LossSettings, WaveSettings
from audiodae.training.task import Batch, Judged, Look, mean_look
from audiodae.training.wave import WaveAutoencoder

PICTURED = 4  # validation examples in a picture
BEST_SNR_DB = 40.0  # beyond it an example is good enough, and does not drown the others
TINY = 1e-12


class SeriesTask:
    """See `audiodae.training.task.Task`.

    Batches are (noisy, clean, weights), each float32 of shape (rows, samples). The weights say where the answer counts.
    """

    def __init__(self, wave: WaveSettings, settings: LossSettings) -> None:
        self.rate_hz, self.settings = wave.rate_hz, settings

    def terms(self, network: torch.nn.Module, state: Tensor, batch: Batch) -> dict[str, Tensor]:
        """See `Task.terms`."""
        noisy, clean, weights = batch
        return series_terms(_clean(network, noisy, state), clean, weights, self.settings)

    @torch.no_grad()
    def look(self, network: torch.nn.Module, batches: Sequence[Batch]) -> Look:
        """See `Task.look`; the figure is the signal-to-noise ratio."""
        judged = []
        for noisy, clean, weights in batches:
            made = clean_series(network, noisy)
            after, before = (float(snr_db(side, clean, weights).mean()) for side in (made, noisy))
            figures: dict[str, float | None] = {"snr_db": after, "noisy_snr_db": before}
            judged.append(Judged(series_terms(made, clean, weights, self.settings), figures))
        return mean_look(judged, self.settings)

    def seconds(self, batch: Batch) -> float:
        """See `Task.seconds`."""
        return batch[0].numel() / self.rate_hz

    def draw(self, path: Path, network: torch.nn.Module, batch: Batch) -> None:
        """See `Task.draw`: the noisy, the cleaned and the clean series over time."""
        noisy, clean, _ = (side[:PICTURED] for side in batch)
        made = clean_series(network, noisy)
        draw_series(path, noisy=noisy, estimate=made, clean=clean, rate_hz=self.rate_hz)


@torch.no_grad()
def clean_series(network: torch.nn.Module, noisy: Tensor) -> Tensor:
    """Clean whole rows, shape (rows, samples) in and out."""
    assert isinstance(network, WaveAutoencoder)
    return _clean(network.eval(), noisy, network.initial_state(len(noisy)))


def _clean(network: torch.nn.Module, noisy: Tensor, state: Tensor) -> Tensor:
    """Walk as a stream does: the first sample is taken off, and the last, held, pushes out what is on its way."""
    bare = getattr(network, "module", network)  # as Fabric wraps it
    assert isinstance(bare, WaveAutoencoder)
    first, missing = noisy[:, :1], -noisy.shape[1] % bare.step + bare.delay
    made, _ = network(F.pad(noisy - first, (0, missing), mode="replicate")[..., None], state)
    clean: Tensor = made[:, bare.delay : bare.delay + noisy.shape[1], 0].float()
    return clean + first if bare.settings.offset == "kept" else clean


def snr_db(made: Tensor, clean: Tensor, weights: Tensor) -> Tensor:
    """Signal-to-noise ratio of each row where it counts, shape (rows,), up to `BEST_SNR_DB`."""
    signal = (weights * clean.square()).sum(dim=1)
    error = (weights * (made - clean).square()).sum(dim=1)
    limit = 10 ** (-BEST_SNR_DB / 10)
    return 10 * torch.log10((signal + TINY) / (error + limit * signal + TINY))


def series_terms(made: Tensor, clean: Tensor, weights: Tensor, settings: LossSettings) -> dict[str, Tensor]:
    """Each term of the loss that has a weight; all but the ratio on sides divided by the deviation of the clean one.

    Parameters
    ----------
    made, clean, weights : float32, shape (rows, samples)
    settings : those with `snr`, `mse`, `l1`, `huber`
    """
    scale = clean.std(dim=1, keepdim=True).clamp_min(TINY)
    count = weights.sum().clamp_min(1)
    difference = (made - clean) / scale
    terms: dict[str, Callable[[], Tensor]] = {
        "snr": lambda: -snr_db(made, clean, weights).mean(),
        "mse": lambda: (weights * difference.square()).sum() / count,
        "l1": lambda: (weights * difference.abs()).sum() / count,
        "huber": lambda: (weights * F.huber_loss(made / scale, clean / scale, reduction="none")).sum() / count,
    }
    return {name: term() for name, term in terms.items() if getattr(settings, name) > 0}
