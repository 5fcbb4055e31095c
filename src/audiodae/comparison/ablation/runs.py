"""The runs of an ablation: each is trained, exported and judged, and leaves a small folder.

::

    OUT/runs/code-none-1-0a1b2c3d/    a run folder (`audiodae.training.run_folder`), its name ends in seed, fingerprint
        result.json                   measures, the learning curve; when it is there, the run is done
        network.onnx                  what was judged
        recipe.toml, log.jsonl, curves.png

Checkpoints and pictures are deleted when a run is done. A run that was stopped goes on where it stood.
"""

import itertools
import json
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from audiodae.comparison.ablation.judge import Judge
from audiodae.comparison.ablation.settings import Trial
from audiodae.errors import TrainingError
from audiodae.training.export import export_run
from audiodae.training.run_folder import RunFolder
from audiodae.training.trainer import train
from audiodae.whole_file import write_whole

RESULT, NETWORK = "result.json", "network.onnx"

Found = dict[str, Any]
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What became of the runs.

    Attributes
    ----------
    found : of each run that is done, in the order of the plan: group, name, seed, set, measures, curve
    failed : why, by the name of a run that could not be trained
    """

    found: Sequence[Found]
    failed: dict[str, str]


@dataclass
class Stopwatch:
    """Processor time of the steps of a training, told from its log lines."""

    marks: list[tuple[int, float]] = field(default_factory=list)

    def take(self, line: dict[str, Any]) -> None:
        """Note when a line of steps came; a look at the validation examples is no step."""
        if "loss" in line:
            self.marks.append((line["step"], time.process_time()))

    @property
    def seconds(self) -> float | None:
        """Of a step; the median over the log's intervals, so that looks and checkpoints do not count."""
        each = [(later - at) / (after - step) for (step, at), (after, later) in itertools.pairwise(self.marks)]
        return statistics.median(each) if each else None


def carry_out(
    trials: Sequence[Trial], out: Path, *, on_progress: OnProgress, on_done: Callable[[Outcome, str], None]
) -> Outcome:
    """Make the runs that are not done yet, one after the other, and give what all of them found.

    Parameters
    ----------
    trials : the plan, the base first; its validation examples are those that all are judged by
    out : folder of the ablation
    on_progress : called with the steps taken and the steps there are
    on_done : called after each run that was made with what there is so far, and the name of the run

    Raises
    ------
    RecipeError, ShardError
        The prepared folder is missing or does not fit.
    """
    judge = Judge(trials[0].recipe)
    total = sum(trial.recipe.run.steps for trial in trials)
    results = {trial.folder: read_result(out, trial) for trial in trials}
    failed: dict[str, str] = {}
    taken = 0

    def outcome() -> Outcome:
        return Outcome([found for found in results.values() if found], failed)

    for trial in trials:
        made = results[trial.folder] is None
        if made:
            try:
                results[trial.folder] = make(trial, out, judge, report=partial(_forward, on_progress, taken, total))
            except TrainingError as error:  # a recipe that diverges stops no other
                failed[trial.title] = str(error)
        taken += trial.recipe.run.steps
        on_progress(taken, total)
        if results[trial.folder] is not None:
            _make_small(RunFolder(out / "runs" / trial.folder))
        if made:
            on_done(outcome(), trial.title)
    return outcome()


def _forward(on_progress: OnProgress, before: int, total: int, step: int) -> None:
    on_progress(before + step, total)


def make(trial: Trial, out: Path, judge: Judge, *, report: Callable[[int], None]) -> Found:
    """Train, or go on training, then export, measure and write the result of one run; `report` is told each step."""
    folder = RunFolder(out / "runs" / trial.folder)
    watch = Stopwatch()

    def take(line: dict[str, Any]) -> None:
        watch.take(line)
        report(line["step"])

    train(trial.recipe, folder.folder, resume=folder.last.exists(), report=take)
    exported = folder.folder / NETWORK
    export_run(folder.folder, exported)
    measures = judge.measure(folder, exported)
    found: Found = {
        "group": trial.group,
        "name": trial.name,
        "seed": trial.seed,
        "set": list(trial.set),
        "steps": trial.recipe.run.steps,
        "measures": measures | ({} if watch.seconds is None else {"step_seconds": watch.seconds}),
        # Of other mixtures the curve tells how hard they are.
        "curve": _curve(folder) if judge.has_examples_of(trial.recipe) else [],
    }
    write_whole(folder.folder / RESULT, json.dumps(found, indent=1).encode())
    return found


def read_result(out: Path, trial: Trial) -> Found | None:
    """What a run found; None where it is not done."""
    try:
        found: Found = json.loads((out / "runs" / trial.folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _curve(folder: RunFolder) -> list[list[float]]:
    """SI-SDR on the validation examples over the steps."""
    looks = [(line["step"], line.get("valid_si_sdr_db")) for line in folder.lines()]
    return [[step, value] for step, value in looks if value is not None]


def _make_small(folder: RunFolder) -> None:
    """Delete what is large of a run that is done: its network file says the same as its weights and pictures."""
    shutil.rmtree(folder.folder / "pictures", ignore_errors=True)
    for path in (folder.last, folder.best):
        path.unlink(missing_ok=True)
