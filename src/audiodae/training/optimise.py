"""How weights move: the optimiser a recipe names, its learning rate at each step, the running average of weights."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from audiodae.training.recipe import OptimiserSettings


def make_optimiser(parameters: Iterable[nn.Parameter], settings: OptimiserSettings) -> torch.optim.Optimizer:
    """Build the optimiser; its learning rate is set anew at every step."""
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.name == "sgd":
        return torch.optim.SGD(parameters, rate, momentum=settings.momentum, weight_decay=decay)
    if settings.name == "rmsprop":
        return torch.optim.RMSprop(parameters, rate, momentum=settings.momentum, weight_decay=decay)
    if settings.name == "adam":
        return torch.optim.Adam(parameters, rate, weight_decay=decay)
    return torch.optim.AdamW(parameters, rate, weight_decay=decay)


def learning_rate(step: int, steps: int, settings: OptimiserSettings) -> float:
    """The rate at a step: a straight warm-up, then constant or half a cosine down to its final share."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    if settings.schedule == "constant":
        return settings.learning_rate
    done = (step - settings.warmup_steps) / max(steps - settings.warmup_steps, 1)
    share = settings.final_share + (1 - settings.final_share) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
    return settings.learning_rate * share


@torch.no_grad()
def average_weights(average: dict[str, Tensor], current: dict[str, Tensor], step: int, decay: float) -> None:
    """Move the running average a little towards the current weights, in place; counters are copied.

    The decay grows from 0.1 to its full value, so that the average does not remember the random start.
    """
    decay = min(decay, (1 + step) / (10 + step))
    for name, tensor in current.items():
        if tensor.is_floating_point():
            average[name].lerp_(tensor, 1 - decay)
        else:
            average[name].copy_(tensor)


def pack_optimiser(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's memory as named tensors: `optimiser.PARAMETER.NAME`."""
    memory = optimiser.state_dict()["state"]
    return {
        f"optimiser.{number}.{name}": value if isinstance(value, Tensor) else torch.tensor(value)
        for number, of_parameter in memory.items()
        for name, value in of_parameter.items()
        if value is not None
    }


def unpack_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give the optimiser the memory that `pack_optimiser` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        if key.startswith("optimiser."):
            _, number, name = key.split(".", 2)
            state.setdefault(int(number), {})[name] = tensor.clone()
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
