"""One system of a benchmark, alone in a process, so that its cold start and its memory are its own.

`python -m audiodae.evaluation.benchmark_run SYSTEM CLEAN_DIR NOISY_DIR OUT` cleans every noisy file into OUT, 32-bit
float WAV of the same length, the system's delay taken out, and prints a line of JSON: `SystemRun`.
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from audiodae.denoiser import Denoiser
from audiodae.evaluation.pairs import Pair, find_pairs, read_pair
from audiodae.evaluation.peers import PEERS, measured_delay

Samples = npt.NDArray[np.float32]
OURS = "audiodae "  # before the name of a network
RATE = 16_000


@dataclass(frozen=True)
class SystemRun:
    """What cleaning cost.

    Attributes
    ----------
    delay_ms : of ours that of a stream, from the card; of the others as measured on clean speech, and taken out
    first_answer_seconds : from the start of the process to the first second of clean sound
    rtf : processing time / sound time, one thread, median over the files, resampling left out
    peak_mb : largest resident memory
    """

    delay_ms: float
    first_answer_seconds: float
    rtf: float
    peak_mb: float


def run_system(system: str, pairs: list[Pair], out: Path, *, started: float) -> SystemRun:
    """Clean every pair's noisy file into OUT/NAME.wav; `started` is when the process was, by time.time()."""
    clean_with, rate, stream_ms = _load(system)
    first, _, _ = read_pair(pairs[0])
    clean_with(_resampled(first[:RATE].astype(np.float32), RATE, rate))
    first_answer = time.time() - started
    at_rate = _resampled(first.astype(np.float32), RATE, rate)
    delay = measured_delay(clean_with(at_rate), at_rate, rate)
    out.mkdir(parents=True, exist_ok=True)
    factors = []
    for pair in pairs:
        _, noisy, _ = read_pair(pair)
        at_rate = _resampled(noisy.astype(np.float32), RATE, rate)
        padded = np.pad(at_rate, (0, delay))  # so that its end comes out too
        before = time.perf_counter()
        estimate = clean_with(padded)
        factors.append((time.perf_counter() - before) * rate / padded.size)
        aligned = _resampled(estimate[delay : delay + at_rate.size], rate, RATE)
        soundfile.write(out / f"{pair.name}.wav", _fitted(aligned, noisy.size), RATE, subtype="FLOAT")
    delay_ms = 1000 * delay / rate if stream_ms is None else stream_ms
    return SystemRun(delay_ms, first_answer, statistics.median(factors), _peak_mb())


def _peak_mb() -> float:
    """The largest resident memory so far. What `getrusage` says counts the process that this one was forked from."""
    status = Path("/proc/self/status")
    if not status.exists():  # not Linux
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _load(system: str) -> tuple[Callable[[Samples], Samples], int, float | None]:
    """The function that cleans, the rate it works at, and of ours the delay of a stream in ms."""
    if system.startswith(OURS):
        denoiser = Denoiser(system.removeprefix(OURS))
        return lambda noisy: denoiser.clean(noisy, RATE), RATE, denoiser.network.card.latency_ms
    peer = PEERS[system]
    return peer.load(), peer.sample_rate, None


def _resampled(samples: Samples, rate: int, to: int) -> Samples:
    if rate == to:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, rate, to), np.float32)


def _fitted(samples: Samples, length: int) -> Samples:
    return np.pad(samples[:length], (0, max(length - samples.size, 0)))


def main(arguments: list[str]) -> None:
    """The command line; the start of the process is its last argument."""
    system, clean_dir, noisy_dir, out, started = arguments
    done = run_system(system, find_pairs(clean_dir, noisy_dir), Path(out), started=float(started))
    print(json.dumps(asdict(done)))


if __name__ == "__main__":
    main(sys.argv[1:])
