"""Recordings of series as files, made in code."""

import numpy as np
import wfdb

from tests.prep.series.made_series import RATE, pulses


def write_record(folder, name, *, seconds=12, rate=RATE, seed=1, leads=1, beats=True):
    """A WFDB record of pulses over a slow drift, with annotations of its beats and one that is none."""
    folder.mkdir(parents=True, exist_ok=True)
    values, peaks = pulses(seconds * rate, np.random.default_rng(seed), round(0.8 * rate))
    drift = 2 * np.sin(2 * np.pi * 0.1 * np.arange(len(values)) / rate)
    signal = np.stack([(lead + 1) * values + drift for lead in range(leads)], axis=1)
    names = ["MLII", "V1", "V5"][:leads]
    wfdb.wrsamp(name, rate, ["mV"] * leads, names, signal, fmt=["16"] * leads, write_dir=str(folder))
    if beats:
        symbols = ["+", *["N"] * len(peaks)]
        wfdb.wrann(name, "atr", np.array([0, *peaks]), symbol=symbols, write_dir=str(folder))
    return signal, peaks


def write_noise(folder, name, *, seconds=30, seed=1, leads=2):
    """A WFDB record of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    signal = np.random.default_rng(seed).standard_normal((seconds * RATE, leads))
    names = [f"noise{lead}" for lead in range(leads)]
    wfdb.wrsamp(name, RATE, ["mV"] * leads, names, signal, fmt=["16"] * leads, write_dir=str(folder))
    return signal
