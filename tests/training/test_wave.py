"""The autoencoder for series."""

import numpy as np
import pytest
import torch

from audiodae.training.recipe import WaveSettings
from audiodae.training.wave import RunningLevel, WaveAutoencoder

SMALL = WaveSettings(rate_hz=100.0, step=4, width=12, dilations=(1, 2, -4), level_ahead=3)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return WaveAutoencoder(SMALL).eval()


def series(rows=2, samples=400, seed=0):
    swing = np.random.default_rng(seed).normal(0, 0.1, (rows, samples, 1)).cumsum(axis=1)
    return torch.from_numpy((swing - swing[:, :1]).astype(np.float32))


def run(network, samples, piece=None):
    """All that comes out, and the last state."""
    state, made = network.initial_state(len(samples)), []
    with torch.no_grad():
        for start in range(0, samples.shape[1], piece or samples.shape[1]):
            answer, state = network(samples[:, start : start + (piece or samples.shape[1])], state)
            made.append(answer)
    return torch.cat(made, dim=1), state


@pytest.mark.parametrize("piece", [4, 20, 100])
def test_pieces_give_what_the_whole_gives(network, piece):
    samples = series()
    whole, last = run(network, samples)
    pieces, last_of_pieces = run(network, samples, piece)
    torch.testing.assert_close(pieces, whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(last_of_pieces, last, atol=1e-5, rtol=1e-5)


def test_a_forgotten_state_is_noticed(network):
    """Control."""
    samples = series()
    whole, _ = run(network, samples)
    with torch.no_grad():
        second, _ = network(samples[:, 200:], network.initial_state(2))
    assert (second - whole[:, 200:]).abs().max() > 1e-3


def test_nothing_sees_further_ahead_than_the_delay_says(network):
    samples = series()
    changed = samples.clone()
    changed[:, 200:] += 1
    difference = (run(network, changed)[0] - run(network, samples)[0]).abs().amax(dim=(0, 2))
    assert difference[:200].max() == 0
    # The sample that comes out 200 after the start belongs to one `delay` before: it has seen what came since.
    assert difference[200 : 200 + network.delay].max() > 0


def test_the_delay_is_where_a_share_of_the_input_comes_out(network):
    """With its weights at zero all that is left is the gate, half open: half of each of two answers of a half."""
    with torch.no_grad():
        for layer in (network.correct[-1], network.gate):
            layer.weight.zero_()
            layer.bias.zero_()
    samples = series()
    made, _ = run(network, samples)
    torch.testing.assert_close(made[:, network.delay :], samples[:, : -network.delay] / 2, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("unit", [1e-4, 1.0, 3e4])
def test_the_unit_does_not_matter(network, unit):
    samples = series()
    torch.testing.assert_close(run(network, samples * unit)[0] / unit, run(network, samples)[0], atol=1e-5, rtol=1e-4)


def test_a_flat_series_stays_flat(network):
    made, state = run(network, torch.zeros(1, 200, 1))
    assert made.abs().max() == 0
    assert torch.isfinite(state).all()


def test_the_level_is_the_mean_over_what_is_remembered():
    level = RunningLevel(step=4, frames=25.0)
    samples = series(rows=1)
    with torch.no_grad():
        found, _ = level(samples, torch.zeros(1, level.state_size))
    energy = np.diff(samples[0, :, 0].numpy(), prepend=0.0).astype(np.float64) ** 2
    of_frames = energy.reshape(-1, 4).mean(axis=1)
    weights = np.exp(-np.arange(len(of_frames))[::-1] / 25.0)
    wanted = 8 * np.sqrt((weights * of_frames).sum() / weights.sum())
    assert float(found[0, -1, 0]) == pytest.approx(wanted, rel=1e-5)
    assert float(found[0, 0, 0]) == pytest.approx(8 * np.sqrt(of_frames[0]), rel=1e-5)


def test_a_block_that_looks_back_costs_no_delay():
    ahead = WaveAutoencoder(SMALL)
    longer = WaveAutoencoder(WaveSettings(rate_hz=100.0, step=4, width=12, dilations=(1, 2, -4, -8), level_ahead=3))
    assert longer.delay == ahead.delay
    assert ahead.delay == 4 * (3 + 1 + 1 + 2)
