"""The report on robustness: means and worst tenths, as tables, JSON and rows for a card.

The worst tenth, of all sentences, words or moments, is told by its mean; of a dozen sentences it is two.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiodae.evaluation.robustness.conditions import CLEAN, CONDITIONS, IN_NOISE, LEVELS
from audiodae.evaluation.robustness.measures import CURVE_STEP, KEPT, Measure
from audiodae.evaluation.robustness.run import SCORES, Outcome, load, try_all
from audiodae.evaluation.robustness.sentences import Sentence
from audiodae.evaluation.robustness.tables import means_tables

SPREAD = "spread over the levels"


@dataclass(frozen=True)
class Robustness:
    """All outcomes of a network.

    Attributes
    ----------
    model : name of the network
    speech : what it was tried on, for people
    seed : of all that is random
    outcomes : of every sentence and condition
    """

    model: str
    speech: str
    seed: int
    outcomes: Sequence[Outcome]


def measure_robustness(
    sentences: Sequence[Sentence],
    model: str | Path | None = None,
    *,
    speech: str,
    seed: int = 1,
    jobs: int | None = None,
    conditions: Sequence[str] = tuple(CONDITIONS),
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Robustness:
    """Try a network on sentences in every condition.

    Parameters
    ----------
    sentences, model, seed, jobs, conditions : as in `try_all`, whose errors are raised
    speech : what the sentences are, for people
    on_progress : called with the number of sentences done and of all
    """
    name = load(model).network.card.name
    outcomes: list[Outcome] = []
    tried = try_all(sentences, model, seed=seed, jobs=jobs, conditions=conditions)
    for done, of_sentence in enumerate(tried, 1):
        outcomes += of_sentence
        on_progress(done, len(sentences))
    return Robustness(name, speech, seed, outcomes)


def to_json(report: Robustness) -> dict[str, Any]:
    """Means and worst tenths as plain values; None where there was nothing to measure."""
    tried = [name for name in CONDITIONS if any(outcome.condition == name for outcome in report.outcomes)]
    return {
        "model": report.model,
        "speech": report.speech,
        "sentences": len({outcome.sentence for outcome in report.outcomes}),
        "seed": report.seed,
        "conditions": [_row(name, _of(report, name)) for name in tried if CONDITIONS[name].scored],
        "measures": [row for name in tried for row in _measure_rows(name, _of(report, name))] + _spreads(report),
        "groups": _groups(report),
        "after_onsets": {name: _curve(_of(report, name)) for name in tried if CONDITIONS[name].curves},
    }


def to_markdown(report: Robustness) -> str:
    """Tables that read as plain text too, then what each condition is."""
    figures = to_json(report)
    told = [f"- {row['condition']}: {CONDITIONS[row['condition']].told}" for row in figures["conditions"]]
    alone = dict.fromkeys(row["condition"] for row in figures["measures"])
    told += [
        f"- {name}: {CONDITIONS[name].told}" for name in alone if name in CONDITIONS and not CONDITIONS[name].scored
    ]
    return "\n".join([means_tables(figures), "", *told, ""])


def card_figures(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of a report that a network's card keeps.

    Parameters
    ----------
    figures : as `to_json` gives them

    Raises
    ------
    KeyError, TypeError
        They are no report of this kind.
    """
    kept = {name for name, condition in CONDITIONS.items() if condition.in_card} | {SPREAD}
    about = {key: figures[key] for key in ("speech", "sentences", "seed")}
    return about | {
        "conditions": [_in_short(row) for row in figures["conditions"] if row["condition"] in kept],
        "measures": [_rounded(row) for row in figures["measures"] if row["condition"] in kept],
        "groups": [_in_short(row) for row in figures["groups"]],
    }


def _of(report: Robustness, condition: str) -> list[Outcome]:
    return [outcome for outcome in report.outcomes if outcome.condition == condition]


