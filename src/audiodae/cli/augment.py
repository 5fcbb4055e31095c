"""`audiodae augment`: plausible variants of a recording, to train on."""

from __future__ import annotations

from pathlib import Path

import click

from audiodae.cli.options import codes_model_option, quiet_option
from audiodae.errors import AudiodaeError

PATH = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae augment word.wav variants --variants 10")
@click.argument("source", metavar="IN", type=PATH)
@click.argument("folder", metavar="OUT_DIR", type=PATH)
@click.option("--variants", type=click.IntRange(min=1), default=5, show_default=True, help="How many to make.")
@click.option(
    "--strength",
    type=click.FloatRange(min=0),
    default=0.5,
    show_default=True,
    help="How far to move the code, in parts of its usual spread; 0 gives the recording back.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="The same seed, the same variants."
)
@codes_model_option
@click.option("--overwrite", is_flag=True, help="Replace variants that are there.")
@quiet_option
def augment(
    source: Path,
    folder: Path,
    variants: int,
    strength: float,
    seed: int,
    model: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Write variants of the sound file IN to OUT_DIR/IN_1, IN_2, ...: the same words, another voice or microphone.

    They have the length, rate, channels, coding and loudness of IN and are never clipped. The network has to be of a
    denoising or variational family.

    Needs pip install "audiodae[train,evaluate]".
    """
    from audiodae.uses.augment import augment_file
    from audiodae.uses.recordings import load_network

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudiodaeError(f"{folder}: cannot make the folder ({error.strerror})") from error
    network = load_network(model)
    written = augment_file(network, source, folder, count=variants, strength=strength, seed=seed, overwrite=overwrite)
    if not quiet:
        click.echo(f"{len(written)} variants of {source}: {', '.join(map(str, written))}")
