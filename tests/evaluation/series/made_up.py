"""Made-up material for the tests of ECG evaluation: hearts, noises, WFDB records of them, sets, cleaners."""

from pathlib import Path

import numpy as np
import wfdb

RATE = 360
SECONDS = 12
WAVES = ((-0.20, 0.15, 0.025), (-0.03, -0.1, 0.01), (0.0, 1.2, 0.012), (0.03, -0.25, 0.012), (0.25, 0.3, 0.05))


def heart(seconds=SECONDS, seed=0):
    """An ECG in mV and its R peaks: a bump for each wave, beats at about 75 a minute."""
    rng = np.random.default_rng(seed)
    peaks = np.cumsum(rng.normal(0.8, 0.04, int(seconds / 0.6)))
    peaks = np.round(peaks[peaks < seconds - 0.3] * RATE).astype(int)
    time = np.arange(round(seconds * RATE)) / RATE
    ecg = np.zeros(time.size)
    for peak in peaks:
        for after, height, width in WAVES:
            ecg += height * np.exp(-0.5 * ((time - peak / RATE - after) / width) ** 2)
    return ecg, peaks


def noise(seed, smooth=1, seconds=2 * SECONDS):
    """Two leads of noise, the slower the larger `smooth`."""
    white = np.random.default_rng(seed).standard_normal((round(seconds * RATE) + smooth, 2))
    slow = np.stack([np.convolve(lead, np.ones(smooth) / np.sqrt(smooth), "valid") for lead in white.T], axis=1)
    return slow[: round(seconds * RATE)] + 0.3


def write_record(folder, name, leads, peaks=None, *, rate=RATE, symbols=None):
    """Write a WFDB record, with annotations where there are peaks."""
    folder.mkdir(parents=True, exist_ok=True)
    n_leads = leads.shape[1]
    wfdb.wrsamp(
        name,
        fs=rate,
        units=["mV"] * n_leads,
        sig_name=[f"lead{lead}" for lead in range(n_leads)],
        p_signal=leads,
        fmt=["16"] * n_leads,
        write_dir=str(folder),
    )
    if peaks is not None:
        wfdb.wrann(name, "atr", np.asarray(peaks), symbol=symbols or ["N"] * len(peaks), write_dir=str(folder))


def write_folders(folder):
    """Two records, 7a and 8b, and the noises bw, em and ma; give both folders."""
    folder = Path(folder)
    for seed, name in enumerate(("7a", "8b")):
        ecg, peaks = heart(seed=seed)
        drift = 0.2 * np.sin(2 * np.pi * 0.2 * np.arange(ecg.size) / RATE)
        write_record(folder / "records", name, np.stack([ecg + drift, 0 * ecg], axis=1), peaks)
    for seed, (name, smooth) in enumerate((("bw", 700), ("em", 60), ("ma", 1)), 10):
        write_record(folder / "noise", name, noise(seed, smooth))
    return folder / "records", folder / "noise"


class Scaled:
    """A cleaner that multiplies; by 1 it gives back what it got."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def clean(self, samples, sample_rate):
        assert sample_rate == RATE
        return (self.gain * samples).astype(np.float32)
