"""The folder that a command writes its report to."""

import os
from pathlib import Path

from audiodae.errors import AudiodaeError


def prepare_report_folder(out: Path, overwrite: bool, *, report: str = "report.md") -> None:
    """Make the folder before the work, so that nothing is scored in vain."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudiodaeError(f"{out}: cannot make the folder ({error.strerror})") from error
    if not os.access(out, os.W_OK):
        raise AudiodaeError(f"{out}: cannot write into the folder")
    if (out / report).exists() and not overwrite:
        raise AudiodaeError(f"{out / report} exists: choose another --out, or add --overwrite")
