"""Growth: a larger network that begins as the smaller one whose weights it takes over, gain for gain.

What it has besides adds nothing at first: kernels weigh the frames that they did not see with nothing, and dual-path
layers, which add to what comes in, add zero (the idea: Chen et al. 2016, Net2Net, arXiv:1511.05641). Training then
finds a use for both, and what the smaller one learnt in hours is not learnt again. Only the first moments of a sound
differ where it looks ahead: its recurrent cells have run over the frames before the sound, which the smaller one never
saw.
"""

import torch
from torch import Tensor

from audiodae.training.autoencoder import Autoencoder, BandLayer
from audiodae.training.blocks import CausalConv2d, CausalUpConv2d
from audiodae.training.wave import WaveAutoencoder

FIRST = "encoder.layers.0.conv"  # where the frames ahead come in
SECOND = "encoder.layers.1.conv"
TIME = 2  # the dimension of a kernel


def begin_with(network: Autoencoder | WaveAutoencoder, tensors: dict[str, Tensor]) -> None:
    """Give a network the weights of its equal, or of one that sees fewer frames or has fewer dual-path layers.

    Raises
    ------
    RuntimeError
        They belong to another network, as `load_state_dict` says it.
    """
    taken = dict(tensors)
    ahead = network.look_ahead - _frames_ahead(taken) if isinstance(network, Autoencoder) else 0
    for name, module in network.named_modules():
        kernel = f"{name}.conv.weight"
        if isinstance(module, CausalConv2d | CausalUpConv2d) and kernel in taken:
            taken[kernel] = _with_taps(taken[kernel], module, ahead if name == FIRST else 0)
        own = {f"{name}.{key}": value for key, value in module.state_dict().items()}
        if isinstance(module, BandLayer) and not own.keys() & taken.keys():
            _add_nothing(module)
            taken |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
    network.load_state_dict(taken)


def _frames_ahead(tensors: dict[str, Tensor]) -> int:
    """How far the network that these weights belong to looks ahead: so much wider is the first of its kernels."""
    first, second = tensors.get(f"{FIRST}.conv.weight"), tensors.get(f"{SECOND}.conv.weight")
    if first is None or second is None or first.ndim != 4 or second.ndim != 4:
        return 0
    return first.shape[TIME] - second.shape[TIME]


def _with_taps(old: Tensor, layer: CausalConv2d | CausalUpConv2d, ahead: int) -> Tensor:
    """Fit a kernel to a layer that sees more frames: `ahead` of them come after the old ones, the rest before.

    A kernel that would have to lose frames stays as it is, for `load_state_dict` to refuse.
    """
    before = layer.conv.weight.shape[TIME] - old.shape[TIME] - ahead if old.ndim == 4 else -1
    if before < 0 or ahead < 0:
        return old
    transposed = isinstance(layer, CausalUpConv2d)  # such a kernel lies the other way round in time
    return torch.nn.functional.pad(old, (0, 0, ahead, before) if transposed else (0, 0, before, ahead))


@torch.no_grad()
def _add_nothing(layer: BandLayer) -> None:
    mixes = [layer.mix] if layer.across is None else [layer.mix, layer.across[1]]
    for mix in mixes:
        for parameter in mix.parameters():
            parameter.zero_()
