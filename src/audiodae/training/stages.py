"""Stages of a patch autoencoder: an encoding layer and the decoding layer that mirrors it, for each kind of body.

Between the stages features have shape (patches, width) in a dense body, (patches, filters, columns) in conv1d, and
(patches, filters, rows, columns) in conv2d and pooled, where each stage halves rows and columns, rounding up.
"""

import math
from collections.abc import Iterable

from torch import Tensor, nn

from audiodae.training.blocks import ACTIVATIONS, normalisation
from audiodae.training.family_recipe import BodySettings, CodeSettings

Shape = tuple[int, ...]  # of the features of one patch


class Stage(nn.Module):
    """One layer of the encoder and the layer of the decoder that gives back what it was given."""

    def __init__(self, encode: Iterable[nn.Module], decode: Iterable[nn.Module]) -> None:
        super().__init__()
        self.encode, self.decode = nn.Sequential(*encode), nn.Sequential(*decode)


class Residual(nn.Module):
    """What the layers make, added to what they are given."""

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape."""
        made: Tensor = self.layers(features)
        return features + made


def build_stages(body: BodySettings, code: CodeSettings, shape: tuple[int, int]) -> tuple[list[Stage], Shape]:
    """The stages from patches of a shape to codes, and the shape of the features that the code is made of."""
    stages: list[Stage] = []
    features: Shape = _lifted(body, shape)
    for width in body.filters:
        stage, features = _stage(body, features, width, outermost_of=None if stages else shape)
        stages.append(stage)
    if code.width:
        stages.append(_code_stage(body, code, features, outermost_of=None if stages else shape))
    else:
        last = stages[-1]
        stages[-1] = Stage([last.encode, nn.Flatten()], [nn.Unflatten(1, features), last.decode])
    return stages, features


def _lifted(body: BodySettings, shape: tuple[int, int]) -> Shape:
    """A patch as the first layer takes it."""
    if body.kind == "dense":
        return (math.prod(shape),)
    return shape if body.kind == "conv1d" else (1, *shape)


def _stage(
    body: BodySettings, features: Shape, width: int, *, outermost_of: tuple[int, int] | None
) -> tuple[Stage, Shape]:
    """A layer from features to `width` of them and back; the outermost takes and gives patches."""
    channels, dimensions = features[0], len(features) - 1
    around = [
        Residual([_same(body, width, dimensions), *_after(body, width, dimensions)]) for _ in range(2 * body.residual)
    ]
    pool = [nn.MaxPool2d(2, ceil_mode=True)] if body.kind == "pooled" else []
    forth = [_forth(body, channels, width, dimensions), *_after(body, width, dimensions), *pool, *around[:1]]
    back = [*around[1:], _back(body, width, features)]
    if outermost_of:
        stage = Stage([_lift(body, outermost_of), *forth], [*back, _output(body), _lower(body, outermost_of)])
    else:
        stage = Stage(forth, [*back, *_after(body, channels, dimensions)])
    return stage, (width, *((size + 1) // 2 for size in features[1:]))


def _code_stage(
    body: BodySettings, code: CodeSettings, features: Shape, *, outermost_of: tuple[int, int] | None
) -> Stage:
    """All features to the code and back, each by a dense layer."""
    values = math.prod(features)
    forth = [nn.Flatten(), nn.Linear(values, code.width * (2 if code.variational else 1))]
    back: list[nn.Module] = [nn.Linear(code.width, values), nn.Unflatten(1, outermost_of or features)]
    after = [_output(body)] if outermost_of else _after(body, features[0], len(features) - 1)
    return Stage([*forth, ACTIVATIONS[code.activation]()], [*back, *after])


def _forth(body: BodySettings, channels: int, width: int, dimensions: int) -> nn.Module:
    if dimensions == 0:
        return nn.Linear(channels, width)
    conv = nn.Conv2d if dimensions == 2 else nn.Conv1d
    return conv(channels, width, body.kernel, 1 if body.kind == "pooled" else 2, body.kernel // 2)


def _back(body: BodySettings, width: int, features: Shape) -> nn.Module:
    channels, *sizes = features
    if not sizes:
        return nn.Linear(width, channels)
    # Transposed, n values become 2n - 1, and one more where the size that was halved was even.
    more = [1 - size % 2 for size in sizes]
    if len(sizes) == 2:
        return nn.ConvTranspose2d(width, channels, body.kernel, 2, body.kernel // 2, (more[0], more[1]))
    return nn.ConvTranspose1d(width, channels, body.kernel, 2, body.kernel // 2, more[0])


def _same(body: BodySettings, width: int, dimensions: int) -> nn.Module:
    if dimensions == 0:
        return nn.Linear(width, width)
    return (nn.Conv2d if dimensions == 2 else nn.Conv1d)(width, width, body.kernel, padding=body.kernel // 2)


def _after(body: BodySettings, channels: int, dimensions: int) -> list[nn.Module]:
    """What follows a layer."""
    norm = [normalisation("batch", channels, dimensions)] if body.batch_norm else []
    dropout = [nn.Dropout(body.dropout)] if body.dropout else []
    return [*norm, ACTIVATIONS[body.activation](), *dropout]


def _output(body: BodySettings) -> nn.Module:
    return nn.Sigmoid() if body.output == "sigmoid" else nn.Identity()


def _lift(body: BodySettings, shape: tuple[int, int]) -> nn.Module:
    """From (patches, rows, columns) to what the first layer takes."""
    if body.kind == "dense":
        return nn.Flatten()
    return nn.Identity() if body.kind == "conv1d" else nn.Unflatten(1, (1, shape[0]))


def _lower(body: BodySettings, shape: tuple[int, int]) -> nn.Module:
    """The way back of `_lift`."""
    if body.kind == "dense":
        return nn.Unflatten(1, shape)
    return nn.Identity() if body.kind == "conv1d" else nn.Flatten(1, 2)
