"""The whole network: the same in pieces as whole, blind to the future, within its bounds, in every make."""

import pytest
import torch

from audiodae.frames import NETWORK_BINS
from audiodae.training.autoencoder import build_autoencoder, from_log_features, log_features
from audiodae.training.recipe import NetworkSettings

FRAMES = 20
MAKES = {
    "conv2d-gru": {"widths": (4, 6, 8)},
    "conv2d-gru-past": {"widths": (4, 6, 8), "kernel": (3, 5), "code_layers": 2, "band_layers": 0},
    "conv2d-none": {"widths": (4, 6, 8), "kernel": (2, 5), "code": "none"},
    "conv2d-dual": {"widths": (4, 8), "strides": (4, 2), "code": "dual", "code_layers": 2},
    "conv2d-dual-layers": {"widths": (4, 8), "strides": (4, 2), "dual_layers": (1, 2), "kernel": (2, 5)},
    "conv2d-ahead": {"widths": (4, 8), "strides": (4, 2), "dual_layers": (0, 1), "code": "dual", "look_ahead": 3},
    "conv2d-no-skips": {"widths": (4, 6, 8), "skips": False, "normalisation": "none", "activation": "relu"},
    "conv2d-channel": {"widths": (4, 6, 8), "normalisation": "channel", "activation": "prelu"},
    "conv2d-magnitude": {"widths": (4, 6, 8), "output": "magnitude", "dropout": 0.3},
    "conv1d-none": {"body": "conv1d", "widths": (16, 16), "dilations": (1, 3), "kernel": (3, 1), "code": "none"},
    "conv1d-gru": {"body": "conv1d", "widths": (16, 16), "dilations": (1, 3), "kernel": (3, 1), "activation": "elu"},
    "conv1d-magnitude": {
        "body": "conv1d", "widths": (16,), "dilations": (2,), "kernel": (3, 1), "output": "magnitude"
    },
}  # fmt: skip


@pytest.fixture(params=MAKES)
def network(request):
    torch.manual_seed(3)
    network = build_autoencoder(NetworkSettings(code_width=12, **MAKES[request.param]))
    # A few steps in training mode, so that batch normalisation has statistics to speak of.
    for _ in range(3):
        network(sound(), network.initial_state(2))
    return network.eval()


def sound(frames=FRAMES):
    return 10 ** torch.empty(2, frames, NETWORK_BINS).uniform_(-6, 0)


def run(network, magnitudes, piece):
    state = network.initial_state(len(magnitudes))
    made = []
    for part in magnitudes.split(piece, dim=1):
        gains, state = network(part, state)
        made.append(gains)
    return torch.cat(made, dim=1)


@torch.no_grad()
@pytest.mark.parametrize("piece", [1, 7])
def test_pieces_give_what_the_whole_gives(network, piece):
    magnitudes = sound()
    whole = run(network, magnitudes, FRAMES)
    assert whole.shape == magnitudes.shape
    torch.testing.assert_close(run(network, magnitudes, piece), whole, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_forgotten_state_is_noticed(network):
    """Control: starting anew in the middle gives something else."""
    magnitudes = sound()
    fresh = torch.cat([run(network, part, 10) for part in magnitudes.split(10, dim=1)], dim=1)
    assert not torch.allclose(fresh, run(network, magnitudes, FRAMES), atol=1e-4)


@torch.no_grad()
def test_a_gain_does_not_depend_on_later_frames(network):
    magnitudes = sound()
    changed = torch.cat([magnitudes[:, :12], sound(FRAMES - 12)], dim=1)
    before, after = run(network, magnitudes, FRAMES), run(network, changed, FRAMES)
    torch.testing.assert_close(after[:, :12], before[:, :12], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(after[:, 12], before[:, 12], atol=1e-4)


@torch.no_grad()
def test_streams_of_a_batch_do_not_mix(network):
    magnitudes = sound()
    both = run(network, magnitudes, FRAMES)
    torch.testing.assert_close(run(network, magnitudes[:1], FRAMES), both[:1], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_gains_are_finite_for_silence_and_beyond_full_scale(network):
    for magnitudes in (torch.zeros(1, 4, NETWORK_BINS), torch.full((1, 4, NETWORK_BINS), 100.0)):
        gains, _ = network(magnitudes, network.initial_state(1))
        assert torch.isfinite(gains).all()
        assert gains.min() >= 0


@torch.no_grad()
def test_gains_stay_between_the_floor_and_one():
    torch.manual_seed(3)
    network = build_autoencoder(NetworkSettings(widths=(4, 6, 8), gain_floor_db=-20.0)).eval()
    said = network.decoder.layers[-1].conv.conv.bias
    for bias, gain in ((-50.0, 0.1), (50.0, 1.0)):  # all noise, all speech
        said.fill_(bias)
        gains, _ = network(sound(), network.initial_state(2))
        assert gains.min() >= 0.1 - 1e-6
        assert gains.max() <= 1.0
        torch.testing.assert_close(gains, torch.full_like(gains, gain), atol=1e-4, rtol=0)


@torch.no_grad()
def test_a_regressed_magnitude_leaves_as_a_bounded_gain():
    torch.manual_seed(3)
    network = build_autoencoder(NetworkSettings(widths=(4, 6, 8), output="magnitude"))
    with torch.no_grad():
        network.decoder.layers[-1].conv.conv.bias.fill_(5.0)
    trained, _ = network.train()(sound(), network.initial_state(2))
    shipped, _ = network.eval()(sound(), network.initial_state(2))
    assert trained.max() > 10  # training sees the error in full
    assert shipped.max() <= 2.0


@torch.no_grad()
def test_without_skips_the_code_is_all_that_gets_through():
    torch.manual_seed(3)
    sizes = {"widths": (4, 6, 8), "code": "none", "code_width": 2}
    for skips, rank in ((False, 2), (True, None)):
        network = build_autoencoder(NetworkSettings(skips=skips, **sizes)).eval()
        coded, _ = network.code(torch.randn(1, 8, 50, 17), network.initial_state(1)[:, :0])
        found = int(torch.linalg.matrix_rank((coded - coded.mean(dim=2, keepdim=True)).permute(2, 0, 1, 3).flatten(1)))
        assert (found == rank) if rank else (found > 10)


def test_every_weight_learns(network):
    network.train()
    gains, _ = network(sound(), network.initial_state(2))
    (gains * torch.randn_like(gains)).sum().backward()
    silent = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # A bias before batch normalisation is taken out again by it.
    assert [name for name in silent if not name.endswith("conv.conv.bias") and "bias_hh" not in name] == []


def test_log_features_go_there_and_back():
    magnitudes = torch.logspace(-5.9, 0, 50)
    torch.testing.assert_close(from_log_features(log_features(magnitudes)), magnitudes, rtol=1e-4, atol=0)
    assert -1.01 < float(log_features(torch.zeros(1))) < -0.99


def test_the_seed_decides_the_weights():
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(build_autoencoder(NetworkSettings(widths=(4, 6, 8))).state_dict()["code.parts.0.squeeze.weight"])
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
