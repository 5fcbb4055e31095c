"""What is tried on a damaged network file: it is loaded, and where that goes well, run."""

import random
from pathlib import Path

import numpy as np
import onnx

from audiodae.errors import NetworkError
from audiodae.network import Network, shipped_networks
from tests import networks
from tests.fuzz.mutation import mutated

LARGE = 64  # bytes of a tensor that are weights and not structure


class NetworkTrials:
    """The input of a number, always the same, and what becomes of it."""

    def __init__(self) -> None:
        made = [networks.constant(0.5), networks.smoothing(), networks.recurrent()]
        self.seeds = [model.SerializeToString() for model in made]
        # The larger takes longest and is much like the smallest of the shipped: one in ten.
        self.seeds = self.seeds * 3 + [shipped_networks()["speech-tiny"].read_bytes()]
        self._spots = [structure(seed) for seed in self.seeds]

    def content(self, number: int) -> bytes:
        """Give the bytes of an input."""
        which = number % len(self.seeds)
        return mutated(self.seeds[which], self.seeds, random.Random(number), self._spots[which])

    def __call__(self, number: int, folder: Path) -> str:
        """Try an input; "network", "refused", or what is wrong."""
        try:
            network = Network.from_bytes(self.content(number), source="here.onnx")
            magnitudes = np.full((3, 7, network.n_bins), 0.1, np.float32)
            gains, state = network.run(magnitudes, network.initial_state(3))
        except NetworkError as error:
            text = str(error)
            told = text.isprintable() and len(text) < 600 and text.startswith(("here.onnx: ", "the network failed: "))
            return "refused" if told else f"badly told: {text!r}"
        fits = gains.shape == magnitudes.shape and state.shape == (3, network.state_size)
        return "network" if fits else f"shapes: {gains.shape}, {state.shape}"


def structure(content: bytes) -> list[int]:
    """Give the places of a network file that are not weights."""
    is_structure = np.ones(len(content), bool)
    for tensor in onnx.load_from_string(content).graph.initializer:
        if len(tensor.raw_data) > LARGE:
            start = content.index(tensor.raw_data)
            is_structure[start : start + len(tensor.raw_data)] = False
    return np.flatnonzero(is_structure).tolist()
