"""The autoencoder for series: noisy samples in, clean samples out, with no spectrum between them.

::

    samples -> level -> frames -> encoder -> blocks, which see ahead -> decoder -> gate + correction -> samples
                          |_________________ delayed by what the blocks see ahead _____^

Conventions
-----------
Samples have shape (streams, samples, 1), any number that `step` divides; frames of `step` samples, features of shape
(streams, frames, width). What sees ahead does so by giving its answer later: sample n of the output belongs to sample
n - `delay` of the input. The state is one flat float32 tensor of shape (streams, state_size), zero at the start of a
series; the parts keep their slices of it in order.

The levels of a series in mV and of one in volts are a thousandfold apart, and offsets of converters thousands of
counts. So every frame is divided by a running level, the root mean square of the differences between neighbours, and
the answer multiplied by it: what the network makes of a series does not depend on its unit.
"""

import math

import torch
from torch import Tensor, nn

from audiodae.training.blocks import ACTIVATIONS, KEEP, reshape, split_state
from audiodae.training.recipe import WaveSettings

FAINTEST = 1e-15  # level under which nothing is divided by it: what is fainter becomes zero
ECG_OVER_DIFFERENCES = 8.0  # about how far a series swings, measured by the differences of its neighbours
TAPS = 3  # frames that a block sees: one before, the frame, one after (or two before)


