"""Scoring: what each system makes of each pair, measured; in one process or several.

Systems
-------
noisy     what goes in
cleaned   what `Denoiser.clean` makes of it
oracle    the clean magnitude with the noisy phase: what gains on magnitudes can reach at best
clean in  what `Denoiser.clean` makes of the clean file: the harm done where nothing had to be done
"""

import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from audiodae.denoiser import Denoiser
from audiodae.errors import SignalError
from audiodae.evaluation import metrics
from audiodae.evaluation.oracle import oracle_estimate
from audiodae.evaluation.pairs import Pair, read_pair

SYSTEMS = ("noisy", "cleaned", "oracle", "clean in")
METRICS = {"pesq_wb": "PESQ-WB", "stoi": "STOI", "estoi": "ESTOI", "si_sdr_db": "SI-SDR (dB)"}
BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class FileScore:
    """What one system made of one pair: metrics by name, keys as in METRICS."""

    pair: Pair
    system: str
    metrics: Mapping[str, float]


def score_pairs(
    pairs: Sequence[Pair],
    model: str | Path | None = None,
    *,
    jobs: int | None = None,
    systems: Sequence[str] = SYSTEMS,
    cleaned_dir: Path | None = None,
) -> Iterator[list[FileScore]]:
    """Score every pair, in order, the scores of one pair at a time.

    Parameters
    ----------
    pairs : mono, at 16 kHz (wide-band PESQ knows no other rate)
    model : name or path of a network; None for the default one
    jobs : processes to score in, or None for this one; the scores do not depend on it
    systems : which of SYSTEMS to score
    cleaned_dir : where to keep the cleaned sounds as 32-bit float WAV; None keeps none

    Raises
    ------
    SignalError, AudioFileError
        A file cannot be read or scored; the message names it.
    NetworkError
        The network cannot be loaded.
    """
    if jobs is None:
        score = partial(score_pair, denoiser=Denoiser(model), systems=systems, cleaned_dir=cleaned_dir)
        yield from map(score, pairs)
        return
    in_worker = partial(_score_in_worker, model=model, systems=systems, cleaned_dir=cleaned_dir)
    # Spawned, not forked: onnxruntime's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        with one_thread_in_children():
            scored = pool.map(in_worker, pairs)  # starts all processes
        yield from scored


def score_pair(
    pair: Pair, *, denoiser: Denoiser, systems: Sequence[str] = SYSTEMS, cleaned_dir: Path | None = None
) -> list[FileScore]:
    """Score what each system makes of one pair. Parameters and errors as in `score_pairs`."""
    clean, noisy, sample_rate = read_pair(pair)
    scores = []
    for system in systems:
        estimate = _estimate(system, clean, noisy, sample_rate, denoiser)
        if system == "cleaned" and cleaned_dir is not None:
            cleaned_dir.mkdir(parents=True, exist_ok=True)
            soundfile.write(cleaned_dir / f"{pair.name}.wav", estimate, sample_rate, subtype="FLOAT")
        try:
            scores.append(FileScore(pair, system, measure(estimate=estimate, clean=clean, sample_rate=sample_rate)))
        except SignalError as error:
            raise SignalError(f"{pair.noisy} ({system}): {error}") from error
    return scores


def measure(
    *, estimate: npt.NDArray[np.floating], clean: npt.NDArray[np.floating], sample_rate: int
) -> dict[str, float]:
    """All metrics of one estimate, keys as in METRICS; parameters and errors as in metrics.py."""
    return {
        "pesq_wb": metrics.pesq_wb(estimate=estimate, clean=clean, sample_rate=sample_rate),
        "stoi": metrics.stoi(estimate=estimate, clean=clean, sample_rate=sample_rate),
        "estoi": metrics.estoi(estimate=estimate, clean=clean, sample_rate=sample_rate),
        "si_sdr_db": metrics.si_sdr(estimate=estimate, clean=clean),
    }


def real_time_factor(pairs: Sequence[Pair], denoiser: Denoiser) -> float:
    """Processing time / sound time of `Denoiser.clean`, median over the noisy files of the pairs."""
    factors = []
    for pair in [*pairs[:1], *pairs]:
        _, noisy, sample_rate = read_pair(pair)
        samples = noisy.astype(np.float32)
        started = time.perf_counter()
        denoiser.clean(samples, sample_rate)
        factors.append((time.perf_counter() - started) * sample_rate / samples.size)
    return statistics.median(factors[1:])  # the first run warms up


@lru_cache(maxsize=1)
def _worker_denoiser(model: str | Path | None) -> Denoiser:
    """The network, loaded once in each worker: its processes end with the scoring, and so does what is kept here."""
    return Denoiser(model)


def _score_in_worker(
    pair: Pair, *, model: str | Path | None, systems: Sequence[str], cleaned_dir: Path | None
) -> list[FileScore]:
    return score_pair(pair, denoiser=_worker_denoiser(model), systems=systems, cleaned_dir=cleaned_dir)


@contextmanager
def one_thread_in_children() -> Iterator[None]:
    """Processes started meanwhile leave matrix libraries one thread each: jobs are the only parallelism.

    More threads gain nothing on STOI's small products and, where the cores are busy, more than double the time.
    """
    before = {name: os.environ.get(name) for name in BLAS_THREADS}
    os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _estimate(
    system: str,
    clean: npt.NDArray[np.float64],
    noisy: npt.NDArray[np.float64],
    sample_rate: int,
    denoiser: Denoiser,
) -> npt.NDArray[np.floating]:
    if system == "noisy":
        return noisy
    if system == "oracle":
        return oracle_estimate(noisy=noisy, clean=clean, sample_rate=sample_rate)
    source = clean if system == "clean in" else noisy
    return denoiser.clean(source.astype(np.float32), sample_rate)
