"""Options that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from audiodae.errors import one_line

Command = TypeVar("Command", bound=Callable[..., Any])


def cleaning_options(command: Command) -> Command:
    """Add --model, --limit-db and --mix."""
    options = [
        click.option("--model", metavar="NAME|PATH", help="Network to use.  [default: $AUDIODAE_MODEL, else speech]"),
        click.option(
            "--limit-db",
            type=click.FloatRange(min=0),
            metavar="DB",
            help="Make nothing quieter by more than DB decibels.  [default: no limit]",
        ),
        click.option(
            "--mix",
            type=click.FloatRange(0, 1),
            metavar="SHARE",
            default=1.0,
            show_default=True,
            help="Share of the cleaned sound, 0 to 1; the rest is the original.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
quiet_option = click.option("--quiet", is_flag=True, help="Show no progress and no summary, only errors and warnings.")

codes_model_option = click.option(
    "--model",
    metavar="NAME|PATH",
    help="Patch autoencoder: a shipped name, a file or a run folder.  [default: speech-codes]",
)


def warn(text: str) -> None:
    """Tell on stderr what was passed over."""
    click.echo(f"audiodae: warning: {one_line(text)}", err=True)
