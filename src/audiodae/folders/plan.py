"""What is to be done in a folder of sounds, decided before anything is: what to clean, to skip, to refuse."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from audiodae.errors import AudioFileError
from audiodae.files import Output, refuse_target, targets
from audiodae.folders.done_list import DONE_NAME, DoneList, fingerprint


@dataclass(frozen=True)
class Task:
    """A sound to clean.

    Attributes
    ----------
    path : Path, within the input folder
    source, target : Path
    outputs : tuple of Path, the files that will appear
    overwrite : bool, whether what lies there may be replaced
    size : int, bytes of the source
    """

    path: Path
    source: Path
    target: Path
    outputs: tuple[Path, ...]
    overwrite: bool
    size: int


@dataclass
class Plan:
    """The tasks, the number of sounds that are done, and why others cannot be cleaned."""

    tasks: list[Task] = field(default_factory=list)
    skipped: int = 0
    refused: dict[Path, str] = field(default_factory=dict)


def plan_folder(
    source: Path, target: Path, sounds: Iterable[Path], *, output: Output, overwrite: bool, done_list: DoneList
) -> Plan:
    """Plan the sounds of a folder, given by their paths in it; with overwrite none is taken for done."""
    plan, claims = Plan(), _Claims(source, target, sounds)
    for path in sounds:
        outputs = tuple(Path(each) for each in targets(target / path, output).values())
        try:
            claims.add(path, outputs)
            if not overwrite and done_list.is_done(path, source / path, outputs):
                plan.skipped += 1
                continue
            replace = overwrite or done_list.may_replace(path, outputs)
            for each in () if replace else outputs:
                refuse_target(source / path, each, overwrite=False)
        except AudioFileError as error:
            plan.refused[path] = str(error)
            continue
        size, _ = fingerprint(source / path) or (0, 0)
        plan.tasks.append(Task(path, source / path, target / path, outputs, replace, size))
    return plan


class _Claims:
    """Which file belongs to which sound, so that no output takes the place of an input or of another output."""

    def __init__(self, source: Path, target: Path, sounds: Iterable[Path]) -> None:
        # On some disks A.wav and a.wav are one file, and so is the list of what is done by this name.
        self._ignores_case = (target / DONE_NAME.upper()).exists()
        self._owners = {self._key(source / path): "an input" for path in sounds}

    def add(self, path: Path, outputs: Iterable[Path]) -> None:
        """Claim outputs for the sound at path, or raise AudioFileError."""
        mine = f"the output of {path}"
        for output in outputs:
            if (owner := self._owners.setdefault(self._key(output), mine)) != mine:
                raise AudioFileError(f"{output}: is {owner}, so {path} cannot be written there")

    def _key(self, path: Path) -> str:
        real = os.path.realpath(path)  # two names may be linked to one file
        return real.casefold() if self._ignores_case else real
