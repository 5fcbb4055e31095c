"""Clean a sound of many hours and tell how much memory that took: `python -m tests.long.memory [HOURS]`.

The input is 48 kHz stereo, 16 bits; most of it is a hole in the disk, so it takes no room. The output takes 690 MB an
hour. Beyond 6.2 hours both are RF64. Ends with exit code 1 where the bar of 300 MB is passed or a sample is missing.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from audiodae.audio_format import AudioFormat
from audiodae.wav_stream import to_bytes, write_wav_header

RATE, CHANNELS = 48_000, 2
BAR_MB = 300
NOISE = np.random.default_rng(0).normal(0, 0.05, (RATE, CHANNELS)).astype(np.float32)


def write_long(path: Path, n_samples: int) -> None:
    """A second of noise at the beginning and at the end, silence between."""
    audio_format = AudioFormat("WAV", "PCM_16", "FILE", RATE, CHANNELS)
    noise, _ = to_bytes(NOISE, audio_format.coding)
    with path.open("wb") as file:
        header = write_wav_header(audio_format, n_samples)
        file.write(header + noise)
        file.seek(len(header) + n_samples * CHANNELS * 2 - len(noise))
        file.write(noise)


def main(hours: float = 10.0) -> int:
    n_samples = round(hours * 3600 * RATE)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.wav", Path(folder) / "out.wav"
        write_long(source, n_samples)
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "audiodae", "clean", source, target, "--limit-db", "20"], check=True)
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak = used.ru_maxrss / 1024  # kB on Linux
        written = soundfile.info(target)
        with soundfile.SoundFile(target) as file:
            file.seek(n_samples - RATE)
            end = file.read()
    cpu = used.ru_utime + used.ru_stime
    whole = written.frames == n_samples and np.corrcoef(end[:, 0], NOISE[:, 0])[0, 1] > 0.3
    print(
        f"{hours:g} h of 48 kHz stereo: {peak:.0f} MB at most (bar {BAR_MB}), {written.format}, "
        f"{'every sample there' if whole else 'SAMPLES MISSING'}; "
        f"{hours * 3600 / cpu:.0f} x real time by the processor's clock, {hours * 3600 / seconds:.0f} x by the wall's"
    )
    return 0 if whole and peak < BAR_MB else 1


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:2])))
