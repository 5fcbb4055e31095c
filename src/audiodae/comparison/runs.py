"""The runs of a comparison: each trains one method once and measures it, and leaves a JSON file.

::

    OUT/runs/spoken/denoising-mixed-2.json          measures, the recipe, the log of the training
    OUT/runs/spoken/denoising-mixed-2.npz           of the first seed: what pictures need
    OUT/runs/spoken/denoising-mixed-1-theo.json     learnt without a speaker, measured on that speaker

A run whose file is there, made with the same settings, is not made again: a comparison that was stopped goes on.
"""

import hashlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from audiodae import __version__
from audiodae.comparison.measures import measure, measure_features, unseen_auc
from audiodae.comparison.methods import Method, of_network, part_means, principal_components, raw
from audiodae.comparison.pictures import picture_arrays
from audiodae.comparison.settings import ComparisonSettings, SubjectName, SubjectSettings, settled
from audiodae.comparison.subjects import Subject, read_digits, speakers, split
from audiodae.evaluation.scoring import one_thread_in_children
from audiodae.prep.workers import map_in_order
from audiodae.training.families import FAMILIES
from audiodae.training.family_recipe import encode_family_recipe
from audiodae.training.family_run import train_family
from audiodae.whole_file import write_whole

PCA_NAME, RAW_NAME, PARTS_NAME = "pca", "raw", "log-mel-parts"
SUBJECTS: tuple[SubjectName, ...] = ("spoken", "handwritten")


@dataclass(frozen=True)
class Run:
    """One method on one kind of digits.

    Attributes
    ----------
    subject : spoken or handwritten
    method : a family, or one of the baselines
    seed : of the training
    held_out : the speaker that is measured and not learnt from; None for the usual split
    pictured : whether pictures are to be kept
    """

    subject: SubjectName
    method: str
    seed: int
    held_out: str | None = None
    pictured: bool = False

    def path(self, out: Path) -> Path:
        """Where its JSON lies."""
        speaker = "" if self.held_out is None else f"-{self.held_out}"
        return out / "runs" / self.subject / f"{self.method}-{self.seed}{speaker}.json"


@dataclass(frozen=True)
class Place:
    """Where a comparison reads and writes: folders of recordings and images, None for those made up, and OUT."""

    settings: ComparisonSettings
    spoken: Path | None
    handwritten: Path | None
    out: Path

    def folder(self, subject: SubjectName) -> Path | None:
        """Of one kind of digits."""
        return self.spoken if subject == "spoken" else self.handwritten


def plan(place: Place) -> list[Run]:
    """All runs: baselines once, families once a seed, some once more for each speaker; a whole seed before the next."""
    runs = []
    for seed in place.settings.seeds:
        first = seed == place.settings.seeds[0]
        for subject in SUBJECTS:
            names = [*_baselines(subject), *_families(place, subject)] if first else _families(place, subject)
            runs += [Run(subject, name, seed, pictured=first and name != RAW_NAME) for name in names]
            if first and subject == "spoken" and place.settings.spoken.by_speaker:
                learnt = [*_baselines(subject), *place.settings.spoken.by_speaker]
                known = speakers(_subject(place, subject, None))
                runs += [Run(subject, name, seed, who) for name in learnt for who in known]
    return runs


def _baselines(subject: SubjectName) -> list[str]:
    return [PCA_NAME, RAW_NAME, *([PARTS_NAME] if subject == "spoken" else [])]


def _families(place: Place, subject: SubjectName) -> list[str]:
    """Those asked for; not those whose corruption is mixed into recordings, where there are none."""
    names = place.settings.of(subject).families or tuple(FAMILIES)
    return [name for name in names if subject == "spoken" or FAMILIES[name].corruption.kind != "mixed"]


