"""Schedules, averages and the optimiser's memory."""

import itertools
import math

import pytest
import torch

from audiodae.training.optimise import average_weights, learning_rate, make_optimiser, pack_optimiser, unpack_optimiser
from audiodae.training.recipe import OptimiserSettings

SETTINGS = OptimiserSettings(learning_rate=1.0, warmup_steps=10, final_share=0.1)


def test_the_rate_warms_up_and_falls_by_half_a_cosine():
    rates = [learning_rate(step, 110, SETTINGS) for step in range(110)]
    assert rates[:10] == pytest.approx([(s + 1) / 10 for s in range(10)])
    assert rates[60] == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.pi / 2)) / 2)
    assert rates[-1] == pytest.approx(0.1, abs=1e-3)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_a_constant_rate_stays():
    settings = OptimiserSettings(learning_rate=0.5, warmup_steps=0, schedule="constant")
    assert {learning_rate(step, 10, settings) for step in range(10)} == {0.5}


def test_the_average_forgets_its_start_and_follows():
    average = {"w": torch.zeros(3), "n": torch.tensor(0)}
    for step in range(200):
        average_weights(average, {"w": torch.ones(3), "n": torch.tensor(step)}, step, 0.9)
    torch.testing.assert_close(average["w"], torch.ones(3), atol=1e-4, rtol=0)
    assert int(average["n"]) == 199


def test_the_average_is_the_recurrence_it_says():
    average = {"w": torch.tensor([2.0])}
    average_weights(average, {"w": torch.tensor([4.0])}, 1000, 0.75)
    assert float(average["w"]) == pytest.approx(0.75 * 2 + 0.25 * 4)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "adamw"])
def test_memory_goes_out_and_comes_back(name):
    def steps(optimiser, weight, count):
        for step in range(count):
            optimiser.zero_grad()
            (weight * torch.arange(1.0, 4.0) * (step + 1)).square().sum().backward()
            optimiser.step()

    settings = OptimiserSettings(name=name, learning_rate=0.01)
    weight = torch.nn.Parameter(torch.ones(3))
    optimiser = make_optimiser([weight], settings)
    steps(optimiser, weight, 3)
    other_weight = torch.nn.Parameter(weight.detach().clone())
    other = make_optimiser([other_weight], settings)
    unpack_optimiser(other, pack_optimiser(optimiser))
    fresh_weight = torch.nn.Parameter(weight.detach().clone())
    fresh = make_optimiser([fresh_weight], settings)
    for pair in ((optimiser, weight), (other, other_weight), (fresh, fresh_weight)):
        steps(*pair, 2)
    assert torch.equal(other_weight, weight)
    assert not torch.equal(fresh_weight, weight)  # control: without memory it goes elsewhere
