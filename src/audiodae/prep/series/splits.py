"""Which recordings of series train a network, and which it is judged on.

    DIR/train/..., DIR/valid/...              folders say it (or train_noise, valid_noise; also val, dev); what lies
                                              beside them is left alone, a test set above all
    DIR/PATIENT/100.hea, DIR/200.hea          whole patients are dealt out: folders, or single files
    DIR/100.hea alone; DIR/bw.hea (noise)     cut in time: the end is for validation

A table of records and patients, where there is one, has the last word on whose a record is.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiodae.errors import CorpusError
from audiodae.prep.series.recordings import find_recordings, name_of

USED = {"train": "train", "valid": "valid", "val": "valid", "dev": "valid"}


@dataclass(frozen=True)
class SeriesSource:
    """A recording and what of it goes where.

    Attributes
    ----------
    path : the file
    name : in the bank, without slashes
    group : patient, or kind of noise
    span : the part of it that is meant, as shares of its length
    """

    path: Path
    name: str
    group: str
    span: tuple[float, float] = (0.0, 1.0)


Splits = dict[str, list[SeriesSource]]


def split_by_patient(root: Path, *, valid_share: float, seed: int, patients: Mapping[str, str] | None = None) -> Splits:
    """Deal out records so that no patient is in two splits.

    Parameters
    ----------
    root : a folder, or the only file
    valid_share : of the patients; of the samples, where there is one recording alone
    seed : of the deal
    patients : the patient of each record, by its name

    Raises
    ------
    CorpusError
        There is nothing there, all is of one patient, or folders put a patient into two splits.
    """
    given = _given(root)
    if given:
        splits = {
            split: [_of_patient(path, folder, patients) for path in find_recordings(folder)]
            for split, folder in given.items()
        }
        shared = set.intersection(*({source.group for source in sources} for sources in splits.values()))
        if shared and patients is not None:
            raise CorpusError(f"{root}: patient {min(shared)!r} is in train and in valid; keep each in one of them")
        return splits
    sources = [_of_patient(path, root, patients) for path in find_recordings(root)]
    if len(sources) == 1:
        return cut_in_time(sources, valid_share)
    groups = sorted({source.group for source in sources})
    if len(groups) == 1:
        raise CorpusError(
            f"{root}: all records are of patient {groups[0]!r}, and none can be kept for validation; "
            "make folders train and valid to split them nevertheless"
        )
    count = min(max(round(valid_share * len(groups)), 1), len(groups) - 1)
    held_out = {groups[place] for place in np.random.default_rng(seed).permutation(len(groups))[:count]}
    return {
        "train": [source for source in sources if source.group not in held_out],
        "valid": [source for source in sources if source.group in held_out],
    }


def split_noise(root: Path, *, valid_share: float) -> Splits:
    """Give every kind of noise to both splits: from folders, or the beginning and the end of each recording.

    The kind is the folder that a recording lies in, or its own name.
    """
    given = _given(root, "_noise") or _given(root)
    if given:
        return {split: [_of_kind(path, folder) for path in find_recordings(folder)] for split, folder in given.items()}
    return cut_in_time([_of_kind(path, root) for path in find_recordings(root)], valid_share)


def cut_in_time(sources: Sequence[SeriesSource], valid_share: float) -> Splits:
    """Give the beginning of each recording to training and its end to validation."""
    cut = 1 - valid_share
    return {
        split: [SeriesSource(source.path, source.name, source.group, span) for source in sources]
        for split, span in (("train", (0.0, cut)), ("valid", (cut, 1.0)))
    }


def read_patients(path: Path) -> dict[str, str]:
    """Read a table of records and patients: CSV with columns record and patient, others are passed over.

    Raises
    ------
    CorpusError
        It cannot be read, lacks a column, or gives a record to two patients.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: no table of patients that can be read ({error})") from error
    if not rows or not {"record", "patient"} <= rows[0].keys():
        raise CorpusError(f"{path}: need a first line with the columns record and patient, and a line per record")
    found: dict[str, str] = {}
    for row in rows:
        record, patient = (row["record"] or "").strip(), (row["patient"] or "").strip()
        if found.setdefault(record, patient) != patient:
            raise CorpusError(f"{path}: record {record!r} is of patient {found[record]!r} and of {patient!r}")
    return found


def _given(root: Path, ending: str = "") -> dict[str, Path] | None:
    """The folder of each split; None where none are told apart."""
    if not root.is_dir():
        return None
    folders: dict[str, Path] = {}
    for path in sorted(root.iterdir()):
        split = USED.get(path.name.lower().removesuffix(ending)) if path.name.lower().endswith(ending) else None
        if split and path.is_dir():
            if split in folders:
                raise CorpusError(f"{root}: {folders[split].name!r} and {path.name!r} are both for {split}; keep one")
            folders[split] = path
    if len(folders) == 1:
        (only,) = folders
        lacking = "valid" if only == "train" else "train"
        raise CorpusError(f"{root}: has a folder {only}{ending}, but none for {lacking}; make one, or have neither")
    return folders or None


def _of_patient(path: Path, root: Path, patients: Mapping[str, str] | None) -> SeriesSource:
    """A record; its patient is the table's, else the folder it lies in, else itself."""
    name = name_of(path, root)
    if patients is not None and path.stem not in patients and name not in patients:
        raise CorpusError(f"{path}: record {path.stem!r} is not in the table of patients; add a line for it")
    folder = Path() if root.is_file() else path.parent.relative_to(root)
    guessed = folder.as_posix() if folder.parts else path.stem
    table = patients or {}
    return SeriesSource(path, name, table.get(path.stem) or table.get(name) or guessed)


def _of_kind(path: Path, root: Path) -> SeriesSource:
    folder = Path() if root.is_file() else path.parent.relative_to(root)
    kind = folder.as_posix() if folder.parts else path.stem
    # A slash would end the kind in a bank's key, and a plus joins kinds in a recipe.
    return SeriesSource(path, name_of(path, root), kind.replace("/", ".").replace("+", "_"))
