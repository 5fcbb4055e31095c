"""Libraries that only some files need: looked for when such a file is opened."""

import importlib
from pathlib import Path
from typing import Any

from audiodae.errors import AudiodaeError

INSTALL = 'pip install "audiodae[series]"'


class MissingLibraryError(AudiodaeError, ImportError):
    """A file whose library is not installed."""


def load(library: str, path: Path, what: str) -> Any:
    """Import a library.

    Parameters
    ----------
    library : name of the module
    path, what : the file that needs it, and what it is, for the message

    Raises
    ------
    MissingLibraryError
        It is not installed.
    """
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as error:
        raise MissingLibraryError(f"{path}: {what} needs {error.name}: {INSTALL}") from None
