"""Made-up material for the evaluation tests: speech-like signals, noise, pairs of files, a network that is a gate."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from onnx import helper

from tests import networks

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


def write_gate(path: Path) -> Path:
    """Write the smallest network that truly denoises: a gain that falls with the magnitude, from 1 at -40 dBFS."""
    nodes = [
        helper.make_node("Mul", ["magnitudes", "slope"], ["rising"]),
        helper.make_node("Clip", ["rising", "zero", "one"], ["gains"]),
        helper.make_node("Identity", ["state"], ["next_state"]),
    ]
    constants = {"slope": np.float32(100), "zero": np.float32(0), "one": np.float32(1)}
    gate = networks.model(nodes, constants, card_text=json.dumps(networks.card(name="gate")))
    path.write_bytes(gate.SerializeToString())
    return path


def write_pairs(folder: Path) -> tuple[Path, Path]:
    """Write two short pairs, a at 0 dB and b at 10 dB, with their conditions; give the clean and the noisy folder."""
    clean_dir, noisy_dir = folder / "clean", folder / "noisy"
    lines = ["file,snr_db,noise"]
    for seed, (name, snr_db) in enumerate((("a", 0), ("b", 10))):
        clean = voice(1.5, pitch_hz=120 + 60 * seed)
        noise_rms = np.sqrt(np.mean(clean**2)) * 10 ** (-snr_db / 20)
        for where, samples in ((clean_dir, clean), (noisy_dir, clean + hiss(clean.size, noise_rms, seed))):
            where.mkdir(parents=True, exist_ok=True)
            soundfile.write(where / f"{name}.flac", 0.5 * samples, RATE)
        lines.append(f"{name},{snr_db},hiss")
    (folder / "conditions.csv").write_text("\n".join(lines) + "\n")
    return clean_dir, noisy_dir
