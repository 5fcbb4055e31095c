"""`audiodae train`: carry out a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command(
    epilog="\b\nExample:\n  audiodae train recipes/train_speech.toml --out runs/speech --set data.prepared=prepared"
)
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The run folder to make.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one number of the recipe.")
@click.option("--resume", is_flag=True, help="Go on from the run folder's last checkpoint.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Override run.device.")
@click.option(
    "--precision", type=click.Choice(["auto", "bf16-mixed", "16-mixed", "32"]), help="Override run.precision."
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def train(
    recipe: Path,
    out: Path,
    overrides: tuple[str, ...],
    resume: bool,
    device: str | None,
    precision: str | None,
    quiet: bool,
) -> None:
    """Train the network that RECIPE describes and leave everything in the run folder.

    Killed at any moment, a run goes on with --resume as if nothing had happened.
    """
    from lightning_fabric.utilities.rank_zero import rank_zero_only

    from audiodae.training.recipe import load_recipe
    from audiodae.training.trainer import train as run_training

    chosen = {"run.device": device, "run.precision": precision}
    asked = [*overrides, *(f'{key}="{value}"' for key, value in chosen.items() if value is not None)]
    settled = load_recipe(recipe, asked)
    with _Bar(settled.run.steps, quiet=quiet) as report:
        progress = run_training(settled, out, resume=resume, report=report)
    if getattr(rank_zero_only, "rank", 0) != 0:
        return  # one of several processes speaks for all
    hours, minutes = progress.audio_seconds / 3600, progress.train_seconds / 60
    click.echo(f"{progress.step} steps, {hours:.1f} h of audio in {minutes:.1f} min, {progress.bad_steps} bad steps")
    click.echo(
        f"best validation loss {progress.best_loss:.4f} at step {progress.best_step}: {out / 'best.safetensors'}"
    )


class _Bar:
    """A rich progress bar on stderr, fed with log lines."""

    def __init__(self, steps: int, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            disable=quiet,
        )
        self._task = self._bar.add_task("", total=steps)
        self._loss, self._valid, self._waiting = "-", "-", "-"

    def __enter__(self) -> Any:
        return self._take

    def __exit__(self, *_: object) -> None:
        if self._bar.live.is_started:
            self._bar.stop()

    def _take(self, line: dict[str, Any]) -> None:
        self._bar.start()  # only now: what is wrong with the recipe is one line, with no bar above it
        if line.get("loss") is not None:
            self._loss = f"{line['loss']:.4f}"
        if line.get("valid_si_sdr_db") is not None:
            self._valid = f"{line['valid_si_sdr_db']:.2f} dB"
        if "wait_share" in line:
            self._waiting = f"{100 * line['wait_share']:.0f} %"
        shown = f"loss {self._loss}  valid {self._valid}  waiting {self._waiting}"
        self._bar.update(self._task, completed=line["step"], description=shown)
