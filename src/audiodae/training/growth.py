"""Growth: a larger network that begins as the smaller one whose weights it takes over, gain for gain.

What it has besides adds nothing at first: the taps of frames ahead weigh nothing, and dual-path layers, which add to
what comes in, add zero (the idea: Chen et al. 2016, Net2Net, arXiv:1511.05641). Training then finds a use for both, and
what the smaller one learnt in hours is not learnt again. Only the first moments of a sound differ where it looks ahead:
its recurrent cells have run over the frames before the sound, which the smaller one never saw.
"""

import torch
from torch import Tensor

from audiodae.training.autoencoder import Autoencoder, BandLayer
from audiodae.training.wave import WaveAutoencoder

FIRST_KERNEL = "encoder.layers.0.conv.conv.weight"  # where the frames ahead come in


def begin_with(network: Autoencoder | WaveAutoencoder, tensors: dict[str, Tensor]) -> None:
    """Give a network the weights of one that is its equal, or that lacks some of its frames ahead and dual-path layers.

    Raises
    ------
    RuntimeError
        They belong to another network, as `load_state_dict` says it.
    """
    taken = dict(tensors)
    if isinstance(network, Autoencoder) and network.look_ahead and FIRST_KERNEL in taken:
        taken[FIRST_KERNEL] = _with_taps(taken[FIRST_KERNEL], network)
    for name, module in network.named_modules():
        own = {f"{name}.{key}": value for key, value in module.state_dict().items()}
        if isinstance(module, BandLayer) and not own.keys() & taken.keys():
            _add_nothing(module)
            taken |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
    network.load_state_dict(taken)


def _with_taps(old: Tensor, network: Autoencoder) -> Tensor:
    """Fit the first kernel to one that sees more frames ahead: the new taps come after the old.

    More taps than there are frames ahead would look back, and belong before the old: that is another network.
    """
    missing = network.state_dict()[FIRST_KERNEL].shape[2] - old.shape[2] if old.ndim == 4 else 0
    if not 0 < missing <= network.look_ahead:
        return old
    return torch.nn.functional.pad(old, (0, 0, 0, missing))


@torch.no_grad()
def _add_nothing(layer: BandLayer) -> None:
    mixes = [layer.mix] if layer.across is None else [layer.mix, layer.across[1]]
    for mix in mixes:
        for parameter in mix.parameters():
            parameter.zero_()
