"""The autoencoder: noisy magnitudes through an encoder, a code and a decoder to gains.

::

    magnitudes -> log -> encoder -> code -> decoder -> gains
                            |_______ skips ____^

Conventions
-----------
Magnitudes and gains have shape (streams, frames, 257), a full-scale sine reading 1. The state is one flat float32
tensor of shape (streams, state_size), zero at the start of a sound; the parts keep their slices of it in order. Every
part is causal, so any number of frames a call gives the same gains: a test holds this. A network that looks ahead does
so by giving its answer later: frame n of the gains belongs to frame n - `look_ahead` of the magnitudes.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from audiodae.frames import NETWORK_BINS
from audiodae.training.blocks import (
    ACTIVATIONS,
    KEEP,
    BandGRU,
    CausalConv1d,
    CausalConv2d,
    CausalUpConv2d,
    FrequencyGRU,
    TimeGRU,
    normalisation,
    reshape,
    split_state,
)
from audiodae.training.recipe import NetworkSettings
from audiodae.training.wave import WaveAutoencoder

QUIETEST = 1e-6  # a magnitude of -120 dBFS; what is fainter reads the same
LARGEST_GAIN = 2.0  # of a regressed magnitude over the noisy one


def log_features(magnitudes: Tensor) -> Tensor:
    """Logarithm of the magnitude, brought to about -1 (silence) to 1.7 (full scale)."""
    return torch.log10(magnitudes.clamp_min(QUIETEST)) / 2.25 + 5 / 3


def from_log_features(features: Tensor) -> Tensor:
    """The inverse of `log_features`."""
    return torch.pow(10.0, (features - 5 / 3) * 2.25)


class DenseCode(nn.Module):
    """The whole frame pressed into `width` values, GRUs over them, and spread out again.

    With `around` the result is added to what came in; without, the width is all that gets through.
    """

    def __init__(self, channels: int, bands: int, *, width: int, layers: int, dropout: float, around: bool) -> None:
        super().__init__()
        self.channels = channels
        self.squeeze = nn.Linear(channels * bands, width)
        self.gru = TimeGRU(width, width, layers, dropout) if layers else None
        self.spread = nn.Linear(width, channels * bands)
        self.around = around
        self.state_size = self.gru.state_size if self.gru else 0

    def code(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The code itself, shape (streams, frames, width)."""
        values = features.transpose(1, 2)  # (streams, frames, channels) or (streams, frames, channels, bands)
        squeezed = self.squeeze(values if values.ndim == 3 else reshape(values, KEEP, KEEP, -1))
        return (squeezed, state) if self.gru is None else self.gru(squeezed, state)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the shape: (streams, channels, frames) or (streams, channels, frames, bands)."""
        code, state = self.code(features, state)
        spread = self.spread(code)
        if features.ndim == 4:
            spread = reshape(spread, KEEP, KEEP, self.channels, -1)  # (streams, frames, channels, bands)
        spread = spread.transpose(1, 2)
        return (features + spread if self.around else spread), state


class BandLayer(nn.Module):
    """A GRU over time shared by the bands, before it (dual) one over the bands; each added to what came in.

    Dual-path recurrence: Le et al. 2021, DPCRN, arXiv:2107.05429.
    """

    def __init__(self, channels: int, bands: int, *, dual: bool) -> None:
        super().__init__()
        self.across = nn.Sequential(FrequencyGRU(channels), nn.Conv2d(channels, channels, 1)) if dual else None
        self.along = BandGRU(channels, bands)
        self.mix = nn.Conv2d(channels, channels, 1)
        self.state_size = self.along.state_size

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the shape (streams, channels, frames, bands)."""
        if self.across is not None:
            features = features + self.across(features)
        made, state = self.along(features, state)
        return features + self.mix(made), state


