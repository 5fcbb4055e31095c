"""`audiodae train`: carry out a recipe."""

from __future__ import annotations

from pathlib import Path

import click

from audiodae.cli.progress import progress_bar
from audiodae.cli.training_bar import TrainingBar

VALID_SHARE = 0.1  # of the recordings or images that a family is judged by

EPILOG = """\b
Example:
  audiodae train recipes/train_speech.toml --out runs/speech --set data.prepared=prepared
  audiodae train --family variational --data digits --out runs/variational"""


@click.command(epilog=EPILOG)
@click.argument("recipe", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The run folder to make.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one number of the recipe.")
@click.option(
    "--family", metavar="NAME", help="Train a patch autoencoder of this family; a RECIPE is laid over its row."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Recordings, or images in IDX files, for a family.  [default: made-up spoken digits]",
)
@click.option("--resume", is_flag=True, help="Go on from the run folder's last checkpoint; not for families.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Override run.device; not for families.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "bf16-mixed", "16-mixed", "32"]),
    help="Override run.precision; not for families.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def train(
    recipe: Path | None,
    out: Path,
    overrides: tuple[str, ...],
    family: str | None,
    data: Path | None,
    resume: bool,
    device: str | None,
    precision: str | None,
    quiet: bool,
) -> None:
    """Train the network that RECIPE describes and leave everything in the run folder.

    Killed at any moment, a run goes on with --resume as if nothing had happened.

    A recipe with a table [family], or --family, trains a small autoencoder of patches on the CPU.
    """
    if recipe is None and family is None:
        raise click.UsageError("Missing argument 'RECIPE', or option '--family'.")
    if family is not None or _is_family(recipe):
        if resume or device or precision:
            raise click.UsageError("--resume, --device and --precision are not for families: theirs are short runs.")
        _train_family(recipe, out, overrides, family, data, quiet=quiet)
        return
    if data is not None:
        raise click.UsageError(
            "--data is for families; a recipe without one names its own: --set data.prepared=FOLDER."
        )
    assert recipe is not None
    _train_recipe(recipe, out, overrides, {"run.device": device, "run.precision": precision}, resume, quiet=quiet)


def _is_family(recipe: Path | None) -> bool:
    from audiodae.training.families import is_family_recipe

    return recipe is not None and is_family_recipe(recipe)


def _train_family(
    recipe: Path | None, out: Path, overrides: tuple[str, ...], family: str | None, data: Path | None, *, quiet: bool
) -> None:
    from audiodae.prep.patch_sets import read_patches
    from audiodae.training.families import load_family_recipe
    from audiodae.training.family_run import train_family

    settled = load_family_recipe(recipe, overrides, name=family)
    patches = read_patches(data, settled.patches)
    training, valid = patches.split(VALID_SHARE, seed=settled.run.seed)
    with progress_bar(settled.family.name, shown=not quiet) as report:
        trained = train_family(
            settled, training, valid, out=out, report=lambda line: report(line["epoch"], settled.run.epochs)
        )
    weights = sum(parameter.numel() for parameter in trained.network.parameters())
    last = trained.history[-1]
    click.echo(f"{len(training)} patches, {last['epoch']} epochs in {trained.seconds:.1f} s, {weights:,} weights")
    click.echo(f"validation error {last['valid_mse']:.4f}, mean square of a value: {out / 'model.safetensors'}")


def _train_recipe(
    recipe: Path,
    out: Path,
    overrides: tuple[str, ...],
    chosen: dict[str, str | None],
    resume: bool,
    *,
    quiet: bool,
) -> None:
    from lightning_fabric.utilities.rank_zero import rank_zero_only

    from audiodae.training.recipe_file import load_recipe
    from audiodae.training.trainer import train as run_training

    asked = [*overrides, *(f'{key}="{value}"' for key, value in chosen.items() if value is not None)]
    settled = load_recipe(recipe, asked)
    with TrainingBar(settled.run.steps, quiet=quiet) as report:
        progress = run_training(settled, out, resume=resume, report=report)
    if getattr(rank_zero_only, "rank", 0) != 0:
        return  # one of several processes speaks for all
    hours, minutes = progress.audio_seconds / 3600, progress.train_seconds / 60
    click.echo(f"{progress.step} steps, {hours:.1f} h of audio in {minutes:.1f} min, {progress.bad_steps} bad steps")
    click.echo(
        f"best validation loss {progress.best_loss:.4f} at step {progress.best_step}: {out / 'best.safetensors'}"
    )
