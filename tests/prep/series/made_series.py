"""Small banks and recordings of series, made in code."""

import numpy as np

from audiodae.prep.series.bank import SeriesBank, SeriesHeader, write_series_bank

RATE = 360


def pulses(n, rng, period=300):
    """A narrow peak every so often over a slow wave, and where the peaks are."""
    beats = np.arange(120, n - 20, period) + rng.integers(-10, 10, len(np.arange(120, n - 20, period)))
    times = np.arange(n)
    values = 0.1 * np.sin(2 * np.pi * times / 250)
    for beat in beats:
        values += np.exp(-0.5 * ((times - beat) / 4) ** 2)
    return values, beats.astype(np.int64)


def make_bank(path, *, kinds=("bw", "em", "ma"), with_beats=True, samples=20_000, noisy_only=False):
    """Three recordings of pulses, and noises of two leads whose first is slow and second white."""
    rng = np.random.default_rng(7)
    made = {f"patient{number}": pulses(samples, rng, 250 + 40 * number) for number in range(3)}
    noise = {}
    for kind in kinds:
        slow = np.cumsum(rng.standard_normal(samples))
        noise[kind] = {kind: np.stack([slow - slow.mean() + 50, rng.standard_normal(samples)], axis=1)}
    write_series_bank(
        path,
        SeriesHeader(rate_hz=RATE, unit="mV", noisy_only=noisy_only),
        clean={name: values for name, (values, _) in made.items()},
        noise=noise,
        beats={name: beats for name, (_, beats) in made.items()} if with_beats else None,
    )
    return SeriesBank.load(path)
