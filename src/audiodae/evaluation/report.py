"""The report on a network: means by signal-to-noise ratio, as a table, CSV and JSON.

The real-time factor is processing time / sound time of `Denoiser.clean` on one thread, the median over files,
measured before the scoring starts so that no other process of ours runs beside it.
"""

import csv
import io
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiodae.denoiser import Denoiser
from audiodae.evaluation.pairs import Pair
from audiodae.evaluation.scoring import METRICS, SYSTEMS, FileScore, real_time_factor, score_pairs
from audiodae.markdown_table import markdown_table

MOST_SNR_LEVELS = 10  # more distinct values than these are grouped to the nearest 5 dB
RTF_FILES = 20


@dataclass(frozen=True)
class MeanScore:
    """Means over the files of one signal-to-noise ratio (None: over all files) and system."""

    snr_db: float | None
    system: str
    n_files: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Report:
    """All scores of an evaluation.

    Attributes
    ----------
    model : name of the network
    scores : a row for each file and system
    real_time_factor : processing time / sound time, one thread, median over files
    """

    model: str
    scores: Sequence[FileScore]
    real_time_factor: float

    def by_snr(self) -> list[MeanScore]:
        """Means of noisy, cleaned and oracle at each signal-to-noise ratio, rising; none where it is not known."""
        compared = [score for score in self.scores if score.system != "clean in"]
        level_of = _snr_levels([score.pair for score in compared])
        levels = sorted({level for level in level_of.values() if level is not None})
        return [
            mean
            for level in levels
            for mean in _means([score for score in compared if level_of[score.pair.name] == level], level)
        ]

    def over_all(self) -> list[MeanScore]:
        """Means of each system over all files, clean in among them."""
        return _means(self.scores, None)


def evaluate(
    pairs: Sequence[Pair],
    model: str | Path | None = None,
    *,
    jobs: int | None = None,
    oracle: bool = True,
    cleaned_dir: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Clean and score every pair.

    Parameters
    ----------
    pairs, model, jobs, cleaned_dir : as in `score_pairs`, whose errors are raised
    oracle : score the oracle too
    on_progress : called with the number of pairs done and of all
    """
    denoiser = Denoiser(model)
    rtf = real_time_factor(pairs[:RTF_FILES], denoiser)
    systems = [system for system in SYSTEMS if oracle or system != "oracle"]
    scores: list[FileScore] = []
    scored = score_pairs(pairs, model, jobs=jobs, systems=systems, cleaned_dir=cleaned_dir)
    for done, of_pair in enumerate(scored, 1):
        scores += of_pair
        on_progress(done, len(pairs))
    return Report(denoiser.network.card.name, scores, rtf)


def to_markdown(report: Report) -> str:
    """The report as Markdown: means by signal-to-noise ratio and over all files, then the lines beside the table."""
    n_files = len({score.pair.name for score in report.scores})
    over_all = {mean.system: mean for mean in report.over_all()}
    clean_in = over_all.pop("clean in").metrics
    noisy, cleaned = over_all["noisy"].metrics, over_all["cleaned"].metrics
    gain = {name: cleaned[name] - noisy[name] for name in METRICS}
    return "\n".join(
        [
            f"Network `{report.model}` on {n_files} files: means.",
            "",
            _table([*report.by_snr(), *over_all.values()]),
            "",
            f"Cleaned over noisy: SI-SDR {gain['si_sdr_db']:+.2f} dB, PESQ-WB {gain['pesq_wb']:+.3f}, "
            f"STOI {gain['stoi']:+.4f}, ESTOI {gain['estoi']:+.4f}.",
            f"Clean speech in: SI-SDR {clean_in['si_sdr_db']:.2f} dB, PESQ-WB {clean_in['pesq_wb']:.3f}.",
            f"Real-time factor, one thread, median over files: {report.real_time_factor:.4f}.",
            "",
        ]
    )


def to_json(report: Report) -> dict[str, object]:
    """The report's means as plain values, for programs."""
    return {
        "model": report.model,
        "n_files": len({score.pair.name for score in report.scores}),
        "real_time_factor": report.real_time_factor,
        "by_snr": [_plain(mean) for mean in report.by_snr()],
        "over_all": [_plain(mean) for mean in report.over_all()],
    }


def to_csv(report: Report) -> str:
    """A row for each file and system: the conditions as they came, then the metrics."""
    condition_names = [
        name for name in (report.scores[0].pair.conditions if report.scores else ()) if name not in ("file", "system")
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "system", *condition_names, *METRICS])
    for score in report.scores:
        conditions = [score.pair.conditions.get(name, "") for name in condition_names]
        writer.writerow([score.pair.name, score.system, *conditions, *(f"{score.metrics[m]:.6f}" for m in METRICS)])
    return text.getvalue()


def _snr_levels(pairs: Sequence[Pair]) -> dict[str, float | None]:
    """The level of the table that each pair belongs to."""
    values = {pair.snr_db for pair in pairs if pair.snr_db is not None}
    if len(values) <= MOST_SNR_LEVELS:
        return {pair.name: pair.snr_db for pair in pairs}
    return {pair.name: None if pair.snr_db is None else 5.0 * round(pair.snr_db / 5) for pair in pairs}


def _means(scores: Sequence[FileScore], snr_db: float | None) -> list[MeanScore]:
    means = []
    for system in SYSTEMS:
        rows = [score.metrics for score in scores if score.system == system]
        if rows:
            mean = {name: statistics.fmean(row[name] for row in rows) for name in METRICS}
            means.append(MeanScore(snr_db, system, len(rows), mean))
    return means


def _table(means: Sequence[MeanScore]) -> str:
    decimals = {"pesq_wb": 3, "stoi": 4, "estoi": 4, "si_sdr_db": 2}
    cells = [["SNR (dB)", "system", "files", *METRICS.values()]]
    for mean in means:
        snr = "all" if mean.snr_db is None else f"{mean.snr_db:g}"
        values = [f"{mean.metrics[name]:.{decimals[name]}f}" for name in METRICS]
        cells.append([snr, mean.system, str(mean.n_files), *values])
    return markdown_table(cells, texts=(1,))


def _plain(mean: MeanScore) -> dict[str, object]:
    return {"snr_db": mean.snr_db, "system": mean.system, "n_files": mean.n_files, **mean.metrics}
