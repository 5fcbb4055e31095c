"""Options that several commands share."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from audiodae.errors import one_line
from audiodae.presets import PRESETS


def cleaning_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --model, --preset, --limit-db and --mix; the command gets a preset as its values."""

    @click.option("--model", metavar="NAME|PATH", help="Network to use.  [default: $AUDIODAE_MODEL, else speech]")
    @click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        help="Settings for a purpose, asr for speech recognisers; --limit-db and --mix, where given, win over it.",
    )
    @click.option(
        "--limit-db",
        type=click.FloatRange(min=0),
        metavar="DB",
        help="Make nothing quieter by more than DB decibels.  [default: no limit]",
    )
    @click.option(
        "--mix",
        type=click.FloatRange(0, 1),
        metavar="SHARE",
        default=1.0,
        show_default=True,
        help="Share of the cleaned sound, 0 to 1; the rest is the original.",
    )
    @wraps(command)
    def with_options(*, preset: str | None, **values: Any) -> None:
        source = click.get_current_context().get_parameter_source
        chosen: Mapping[str, object] = PRESETS[preset] if preset else {}
        for name, value in chosen.items():
            if source(name) is ParameterSource.DEFAULT:
                values[name] = value
        command(**values)

    return with_options


def refuse_preset(what: str) -> None:
    """Refuse --preset, as wrong usage, where it makes no sense: presets were measured on speech."""
    if click.get_current_context().params.get("preset") is not None:
        raise click.UsageError(f"--preset is for sound, and {what}")


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
