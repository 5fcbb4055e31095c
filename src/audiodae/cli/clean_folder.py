"""`audiodae clean` where IN is a folder: options of its own, errors as they come, a summary at the end."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from audiodae.cli.progress import progress_bar
from audiodae.errors import AudioFileError, one_line
from audiodae.files import CleanOptions

if TYPE_CHECKING:
    from audiodae.folders import FileResult, FolderResult

Command = TypeVar("Command", bound=Callable[..., Any])


def folder_options(command: Command) -> Command:
    """Add --jobs, --include and --report; none of them has a value where it is not given."""
    options = [
        click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Folders: processes.  [default: 1]"),
        click.option(
            "--include",
            multiple=True,
            metavar="GLOB",
            help="Folders: clean only sounds whose name or path fits, e.g. '*.flac' or 'talks/*'. May be repeated.",
        ),
        click.option(
            "--report",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Folders: add a line of JSON to FILE for each sound.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def refuse_folder_options(jobs: int | None, include: tuple[str, ...], report: Path | None) -> None:
    """Refuse, as wrong usage, what makes no sense where IN is no folder."""
    for name, value in (("--jobs", jobs), ("--include", include), ("--report", report)):
        if value:
            raise click.UsageError(f"{name} is for folders, and IN is none")


def clean_whole_folder(
    model: str | None,
    source: Path,
    target: Path,
    *,
    options: CleanOptions,
    jobs: int | None,
    include: tuple[str, ...],
    report: Path | None,
    sandbox: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Clean a folder and tell of it; AudioFileError at the end where a sound failed."""
    from audiodae.folders import clean_folder  # and multiprocessing with it: one file needs neither

    if target == Path("-"):
        raise click.UsageError("IN is a folder, which no pipe takes; name a folder for OUT")
    with progress_bar(source.name, shown=not quiet and not as_json and sys.stderr.isatty()) as on_progress:
        done = clean_folder(
            model,
            source,
            target,
            options=options,
            jobs=jobs or 1,
            include=include or ("*",),
            report=report,
            sandbox=sandbox,
            on_file=_tell_error,
            on_progress=on_progress,
        )
    if as_json:
        click.echo(json.dumps({"input": str(source), "output": str(target), **done.as_json()}))
    elif not quiet:
        _show(_summary(done))
    if done.failed:
        raise AudioFileError(f"{done.failed} of {done.cleaned + done.skipped + done.failed} sounds failed")


def _tell_error(result: "FileResult") -> None:
    if result.error is not None:
        click.echo(f"audiodae: {one_line(result.error)}", err=True)


def _summary(done: "FolderResult") -> dict[str, str]:
    """Name what is worth knowing of a run."""
    rows = {"cleaned": f"{done.cleaned} ({done.audio_seconds:.2f} s of sound in {done.wall_seconds:.2f} s)"}
    rows |= {"skipped, done before": f"{done.skipped}", "failed": f"{done.failed}"}
    rows["other files, left alone"] = f"{done.others}"
    if done.noise_reduction_db is not None:
        rows["noise reduction, mean"] = f"{done.noise_reduction_db:.1f} dB"
    if done.speech_level_dbfs is not None:
        rows["speech level, mean"] = f"{done.speech_level_dbfs:.1f} dBFS"
    if done.muted_share is not None:
        rows["time muted"] = f"{100 * done.muted_share:.1f} %"
    for what in ("repaired", "clipped", "missing"):
        if count := getattr(done, f"{what}_samples"):
            rows[f"samples {what}"] = f"{count}"
    return rows


def _show(rows: dict[str, str]) -> None:
    """Print rows: a table on a terminal, else aligned lines."""
    if not sys.stdout.isatty():
        width = max(map(len, rows))
        click.echo("\n".join(f"{name:<{width}} {value}" for name, value in rows.items()))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False)
    for name, value in rows.items():
        table.add_row(name, Text(value))
    Console().print(table)
