"""The judge of an ablation: the same measures on the same examples for every row, and what its network costs.

The validation examples are those of the base, also of rows that were trained on other mixtures; the loss is that of the
default recipe, also of rows that were trained by another.
"""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import torch

from audiodae.denoiser import Denoiser
from audiodae.frames import NETWORK_BINS, FrameGeometry
from audiodae.network import Network
from audiodae.prep.decode import SAMPLE_RATE
from audiodae.prep.draws import DrawSettings
from audiodae.training.autoencoder import Autoencoder
from audiodae.training.data import Share, feed, make_pairs
from audiodae.training.export import load_network
from audiodae.training.recipe import LossSettings, Recipe
from audiodae.training.run_folder import RunFolder, read_checkpoint
from audiodae.training.sound_task import SoundTask
from audiodae.training.spectra import Frames
from audiodae.training.task import Batch

WEIGHTS = LossSettings()
TERMS = msgspec.structs.replace(WEIGHTS, pesq=1.0)  # measured, and no part of the loss
CPU = torch.device("cpu")
HOPS, ROUNDS, SECONDS = 200, 6, 10


class Judge:
    """Measures finished runs on the validation examples of a recipe, which are mixed once.

    Parameters
    ----------
    recipe : of the base
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        size = min(recipe.run.batch_size, recipe.data.valid_examples)
        pairs = make_pairs(recipe, split="valid", batch_size=size, share=Share(), device=CPU)
        count = max(recipe.data.valid_examples // size, 1)
        self._batches: list[Batch] = list(feed(pairs, range(count), workers=0, device=CPU))
        self._task = SoundTask(Frames(FrameGeometry.for_rate(SAMPLE_RATE), CPU), TERMS)

    def has_examples_of(self, recipe: Recipe) -> bool:
        """Whether another recipe's validation examples are these."""
        return _examples(recipe) == _examples(self._recipe)

    def measure(self, folder: RunFolder, exported: Path) -> dict[str, float]:
        """Quality of the best weights of a run, and cost of the network file that was made of them.

        Returns
        -------
        measures : loss, compressed, complex, pesq (distances), si_sdr_db and noisy_si_sdr_db; parameters; hop_ms and
            rtf, processor time of one thread
        """
        weights, _ = read_checkpoint(folder.best)
        network = load_network(folder.recipe(), weights)
        assert isinstance(network, Autoencoder)
        look = self._task.look(network, self._batches)
        found = {name: value for name, value in look.figures.items() if value is not None}
        found |= {name: look.terms[name] for name in ("compressed", "complex", "pesq")}
        found["loss"] = sum(getattr(WEIGHTS, name) * value for name, value in look.terms.items())
        found["parameters"] = sum(parameter.numel() for parameter in network.parameters())
        return found | cost(exported)


def cost(exported: Path) -> dict[str, float]:
    """Milliseconds of a hop, streamed frame by frame, and the real-time factor of whole sounds; processor time."""
    network, denoiser = Network.load(exported), Denoiser(exported)
    rng = np.random.default_rng(0)
    frames = rng.uniform(0, 0.1, (HOPS, 1, 1, NETWORK_BINS)).astype(np.float32)
    sound = rng.normal(0, 0.1, SAMPLE_RATE * SECONDS).astype(np.float32)

    def stream() -> None:
        state = network.initial_state(1)
        for frame in frames:
            _, state = network.run(frame, state)

    return {
        "hop_ms": 1000 * _processor_seconds(stream) / HOPS,
        "rtf": _processor_seconds(lambda: denoiser.clean(sound, SAMPLE_RATE)) / SECONDS,
    }


def _processor_seconds(work: Callable[[], object]) -> float:
    """The best of a few rounds: what else the machine does only makes them longer."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def _examples(recipe: Recipe) -> tuple[DrawSettings, int]:
    """What a recipe's validation examples are like, and how many whole batches hold."""
    size = min(recipe.run.batch_size, recipe.data.valid_examples)
    return recipe.data.mix, recipe.data.valid_examples // size * size
