"""`audiodae compare`: every family of autoencoders, side by side."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from audiodae.cli.progress import progress_bar
from audiodae.errors import AudiodaeError

FOLDER = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae compare recipes/compare_autoencoders.toml --out runs/families")
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--out", type=FOLDER, required=True, help="Folder of the runs and the report.")
@click.option("--spoken", type=FOLDER, help="Recordings SPEAKER_DIGIT_TAKE.  [default: made up]")
@click.option("--handwritten", type=FOLDER, help="Images and labels, IDX files.  [default: scikit-learn's]")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one number of the recipe.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that train.  [default: one a CPU core]")
def compare(
    recipe: Path,
    out: Path,
    spoken: Path | None,
    handwritten: Path | None,
    overrides: tuple[str, ...],
    jobs: int | None,
) -> None:
    """Train every family of autoencoders on spoken and on handwritten digits, measure all, and write a report.

    RECIPE is a TOML file of the comparison's numbers. OUT/report.html is one page with everything in it; OUT/report.md
    says the same. Each run leaves a JSON file in OUT/runs: stopped, the same command goes on.

    Needs pip install "audiodae[train,evaluate]".
    """
    from audiodae.comparison.report import write_report
    from audiodae.comparison.runs import Place, carry_out
    from audiodae.comparison.settings import load_comparison

    started = time.perf_counter()
    place = Place(load_comparison(recipe, overrides), spoken, handwritten, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudiodaeError(f"{out}: cannot make the folder ({error.strerror})") from error
    with progress_bar("comparing", shown=sys.stderr.isatty()) as on_progress:
        found = carry_out(place, jobs=jobs or os.cpu_count() or 1, on_progress=on_progress)
    written = write_report(place, found)
    click.echo(f"{len(found)} runs in {(time.perf_counter() - started) / 60:.1f} min: {', '.join(map(str, written))}")
