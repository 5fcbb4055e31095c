"""Made-up speech-like signals for the evaluation tests: harmonics under a syllable rhythm, and noise."""

import numpy as np
import numpy.typing as npt

RATE = 16_000


def voice(seconds: float = 2.0, pitch_hz: float = 120.0) -> npt.NDArray[np.float64]:
    """A buzz with a gliding pitch, three formants and four syllables a second, peak below 0.5."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(pitch_hz * (1 + 0.2 * np.sin(2 * np.pi * 0.7 * time))) / RATE
    harmonics = np.arange(1, 40)
    formants = sum(
        height * np.exp(-(((harmonics * pitch_hz - centre) / 250) ** 2))
        for centre, height in ((600, 1.0), (1700, 0.5), (2800, 0.25))
    )
    buzz = np.sin(harmonics[:, None] * phase).T @ (formants + 0.01)
    syllables = np.maximum(np.sin(2 * np.pi * 4 * time), 0) ** 0.5 * (0.6 + 0.4 * np.sin(2 * np.pi * 0.9 * time))
    samples = buzz * syllables
    return np.asarray(0.45 * samples / np.abs(samples).max())


def hiss(n_samples: int, rms: float, seed: int = 0) -> npt.NDArray[np.float64]:
    """White noise."""
    return rms * np.random.default_rng(seed).standard_normal(n_samples)
