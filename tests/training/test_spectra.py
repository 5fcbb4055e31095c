"""The frames of training are the frames of the runtime."""

import numpy as np
import pytest
import torch

from audiodae import frames
from audiodae.frames import FrameGeometry
from audiodae.training.spectra import Frames

GEOMETRY = FrameGeometry.for_rate(16_000)


@pytest.mark.parametrize("length", [1, 255, 256, 257, 4000])
def test_torch_analyses_as_the_runtime_does(length):
    samples = np.random.default_rng(0).uniform(-1, 1, (2, length)).astype(np.float32)
    made = Frames(GEOMETRY, torch.device("cpu")).analyse(torch.from_numpy(samples))
    np.testing.assert_allclose(made.numpy(), frames.analyse(samples, GEOMETRY), atol=2e-6)


def test_torch_synthesises_as_the_runtime_does():
    rng = np.random.default_rng(1)
    spectrum = frames.analyse(rng.uniform(-1, 1, (2, 4000)).astype(np.float32), GEOMETRY)
    spectrum *= rng.uniform(0, 1, spectrum.shape).astype(np.float32)
    made = Frames(GEOMETRY, torch.device("cpu")).synthesise(torch.from_numpy(spectrum), 4000)
    np.testing.assert_allclose(made.numpy(), frames.synthesise(spectrum, GEOMETRY, 4000), atol=2e-6)


def test_another_window_is_noticed():
    """Control: with a Hann window instead of its square root the two differ."""
    samples = torch.rand(1, 4000)
    made = Frames(GEOMETRY, torch.device("cpu"))
    made.window = torch.hann_window(GEOMETRY.n_fft)
    assert not np.allclose(made.analyse(samples).numpy(), frames.analyse(samples.numpy(), GEOMETRY), atol=1e-3)


def test_gradients_flow_through_both():
    there_and_back = Frames(GEOMETRY, torch.device("cpu"))
    samples = torch.rand(1, 1000, requires_grad=True)
    there_and_back.synthesise(there_and_back.analyse(samples), 1000).square().sum().backward()
    torch.testing.assert_close(samples.grad, 2 * samples.detach(), atol=1e-4, rtol=1e-4)