def carry_out(place: Place, *, jobs: int, on_progress: Callable[[int, int], None]) -> list[dict[str, Any]]:
    """Make the runs that are not there yet, and give what all of them found, in the order of the plan.

    Parameters
    ----------
    jobs : processes, a thread each
    on_progress : called with how many are done and how many there are

    Raises
    ------
    CorpusError, AudioFileError, RecipeError, TrainingError
        A folder cannot be read, or a family not be trained as asked.
    """
    for subject in SUBJECTS:
        _subject(place, subject, None)  # a folder that cannot be read is said before anything is trained
    for subject in SUBJECTS:  # what cannot be read is said before anything is trained
        _subject(place, subject, None)
    runs = plan(place)
    missing = [run for run in runs if _found(place, run) is None]
    on_progress(len(runs) - len(missing), len(runs))
    with one_thread_in_children():
        for number, _ in enumerate(map_in_order(partial(make, place), missing, jobs), start=1):
            on_progress(len(runs) - len(missing) + number, len(runs))
    return [json.loads(run.path(place.out).read_text(encoding="utf-8")) for run in runs]


def make(place: Place, run: Run) -> None:
    """Train, measure and write one run."""
    subject = _subject(place, run.subject, run.held_out)
    method, log, seconds = _learn(run, subject)
    found: dict[str, Any] = {"run": {**msgspec.to_builtins(run), "made_with": _made_with(place, run)}}
    if run.held_out is not None:
        found["measures"] = measure_features(method, subject)
    else:
        found["measures"] = measure(method, subject)
        if method.reconstruct is not None:
            rest, _, _ = _learn(run, subject.without(subject.settings.unseen), subject.settings.unseen_epochs_share)
            found["measures"]["auc_unseen"] = unseen_auc(rest, subject)
    found["measures"]["train_seconds"] = seconds
    found |= {"history": log, "recipe": _recipe_tables(run, subject.settings)}
    path = run.path(place.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    if run.pictured:
        arrays = io.BytesIO()
        np.savez_compressed(arrays, allow_pickle=False, **picture_arrays(method, subject))
        write_whole(path.with_suffix(".npz"), arrays.getvalue())
    write_whole(path, json.dumps(found, indent=1).encode())


def _learn(run: Run, subject: Subject, epochs_share: float = 1.0) -> tuple[Method, list[dict[str, Any]], float]:
    """The method, the log of its training and the CPU seconds it took, which other work on the machine leaves alone."""
    torch.set_num_threads(1)
    if run.method == RAW_NAME:
        return raw(), [], 0.0
    if run.method == PARTS_NAME:
        return part_means(), [], 0.0
    if run.method == PCA_NAME:
        width = settled(subject.settings.plain, run.seed, subject.settings).code.width
        return principal_components(subject.train.clean, width), [], 0.0
    recipe = settled(run.method, run.seed, subject.settings, epochs_share=epochs_share)
    started = time.process_time()
    trained = train_family(recipe, subject.train, subject.valid)
    return of_network(trained.network), trained.history, time.process_time() - started


def _subject(place: Place, name: SubjectName, held_out: str | None) -> Subject:
    settings = msgspec.json.encode(place.settings.of(name))  # its bytes can be a key
    return _split_once(name, place.folder(name), settings, held_out)


@lru_cache(maxsize=2)
def _split_once(name: SubjectName, folder: Path | None, encoded: bytes, held_out: str | None) -> Subject:
    settings = msgspec.json.decode(encoded, type=SubjectSettings)
    patches = _read_once(name, folder, settled(settings.plain, 1, settings).patches)
    return split(name, patches, settings, held_out=held_out)


_read_once = lru_cache(maxsize=2)(read_digits)  # in each process


def _found(place: Place, run: Run) -> dict[str, Any] | None:
    """What a run left, if it was made as it would be made now."""
    path = run.path(place.out)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        same = found["run"]["made_with"] == _made_with(place, run)
    except (OSError, ValueError, KeyError):
        return None
    return found if same and (not run.pictured or path.with_suffix(".npz").exists()) else None


def _made_with(place: Place, run: Run) -> str:
    """A fingerprint of all that decides what a run finds."""
    settings = place.settings.of(run.subject)
    kept = {key: getattr(settings, key) for key in ("levels", "level", "train_most", "unseen", "unseen_epochs_share")}
    told = [__version__, str(place.folder(run.subject)), kept, _recipe_tables(run, settings)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _recipe_tables(run: Run, settings: SubjectSettings) -> dict[str, Any]:
    """The recipe as run; of a baseline that of the plain family, which gives it its patches and code width."""
    name = run.method if run.method in FAMILIES else settings.plain
    return encode_family_recipe(settled(name, run.seed, settings))