def with_past(features: Tensor, state: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Put the remembered frames before the new ones (time is dimension 1); keep the last `frames` for the next call."""
    if frames == 0:
        return features, state
    past = reshape(state, -1, frames, int(features.shape[2]))  # int: a constant to the exporter
    whole = torch.cat([past, features], dim=1)  # (streams, past + frames, width)
    return whole, reshape(whole[:, -frames:], KEEP, -1)


def shifted(whole: Tensor, past: int, lag: int) -> Tensor:
    """Of frames with `past` older ones before them, as many as are new, but `lag` frames older."""
    return whole[:, past - lag : (-lag or None)]


class RunningLevel(nn.Module):
    """Root mean square of the differences between neighbours, forgotten over `frames`; shape (streams, frames, 1).

    A leaky integrator is a recurrent cell: energy and time are both integrated, and their ratio is a mean that is
    right from the first frame on.
    """

    def __init__(self, step: int, frames: float) -> None:
        super().__init__()
        self.step, self.state_size = step, 3
        self.follow = nn.RNN(2, 2, nonlinearity="relu", bias=False, batch_first=True)
        kept = math.exp(-1 / frames)
        with torch.no_grad():
            for parameter, share in zip(self.follow.parameters(), (1.0, kept), strict=True):  # of the input, the memory
                parameter.copy_(torch.eye(2) * share)
        self.follow.requires_grad_(False)

    @torch.no_grad()
    def forward(self, samples: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map samples (streams, samples, 1) to the level in each frame, as far as the frame's end."""
        before, sums = state[:, :1], state[:, 1:]
        whole = torch.cat([before[:, :, None], samples], dim=1)
        differences = reshape(whole[:, 1:] - whole[:, :-1], KEEP, -1, self.step)
        energy = differences.square().mean(dim=2, keepdim=True)
        followed, last = self.follow(torch.cat([energy, torch.ones_like(energy)], dim=2), sums[None].contiguous())
        level = (followed[..., :1] / followed[..., 1:]).sqrt() * ECG_OVER_DIFFERENCES
        return level, torch.cat([whole[:, -1], last[0]], dim=1)


class Block(nn.Module):
    """A convolution over frames `dilation` apart, around which the features go unchanged.

    With `ahead` its taps are one frame before, the frame and one after, and it lags by one dilation; without, it sees
    the past alone. Dilated residual convolutions: van den Oord et al. 2016, arXiv:1609.03499.
    """

    def __init__(self, width: int, dilation: int, *, ahead: bool, activation: str) -> None:
        super().__init__()
        self.dilation = dilation
        self.past = (TAPS - 1) * dilation
        self.lag = dilation if ahead else 0
        self.state_size = self.past * width
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(TAPS * width, width)  # faster than a convolution, whose layout fits few channels ill
        self.activation = ACTIVATIONS[activation]()

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the shape (streams, frames, width); what comes out belongs `lag` frames earlier."""
        whole, state = with_past(features, state, self.past)
        normed = self.norm(whole)
        taps = torch.cat([shifted(normed, self.past, tap * self.dilation) for tap in reversed(range(TAPS))], dim=2)
        return shifted(whole, self.past, self.lag) + self.activation(self.mix(taps)), state


class WaveAutoencoder(nn.Module):
    """See the head of the file.

    Attributes
    ----------
    step : int, samples of a frame
    delay : int, samples by which the output lags
    state_size : int
    """

    def __init__(self, settings: WaveSettings) -> None:
        super().__init__()
        width, step = settings.width, settings.step
        self.settings, self.step = settings, step
        self.level = RunningLevel(step, settings.level_seconds * settings.rate_hz / step)
        activation = ACTIVATIONS[settings.activation]
        # Encoder: a frame and its neighbours.
        self.seen = 3  # frames
        self.encoder = nn.Sequential(nn.Linear(self.seen * step, width), activation(), nn.Linear(width, width))
        blocks = [
            Block(width, abs(dilation), ahead=dilation > 0, activation=settings.activation)
            for dilation in settings.dilations
        ]
        self.blocks = nn.ModuleList(blocks)
        # Decoder: the features of a frame, with the samples about it, to two frames that overlap those beside.
        self.around = 2  # frames before, and after
        samples = (2 * self.around + 1) * step
        self.norm = nn.LayerNorm(width)
        self.decoder = nn.Sequential(nn.Linear(width + samples, width + step * 4), activation())
        self.correct = nn.Sequential(nn.Linear(width + step * 4, width), activation(), nn.Linear(width, 2 * step))
        self.gate = nn.Linear(width + step * 4, 2 * step)
        self.lag = self.seen // 2 + sum(block.lag for block in blocks)  # frames, of the features
        self.delay = (settings.level_ahead + self.lag) * step
        # What each part remembers, in order: level, input, encoder, blocks, delay, answer.
        self.sizes = [
            self.level.state_size,
            settings.level_ahead * step,
            (self.seen - 1) * step,
            sum(block.state_size for block in blocks),
            (self.lag + self.around) * (step + 1),
            step,
        ]
        self.state_size = sum(self.sizes)

    def initial_state(self, streams: int) -> Tensor:
        """Before the series: zeros of shape (streams, state_size)."""
        return torch.zeros(streams, self.state_size, device=self.gate.weight.device)

    def forward(self, samples: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map noisy samples to clean ones.

        Parameters
        ----------
        samples : float32, shape (streams, samples, 1), samples a multiple of `step`
        state : float32, shape (streams, state_size)

        Returns
        -------
        clean : float32, shape (streams, samples, 1); the first `delay` samples of a series lie before its start
        next_state : float32, shape (streams, state_size)
        """
        of_level, of_input, of_encoder, of_blocks, of_delay, of_answer = torch.split(state, self.sizes, dim=1)
        level, of_level = self.level(samples, of_level)
        frames, of_input = with_past(reshape(samples, KEEP, -1, self.step), of_input, self.settings.level_ahead)
        frames = shifted(frames, self.settings.level_ahead, self.settings.level_ahead)
        frames = frames / level.clamp_min(FAINTEST)
        features, of_encoder = self._encode(frames, of_encoder)
        states = []
        for block, memory in zip(self.blocks, split_state(of_blocks, self.blocks), strict=True):
            features, memory = block(features, memory)
            states.append(memory)
        # The level travels with its frame, so that what it divided is multiplied by the same number.
        delayed, of_delay = with_past(torch.cat([frames, level], dim=2), of_delay, self.lag + self.around)
        answer, of_answer = self._decode(features, delayed[..., :-1], of_answer)
        level = shifted(delayed[..., -1:], self.lag + self.around, self.lag)
        clean = reshape(answer * level, KEEP, -1, 1)
        return clean, torch.cat([of_level, of_input, of_encoder, *states, of_delay, of_answer], dim=1)

    def _encode(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        whole, state = with_past(frames, state, self.seen - 1)
        seen = torch.cat([shifted(whole, self.seen - 1, lag) for lag in reversed(range(self.seen))], dim=2)
        encoded: Tensor = self.encoder(seen)
        return encoded, state

    def _decode(self, features: Tensor, delayed: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Features and the samples that they belong to: a share of the samples, and what is added to it."""
        past = self.lag + self.around
        around = [shifted(delayed, past, self.lag + place) for place in range(self.around, -self.around - 1, -1)]
        decoded = self.decoder(torch.cat([self.norm(features), *around], dim=2))
        pair = torch.cat([around[self.around], around[self.around + 1]], dim=2)  # the frame and the one after
        # Each half of a pair is one of two answers for its frame.
        answers = self.correct(decoded) + torch.sigmoid(self.gate(decoded)) * pair / 2
        first, second = answers[..., : self.step], answers[..., self.step :]
        before, state = with_past(second, state, 1)
        return first + shifted(before, 1, 1), state
