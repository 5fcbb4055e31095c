"""Make the demo's sample: a voice from espeak-ng, and beside it a fan, mains hum and a keyboard made from numbers.

    python demo/make_sample.py        writes demo/sample_clean.flac and demo/sample_noisy.flac

Needs numpy, soundfile and the program espeak-ng (1.51 made the files in the repository). Nothing is recorded, so
nothing needs a licence. The two files have one length: the noisy one is the clean one plus the noise.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
SNR_DB = 3.0
TEXT = "Here is a voice, next to a fan, and a keyboard. In a moment, you will hear only the voice."
HERE = Path(__file__).parent


def speak(text):
    """Speech, float64, shape (samples,), 16 kHz, peak 0.5, with half a second of pause before and after."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "voice.wav"
        subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "165", "-w", wav, text], check=True)
        samples, rate = soundfile.read(wav)
    samples = resample(samples, rate, RATE)
    pause = np.zeros(RATE // 2)
    return np.concatenate([pause, samples * (0.5 / np.abs(samples).max()), pause])


def resample(samples, rate, new_rate):
    """Cut the spectrum of the whole sound off at the new rate: exact for a sound that starts and ends in silence."""
    length = round(len(samples) * new_rate / rate)
    return np.fft.irfft(np.fft.rfft(samples)[: length // 2 + 1], n=length) * (length / len(samples))


def shaped_noise(rng, length, slope_db, wobble):
    """Noise that falls by slope_db an octave above 200 Hz, its level swaying by a share `wobble` at 1.3 Hz."""
    frequencies = np.fft.rfftfreq(length, 1 / RATE)
    gains = (np.maximum(frequencies, 200) / 200) ** (slope_db / 6.02)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(length)) * gains, n=length)
    time = np.arange(length) / RATE
    return noise / noise.std() * (1 + wobble * np.sin(2 * np.pi * 1.3 * time))


def hum(length, mains_hz=50.0):
    """Mains hum: the first harmonics, falling."""
    time = np.arange(length) / RATE
    return sum(np.sin(2 * np.pi * mains_hz * k * time + k) / k for k in (2, 3, 4, 6, 8))


def keyboard(rng, length):
    """Key strokes: two short bursts of noise each, down and up, at uneven times."""
    strokes = np.zeros(length)
    decay = np.exp(-np.arange(RATE // 25) / (RATE * 0.004))
    at = 0.2
    while (at := at + rng.uniform(0.09, 0.35)) * RATE < length - 2 * RATE // 10:
        for start, loudness in ((at, 1.0), (at + rng.uniform(0.05, 0.08), 0.5)):
            burst = np.diff(rng.standard_normal(decay.size + 1)) * decay
            first = int(start * RATE)
            strokes[first : first + decay.size] += loudness * rng.uniform(0.5, 1) * burst
    return strokes


def main():
    rng = np.random.default_rng(2026)
    clean = speak(TEXT)
    noise = shaped_noise(rng, clean.size, -4.5, 0.15) + 0.35 * hum(clean.size) + 1.5 * keyboard(rng, clean.size)
    noise *= np.sqrt(np.mean(clean**2) / np.mean(noise**2)) * 10 ** (-SNR_DB / 20)
    loudness = 0.9 / np.abs(clean + noise).max()
    for name, samples in (("clean", clean), ("noisy", clean + noise)):
        path = HERE / f"sample_{name}.flac"
        soundfile.write(path, samples * loudness, RATE, subtype="PCM_16")
        print(f"{path}  {clean.size / RATE:.1f} s  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
