"""The errors a user can cause, each saying what came, what was expected and the remedy.

Every child also inherits the builtin that fits, so that `except ValueError` works for those who do not know audiodae.
Only the command line and the scripts turn them into a line on stderr.
"""


class AudiodaeError(Exception):
    """Anything that audiodae refuses with a message meant for its user."""


class SignalError(AudiodaeError, ValueError):
    """Samples of a shape, type or level that cannot be worked on."""


class AudioFileError(AudiodaeError, OSError):
    """A sound file that cannot be read or written."""


class SeriesFileError(AudiodaeError, OSError):
    """A file of a time series (CSV, NPY, Parquet, WFDB, EDF) that cannot be read or written."""


class NetworkError(AudiodaeError, ValueError):
    """A network file that is missing, damaged, unsafe or does not keep the contract."""


class CorpusError(AudiodaeError, ValueError):
    """A folder of recordings that is empty, mostly unreadable or badly split."""


class ShardError(AudiodaeError, ValueError):
    """Prepared data that is damaged or was made with other settings."""


class RecipeError(AudiodaeError, ValueError):
    """A recipe with an unknown key, a wrong type or numbers that do not fit together."""


class TrainingError(AudiodaeError, RuntimeError):
    """A training run that cannot start, go on or be resumed."""


def one_line(text: str) -> str:
    """Make text that may come from a file safe to show: one line, nothing that moves a terminal's cursor."""
    return "".join(character if character.isprintable() else " " for character in " ".join(text.split()))
