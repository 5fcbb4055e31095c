"""`audiodae evaluate-ecg`: score a network for series on ECG records and recorded noise."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import click

from audiodae.cli.progress import progress_bar
from audiodae.cli.report_folder import prepare_report_folder

PATH = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae evaluate-ecg records/test noise/test --model ecg --out report")
@click.argument("records", type=PATH)
@click.argument("noise", type=PATH, required=False)
@click.option("--model", metavar="NAME|PATH", default="ecg", show_default=True, help="Network to score.")
@click.option("--out", type=PATH, help="Folder for report.md, .html and .json, scores.csv and pictures.")
@click.option("--overwrite", is_flag=True, help="Replace a report that is in --out already.")
@click.option("--seconds", type=click.FloatRange(min=2), default=300, show_default=True, help="Length of each series.")
@click.option("--keep-cleaned", is_flag=True, help="Keep the cleaned series in OUT/cleaned, as NPY.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that score.  [default: one a CPU core]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--no-filters", is_flag=True, help="Leave out the classic filters.")
@click.option("--no-peaks", is_flag=True, help="Leave out the search for heart beats, which takes most of the time.")
def evaluate_ecg(
    records: Path,
    noise: Path | None,
    model: str,
    out: Path | None,
    overwrite: bool,
    seconds: float,
    keep_cleaned: bool,
    jobs: int | None,
    as_json: bool,
    no_filters: bool,
    no_peaks: bool,
) -> None:
    """Score a network for series on ECG, beside FIR and IIR filters and wavelet shrinkage.

    RECORDS is a folder of annotated WFDB records at 360 Hz, NOISE one of recorded noise (bw, em and ma of the MIT-BIH
    Noise Stress Test Database). Without NOISE, RECORDS is a set made before (snr/clean, snr/noisy, snr/rpeaks, beats).

    Prints SSD, MAD, PRD, cosine similarity, SNR gain, heart beats found, errors of ST level and QRS amplitude, what
    clean ECG loses, single beats as in DeepFilter's protocol, and the time that a day of one lead takes.

    Needs pip install "audiodae[evaluate]".
    """
    from audiodae.evaluation.series.report import evaluate, report_json, report_markdown
    from audiodae.evaluation.series.scoring import NetworkAndFilters, tasks_of
    from audiodae.evaluation.series.sets import open_set

    if keep_cleaned and out is None:
        raise click.UsageError("--keep-cleaned needs --out")
    if out is not None:
        prepare_report_folder(out, overwrite)
    started = time.perf_counter()
    test_set = open_set(records, noise, seconds=seconds)
    make_systems = NetworkAndFilters(model, filters=not no_filters)
    processes = min(jobs or os.cpu_count() or 1, len(tasks_of(test_set)))
    with progress_bar("scoring", shown=sys.stderr.isatty()) as on_progress:
        report = evaluate(
            test_set,
            make_systems,
            jobs=processes if processes > 1 else None,
            peaks=not no_peaks,
            cleaned_dir=out / "cleaned" if out is not None and keep_cleaned else None,
            on_progress=on_progress,
        )
    click.echo(json.dumps(report_json(report), indent=2) if as_json else report_markdown(report))
    where = ""
    if out is not None:
        from audiodae.evaluation.series.report_folder import write_report

        write_report(out, report, test_set, make_systems()[report.examined])
        where = f"; the report is {out / 'report.html'}"
    click.echo(f"scored in {time.perf_counter() - started:.1f} s{where}", err=True)