def _row(condition: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Scores of a condition, and how much of the speech is kept."""
    compared = [(o.noisy, o.cleaned) for o in outcomes if o.noisy is not None and o.cleaned is not None]
    gains = [cleaned["estoi"] - noisy["estoi"] for noisy, cleaned in compared]
    kept = [value for outcome in outcomes for value in outcome.values[KEPT.name]]
    scored = [outcome.cleaned for outcome in outcomes if outcome.cleaned is not None]
    return {
        "condition": condition,
        "noisy": {name: _mean([noisy[name] for noisy, _ in compared]) for name in SCORES},
        "cleaned": {name: _mean([cleaned[name] for cleaned in scored]) for name in SCORES},
        "worst": {name: worst_tenth([cleaned[name] for cleaned in scored]) for name in SCORES},
        "estoi_gain_worst": worst_tenth(gains),
        "kept_db": _mean(kept),
        "kept_worst_db": worst_tenth(kept),
        "unscored": sum(1 for outcome in outcomes if outcome.unscored),
    }


def _measure_rows(condition: str, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [
        _measured(condition, measure, [value for outcome in outcomes for value in outcome.values[measure.name]])
        for measure in CONDITIONS[condition].measures
    ]


def _measured(condition: str, measure: Measure, values: Sequence[float]) -> dict[str, Any]:
    worst = None if measure.low_is_bad is None else worst_tenth(values, low_is_bad=measure.low_is_bad)
    return {
        "condition": condition, "measure": measure.name, "n": len(values), "mean": _mean(values), "worst": worst,
    }  # fmt: skip


def _spreads(report: Robustness) -> list[dict[str, Any]]:
    """By how much the scores of one sentence differ from level to level, in the same noise."""
    by_sentence: dict[str, list[Mapping[str, float]]] = {}
    for outcome in report.outcomes:
        if outcome.condition in LEVELS.values() and outcome.cleaned is not None:
            by_sentence.setdefault(outcome.sentence, []).append(outcome.cleaned)
    whole = [scores for scores in by_sentence.values() if len(scores) == len(LEVELS)]
    if not whole:
        return []
    return [
        _measured(
            SPREAD,
            Measure(name, lambda case, cleaned: [], low_is_bad=False),
            [max(s[name] for s in scores) - min(s[name] for s in scores) for scores in whole],
        )
        for name in SCORES
    ]


def _groups(report: Robustness) -> list[dict[str, Any]]:
    """The two plainest conditions by group of the sentences, where there are several."""
    names = sorted({outcome.group for outcome in report.outcomes})
    if len(names) < 2:
        return []
    return [
        {"group": name, "n": len(mine), **_row(condition, mine)}
        for name in names
        for condition in (CLEAN, IN_NOISE)
        if (mine := [outcome for outcome in _of(report, condition) if outcome.group == name])
    ]


def _curve(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What is left in the moments after onsets: mean and worst tenth of each."""
    moments = list(zip(*(curve for outcome in outcomes for curve in outcome.curves), strict=True))
    return {
        "ms": [round(1000 * CURVE_STEP * (place + 0.5), 1) for place in range(len(moments))],
        "mean_db": [_mean(values) for values in moments],
        "worst_db": [worst_tenth(values) for values in moments],
    }


def worst_tenth(values: Sequence[float], *, low_is_bad: bool = True) -> float | None:
    """The mean of the worst tenth of the values, of one at least; None of nothing."""
    return _mean(sorted(values, reverse=not low_is_bad)[: math.ceil(len(values) / 10)])


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if len(values) else None


def _in_short(row: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of the worst tenth what the tables show."""
    return dict(_rounded({**row, "worst": {"pesq_wb": row["worst"]["pesq_wb"]}}))


def _rounded(value: Any) -> Any:
    """Round to three decimals: more than a dozen sentences can bear."""
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    return round(value, 3) if isinstance(value, float) else value
