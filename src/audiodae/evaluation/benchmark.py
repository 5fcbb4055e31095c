"""The benchmark: our networks, what goes in, the oracle and every peer that is installed, on the same files.

Quality is measured on what each system wrote, cost in a process of its own (`benchmark_run`). A peer that is not
installed, or whose model is not there, is left out and said so.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from audiodae.errors import SignalError
from audiodae.evaluation import metrics
from audiodae.evaluation.benchmark_run import OURS, SystemRun
from audiodae.evaluation.composite import composite
from audiodae.evaluation.oracle import oracle_estimate
from audiodae.evaluation.pairs import Pair, read_pair
from audiodae.evaluation.peers import PEERS
from audiodae.evaluation.scoring import BLAS_THREADS, measure, one_thread_in_children

QUALITY = {
    "pesq_wb": "PESQ-WB",
    "stoi": "STOI",
    "estoi": "ESTOI",
    "si_sdr_db": "SI-SDR, dB",
    "csig": "CSIG",
    "cbak": "CBAK",
    "covl": "COVL",
    "dnsmos_sig": "DNSMOS SIG",
    "dnsmos_bak": "BAK",
    "dnsmos_ovrl": "OVRL",
}
NOISY, ORACLE = "noisy", "oracle"
ONE_SYSTEM_SECONDS = 3600.0

Note = Callable[[str], None]


@dataclass(frozen=True)
class SystemResult:
    """What became of one system.

    Attributes
    ----------
    scores : quality by metric (keys as in QUALITY) of each file
    cost : None for what goes in and the oracle, which are no programs
    """

    system: str
    scores: Mapping[str, Mapping[str, float]]
    cost: SystemRun | None

    def mean(self, metric: str) -> float:
        """Mean over the files; NaN where the metric was not measured."""
        values = [score[metric] for score in self.scores.values() if metric in score]
        return statistics.fmean(values) if values else float("nan")


def benchmark(
    clean_dir: Path,
    noisy_dir: Path,
    pairs: Sequence[Pair],
    out: Path,
    *,
    networks: Sequence[str],
    peers: Sequence[str] = tuple(PEERS),
    jobs: int = 1,
    note: Note = lambda text: None,
) -> tuple[list[SystemResult], dict[str, str]]:
    """Run and score every system.

    Parameters
    ----------
    clean_dir, noisy_dir, pairs : the files, mono at 16 kHz
    out : folder for what the systems make, OUT/cleaned/SYSTEM/NAME.wav
    networks : names or files of ours
    peers : names in PEERS
    jobs : processes that score; cost is measured one system at a time, before
    note : told what is being done

    Returns
    -------
    results : in the order noisy, oracle, networks, peers
    left_out : why, by name
    """
    costs: dict[str, SystemRun] = {}
    left_out: dict[str, str] = {}
    for system in [*(OURS + name for name in networks), *peers]:
        if system in PEERS and not PEERS[system].installed:
            left_out[system] = f"not installed: pip install {PEERS[system].package}"
            continue
        note(f"cleaning with {system}")
        done = _in_own_process(system, clean_dir, noisy_dir, out / "cleaned" / system)
        if isinstance(done, str):
            left_out[system] = done
        else:
            costs[system] = done
    results = []
    for system in (NOISY, ORACLE, *costs):
        note(f"scoring {system}")
        score = partial(score_estimate, system=system, folder=out / "cleaned" / system)
        scores = dict(zip((pair.name for pair in pairs), _map(score, pairs, jobs), strict=True))
        results.append(SystemResult(system, scores, costs.get(system)))
    return results, left_out


def score_estimate(pair: Pair, *, system: str, folder: Path) -> dict[str, float]:
    """Every quality metric of what a system made of a pair; DNSMOS only where `speechmos` is installed."""
    clean, noisy, sample_rate = read_pair(pair)
    if system == NOISY:
        estimate: npt.NDArray[np.floating] = noisy
    elif system == ORACLE:
        estimate = oracle_estimate(noisy=noisy, clean=clean, sample_rate=sample_rate)
    else:
        estimate, _ = soundfile.read(folder / f"{pair.name}.wav", dtype="float64")
    try:
        found = measure(estimate=estimate, clean=clean, sample_rate=sample_rate)
    except SignalError as error:
        raise SignalError(f"{pair.noisy} ({system}): {error}") from error
    found |= composite(estimate=estimate, clean=clean, pesq_wb=found["pesq_wb"])
    return found | metrics.dnsmos(estimate=estimate, sample_rate=sample_rate)


def _in_own_process(system: str, clean_dir: Path, noisy_dir: Path, out: Path) -> SystemRun | str:
    """Run one system on one thread; its costs, or why it could not be run."""
    module = "audiodae.evaluation.benchmark_run"
    command = [sys.executable, "-m", module, system, str(clean_dir), str(noisy_dir), str(out), str(time.time())]
    environment = os.environ | dict.fromkeys(BLAS_THREADS, "1")
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=ONE_SYSTEM_SECONDS)
    except subprocess.TimeoutExpired:
        return f"not done after {ONE_SYSTEM_SECONDS:.0f} s"
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return lines[-1] if lines else f"ended with {done.returncode}"
    return SystemRun(**json.loads(done.stdout.strip().splitlines()[-1]))


def _map(score: Callable[[Pair], dict[str, float]], pairs: Sequence[Pair], jobs: int) -> list[dict[str, float]]:
    if jobs == 1:
        return list(map(score, pairs))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool, one_thread_in_children():
        return list(pool.map(score, pairs))
