"""The report on cleaners of ECG: tables of means, JSON and CSV.

Each table has what goes in, the network and the classic filters as rows, so that a figure is never read alone.
"""

import csv
import io
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiodae.evaluation.series import published
from audiodae.evaluation.series.scoring import NOISY, MakeSystems, ProtocolName, Score, score_set, seconds_a_day
from audiodae.evaluation.series.sets import EcgSet
from audiodae.evaluation.series.tables import Table, number, to_markdown

# Measures of the snr protocol: name, head of the column, decimals.
SIGNAL = (
    ("ssd", "SSD, mV²", 2),
    ("mad", "MAD, mV", 3),
    ("prd", "PRD, %", 1),
    ("cosine", "cosine", 3),
    ("snr_gain_db", "SNR gain, dB", 2),
)
PEAKS = (("r_sensitivity", "sensitivity", 3), ("r_precision", "precision", 3), ("r_f1", "F1", 3))
MORPHOLOGY = (
    ("st_error_mv", "ST error, mV", 3),
    ("st_wrong_percent", "ST off by 0.1 mV, %", 1),
    ("qrs_error_percent", "QRS error, %", 1),
    ("qrs_bias_percent", "QRS bias, %", 1),
)
BEATS = (
    ("ssd", "SSD, mV²", 1),
    ("mad", "MAD, mV", 3),
    ("prd", "PRD, %", 1),
    ("prd_deepfilter", "PRD as DeepFilter, %", 1),
    ("cosine", "cosine", 3),
)


@dataclass(frozen=True)
class EcgReport:
    """All scores of an evaluation.

    Attributes
    ----------
    examined : name of the system that the report is about
    scores : a row for each series and system
    seconds_a_day : time that a day of one lead takes it, one thread
    """

    examined: str
    scores: Sequence[Score]
    seconds_a_day: float

    @property
    def systems(self) -> list[str]:
        """Names, what goes in first."""
        return list(dict.fromkeys(score.system for score in self.scores))

    @property
    def snrs_db(self) -> list[float]:
        """Ratios that went in, rising."""
        return sorted({score.snr_db for score in self.scores if score.snr_db is not None})

    def kinds(self, protocol: ProtocolName) -> list[str]:
        """Kinds of noise in the order of the set."""
        return list(dict.fromkeys(score.kind for score in self.scores if score.protocol == protocol))

    def measured(self, measure: str) -> bool:
        """Whether any series has it."""
        return any(measure in score.values for score in self.scores)

    def mean(
        self,
        system: str,
        measure: str,
        *,
        protocol: ProtocolName = "snr",
        kind: str | None = None,
        snr_db: float | None = None,
    ) -> float:
        """Mean over the series of a protocol, of one kind and ratio or of all; NaN where there is nothing."""
        return _mean(
            score.values[measure]
            for score in self.scores
            if (score.system, score.protocol) == (system, protocol)
            and kind in (None, score.kind)
            and snr_db in (None, score.snr_db)
            and measure in score.values
        )


def evaluate(
    test_set: EcgSet,
    make_systems: MakeSystems,
    *,
    jobs: int | None = None,
    peaks: bool = True,
    cleaned_dir: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> EcgReport:
    """Clean and score a whole set; parameters and errors as in `score_set`. The first system is the one examined."""
    examined, cleaner = next(iter(make_systems().items()))
    seconds = seconds_a_day(test_set, cleaner)  # before other processes of ours run beside it
    scores = score_set(test_set, make_systems, jobs=jobs, peaks=peaks, cleaned_dir=cleaned_dir, on_progress=on_progress)
    return EcgReport(examined, scores, seconds)


def tables(report: EcgReport) -> list[Table]:
    """All tables, in the order in which they are read."""
    made = [_by_snr(report), _gain_by_kind(report)]
    if report.measured("r_f1"):
        made.append(_peaks(report))
    made += [_morphology(report), _clean_in(report)]
    made += [_beats(report)] if report.kinds("beats") else []
    return [*made, _published()]


def summary(report: EcgReport) -> str:
    """What was examined, on how much, and what it costs."""
    names = {score.name for score in report.scores if score.protocol == "snr"}
    records = {score.name for score in report.scores if score.protocol == "clean"}
    return (
        f"`{report.examined}` on {len(names)} noisy series of {len(records)} records: means. "
        f"A day of one lead takes {report.seconds_a_day:.1f} s on one thread."
    )


def report_markdown(report: EcgReport, pictures: Sequence[tuple[str, str]] = ()) -> str:
    """The report as Markdown; pictures as (file name, what it shows)."""
    parts = [f"# ECG: {report.examined}\n", summary(report) + "\n", *map(to_markdown, tables(report))]
    parts += [f"![{said}]({name})\n\n{said}\n" for name, said in pictures]
    return "\n".join(parts)


def report_json(report: EcgReport) -> dict[str, object]:
    """The report's means as plain values, for programs; None where something cannot be measured."""
    snr = [
        {"snr_db": level, "kind": kind, "system": system, **_means(report, system, "snr", kind, level)}
        for level in report.snrs_db
        for kind in report.kinds("snr")
        for system in report.systems
    ]
    systems = [system for system in report.systems if system != NOISY]
    return {
        "model": report.examined,
        "seconds_a_day": report.seconds_a_day,
        "snr": snr,
        "beats": [
            {"kind": kind, "system": system, **_means(report, system, "beats", kind, None)}
            for kind in report.kinds("beats")
            for system in report.systems
        ],
        "clean": [{"system": system, **_means(report, system, "clean", None, None)} for system in systems],
    }


def report_csv(report: EcgReport) -> str:
    """A row for each series and system."""
    measures = list(dict.fromkeys(measure for score in report.scores for measure in score.values))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["protocol", "name", "kind", "snr_db", "system", *measures])
    for score in report.scores:
        values = [f"{score.values[m]:.6g}" if m in score.values else "" for m in measures]
        snr = "" if score.snr_db is None else f"{score.snr_db:g}"
        writer.writerow([score.protocol, score.name, score.kind, snr, score.system, *values])
    return text.getvalue()


