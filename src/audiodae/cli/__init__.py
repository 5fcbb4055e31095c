"""The command line: one small file a command, loaded when it is asked for.

Results go to stdout, progress and warnings to stderr. What a user can cause is one line on stderr and exit code 1 (2
for wrong usage); anything else is a bug and keeps its traceback. A command whose reader has gone ends quietly.
"""

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from audiodae import __version__
from audiodae.errors import AudiodaeError, one_line

# Name to what `audiodae --help` says of it: the list is shown without loading a command, and torch with it.
COMMANDS = {
    "clean": "Take the noise out of a sound file.",
    "info": "Show what a network is, who may use it and how fast it runs.",
    "stream": "Clean raw samples from standard input to standard output.",
    "train": "Train a network by a recipe.",
    "export": "Turn a training run into a network file.",
    "finetune": "Make a network at home in a noise of your own.",
    "evaluate": "Score a network on pairs of clean and noisy files.",
    "evaluate-ecg": "Score a network on ECG records with recorded noise.",
    "evaluate-asr": "Tell how well recognisers understand what was cleaned.",
    "robustness": "Try a network on music, clicks, whispers, telephones and more.",
    "benchmark": "Compare networks and other denoisers.",
    "encode": "Turn recordings into codes.",
    "search": "Show the recordings that sound most like one.",
    "anomaly": "Tell how odd recordings are.",
    "augment": "Make variants of a recording.",
    "compare": "Compare the families of autoencoders.",
    "ablate": "Tell what each number of a recipe is worth.",
}
# The extra that a command needs beyond the light half.
BOTH = "train,evaluate"
EXTRAS = {"train": "train", "export": "train", "evaluate": "evaluate", "evaluate-ecg": "evaluate"}
EXTRAS["evaluate-asr"] = EXTRAS["ablate"] = BOTH
EXTRAS |= dict.fromkeys(
    ("finetune", "robustness", "benchmark", "encode", "search", "anomaly", "augment", "compare"), BOTH
)


class MissingExtra(AudiodaeError, ImportError):
    """A command whose libraries are not installed."""


class LazyGroup(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import audiodae.cli.NAME and give its NAME; hyphens are underscores there."""
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(f"audiodae.cli.{_in_python(cmd_name)}")
        except ModuleNotFoundError as error:
            raise explain_missing(cmd_name, error) from error
        command: click.Command = getattr(module, _in_python(cmd_name))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; a library that it misses on the way is told as its extra."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would make exit code 1 of it, as if something were wrong
            _leave_quietly()
        except ModuleNotFoundError as error:
            raise explain_missing(ctx.invoked_subcommand, error) from error


def _in_python(command: str) -> str:
    return command.replace("-", "_")


def explain_missing(command: str | None, error: ModuleNotFoundError) -> Exception:
    """Name the extra that brings a missing library; give the error itself where no extra would help."""
    extra = EXTRAS.get(command or "")
    library = error.name or ""
    if extra is None or library.partition(".")[0] == "audiodae":
        return error
    return MissingExtra(f'`audiodae {command}` needs {library}: pip install "audiodae[{extra}]"')


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  audiodae clean noisy.wav clean.wav",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def audiodae() -> None:
    """Take the noise out of sound."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    # So that a half-written file is taken away when the machine shuts down or a batch job ends.
    signal.signal(signal.SIGTERM, _end)
    try:
        audiodae.main(args=None if arguments is None else list(arguments), prog_name="audiodae", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        if isinstance(error, click.NoSuchOption):
            hint = _meant_file(sys.argv[1:] if arguments is None else arguments)
            error = click.UsageError(error.format_message() + hint, error.ctx)
        error.show()
        sys.exit(error.exit_code)
    except AudiodaeError as error:
        click.echo(f"audiodae: {one_line(str(error))}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        click.echo("audiodae: interrupted", err=True)
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        _leave_quietly()
    sys.exit(0)


def _meant_file(arguments: Sequence[str]) -> str:
    """Tell how to write the name of a file that was taken for an option."""
    files = [argument for argument in arguments if argument.startswith("-") and os.path.exists(argument)]
    return f" The file of that name is ./{one_line(files[0])}" if files else ""


def _leave_quietly() -> NoReturn:
    """Exit as a program does that SIGPIPE ended: who read our output has what it wanted, and has gone."""
    # What is still buffered must not be tried again when Python ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(128 + signal.SIGPIPE)


def _end(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)
