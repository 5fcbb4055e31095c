"""Growth: a larger network begins as the smaller one, and then learns what it has besides."""

import pytest
import torch
import torch.nn.functional as F

from audiodae.training.autoencoder import build_autoencoder
from audiodae.training.growth import begin_with
from audiodae.training.recipe import NetworkSettings
from tests.training.test_autoencoder import sound

SMALL = {"widths": (4, 8), "strides": (4, 2), "code": "dual"}


def learnt(**changes):
    torch.manual_seed(3)
    network = build_autoencoder(NetworkSettings(**SMALL | changes))
    for _ in range(3):
        network(sound(), network.initial_state(2))
    return network.eval()


@torch.no_grad()
def gains(network, magnitudes):
    ahead = network.look_ahead
    return network(F.pad(magnitudes, (0, 0, 0, ahead)), network.initial_state(2))[0][:, ahead:]


@pytest.mark.parametrize(
    "more",
    [
        {"dual_layers": (1, 2)},
        {"code_layers": 3},
        {"dual_layers": (0, 1), "code_layers": 2},
        {"kernel": (2, 5)},
        {"kernel": (4, 5), "dual_layers": (0, 1), "code_layers": 3},
    ],
)
def test_what_is_new_changes_nothing(more):
    small, large = learnt(), learnt(**more)
    magnitudes = sound()
    assert (gains(large, magnitudes) - gains(small, magnitudes)).abs().max() > 1e-3  # before: another network
    begin_with(large, small.state_dict())
    torch.testing.assert_close(gains(large, magnitudes), gains(small, magnitudes))


@pytest.mark.parametrize(
    ("less", "more"),
    [({}, {"look_ahead": 3}), ({"look_ahead": 1}, {"look_ahead": 4}), ({}, {"look_ahead": 2, "kernel": (3, 5)})],
)
def test_what_looks_ahead_gives_the_same_gains_later_but_for_what_it_remembers_of_the_start(less, more):
    small, large = learnt(**less), learnt(**more)
    begin_with(large, small.state_dict())
    magnitudes = sound(200)
    difference = (gains(large, magnitudes) - gains(small, magnitudes)).abs().amax(dim=(0, 2))
    assert difference[100:].max() < 1e-3 < difference[0]


def test_every_new_weight_can_learn():
    small, large = learnt(), learnt(dual_layers=(1, 0), kernel=(2, 5), look_ahead=2).train()
    begin_with(large, small.state_dict())
    optimiser = torch.optim.Adam(large.parameters(), 0.01)
    before = {name: value.clone() for name, value in large.named_parameters()}
    for _ in range(2):  # what multiplies zero moves only when that has moved
        optimiser.zero_grad()
        (large(sound(), large.initial_state(2))[0] * torch.linspace(-1, 1, 257)).mean().backward()
        optimiser.step()
    assert all(not torch.equal(before[name], value) for name, value in large.named_parameters() if "gru" in name)
    for layer in (*large.encoder.layers, *large.decoder.layers):
        assert (layer.conv.conv.weight.abs().amax(dim=(0, 1, 3)) > 0).all()


def test_weights_of_another_network_are_refused():
    with pytest.raises(RuntimeError, match="size mismatch"):
        begin_with(learnt(), learnt(widths=(4, 6)).state_dict())
    for large in ({"kernel": (2, 5)}, {"look_ahead": 1}):  # it does not shrink
        with pytest.raises(RuntimeError, match="size mismatch"):
            begin_with(learnt(), learnt(**large).state_dict())
    with pytest.raises(RuntimeError, match="Unexpected key"):
        begin_with(learnt(), learnt(code_layers=2).state_dict())
