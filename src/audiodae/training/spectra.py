"""The frames of `audiodae.frames` in torch: the same numbers, differentiable, for whole segments.

Everything is float32 and outside autocast: sixteen bits are too few for a transform.
"""

import torch
from torch import Tensor

from audiodae.frames import FrameGeometry


class Frames:
    """Analysis and synthesis of segments at one geometry, on one device."""

    def __init__(self, geometry: FrameGeometry, device: torch.device) -> None:
        self.geometry = geometry
        self.window = torch.from_numpy(geometry.window).to(device)

    def analyse(self, samples: Tensor) -> Tensor:
        """Map float32 (segments, samples) to complex64 (segments, frames, bins), as `audiodae.frames.analyse`."""
        geometry = self.geometry
        missing = -samples.shape[1] % geometry.hop_length
        spectrum: Tensor = torch.stft(
            torch.nn.functional.pad(samples, (0, missing)),
            geometry.n_fft,
            geometry.hop_length,
            window=self.window,
            center=True,
            pad_mode="constant",
            return_complex=True,
        )
        return spectrum.transpose(1, 2) * geometry.scale

    def synthesise(self, spectrum: Tensor, length: int) -> Tensor:
        """Map complex64 (segments, frames, bins) to float32 (segments, length), as `audiodae.frames.synthesise`."""
        geometry = self.geometry
        frames: Tensor = torch.fft.irfft(spectrum / geometry.scale, n=geometry.n_fft, dim=2) * self.window
        hop = geometry.hop_length
        # Frame k starts a hop before sample k x hop: the first half of the first frame is not part of the sound.
        samples = frames[:, 1:, :hop] + frames[:, :-1, hop:]  # (segments, frames - 1, hop)
        return samples.flatten(1)[:, :length]
