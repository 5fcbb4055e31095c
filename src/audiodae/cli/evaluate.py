"""`audiodae evaluate`: score a network on pairs of clean and noisy files."""

import json
import os
import sys
import time
from pathlib import Path

import click

from audiodae.cli.progress import progress_bar
from audiodae.cli.report_folder import prepare_report_folder
from audiodae.evaluation.pairs import find_pairs
from audiodae.evaluation.report import evaluate as evaluate_pairs
from audiodae.evaluation.report import to_csv, to_json, to_markdown
from audiodae.whole_file import write_whole

PATH = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae evaluate test/clean test/noisy --model my.onnx --out runs/my/report")
@click.argument("clean_dir", type=PATH)
@click.argument("noisy_dir", type=PATH)
@click.option("--model", metavar="NAME|PATH", help="Network to score.  [default: $AUDIODAE_MODEL, else speech]")
@click.option(
    "--conditions",
    type=PATH,
    help="CSV with a row per file and a column snr_db.  [default: conditions.csv beside NOISY_DIR, if any]",
)
@click.option("--out", type=PATH, help="Folder to write report.md, report.json and scores.csv to.")
@click.option("--overwrite", is_flag=True, help="Replace a report that is in --out already.")
@click.option("--keep-cleaned", is_flag=True, help="Keep the cleaned sounds in OUT/cleaned, as float WAV.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that score.  [default: one a CPU core]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--no-oracle", is_flag=True, help="Leave out the clean magnitude with the noisy phase.")
def evaluate(
    clean_dir: Path,
    noisy_dir: Path,
    model: str | None,
    conditions: Path | None,
    out: Path | None,
    overwrite: bool,
    keep_cleaned: bool,
    jobs: int | None,
    as_json: bool,
    no_oracle: bool,
) -> None:
    """Score a network on pairs CLEAN_DIR/NAME.flac, NOISY_DIR/NAME.flac (mono, 16 kHz).

    Prints means of PESQ-WB, STOI, ESTOI and SI-SDR by signal-to-noise ratio for what goes in (noisy), what comes out
    (cleaned) and what gains can reach at best (oracle); what clean speech loses; and the real-time factor.

    Needs pip install "audiodae[evaluate]".
    """
    if keep_cleaned and out is None:
        raise click.UsageError("--keep-cleaned needs --out")
    if out is not None:
        prepare_report_folder(out, overwrite)
    started = time.perf_counter()
    pairs = find_pairs(clean_dir, noisy_dir, conditions)
    with progress_bar("scoring", shown=sys.stderr.isatty()) as on_progress:
        report = evaluate_pairs(
            pairs,
            model,
            jobs=min(jobs or os.cpu_count() or 1, len(pairs)),
            oracle=not no_oracle,
            cleaned_dir=out / "cleaned" if out is not None and keep_cleaned else None,
            on_progress=on_progress,
        )
    table, means = to_markdown(report), json.dumps(to_json(report), indent=2) + "\n"
    click.echo(means if as_json else table, nl=False)
    if out is not None:
        for name, text in {"report.md": table, "report.json": means, "scores.csv": to_csv(report)}.items():
            write_whole(out / name, text.encode())
    where = f"; report.md, report.json and scores.csv in {out}" if out is not None else ""
    click.echo(f"scored {len(pairs)} files in {time.perf_counter() - started:.1f} s{where}", err=True)
