"""`audiodae clean`: a sound file, a folder of them or a pipe in, the clean one out."""

import json
import sys
from collections.abc import Callable
from dataclasses import fields
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from audiodae.audio import open_reader
from audiodae.cli.clean_folder import clean_whole_folder, folder_options, refuse_folder_options
from audiodae.cli.clean_series import clean_one_series, is_series_file, refuse_series_options, series_options
from audiodae.cli.options import cleaning_options, json_option, quiet_option, warn
from audiodae.cli.progress import progress_bar
from audiodae.denoiser import Denoiser
from audiodae.errors import one_line
from audiodae.files import CleanedFile, CleanOptions, clean_file, refuse_target, targets
from audiodae.pipes import STDIN, is_pipe


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
@click.option(
    "--sandbox/--no-sandbox",
    default=None,
    help="Clean in a process of its own with limits on memory and time, so that a file that brings a decoder down "
    "costs one line.  [default: for folders only]",
)
@series_options
@folder_options
@quiet_option
@json_option
def clean(
    source: str,
    target: str,
    options: CleanOptions,
    model: str | None,
    plot: Path | None,
    sandbox: bool | None,
    rate: float | None,
    columns: str | None,
    time_column: str | None,
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

    Where IN is a time series (CSV, TSV, NPY, NPZ, Parquet, WFDB, EDF), --model names a network for series.
    """
    if is_series_file(source):
        refuse_folder_options(jobs, include, report)
        clean_one_series(
            model,
            source,
            target,
            options=options,
            rate=rate,
            columns=columns,
            time_column=time_column,
            plot=plot,
            sandbox=sandbox is True,
            quiet=quiet,
            as_json=as_json,
        )
        return
    refuse_series_options(rate=rate, columns=columns, time_column=time_column)
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
            sandbox=sandbox is not False,
            quiet=quiet,
            as_json=as_json,
        )
        return
    refuse_folder_options(jobs, include, report)
    _clean_one(source, target, options, model, plot, sandbox=sandbox is True, quiet=quiet, as_json=as_json)


def _clean_one(
    source: str,
    target: str,
    options: CleanOptions,
    model: str | None,
    plot: Path | None,
    *,
    sandbox: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Clean a file or a pipe and tell of it."""
    if plot and plot.suffix.lower() != ".png":
        raise click.BadParameter(f"{plot}: the picture is a PNG; name it so", param_hint="--plot")
    _refuse_early(source, target, options, plot, sandbox=sandbox)
    clean_it = _cleaner(model, sandbox=sandbox)
    shown = not quiet and not as_json and sys.stderr.isatty()
    with progress_bar(one_line(Path(source).name), shown=shown) as on_progress:
        done = clean_it(source, target, options=options, plot=plot, on_progress=on_progress)
    _warn(done, STDIN if is_pipe(source) else source)
    if plot and not done.audio_seconds:
        warn(f"{source}: no samples, so no picture")
    if as_json or not quiet:
        told = json.dumps(done.as_json()) if as_json else summary(done)
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


def _cleaner(model: str | None, *, sandbox: bool) -> Callable[..., CleanedFile]:
    if sandbox:
        from audiodae.sandbox import clean_file_in_sandbox  # and multiprocessing with it

        return partial(clean_file_in_sandbox, model)
    return partial(clean_file, Denoiser(model))


def _refuse_early(source: str, target: str, options: CleanOptions, plot: Path | None, *, sandbox: bool) -> None:
    """Say what cannot work before a network is loaded."""
    if is_pipe(source):
        return
    if not sandbox:  # which opens it itself
        with open_reader(source):
            pass
    for path in (*targets(target, options.output).values(), plot):
        if path is not None and not is_pipe(path):
            refuse_target(source, path, overwrite=options.overwrite)


def _warn(done: CleanedFile, source: str) -> None:
    """Tell on stderr what was wrong with the sound."""
    warnings = {
        "input samples were not finite (NaN, infinite or beyond 1e10) and became silence": done.repaired_samples,
        "output samples beyond full scale were held at it": done.clipped_samples,
        "samples are missing at the end of the damaged input": done.missing_samples,
    }
    for text, count in warnings.items():
        if count:
            warn(f"{source}: {count} {text}")
