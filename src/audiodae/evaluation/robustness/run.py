"""Every condition of every sentence: made, cleaned by the one Denoiser, scored; in one process or several."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from audiodae.denoiser import Denoiser
from audiodae.errors import NetworkError, SignalError
from audiodae.evaluation import metrics
from audiodae.evaluation.robustness.conditions import CONDITIONS, Condition, Scene
from audiodae.evaluation.robustness.measures import KEPT, Case, Floats, onset_curves
from audiodae.evaluation.robustness.sentences import Sentence
from audiodae.evaluation.robustness.voices import resampled
from audiodae.evaluation.scoring import one_thread_in_children
from audiodae.prep.decode import SAMPLE_RATE

SCORES = ("pesq_wb", "estoi", "si_sdr_db")
VOICES_IN_BABBLE = 6

Scores = Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a network made of one sentence in one condition.

    Attributes
    ----------
    sentence, group, condition : names
    noisy, cleaned : keys as in SCORES; None where there is nothing to score, or (see `unscored`) no score could be had
    values : by name of the measure, one or more each
    curves : what is left in the moments after each onset, dB
    unscored : why there is no score, "" where there is one or none was wanted
    """

    sentence: str
    group: str
    condition: str
    noisy: Scores | None
    cleaned: Scores | None
    values: Mapping[str, list[float]]
    curves: list[list[float]]
    unscored: str = ""


def try_all(
    sentences: Sequence[Sentence],
    model: str | Path | None = None,
    *,
    seed: int = 1,
    jobs: int | None = None,
    conditions: Sequence[str] = tuple(CONDITIONS),
) -> Iterator[list[Outcome]]:
    """Try a network on every sentence in every condition; yields those of one sentence at a time, in order.

    Parameters
    ----------
    sentences : two or more
    model : name or path of a network for sound; None for the default one
    seed : of all that is random
    jobs : processes to work in, or None for this one; the outcomes do not depend on it
    conditions : names of those to try

    Raises
    ------
    NetworkError
        The network cannot be loaded, or is one for series.
    """
    tasks = [(sentence, number, _others(sentences, number)) for number, sentence in enumerate(sentences)]
    if jobs is None:
        denoiser = load(model)
        for sentence, number, others in tasks:
            yield _try_sentence(sentence, number, others, denoiser=denoiser, seed=seed, conditions=conditions)
        return
    in_worker = partial(_try_in_worker, model=model, seed=seed, conditions=conditions)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:  # onnxruntime does not survive a fork
        with one_thread_in_children():
            tried = pool.map(in_worker, tasks)  # starts all processes
        yield from tried


def load(model: str | Path | None) -> Denoiser:
    """Load a network for sound."""
    denoiser = Denoiser(model)
    if denoiser.network.card.series:
        raise NetworkError(f"{denoiser.network.card.name} is a network for series: `audiodae evaluate-ecg` scores it")
    return denoiser


def try_condition(condition: Condition, scene: Scene, sentence: Sentence, denoiser: Denoiser) -> Outcome:
    """Make a case, clean it, and measure what the condition asks for."""
    case = condition.make(scene)
    cleaned = denoiser.clean(case.noisy.astype(np.float32), case.sample_rate).astype(np.float64)
    wanted = ((KEPT,) if condition.scored else ()) + condition.measures
    noisy = after = None
    unscored = ""
    if condition.scored:
        try:
            noisy = _scores(case, case.noisy) if condition.compared else None
            after = _scores(case, cleaned)
        except SignalError as error:
            noisy, unscored = None, str(error)
    return Outcome(
        sentence.name,
        sentence.group,
        condition.name,
        noisy,
        after,
        {measure.name: measure.of(case, cleaned) for measure in wanted},
        onset_curves(case, cleaned) if condition.curves else [],
        unscored,
    )


def _scores(case: Case, estimate: Floats) -> Scores:
    """PESQ-WB, ESTOI and SI-SDR; both sides are brought to 16 kHz where they have another rate."""
    clean = case.clean
    if case.sample_rate != SAMPLE_RATE:
        clean, estimate = (resampled(each, case.sample_rate, SAMPLE_RATE) for each in (clean, estimate))
    return {
        "pesq_wb": metrics.pesq_wb(estimate=estimate, clean=clean, sample_rate=SAMPLE_RATE),
        "estoi": metrics.estoi(estimate=estimate, clean=clean, sample_rate=SAMPLE_RATE),
        "si_sdr_db": metrics.si_sdr(estimate=estimate, clean=clean),
    }


def _others(sentences: Sequence[Sentence], number: int) -> tuple[Floats, ...]:
    """The voices of a babble: the next ones of other speakers, or of the same where there are no others."""
    following = [*sentences[number + 1 :], *sentences[:number]]
    strangers = [other for other in following if other.speaker != sentences[number].speaker] or following
    step = max(1, len(strangers) // VOICES_IN_BABBLE)
    return tuple(other.samples for other in strangers[::step][:VOICES_IN_BABBLE])


def _try_sentence(
    sentence: Sentence,
    number: int,
    others: tuple[Floats, ...],
    *,
    denoiser: Denoiser,
    seed: int,
    conditions: Sequence[str],
) -> list[Outcome]:
    outcomes = []
    for name in conditions:
        # A generator for each condition: none depends on which others are tried.
        rng = np.random.default_rng([seed, number, *name.encode()])
        scene = Scene(sentence.samples, others, rng, seed, number)
        outcomes.append(try_condition(CONDITIONS[name], scene, sentence, denoiser))
    return outcomes


@lru_cache(maxsize=1)
def _worker_denoiser(model: str | Path | None) -> Denoiser:
    """The network, loaded once in each worker."""
    return load(model)


def _try_in_worker(
    task: tuple[Sentence, int, tuple[Floats, ...]],
    *,
    model: str | Path | None,
    seed: int,
    conditions: Sequence[str],
) -> list[Outcome]:
    denoiser = _worker_denoiser(model)
    return _try_sentence(*task, denoiser=denoiser, seed=seed, conditions=conditions)
