"""Clean a sound, show what it did: `make demo`, or `make demo IN=my.wav`.

Writes noisy.wav, clean.wav and before_after.png beside this file. Uses what `pip install "audiodae[plot]"` brings.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

from audiodae import AudiodaeError, Denoiser
from audiodae.audio import AudioReader
from audiodae.evaluation.metrics import si_sdr
from audiodae.plots import draw_before_after

HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sound", nargs="?", help="a sound file; the bundled sample without it")
    sound = parser.parse_args().sound
    try:
        run(sound)
    except AudiodaeError as error:
        sys.exit(f"demo: {error}")


def run(sound):
    """Clean, draw, and print what is known."""
    noisy, rate = read(sound or HERE / "sample_noisy.flac")
    denoiser = Denoiser()
    started = time.perf_counter()
    clean = denoiser.clean(noisy, sample_rate=rate)
    seconds = time.perf_counter() - started

    for name, samples in (("noisy", noisy), ("clean", clean)):
        soundfile.write(HERE / f"{name}.wav", samples, rate, subtype="PCM_16")
    draw_before_after(HERE / "before_after.png", noisy=noisy, cleaned=clean, sample_rate=rate)

    duration = len(noisy) / rate
    print(describe(denoiser, noisy, rate, sound))
    print(known_of_any(noisy, clean, rate) if sound else gained_on_sample(noisy, clean))
    print(
        f"speed    {duration:.1f} s of sound in {seconds:.3f} s on one core: real-time factor {seconds / duration:.4f}"
    )
    for label, name in (("listen", "noisy.wav"), ("", "clean.wav"), ("look", "before_after.png")):
        print(f"{label:8} {HERE / name}")


def read(path):
    """Samples, float32, shape (samples, channels) or (samples,), and their rate, Hz."""
    with AudioReader(path) as reader:
        rate = reader.format.sample_rate
        samples = np.concatenate([np.zeros((0, reader.format.channels), np.float32), *reader.blocks(60 * rate)])
    if samples.size == 0:
        raise AudiodaeError(f"{path}: the sound has no samples")
    return np.nan_to_num(samples[:, 0] if samples.shape[1] == 1 else samples), rate


def describe(denoiser, noisy, rate, sound):
    """What was cleaned, with what."""
    channels = noisy.shape[1] if noisy.ndim == 2 else 1
    card = denoiser.network.card
    what = f"{sound or 'the bundled sample'}: {rate} Hz, {channels} channel{'s' if channels > 1 else ''}"
    return f"sound    {what}\nnetwork  {card.name} {card.version}"


def gained_on_sample(noisy, clean):
    """The SI-SDR before and after: the sample's clean voice is known."""
    reference, _ = read(HERE / "sample_clean.flac")
    before, after = si_sdr(estimate=noisy, clean=reference), si_sdr(estimate=clean, clean=reference)
    return f"SI-SDR   {before:.1f} dB before, {after:.1f} dB after: {after - before:+.1f} dB"


def known_of_any(noisy, clean, rate):
    """Without the clean sound no SI-SDR can be told; how far the pauses fell, and the loud parts, can."""
    lines = []
    for label, share in (("pauses", 0.1), ("loudest", 0.95)):
        before, after = (np.quantile(levels_dbfs(samples, rate), share) for samples in (noisy, clean))
        lines.append(f"{label:8} {before:.1f} dBFS before, {after:.1f} dBFS after: {after - before:+.1f} dB")
    return "\n".join(lines)


def levels_dbfs(samples, rate):
    """The RMS level of every 50 ms, dBFS, -120 for silence; channels are averaged in power."""
    power = np.square(samples.reshape(len(samples), -1)).mean(axis=1)
    starts = np.arange(0, len(power), max(rate // 20, 1))
    mean_power = np.add.reduceat(power, starts) / np.diff(starts, append=len(power))
    return 10 * np.log10(np.maximum(mean_power, 1e-12))


if __name__ == "__main__":
    main()
