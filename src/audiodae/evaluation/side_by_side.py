"""Networks side by side on the same pairs: what each makes of the noisy side, and what it does to the clean side."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from audiodae.evaluation.pairs import Pair
from audiodae.evaluation.scoring import METRICS, FileScore, score_pairs
from audiodae.markdown_table import markdown_table

Means = Mapping[str, float]  # by metric, keys as in METRICS


def score_networks(
    pairs: Sequence[Pair], models: Mapping[str, str | Path], *, jobs: int | None = None
) -> dict[str, dict[str, Means]]:
    """Score several networks on the same pairs.

    Parameters
    ----------
    pairs : mono, at 16 kHz
    models : network files, by the name that they are to be called
    jobs : processes; None for this one

    Returns
    -------
    means : over the files, of each metric; by "noisy" and the models' names, then by system (noisy, cleaned, clean in)

    Raises
    ------
    SignalError, AudioFileError, NetworkError
        As `score_pairs`.
    """
    found: dict[str, dict[str, Means]] = {}
    for name, model in models.items():
        systems = ("noisy", "cleaned", "clean in") if not found else ("cleaned", "clean in")
        scores = [score for of_pair in score_pairs(pairs, model, jobs=jobs, systems=systems) for score in of_pair]
        if not found:
            found["noisy"] = {"noisy": _means(scores, "noisy")}
        found[name] = {system: _means(scores, system) for system in ("cleaned", "clean in")}
    return found


def _means(scores: Sequence[FileScore], system: str) -> Means:
    of_system = [score.metrics for score in scores if score.system == system]
    return {metric: statistics.fmean(one[metric] for one in of_system) for metric in METRICS}


def side_by_side_table(found: Mapping[str, Mapping[str, Means]]) -> str:
    """A Markdown table: a row for what goes in, then two for each network."""
    rows = [["", *METRICS.values()]]
    for name, systems in found.items():
        for system, means in systems.items():
            said = name if system in ("noisy", "cleaned") else f"{name}, clean speech in"
            rows.append([said, *(f"{means[metric]:.3f}" for metric in METRICS)])
    return markdown_table(rows)
