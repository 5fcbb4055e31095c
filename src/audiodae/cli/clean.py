"""`audiodae clean`: a sound file, a folder of them or a pipe in, the clean one out."""

import json
import sys
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiodae.audio import open_reader
from audiodae.cli import MissingExtra
from audiodae.cli.clean_folder import clean_whole_folder, folder_options, refuse_folder_options
from audiodae.cli.options import cleaning_options, json_option, quiet_option, warn
from audiodae.cli.progress import progress_bar
from audiodae.denoiser import Denoiser
from audiodae.errors import one_line
from audiodae.files import CleanedFile, CleanOptions, clean_file, refuse_target, targets
from audiodae.pipes import is_pipe

if TYPE_CHECKING:
    from audiodae.plots import Cleaning


def file_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how files are cleaned; the command gets them as one CleanOptions."""

    @click.option(
        "--channels",
        type=click.Choice(["linked", "independent"]),
        default="linked",
        show_default=True,
        help="Same gains for all channels, so that the stereo image stands, or each channel on its own.",
    )
    @click.option(
        "--output",
        type=click.Choice(["speech", "noise", "both"]),
        default="speech",
        show_default=True,
        help="What OUT holds: the cleaned sound, what was removed from it, or both (the noise as NAME.noise.EXT).",
    )
    @click.option("--subtype", metavar="CODING", help="Coding of OUT, e.g. PCM_24 or FLOAT.  [default: that of IN]")
    @click.option("--strict", is_flag=True, help="Refuse samples that are not finite, instead of making them silence.")
    @click.option("--overwrite", is_flag=True, help="Replace OUT where it exists; it may be IN.")
    @wraps(command)
    def with_options(**values: Any) -> None:
        chosen = {field.name: values.pop(field.name) for field in fields(CleanOptions)}
        command(options=CleanOptions(**chosen), **values)

    return cleaning_options(with_options)


@click.command(
    epilog="\b\nExamples:\n  audiodae clean noisy.wav clean.wav --limit-db 20\n"
    "  ffmpeg -i talk.mp4 -f wav - | audiodae clean - - | ffmpeg -i - talk.mp3"
)
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@file_options
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PNG",
    help="Draw the spectrograms and levels before and after.",
)
@folder_options
@quiet_option
@json_option
def clean(
    source: str,
    target: str,
    options: CleanOptions,
    model: str | None,
    plot: Path | None,
    jobs: int | None,
    include: tuple[str, ...],
    report: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Take the noise out of the sound file IN and write OUT.

    OUT has the sample rate, channels, coding and length of IN, sample by sample in step with it. Its name may ask for
    another container (.flac, .ogg, ...). It appears when it is complete.

    IN and OUT may be "-" for standard input and output: WAV is cleaned as it comes, any other format when it is all
    there; what comes out is WAV.

    Where IN is a folder, OUT becomes one like it: every sound in IN and the folders below is cleaned, and what is done
    and unchanged since is passed over, so the same command goes on where it was stopped.
    """
    if not is_pipe(source) and Path(source).is_dir():
        if plot:
            raise click.UsageError("--plot draws one file; IN is a folder")
        clean_whole_folder(
            model,
            Path(source),
            Path(target),
            options=options,
            jobs=jobs,
            include=include,
            report=report,
            quiet=quiet,
            as_json=as_json,
        )
        return
    refuse_folder_options(jobs, include, report)
    _clean_one(source, target, options, model, plot, quiet=quiet, as_json=as_json)


def _clean_one(
    source: str, target: str, options: CleanOptions, model: str | None, plot: Path | None, *, quiet: bool, as_json: bool
) -> None:
    if not is_pipe(source):
        _refuse_early(source, target, options)
    picture = _picture(source, plot, options) if plot else None
    denoiser = Denoiser(model)
    shown = not quiet and not as_json and sys.stderr.isatty()
    with progress_bar(one_line(Path(source).name), shown=shown) as on_progress:
        watch = {"on_block": picture.add} if picture else {}
        done = clean_file(denoiser, source, target, options=options, on_progress=on_progress, **watch)
    _warn(done)
    if picture and plot:
        if done.audio_seconds:
            picture.save(plot)
        else:
            warn(f"{source}: no samples, so no picture")
    told = json.dumps({**done.as_json(), "model": denoiser.network.card.name}) if as_json else summary(done)
    if as_json or not quiet:
        click.echo(told, err=is_pipe(target))  # standard output carries the sound


def summary(done: CleanedFile) -> str:
    """Tell in a line what happened to a file."""
    parts = [f"{one_line(str(done.target))}: {done.audio_seconds:.2f} s, rtf {done.rtf:.4f}"]
    if done.noise_reduction_db is not None:
        parts.append(f"noise reduced by {done.noise_reduction_db:.1f} dB")
    if done.speech_level_dbfs is not None:
        parts.append(f"speech at {done.speech_level_dbfs:.1f} dBFS")
    parts.append(f"{done.repaired_samples} samples repaired, {done.clipped_samples} clipped")
    return ", ".join(parts)


def _refuse_early(source: str, target: str, options: CleanOptions) -> None:
    """Say what cannot work before a network is loaded."""
    with open_reader(source):
        for path in targets(target, options.output).values():
            if not is_pipe(path):
                refuse_target(source, path, overwrite=options.overwrite)


def _picture(source: str, plot: Path, options: CleanOptions) -> "Cleaning":
    """Begin a picture, where one can be drawn and written."""
    if plot.suffix.lower() != ".png":
        raise click.BadParameter(f"{plot}: the picture is a PNG; name it so", param_hint="--plot")
    refuse_target(source, plot, overwrite=options.overwrite)
    try:
        from audiodae.plots import Cleaning
    except ModuleNotFoundError as error:
        raise MissingExtra(f'--plot needs {error.name}: pip install "audiodae[plot]"') from error
    return Cleaning()


def _warn(done: CleanedFile) -> None:
    """Tell on stderr what was wrong with the sound."""
    warnings = {
        "input samples were not finite (NaN or infinite) and became silence": done.repaired_samples,
        "output samples beyond full scale were held at it": done.clipped_samples,
        "samples are missing at the end of the damaged input": done.missing_samples,
    }
    for text, count in warnings.items():
        if count:
            warn(f"{done.source}: {count} {text}")
