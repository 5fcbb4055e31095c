"""`audiodae clean` where IN is a time series: options of its own, and what is told at the end."""

import csv
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from audiodae.card import CARD_KEY, read_card
from audiodae.cli.options import refuse_preset, warn
from audiodae.cli.progress import progress_bar
from audiodae.denoiser import Denoiser
from audiodae.errors import SeriesFileError, one_line
from audiodae.files import CleanOptions
from audiodae.network import MODEL_VARIABLE, shipped_networks
from audiodae.onnx_graph import read_facts
from audiodae.pipes import is_pipe

if TYPE_CHECKING:
    from audiodae.series import CleanedSeries

Command = TypeVar("Command", bound=Callable[..., Any])
OPTIONS = ("rate", "columns", "time_column")


def series_options(command: Command) -> Command:
    """Add --rate, --columns and --time-column; none of them has a value where it is not given."""
    options = [
        click.option(
            "--rate",
            type=click.FloatRange(min=0, min_open=True),
            metavar="HZ",
            help="Series: samples a second, where IN has no time column or header that tells it.",
        ),
        click.option(
            "--columns",
            metavar="LIST",
            help="Series: what to clean, names or numbers from 1, as 2,3 or ecg,v5.  [default: all that holds numbers]",
        ),
        click.option(
            "--time-column",
            metavar="NAME",
            help='Series: the column of time stamps, by name or number; "none" where there is none to heed.  '
            "[default: looked for]",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def is_series_file(source: str) -> bool:
    """Tell whether IN is a series."""
    from audiodae.series import is_series

    return not is_pipe(source) and is_series(source)


def refuse_series_options(**values: object) -> None:
    """Refuse, as wrong usage, what makes no sense where IN is no series."""
    for name, value in values.items():
        if value is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} is for series (CSV, NPY, EDF, ...), and IN is none")


def clean_one_series(
    model: str | None,
    source: str,
    target: str,
    *,
    options: CleanOptions,
    rate: float | None,
    columns: str | None,
    time_column: str | None,
    plot: Path | None,
    sandbox: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Clean a series and tell of it."""
    from audiodae.series import SeriesOptions, clean_series

    if is_pipe(target):
        raise click.UsageError("IN is a series, which goes into a file and not through a pipe; name one for OUT")
    for name, given in (("--subtype", options.subtype is not None), ("--sandbox", sandbox)):
        if given:
            raise click.UsageError(f"{name} is for sound, and IN is a series")
    refuse_preset("IN is a series")
    if plot and plot.suffix.lower() != ".png":
        raise click.BadParameter(f"{plot}: the picture is a PNG; name it so", param_hint="--plot")
    denoiser = Denoiser(_series_model(model, source))
    shown = not quiet and not as_json and sys.stderr.isatty()
    with progress_bar(one_line(Path(source).name), shown=shown) as on_progress:
        done = clean_series(
            denoiser,
            source,
            target,
            options=SeriesOptions(
                rate=rate,
                columns=None if columns is None else next(csv.reader([columns]), []),
                time_column=time_column,
                limit_db=options.limit_db,
                mix=options.mix,
                output=options.output,
                strict=options.strict,
                overwrite=options.overwrite,
            ),
            plot=plot,
            on_progress=on_progress,
        )
    _warn(done)
    if plot and not done.samples:
        warn(f"{source}: no samples, so no picture")
    if as_json or not quiet:
        click.echo(json.dumps(done.as_json()) if as_json else summary(done))


def summary(done: "CleanedSeries") -> str:
    """Tell in a line what happened to a series."""
    parts = [f"{one_line(str(done.target))}: {done.seconds:.2f} s at {done.sample_rate:g} Hz, rtf {done.rtf:.4f}"]
    parts.append(f"cleaned {one_line(', '.join(done.leads))}")
    if done.kept:
        parts.append(f"kept {one_line(', '.join(done.kept))}")
    parts.append(f"{done.gap_values} values are gaps, {done.clipped_values} clipped")
    return "; ".join(parts)


def _series_model(model: str | None, source: str) -> str | None:
    """Refuse to take the network of sound, which is the default, for a series."""
    if model is None and not os.environ.get(MODEL_VARIABLE):
        names = ", ".join(_series_networks()) or "none is shipped"
        raise SeriesFileError(
            f"{source}: is a series, and needs a network for series: give --model ({names}, or a file)"
        )
    return model


def _series_networks() -> list[str]:
    """Name the shipped networks that clean series."""
    cards = {name: read_facts(path.read_bytes()).metadata[CARD_KEY] for name, path in shipped_networks().items()}
    return [name for name, card in cards.items() if read_card(card).series is not None]


def _warn(done: "CleanedSeries") -> None:
    """Tell on stderr what was wrong with the series."""
    counts = {
        "values were infinite or beyond 1e30 and became gaps": done.repaired_values,
        "values are as they were, for the network gave no numbers": done.bypassed_values,
        "values beyond what OUT's numbers can hold were held at their limits": done.clipped_values,
    }
    for text, count in counts.items():
        if count:
            warn(f"{done.source}: {count} {text}")
    if done.flat_leads:
        warn(f"{done.source}: never changes: {', '.join(done.flat_leads)} (an electrode that is off?)")
