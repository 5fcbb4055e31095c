"""Layers shared by the bodies: causal in time, with their memory passed in and out.

Conventions
-----------
A stateful layer has `state_size`, the float32 values it remembers of one stream, and is called as
`features, next_state = layer(features, state)` with state of shape (streams, state_size), zero at the start of a sound.
Called on a whole sound or on its pieces in order, it gives the same features; a feature never depends on a later frame.

Two-dimensional features have shape (streams, channels, frames, bands), one-dimensional (streams, channels, frames).
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "none": nn.Identity,
}


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels (dimension 1) of each frame and band by itself; remembers nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Normalise features of shape (streams, channels, ...)."""
        last = features.ndim - 1
        normed: Tensor = self.norm(features.permute(0, *range(2, last + 1), 1))
        return normed.permute(0, last, *range(1, last))


def normalisation(name: str, channels: int, dimensions: int) -> nn.Module:
    """Build the layer that `name` stands for: batch (over the training batch), channel (per frame and band) or none."""
    if name == "batch":
        return nn.BatchNorm2d(channels) if dimensions == 2 else nn.BatchNorm1d(channels)
    return ChannelNorm(channels) if name == "channel" else nn.Identity()


KEEP = 0  # a size that stays what it is, as ONNX says it


def reshape(features: Tensor, *sizes: int) -> Tensor:
    """Give features another shape, where KEEP is the size in the same place now and one -1 the rest.

    The exporter writes one operator for it. For a plain reshape to sizes that vary from call to call it writes up to
    ten, which take the shape apart and put it together again: half of all operators of a network were those.
    """
    if torch.onnx.is_in_onnx_export():
        exported: Tensor = _Reshape.apply(features, sizes)  # type: ignore[no-untyped-call]
        return exported
    return features.reshape([features.shape[place] if size == KEEP else size for place, size in enumerate(sizes)])


class _Reshape(torch.autograd.Function):
    """A reshape that the exporter is told how to write."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, sizes: tuple[int, ...]) -> Tensor:
        return features.reshape([features.shape[place] if size == KEEP else size for place, size in enumerate(sizes)])

    @staticmethod
    def symbolic(graph: Any, features: Any, sizes: tuple[int, ...]) -> Any:
        return graph.op("Reshape", features, graph.op("Constant", value_t=torch.tensor(sizes)))


def split_state(state: Tensor, parts: Iterable[nn.Module]) -> tuple[Tensor, ...]:
    """Cut the flat state into the slices of its parts, each of which has a `state_size`."""
    return torch.split(state, [int(getattr(part, "state_size")) for part in parts], dim=1)  # noqa: B009 (Module types it)


def with_past(features: Tensor, state: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Put the remembered frames before the new ones (time is dimension 2); keep the last `frames` for the next call."""
    if frames == 0:
        return features, state
    past = state.reshape(features.shape[0], features.shape[1], frames, *features.shape[3:])
    whole = torch.cat([past, features], dim=2)  # (streams, channels, past + frames, ...)
    return whole, whole[:, :, -frames:].flatten(1)


class CausalConv2d(nn.Module):
    """Convolution over time and frequency; each output frame sees this frame and kernel[0] - 1 frames before.

    ::

        time:       past past | new new new          (no padding behind: nothing is known of the future)
        frequency:  0 | band 0 ... band n-1 | 0      (padded by kernel // 2; stride 2 makes 2n - 1 bands n)
    """

    def __init__(self, channels: tuple[int, int], bands: int, kernel: tuple[int, int], stride: int) -> None:
        super().__init__()
        self.past = kernel[0] - 1
        self.state_size = channels[0] * self.past * bands
        self.bands_out = (bands - 1) // stride + 1
        self.conv = nn.Conv2d(*channels, kernel, stride=(1, stride), padding=(0, kernel[1] // 2))

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map (streams, channels in, frames, bands) to (streams, channels out, frames, bands_out)."""
        whole, state = with_past(features, state, self.past)
        return self.conv(whole), state


class CausalUpConv2d(nn.Module):
    """The mirror of `CausalConv2d`: transposed over frequency, where n bands become stride x (n - 1) + 1."""

    def __init__(self, channels: tuple[int, int], bands: int, kernel: tuple[int, int], stride: int) -> None:
        super().__init__()
        self.past = kernel[0] - 1
        self.state_size = channels[0] * self.past * bands
        # Over time a transposed convolution is a plain one turned round; cutting `past` frames at both ends leaves
        # those that see only what is known.
        padding = (self.past, kernel[1] // 2)
        self.conv = nn.ConvTranspose2d(*channels, kernel, stride=(1, stride), padding=padding)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map (streams, channels in, frames, bands) to (streams, channels out, frames, stride x (bands - 1) + 1)."""
        whole, state = with_past(features, state, self.past)
        return self.conv(whole), state


class CausalConv1d(nn.Module):
    """Dilated convolution over time, depthwise-separable: one filter a channel, then a mix of the channels.

    Sees (kernel - 1) x dilation frames of the past (van den Oord et al. 2016, arXiv:1609.03499).
    """

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.past = (kernel - 1) * dilation
        self.state_size = channels * self.past
        self.depthwise = nn.Conv1d(channels, channels, kernel, dilation=dilation, groups=channels)
        self.pointwise = nn.Conv1d(channels, channels, 1)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map (streams, channels, frames) to the same shape."""
        whole, state = with_past(features, state, self.past)
        return self.pointwise(self.depthwise(whole)), state


class TimeGRU(nn.Module):
    """Gated recurrent units over time (Cho et al. 2014, arXiv:1406.1078), all layers of one width."""

    def __init__(self, width_in: int, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.layers, self.width = layers, width
        self.state_size = layers * width
        self.gru = nn.GRU(width_in, width, num_layers=layers, dropout=dropout if layers > 1 else 0.0)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map (streams, frames, width_in) to (streams, frames, width)."""
        hidden = reshape(state, -1, self.layers, self.width).transpose(0, 1).contiguous()  # (layers, streams, width)
        made, hidden = self.gru(features.transpose(0, 1), hidden)  # frames first, as ONNX has it
        return made.transpose(0, 1), reshape(hidden.transpose(0, 1), -1, self.state_size)


class BandGRU(nn.Module):
    """One GRU over time, shared by all bands: what it learns about a voice in one band it knows in every other."""

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.bands, self.channels = bands, channels
        self.state_size = bands * channels
        self.gru = nn.GRU(channels, channels)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map (streams, channels, frames, bands) to the same shape."""
        rows = reshape(features.permute(2, 0, 3, 1), KEEP, -1, self.channels)  # (frames, streams x bands, channels)
        made, hidden = self.gru(rows, reshape(state, 1, -1, self.channels))  # a band is a row of its own
        made = reshape(made, KEEP, -1, self.bands, self.channels)  # (frames, streams, bands, channels)
        return made.permute(1, 3, 0, 2), reshape(hidden, -1, self.state_size)


class FrequencyGRU(nn.Module):
    """A GRU over the bands of each frame, up and down, so every band hears of every other; remembers nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.gru = nn.GRU(channels, channels // 2, bidirectional=True)

    def forward(self, features: Tensor) -> Tensor:
        """Map (streams, channels, frames, bands) to the same shape."""
        streams, _, frames, bands = features.shape
        rows = reshape(features.permute(3, 0, 2, 1), KEEP, -1, self.channels)  # (bands, streams x frames, channels)
        made: Tensor = self.gru(rows)[0]
        return made.reshape(bands, streams, frames, self.channels).permute(1, 3, 2, 0)
