"""`audiodae ablate`: a recipe, and what each of its numbers is worth."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from audiodae.cli.progress import progress_bar
from audiodae.errors import AudiodaeError

FOLDER = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae ablate recipes/ablation.toml --prepared prepared --out runs/ablation")
@click.argument("experiments", type=click.Path(path_type=Path))
@click.option("--prepared", type=FOLDER, required=True, help="Folder that data_prep/prepare_speech.py made.")
@click.option("--out", type=FOLDER, required=True, help="Folder of the runs and the tables.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one number of EXPERIMENTS.")
@click.option("--quiet", is_flag=True, help="Say nothing while it goes on.")
def ablate(experiments: Path, prepared: Path, out: Path, overrides: tuple[str, ...], quiet: bool) -> None:
    """Train a network again and again, a number of its recipe changed each time, and say what each change is worth.

    EXPERIMENTS is a TOML file: a base recipe, and rows that each lay something over it. All rows are trained from
    scratch with the same draws and judged on the same validation examples. OUT/ablation.md has a table for each group
    of rows, OUT/ablation.csv a line for each run, OUT/ablation.png the losses over the costs and the learning curves.

    Each run leaves a folder in OUT/runs: stopped at any moment, the same command goes on.

    Needs pip install "audiodae[train,evaluate]".
    """
    from audiodae.comparison.ablation.pictures import figure
    from audiodae.comparison.ablation.report import report, to_csv
    from audiodae.comparison.ablation.runs import Outcome, carry_out
    from audiodae.comparison.ablation.settings import load_ablation
    from audiodae.plots import save
    from audiodae.whole_file import write_whole

    started = time.perf_counter()
    trials = load_ablation(experiments, overrides, prepared=prepared)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudiodaeError(f"{out}: cannot make the folder ({error.strerror})") from error

    def write(outcome: Outcome, name: str = "") -> None:
        write_whole(out / "ablation.md", report(outcome).encode())
        write_whole(out / "ablation.csv", to_csv(outcome).encode())
        if name and not quiet:
            state = outcome.failed.get(name, "done")
            click.echo(f"{len(outcome.found)} of {len(trials)}: {name}: {state}", err=True)

    shown = sys.stderr.isatty() and not quiet
    with progress_bar("ablating", shown=shown) as on_progress:
        outcome = carry_out(trials, out, on_progress=on_progress, on_done=write)
    write(outcome)
    save(figure(outcome), out / "ablation.png")
    minutes = (time.perf_counter() - started) / 60
    failed = f", {len(outcome.failed)} failed" if outcome.failed else ""
    click.echo(f"{len(outcome.found)} runs{failed} in {minutes:.1f} min: {out / 'ablation.md'}")
