"""`audiodae clean`: a sound file in, a clean one out."""

import json
import sys
from pathlib import Path
from typing import Literal

import click

from audiodae.audio import AudioReader
from audiodae.cli.options import cleaning_options, json_option, quiet_option
from audiodae.cli.progress import progress_bar
from audiodae.denoiser import Denoiser
from audiodae.files import CleanedFile, clean_file, refuse_target

PATH = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae clean noisy.wav clean.wav --limit-db 20")
@click.argument("source", metavar="IN", type=PATH)
@click.argument("target", metavar="OUT", type=PATH)
@cleaning_options
@click.option(
    "--channels",
    type=click.Choice(["linked", "independent"]),
    default="linked",
    show_default=True,
    help="Same gains for all channels, so that the stereo image stands, or each channel on its own.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT where it exists.")
@quiet_option
@json_option
def clean(
    source: Path,
    target: Path,
    model: str | None,
    limit_db: float | None,
    mix: float,
    channels: Literal["linked", "independent"],
    overwrite: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Take the noise out of the sound file IN and write OUT.

    OUT has the sample rate, channels, coding and length of IN, sample by sample in step with it. Its name may ask for
    another container (.flac, .ogg, ...). It appears when it is complete.
    """
    with AudioReader(source):  # what cannot work is said before a network is loaded
        refuse_target(source, target, overwrite=overwrite)
    denoiser = Denoiser(model)
    with progress_bar(source.name, shown=not quiet and not as_json and sys.stderr.isatty()) as on_progress:
        done = clean_file(
            denoiser,
            source,
            target,
            limit_db=limit_db,
            mix=mix,
            channels=channels,
            overwrite=overwrite,
            on_progress=on_progress,
        )
    _warn(done)
    if as_json:
        click.echo(json.dumps(_as_json(done, denoiser)))
    elif not quiet:
        click.echo(_summary(done))


def _summary(done: CleanedFile) -> str:
    return (
        f"{done.target}: {done.audio_seconds:.2f} s, rtf {done.rtf:.4f}, "
        f"{done.repaired_samples} samples repaired, {done.clipped_samples} clipped"
    )


def _as_json(done: CleanedFile, denoiser: Denoiser) -> dict[str, object]:
    return {
        "input": str(done.source),
        "output": str(done.target),
        "model": denoiser.network.card.name,
        "audio_seconds": round(done.audio_seconds, 6),
        "rtf": round(done.rtf, 6),
        "repaired_samples": done.repaired_samples,
        "clipped_samples": done.clipped_samples,
        "missing_samples": done.missing_samples,
    }


def _warn(done: CleanedFile) -> None:
    """Tell on stderr what was wrong with the sound."""
    warnings = {
        "input samples were not finite (NaN or infinite) and became silence": done.repaired_samples,
        "output samples beyond full scale were held at it": done.clipped_samples,
        "samples are missing at the end of the damaged input": done.missing_samples,
    }
    for text, count in warnings.items():
        if count:
            click.echo(f"audiodae: warning: {done.source}: {count} {text}", err=True)
