"""The task of sound: gains on spectra, judged as magnitudes, spectra and waveforms."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from audiodae.prep.decode import SAMPLE_RATE
from audiodae.training.autoencoder import Autoencoder
from audiodae.training.losses import (
    Estimate,
    Truth,
    estimate_from_gains,
    loss_terms,
    si_sdr,
    truth_from_waveforms,
)
from audiodae.training.pictures import draw_examples
from audiodae.training.recipe import LossSettings
from audiodae.training.spectra import Frames
from audiodae.training.task import Batch, Judged, Look, mean_look

PICTURED = 4  # validation examples in a picture


class SoundTask:
    """See `audiodae.training.task.Task`. Batches are (noisy, clean): waveforms, or from shards magnitudes."""

    def __init__(self, frames: Frames, settings: LossSettings) -> None:
        self.frames, self.settings = frames, settings

    def terms(self, network: torch.nn.Module, state: Tensor, batch: Batch) -> dict[str, Tensor]:
        """See `Task.terms`."""
        noisy, clean = batch
        truth = truth_of(noisy, clean, self.frames)
        made = estimate(network, truth, state, self.frames, waveform=self.settings.si_sdr > 0 or self.settings.pesq > 0)
        return loss_terms(made, truth, self.settings)

    @torch.no_grad()
    def look(self, network: torch.nn.Module, batches: Sequence[Batch]) -> Look:
        """See `Task.look`; the figure is SI-SDR."""
        assert isinstance(network, Autoencoder)
        network.eval()
        judged = []
        for noisy, clean in batches:
            truth = truth_of(noisy, clean, self.frames)
            made = estimate(network, truth, network.initial_state(len(noisy)), self.frames, waveform=True)
            after = before = None
            if made.waveform is not None:
                after = -float(si_sdr(estimate=made.waveform, clean=clean))
                before = -float(si_sdr(estimate=noisy, clean=clean))
            figures = {"si_sdr_db": after, "noisy_si_sdr_db": before}
            judged.append(Judged(loss_terms(made, truth, self.settings), figures))
        return mean_look(judged, self.settings)

    def seconds(self, batch: Batch) -> float:
        """See `Task.seconds`."""
        noisy = batch[0]  # waveforms (segments, samples) or magnitudes (segments, frames, bins)
        samples = noisy.shape[1] if noisy.ndim == 2 else (noisy.shape[1] - 1) * self.frames.geometry.hop_length
        return len(noisy) * samples / SAMPLE_RATE

    def draw(self, path: Path, network: torch.nn.Module, batch: Batch) -> None:
        """See `Task.draw`: spectrograms; magnitudes from shards are not drawn."""
        noisy, clean = batch
        if noisy.ndim == 2:
            made = clean_waveforms(network, noisy[:PICTURED], self.frames)
            draw_examples(path, noisy=noisy, estimate=made, clean=clean)


def truth_of(noisy: Tensor, clean: Tensor, frames: Frames) -> Truth:
    """The truth of a batch: waveforms (segments, samples) are analysed, magnitudes (segments, frames, bins) kept."""
    return truth_from_waveforms(noisy, clean, frames) if noisy.ndim == 2 else Truth(noisy, clean)


def estimate(network: torch.nn.Module, truth: Truth, state: Tensor, frames: Frames, *, waveform: bool) -> Estimate:
    """Let the network judge the noisy side; its gains come back in float32, and all that follows stays there."""
    return estimate_from_gains(_gains(network, truth.noisy_magnitudes, state), truth, frames, waveform=waveform)


@torch.no_grad()
def clean_waveforms(network: torch.nn.Module, noisy: Tensor, frames: Frames) -> Tensor:
    """Clean whole segments, shape (segments, samples) in and out."""
    assert isinstance(network, Autoencoder)
    spectrum = frames.analyse(noisy)
    gains = _gains(network.eval(), spectrum.abs(), network.initial_state(len(noisy)))
    return frames.synthesise(gains * spectrum, noisy.shape[1])


def _gains(network: torch.nn.Module, magnitudes: Tensor, state: Tensor) -> Tensor:
    """Walk as a stream does: silence at the end pushes out what the network held back to look ahead."""
    bare = getattr(network, "module", network)  # as Fabric wraps it
    assert isinstance(bare, Autoencoder)
    gains: Tensor = network(F.pad(magnitudes, (0, 0, 0, bare.look_ahead)), state)[0]
    return gains[:, bare.look_ahead :].float()