def _by_snr(report: EcgReport) -> Table:
    columns = (*SIGNAL, ("r_f1", "R-peak F1", 3)) if report.measured("r_f1") else SIGNAL
    return Table(
        "By signal-to-noise ratio",
        "Means over all records and kinds of noise. SSD, MAD, PRD and cosine of frames of 512 samples (1.42 s).",
        ["system", "SNR in, dB", *(head for _, head, _ in columns)],
        [
            [system, f"{snr:g}", *(number(report.mean(system, m, snr_db=snr), d) for m, _, d in columns)]
            for snr in report.snrs_db
            for system in report.systems
        ],
    )


def _gain_by_kind(report: EcgReport) -> Table:
    columns = [(kind, snr) for kind in report.kinds("snr") for snr in report.snrs_db]
    return Table(
        "SNR gain by kind of noise",
        "dB, means over the records. Columns: kind and signal-to-noise ratio in, dB.",
        ["system", *(f"{kind} {snr:g}" for kind, snr in columns)],
        [
            [system, *(number(report.mean(system, "snr_gain_db", kind=k, snr_db=snr), 1) for k, snr in columns)]
            for system in report.systems
            if system != NOISY
        ],
    )


def _peaks(report: EcgReport) -> Table:
    return Table(
        "Heart beats found",
        "R peaks that XQRS finds within 150 ms of the annotated ones, means over the records, at the lower ratios. "
        "XQRS filters to 5-20 Hz itself, so linear filters leave its detections as they were; noise alone has an F1 of "
        "about 0.4.",
        ["system", "noise", "SNR in, dB", *(head for _, head, _ in PEAKS)],
        [
            [
                system,
                kind,
                f"{snr:g}",
                *(number(report.mean(system, m, kind=kind, snr_db=snr), d) for m, _, d in PEAKS),
            ]
            for snr in report.snrs_db[:2]
            for kind in report.kinds("snr")
            for system in report.systems
        ],
    )


def _morphology(report: EcgReport) -> Table:
    return Table(
        "ST level and QRS amplitude",
        "At the annotated beats, means over records and kinds of noise. ST error: mean absolute error of the ST level "
        "against the PR segment; beside it the share of beats where it is 0.1 mV and more. QRS error and bias: of the "
        "amplitude, in percent of the clean beat's; a bias below 0 means beats that come out too low.",
        ["system", "SNR in, dB", *(head for _, head, _ in MORPHOLOGY)],
        [
            [system, f"{snr:g}", *(number(report.mean(system, m, snr_db=snr), d) for m, _, d in MORPHOLOGY)]
            for snr in report.snrs_db
            for system in report.systems
        ],
    )


def _clean_in(report: EcgReport) -> Table:
    columns = (("snr_out_db", "SNR out, dB", 1), ("mad", "MAD, mV", 3), *MORPHOLOGY)
    return Table(
        "Clean ECG in",
        "The references themselves: what cleaning takes from them. Means over the records.",
        ["system", *(head for _, head, _ in columns)],
        [
            [system, *(number(report.mean(system, m, protocol="clean"), d) for m, _, d in columns)]
            for system in report.systems
            if system != NOISY
        ],
    )


def _beats(report: EcgReport) -> Table:
    def cell(system: str, kind: str, measure: str, decimals: int) -> str:
        values = [report.mean(system, m, protocol="beats", kind=kind) for m in (measure, f"{measure}_sd")]
        return "{} ({})".format(*(number(value, decimals) for value in values))

    return Table(
        "Single beats, as DeepFilter's protocol has them",
        "Frames of 512 samples with one beat each, noise of 0.2-1.99 times its range with the noise's own offset. "
        "Mean (standard deviation) over beats; the SNR gain is a median. PRD as DeepFilter has the mean taken over the "
        "whole array of frames and the cleaned signal in the denominator: for the table of published values only.",
        ["system", "noise", *(head for _, head, _ in BEATS), "SNR gain, dB"],
        [
            [
                system,
                kind,
                *(cell(system, kind, m, d) for m, _, d in BEATS),
                number(report.mean(system, "snr_gain_db", protocol="beats", kind=kind), 1),
            ]
            for kind in report.kinds("beats")
            for system in report.systems
        ],
    )


def _published() -> Table:
    def cells(row: published.Published) -> list[str]:
        return [f"{mean:.3f} ({deviation:.3f})" for mean, deviation in zip(row.means, row.deviations, strict=True)]

    return Table(
        "Published values",
        published.SAID,
        ["method", "source", "SSD, mV²", "MAD, mV", "PRD as DeepFilter, %", "cosine"],
        [[row.method, row.source, *cells(row)] for row in published.PUBLISHED],
    )


def _means(
    report: EcgReport, system: str, protocol: ProtocolName, kind: str | None, snr_db: float | None
) -> dict[str, float | None]:
    measures = dict.fromkeys(m for score in report.scores if score.protocol == protocol for m in score.values)
    values = {m: report.mean(system, m, protocol=protocol, kind=kind, snr_db=snr_db) for m in measures}
    return {measure: None if math.isnan(value) else value for measure, value in values.items()}


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.fmean(known) if known else math.nan
