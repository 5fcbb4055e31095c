"""Scoring: what each system makes of each series of a set, measured; in one process or several.

Systems are anything with `clean(samples, sample_rate)`, as a `Denoiser` or a `ClassicFilter`: float32 of shape
(samples,) or (samples, leads) in, the same shape out, each lead by itself. Before them stands what goes in (NOISY).

Protocols
---------
snr     noisy series, minutes long, at given ratios
clean   the references themselves go in: the harm done where nothing had to be done
beats   single beats in frames of 512 samples
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from audiodae.denoiser import Denoiser
from audiodae.errors import NetworkError, SignalError
from audiodae.evaluation.scoring import one_thread_in_children
from audiodae.evaluation.series.filters import classic_filters
from audiodae.evaluation.series.landmarks import find_r_peaks, morphology_errors, peak_scores
from audiodae.evaluation.series.metrics import frame_means, snr_gain_db, snr_out_db
from audiodae.evaluation.series.records import SAMPLE_RATE_HZ
from audiodae.evaluation.series.sets import Condition, EcgSet, Samples
from audiodae.whole_file import whole_file

NOISY = "noisy input"
BEATS_AT_ONCE = 256
TIMED_RUNS = 3
DAY_S = 86_400


class Cleaner(Protocol):
    """What can be scored."""

    def clean(self, samples: Samples, sample_rate: float) -> npt.NDArray[np.floating]:
        """Clean a series, each lead by itself."""


MakeSystems = Callable[[], Mapping[str, Cleaner]]
ProtocolName = Literal["snr", "clean", "beats"]


@dataclass(frozen=True)
class Score:
    """What one system made of one series, or of one set of beats.

    Attributes
    ----------
    protocol : "snr", "clean" or "beats"
    name : of the series, as its file would be called
    kind : of noise; "" where there is none
    snr_db : signal-to-noise ratio that went in, dB; None for clean and beats
    values : measures by name
    """

    protocol: ProtocolName
    name: str
    kind: str
    snr_db: float | None
    system: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class Task:
    """One thing to score: a condition, the reference of a record, or the beats with a kind of noise."""

    protocol: ProtocolName
    name: str
    condition: Condition | None = None


@dataclass(frozen=True)
class NetworkAndFilters:
    """Makes a network, by the name on its card, and beside it the classic filters; can be sent to other processes.

    Attributes
    ----------
    model : name or path of a network for series
    filters : whether the filters are wanted
    """

    model: str | Path
    filters: bool = True

    def __call__(self) -> dict[str, Cleaner]:
        """Make them; NetworkError where the network cannot be loaded or is one for sound."""
        denoiser = Denoiser(self.model)
        card = denoiser.network.card
        if card.series is None:
            raise NetworkError(f"{self.model}: a network for sound; name one for series, such as --model ecg")
        systems: dict[str, Cleaner] = {card.name: denoiser}
        return systems | dict(classic_filters()) if self.filters else systems


def tasks_of(test_set: EcgSet) -> list[Task]:
    """All that there is to score, what takes longest first."""
    conditions = test_set.conditions()
    records = dict.fromkeys(condition.record for condition in conditions)
    return [
        *(Task("beats", kind) for kind in test_set.beat_kinds()),
        *(Task("snr", condition.name, condition) for condition in conditions),
        *(Task("clean", record) for record in records),
    ]


def score_set(
    test_set: EcgSet,
    make_systems: MakeSystems,
    *,
    jobs: int | None = None,
    peaks: bool = True,
    cleaned_dir: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Score]:
    """Score everything in a set.

    Parameters
    ----------
    test_set : its parts are made or read where they are scored
    make_systems : makes the systems, the first of which is examined; with jobs, something hashable that pickles
    jobs : processes to score in, or None for this one; the scores do not depend on it
    peaks : look for R peaks, which takes most of the time
    cleaned_dir : where to keep what the first system makes, as PROTOCOL/NAME.npy; None keeps nothing
    on_progress : called with the number of tasks done and of all

    Raises
    ------
    SignalError, SeriesFileError, CorpusError, NetworkError
        Something cannot be read, cleaned or scored; the message names it.
    """
    tasks = tasks_of(test_set)
    scores: list[Score] = []
    for done, of_task in enumerate(_scored(tasks, test_set, make_systems, jobs, peaks, cleaned_dir), 1):
        scores += of_task
        on_progress(done, len(tasks))
    return scores


def _scored(
    tasks: list[Task],
    test_set: EcgSet,
    make_systems: MakeSystems,
    jobs: int | None,
    peaks: bool,
    cleaned_dir: Path | None,
) -> Iterator[list[Score]]:
    if jobs is None:
        score = partial(_score_task, systems=make_systems(), test_set=test_set, peaks=peaks, cleaned_dir=cleaned_dir)
        yield from map(score, tasks)
        return
    in_worker = partial(
        _score_in_worker, make_systems=make_systems, test_set=test_set, peaks=peaks, cleaned_dir=cleaned_dir
    )
    # Spawned, not forked: onnxruntime's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        with one_thread_in_children():
            scored = pool.map(in_worker, tasks)  # starts all processes
        yield from scored


@lru_cache(maxsize=1)
def _worker_systems(make_systems: MakeSystems) -> Mapping[str, Cleaner]:
    """The systems, made once in each worker: its processes end with the scoring, and so does what is kept here."""
    return make_systems()


def _score_in_worker(
    task: Task, *, make_systems: MakeSystems, test_set: EcgSet, peaks: bool, cleaned_dir: Path | None
) -> list[Score]:
    systems = _worker_systems(make_systems)
    return _score_task(task, systems=systems, test_set=test_set, peaks=peaks, cleaned_dir=cleaned_dir)


def _score_task(
    task: Task, *, systems: Mapping[str, Cleaner], test_set: EcgSet, peaks: bool, cleaned_dir: Path | None
) -> list[Score]:
    """Score what each system makes of one task."""
    judge, noisy = _prepared(task, test_set, peaks)
    condition = task.condition
    kind = condition.kind if condition else task.name if task.protocol == "beats" else ""
    scores = []
    for number, name in enumerate([NOISY, *systems]):
        if name == NOISY and task.protocol == "clean":
            continue
        estimate = noisy if name == NOISY else cleaned_by(systems[name], noisy, name=f"{name}, {task.name}")
        if number == 1 and cleaned_dir is not None:
            _keep(cleaned_dir / task.protocol / f"{task.name}.npy", estimate)
        try:
            values = judge(estimate)
        except SignalError as error:
            raise SignalError(f"{task.name} ({name}): {error}") from error
        scores.append(Score(task.protocol, task.name, kind, condition.snr_db if condition else None, name, values))
    return scores


def _prepared(task: Task, test_set: EcgSet, peaks: bool) -> tuple[Callable[[Samples], dict[str, float]], Samples]:
    """Give what measures an estimate, and what goes in."""
    if task.protocol == "beats":
        frames = test_set.beats(task.name)
        return partial(_judge_beats, clean=frames.clean, noisy=frames.noisy), frames.noisy
    series = test_set.clean(task.condition.record if task.condition else task.name)
    if task.condition is None:
        return partial(_judge_clean, clean=series.samples, r_peaks=series.r_peaks), series.samples
    noisy = test_set.noisy(task.condition)
    if noisy.shape != series.samples.shape:
        raise SignalError(f"{task.name}: {noisy.size} noisy samples, its reference has {series.samples.size}")
    judge = partial(_judge_snr, clean=series.samples, noisy=noisy, r_peaks=series.r_peaks, peaks=peaks)
    return judge, noisy


def _judge_snr(
    estimate: Samples, *, clean: Samples, noisy: Samples, r_peaks: npt.NDArray[np.int64], peaks: bool
) -> dict[str, float]:
    values = frame_means(estimate=estimate, clean=clean)
    values["snr_gain_db"] = float(snr_gain_db(estimate=estimate, noisy=noisy, clean=clean))
    values |= morphology_errors(estimate=estimate, clean=clean, r_peaks=r_peaks, sample_rate=SAMPLE_RATE_HZ)
    if peaks:
        found = find_r_peaks(estimate, SAMPLE_RATE_HZ)
        values |= peak_scores(found=found, annotated=r_peaks, sample_rate=SAMPLE_RATE_HZ)
    return values


def _judge_clean(estimate: Samples, *, clean: Samples, r_peaks: npt.NDArray[np.int64]) -> dict[str, float]:
    values = {"snr_out_db": snr_out_db(estimate=estimate, clean=clean)} | frame_means(estimate=estimate, clean=clean)
    return values | morphology_errors(estimate=estimate, clean=clean, r_peaks=r_peaks, sample_rate=SAMPLE_RATE_HZ)


def _judge_beats(estimate: Samples, *, clean: Samples, noisy: Samples) -> dict[str, float]:
    gain = float(np.nanmedian(snr_gain_db(estimate=estimate, noisy=noisy, clean=clean)))
    return frame_means(estimate=estimate, clean=clean) | {"snr_gain_db": gain}


def cleaned_by(cleaner: Cleaner, noisy: Samples, *, name: str) -> Samples:
    """What a cleaner makes of a series, shape (samples,), or of beats, shape (beats, 512): each a series of its own.

    Raises
    ------
    SignalError
        What comes out is of another shape or not finite; the message begins with `name`.
    """
    if noisy.ndim == 1:
        cleaned = np.asarray(cleaner.clean(noisy, SAMPLE_RATE_HZ), np.float32)
    else:
        # Beats side by side, as the leads of one series.
        parts = [noisy[start : start + BEATS_AT_ONCE] for start in range(0, len(noisy), BEATS_AT_ONCE)]
        found = [np.asarray(cleaner.clean(part.T, SAMPLE_RATE_HZ), np.float32).T for part in parts]
        cleaned = np.concatenate(found)
    if cleaned.shape != noisy.shape or not np.isfinite(cleaned).all():
        raise SignalError(f"{name}: what came out has shape {cleaned.shape} or is not finite; {noisy.shape} went in")
    return cleaned


def seconds_a_day(test_set: EcgSet, cleaner: Cleaner) -> float:
    """Time that a day of one lead takes: of the first noisy series of the set, scaled up; the median of three runs."""
    noisy = test_set.noisy(test_set.conditions()[0])
    taken = []
    for _ in range(1 + TIMED_RUNS):
        started = time.perf_counter()
        cleaner.clean(noisy, SAMPLE_RATE_HZ)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken[1:])) * DAY_S * SAMPLE_RATE_HZ / noisy.size  # the first run warms up


def _keep(path: Path, values: Samples) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part, part.open("wb") as file:
        np.save(file, values)
