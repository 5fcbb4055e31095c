"""Modelled noise of an ECG, for when there are no recordings of it: a row in one table for each kind.

Each is a function of (n_samples, rate_hz, rng) that gives float64 of shape (n_samples,) with a standard deviation of 1.
The kinds bear the names of the MIT-BIH Noise Stress Test Database (Moody, Muldrow, Mark, Computers in Cardiology
11:381-384, 1984), and the shares of their power were laid so as to be like its recordings, in which (two leads, first
14 minutes) lie

    bw   0.98 to 0.99 of the power below 0.5 Hz
    em   0.36 to 0.72 below 0.2 Hz, 0.91 to 0.96 below 5 Hz, 0.98 below 10 Hz
    ma   0.70 to 0.84 below 1 Hz, for the volunteers' baseline wandered too; of the rest half below 25 to 30 Hz

Powerline interference is no kind: `SeriesDrawSettings.powerline_share` adds it.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator


def baseline_wander(n: int, rate_hz: float, rng: Rng) -> Floats:
    """Electrodes and breathing: a random walk and a few slow sines, next to nothing above 0.5 Hz.

    The band of baseline wander ends at about 0.5 Hz at rest (Soernmo and Laguna, "Bioelectrical signal processing in
    cardiac and neurological applications", 2005, ch. 7); breathing has 0.15 to 0.4 Hz.
    """
    corner = rng.uniform(0.03, 0.12)
    walk = _shaped(n, rate_hz, rng, lambda f: 1 / (1 + (f / corner) ** 2) / (1 + (f / 0.4) ** 8))
    breathing = rng.uniform(0.15, 0.4)
    drift = np.cumsum(rng.standard_normal(n)) * (0.3 / math.sqrt(rate_hz))  # of its phase: no clock breathes
    depth = 1 + 0.4 * _shaped(n, rate_hz, rng, lambda f: 1 / (1 + (f / 0.03) ** 4))
    breath = depth * np.sin(2 * np.pi * breathing * np.arange(n) / rate_hz + 0.2 * drift)
    slow = sum(np.sin(2 * np.pi * (rng.uniform(0.02, 0.15) * np.arange(n) / rate_hz + rng.random())) for _ in range(3))
    return _standard(walk + rng.uniform(0, 0.5) * breath + rng.uniform(0, 0.4) * slow)


def electrode_motion(n: int, rate_hz: float, rng: Rng) -> Floats:
    """An electrode that is pushed: steps that die away, bumps as wide as a QRS complex or a T wave, slow wander.

    Its band, mostly below 10 Hz, is the ECG's own (Thakor and Zhu, IEEE Trans. Biomed. Eng. 38(8):785-794, 1991).
    """
    total = rng.uniform(0.5, 1.2) * baseline_wander(n, rate_hz, rng)
    total += rng.uniform(0.3, 0.8) * _standard(_bumps(n, rate_hz, rng))
    total += (
        rng.uniform(0.15, 0.5)
        * _burst_shape(n, rate_hz, rng, seconds=1.5)
        * _shaped(n, rate_hz, rng, lambda f: f / (0.5 + f) / (1 + (f / 2.5) ** 3))
    )
    return _standard(total)


def muscle_artefact(n: int, rate_hz: float, rng: Rng) -> Floats:
    """Muscles under the electrodes: noise with the spectrum of a surface EMG, in bursts, over a little wander.

    The spectrum is that of Shwedyk, Balasubramanian and Scott (IEEE Trans. Biomed. Eng. 24(5):417-424, 1977),
    P(f) = h^4 f^2 / ((f^2 + l^2) (f^2 + h^2)^2), between a low corner l and a high corner h; electrodes far from the
    muscle, as those of an ECG are, lower both.
    """
    low, high = rng.uniform(10, 30), rng.uniform(15, 70)
    emg = _shaped(n, rate_hz, rng, lambda f: high**4 * f**2 / ((f**2 + low**2) * (f**2 + high**2) ** 2))
    emg = _standard(emg * _burst_shape(n, rate_hz, rng, seconds=rng.uniform(0.3, 4)))
    return _standard(emg + rng.uniform(0, 2) * baseline_wander(n, rate_hz, rng))


ECG_NOISES: dict[str, Callable[[int, float, Rng], Floats]] = {
    "bw": baseline_wander,
    "em": electrode_motion,
    "ma": muscle_artefact,
}


def _shaped(n: int, rate_hz: float, rng: Rng, power: Callable[[Floats], Floats]) -> Floats:
    """Gaussian noise with this power at each frequency, none at 0, and a standard deviation of 1."""
    frequency = np.asarray(np.fft.rfftfreq(n, 1 / rate_hz), np.float64)
    gain = np.sqrt(power(frequency))
    gain[0] = 0
    return _standard(np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * gain, n))


def _burst_shape(n: int, rate_hz: float, rng: Rng, *, seconds: float) -> Floats:
    """How strong something is that comes and goes, so many seconds at a time: lognormal, so mostly weak."""
    slow = _shaped(n, rate_hz, rng, lambda f: 1 / (1 + (f * 2 * seconds) ** 4))
    return np.asarray(np.exp(rng.uniform(0.3, 1.2) * slow))


def _bumps(n: int, rate_hz: float, rng: Rng) -> Floats:
    """Pushes at random times that rise in 20 to 150 ms and die away in 0.1 to 2 s, six shapes of them."""
    total = np.zeros(n)
    for _ in range(6):
        pushes = np.zeros(n)
        count = rng.poisson(rng.uniform(0.3, 2) / 6 * n / rate_hz)
        np.add.at(pushes, rng.integers(n, size=count), rng.standard_t(3, count))
        rise, decay = rng.uniform(0.02, 0.15), math.exp(rng.uniform(math.log(0.1), math.log(2)))
        total += _relax(_relax(pushes, rise * rate_hz), decay * rate_hz) * math.sqrt(rate_hz / decay)
    return total


def _relax(values: Floats, samples: float) -> Floats:
    """Let each value die away with a time constant of so many samples; the sum over each is 1."""
    kept = math.exp(-1 / samples)
    return np.asarray(lfilter([1 - kept], [1, -kept], values))


def _standard(noise: Floats) -> Floats:
    return np.asarray((noise - noise.mean()) / max(float(noise.std()), 1e-9))