class Code(nn.Module):
    """The parts between encoder and decoder, one after the other."""

    def __init__(self, parts: Sequence[DenseCode | BandLayer]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.state_size = sum(part.state_size for part in parts)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the shape of the encoder's output."""
        states: list[Tensor] = []
        for part, memory in zip(self.parts, split_state(state, self.parts), strict=True):
            features, memory = part(features, memory)
            states.append(memory)
        return features, torch.cat(states, dim=1) if states else state


class Layer(nn.Module):
    """A causal convolution, normalisation, activation and dropout; the residual kind adds its input.

    Where it has dual-path layers of its own, they follow, at its own number of bands.
    """

    def __init__(
        self,
        conv: CausalConv1d | CausalConv2d | CausalUpConv2d,
        after: Sequence[nn.Module],
        *,
        residual: bool = False,
        dual: Sequence[BandLayer] = (),
    ) -> None:
        super().__init__()
        self.conv, self.residual = conv, residual
        self.after = nn.Sequential(*after)
        self.dual = Code(dual)
        self.state_size = conv.state_size + self.dual.state_size

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """See `audiodae.training.blocks`."""
        if not self.dual.parts:  # two operators less in each layer of an exported network
            return self._convolved(features, state)
        of_conv, of_dual = split_state(state, [self.conv, self.dual])
        made, of_conv = self._convolved(features, of_conv)
        made, of_dual = self.dual(made, of_dual)
        return made, torch.cat([of_conv, of_dual], dim=1)

    def _convolved(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        made, state = self.conv(features, state)
        made = self.after(made)
        return (features + made if self.residual else made), state


class Stack(nn.Module):
    """Layers one after the other. `skips` are added to their inputs, last first."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.state_size = sum(layer.state_size for layer in layers)

    def forward(self, features: Tensor, state: Tensor, skips: Sequence[Tensor] = ()) -> tuple[list[Tensor], Tensor]:
        """Give the output of every layer, and the next state."""
        outputs: list[Tensor] = []
        states: list[Tensor] = []
        skipped = list(skips)
        for layer, memory in zip(self.layers, split_state(state, self.layers), strict=True):
            features, memory = layer(features + skipped.pop() if skipped else features, memory)
            outputs.append(features)
            states.append(memory)
        return outputs, torch.cat(states, dim=1)


class BoundedGain(nn.Module):
    """Gains from the floor up to 1: sigmoid of what the decoder says."""

    def __init__(self, floor_db: float) -> None:
        super().__init__()
        self.floor = 10 ** (floor_db / 20)

    def forward(self, decoded: Tensor, magnitudes: Tensor) -> Tensor:
        """Map the decoder's output to gains, both (streams, frames, bins)."""
        return self.floor + (1 - self.floor) * torch.sigmoid(decoded)


class RegressedMagnitude(nn.Module):
    """The decoder says how far the clean log-magnitude lies from the noisy one; the gain is the ratio of the two."""

    def forward(self, decoded: Tensor, magnitudes: Tensor) -> Tensor:
        """Map the decoder's output to gains, both (streams, frames, bins)."""
        clean = from_log_features(log_features(magnitudes) + decoded)
        gains = clean / magnitudes.clamp_min(QUIETEST)
        return gains if self.training else gains.clamp(0.0, LARGEST_GAIN)


class Autoencoder(nn.Module):
    """Encoder, code and decoder put together from finished parts; see `build_autoencoder`."""

    def __init__(
        self, encoder: Stack, code: Code, decoder: Stack, output: nn.Module, *, skips: bool, look_ahead: int = 0
    ) -> None:
        super().__init__()
        self.encoder, self.code, self.decoder, self.output = encoder, code, decoder, output
        self.skips, self.look_ahead = skips, look_ahead
        self.state_size = encoder.state_size + code.state_size + decoder.state_size

    def initial_state(self, streams: int) -> Tensor:
        """Silence before the sound: zeros of shape (streams, state_size)."""
        return torch.zeros(streams, self.state_size, device=next(self.parameters()).device)

    def forward(self, magnitudes: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map noisy magnitudes to gains.

        Parameters
        ----------
        magnitudes : float32, shape (streams, frames, bins)
        state : float32, shape (streams, state_size)

        Returns
        -------
        gains : float32, shape (streams, frames, bins); those of `look_ahead` frames before
        next_state : float32, shape (streams, state_size)
        """
        encoder_state, code_state, decoder_state = split_state(state, [self.encoder, self.code, self.decoder])
        features = self.lift(log_features(magnitudes))
        encoded, encoder_state = self.encoder(features, encoder_state)
        coded, code_state = self.code(encoded[-1], code_state)
        decoded, decoder_state = self.decoder(coded, decoder_state, encoded if self.skips else ())
        gains = self.output(self.lower(decoded[-1]).float(), magnitudes)
        return gains, torch.cat([encoder_state, code_state, decoder_state], dim=1)

    def lift(self, features: Tensor) -> Tensor:
        """From (streams, frames, bins) to what the encoder takes."""
        raise NotImplementedError

    def lower(self, decoded: Tensor) -> Tensor:
        """From what the decoder gives to (streams, frames, bins)."""
        raise NotImplementedError


class Conv2dAutoencoder(Autoencoder):
    """Bins are a dimension to convolve over: one channel in, one channel out."""

    def lift(self, features: Tensor) -> Tensor:
        """See `Autoencoder.lift`."""
        return features[:, None]

    def lower(self, decoded: Tensor) -> Tensor:
        """See `Autoencoder.lower`."""
        return decoded[:, 0]


class Conv1dAutoencoder(Autoencoder):
    """Bins are channels: a dense layer before the encoder and one after the decoder fit them to its width."""

    def __init__(
        self, encoder: Stack, code: Code, decoder: Stack, output: nn.Module, *, skips: bool, width: int
    ) -> None:
        super().__init__(encoder, code, decoder, output, skips=skips)
        self.bins_in = nn.Conv1d(NETWORK_BINS, width, 1)
        self.bins_out = nn.Conv1d(width, NETWORK_BINS, 1)

    def lift(self, features: Tensor) -> Tensor:
        """See `Autoencoder.lift`."""
        lifted: Tensor = self.bins_in(features.transpose(1, 2))
        return lifted

    def lower(self, decoded: Tensor) -> Tensor:
        """See `Autoencoder.lower`."""
        lowered: Tensor = self.bins_out(decoded)
        return lowered.transpose(1, 2)


def build_network(settings: NetworkSettings) -> Autoencoder | WaveAutoencoder:
    """Put a network together as the recipe says, for sound or for series, with fresh random weights."""
    return WaveAutoencoder(settings.wave) if settings.body == "wave" else build_autoencoder(settings)


def build_autoencoder(settings: NetworkSettings) -> Autoencoder:
    """Put a network for sound together, with fresh random weights (seed torch first)."""
    build = _build_conv2d if settings.body == "conv2d" else _build_conv1d
    output = BoundedGain(settings.gain_floor_db) if settings.output == "gain" else RegressedMagnitude()
    return build(settings, output)


def _after(settings: NetworkSettings, channels: int, dimensions: int) -> list[nn.Module]:
    """What follows a convolution."""
    dropout = [nn.Dropout(settings.dropout)] if settings.dropout else []
    norm = normalisation(settings.normalisation, channels, dimensions)
    return [norm, ACTIVATIONS[settings.activation](), *dropout]


def _build_conv2d(settings: NetworkSettings, output: nn.Module) -> Autoencoder:
    channels, kernel = (1, *settings.widths), settings.kernel
    bands = [NETWORK_BINS]
    encoder: list[Layer] = []
    dual = settings.dual_layers or (0,) * len(settings.widths)
    for number, pair in enumerate(itertools.pairwise(channels)):
        # The future comes in at the first layer; all that follows lags as much.
        frames = kernel[0] if number else kernel[0] + settings.look_ahead
        conv = CausalConv2d(pair, bands[-1], (frames, kernel[1]), settings.strides[number])
        bands.append(conv.bands_out)
        layers = [BandLayer(pair[1], bands[-1], dual=True) for _ in range(dual[number])]
        encoder.append(Layer(conv, _after(settings, pair[1], 2), dual=layers))
    decoder: list[Layer] = []
    for number in reversed(range(len(settings.widths))):
        pair = (channels[number + 1], channels[number])
        conv_up = CausalUpConv2d(pair, bands[number + 1], kernel, settings.strides[number])
        # The last layer speaks for itself: nothing after it may bend what becomes a gain.
        decoder.append(Layer(conv_up, _after(settings, pair[1], 2) if number else []))
    code = Code(_code_parts(settings, channels[-1], bands[-1]))
    return Conv2dAutoencoder(
        Stack(encoder), code, Stack(decoder), output, skips=settings.skips, look_ahead=settings.look_ahead
    )


def _build_conv1d(settings: NetworkSettings, output: nn.Module) -> Autoencoder:
    width, frames = settings.widths[0], settings.kernel[0]  # residual layers keep their width: all are equal
    layers = [
        [
            Layer(CausalConv1d(width, frames, dilation), _after(settings, width, 1), residual=True)
            for dilation in settings.dilations
        ]
        for _ in range(2)
    ]
    code = Code(_code_parts(settings, width, 1))
    return Conv1dAutoencoder(Stack(layers[0]), code, Stack(layers[1]), output, skips=settings.skips, width=width)


def _code_parts(settings: NetworkSettings, channels: int, bands: int) -> list[DenseCode | BandLayer]:
    dense = DenseCode(
        channels,
        bands,
        width=settings.code_width,
        layers=settings.code_layers if settings.code == "gru" else 0,
        dropout=settings.dropout,
        around=settings.skips,
    )
    if settings.code == "dual":
        return [BandLayer(channels, bands, dual=True) for _ in range(settings.code_layers)]
    if settings.body == "conv1d" or settings.code == "none":
        return [dense]
    return [dense, *(BandLayer(channels, bands, dual=False) for _ in range(settings.band_layers))]
