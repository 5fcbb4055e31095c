"""A folder cleaned: by processes side by side, each sound reported as it comes."""

import hashlib
import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from audiodae.audio import PathName
from audiodae.errors import AudioFileError
from audiodae.files import DEFAULTS, CleanedFile, CleanOptions
from audiodae.folders.done_list import DONE_NAME, DoneList, JsonLines
from audiodae.folders.plan import Task, plan_folder
from audiodae.folders.sounds import find_sounds
from audiodae.network import Network, find_network
from audiodae.sandbox import Cleaner, Job, clear_away, fate
from audiodae.workers import Died, map_as_finished


@dataclass(frozen=True)
class FileResult:
    """What came of a sound: it was cleaned, or there is an error.

    Attributes
    ----------
    path : Path, within the input folder
    cleaned : CleanedFile or None
    error : str or None
    """

    path: Path
    cleaned: CleanedFile | None = None
    error: str | None = None

    def as_json(self) -> dict[str, object]:
        """Give the line of a report."""
        return {"path": str(self.path), **(self.cleaned.as_json() if self.cleaned else {}), "error": self.error}


@dataclass(frozen=True)
class FolderResult:
    """What happened to a folder.

    Attributes
    ----------
    cleaned, skipped, failed : int, sounds cleaned now, cleaned before and unchanged since, and those with an error
    others : int, files that are no sounds or were not asked for
    audio_seconds, wall_seconds : float, length of what was cleaned now, and what that took
    repaired_samples, clipped_samples, missing_samples : int, as in CleanedFile, of all that was cleaned now
    speech_level_dbfs, noise_reduction_db : float or None, means over the time of the sounds that have them
    muted_share : float or None, of the time of all
    """

    cleaned: int
    skipped: int
    failed: int
    others: int
    audio_seconds: float
    wall_seconds: float
    repaired_samples: int
    clipped_samples: int
    missing_samples: int
    speech_level_dbfs: float | None
    noise_reduction_db: float | None
    muted_share: float | None

    def as_json(self) -> dict[str, object]:
        """Give all of it as JSON has it."""
        return {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(self).items()}


def clean_folder(
    model: PathName | None,
    source: PathName,
    target: PathName,
    *,
    options: CleanOptions = DEFAULTS,
    jobs: int = 1,
    include: Collection[str] = ("*",),
    report: PathName | None = None,
    sandbox: bool = True,
    on_file: Callable[[FileResult], None] = lambda result: None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> FolderResult:
    """Clean the sounds of a folder, and of all folders below it, into another folder of the same shape.

    A sound is skipped where neither it nor its output, the settings or the network changed since it was cleaned. What
    an earlier run left is replaced; a file from elsewhere only with `options.overwrite`, which cleans all anew.
    Processes are spawned: a script that calls this needs `if __name__ == "__main__":`.

    Parameters
    ----------
    model : name, path or None, as in `Denoiser`
    source, target : folders; target is made where it is missing, and may lie in source
    jobs : int, processes, one thread each
    include : which sounds, as in `find_sounds`
    report : file to which a line of JSON is added for every sound that was cleaned or has an error
    sandbox : bool, whether the processes are bounded in memory and time, as in `audiodae.sandbox`
    on_file : called with each of these
    on_progress : called with the bytes done and in all

    Raises
    ------
    AudioFileError
        There is no such folder or no sound in it, or the output folder or the report cannot be written. What is wrong
        with a sound is no error here, but told in its FileResult.
    NetworkError
        There is no such network, or its file is refused.
    """
    started = time.perf_counter()
    source, target, network = Path(source), Path(target), find_network(model)
    _refuse_folders(source, target)
    settings = _settings(network, options)
    tree = find_sounds(source, include=include, leave_out=target, done_name=DONE_NAME)
    if not tree.sounds and not tree.unreadable:
        raise AudioFileError(f"{source}: no sound in it that was asked for; {tree.others} other files")
    with ExitStack() as stack:
        lines = None if report is None else stack.enter_context(JsonLines(Path(report)))
        tally = _Tally(on_file, lines)
        _make_folder(target)
        done_list = stack.enter_context(DoneList(target, settings))
        plan = plan_folder(
            source, target, tree.sounds, output=options.output, overwrite=options.overwrite, done_list=done_list
        )
        for folder, reason in tree.unreadable.items():
            tally.add(FileResult(folder, error=f"{source / folder}: {reason}"))
        for path, reason in plan.refused.items():
            tally.add(FileResult(path, error=reason))
        work = _Cleaner(network, options, sandbox=sandbox)
        _carry_out(plan.tasks, work, jobs, done_list, tally, on_progress)
    return tally.result(plan.skipped, tree.others, time.perf_counter() - started)


def _refuse_folders(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise AudioFileError(f"{source}: is no folder")
    if target.exists() and not target.is_dir():
        raise AudioFileError(f"{target}: is no folder, but {source} is; name a folder for the output")
    if target.exists() and os.path.samefile(source, target):
        raise AudioFileError(f"{target}: is the input itself; name another folder for the output")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioFileError(f"{folder}: cannot be made ({error.strerror})") from None


def _settings(network: Path, options: CleanOptions) -> str:
    """Give what two runs share that make the same of a sound; refuse a network that would not run."""
    Network.load(network)
    text = json.dumps(asdict(replace(options, overwrite=False)), sort_keys=True)
    return hashlib.sha256(network.read_bytes() + text.encode()).hexdigest()


def _carry_out(
    tasks: Collection[Task],
    work: "_Cleaner",
    jobs: int,
    done_list: DoneList,
    tally: "_Tally",
    on_progress: Callable[[int, int], None],
) -> None:
    """Clean, the largest first, so that at the end no process waits long for another."""
    total = sum(task.size for task in tasks)
    finished = 0
    under_way: dict[Path, float] = {}  # bytes

    def begun() -> Iterator[Task]:
        for task in sorted(tasks, key=lambda task: -task.size):
            done_list.begin(task.path, task.source, task.outputs)
            yield task

    def on_news(task: Task, news: tuple[int, int | None]) -> None:
        samples, expected = news
        under_way[task.path] = task.size * min(1.0, samples / expected) if expected else 0.0
        on_progress(finished + int(sum(under_way.values())), total)

    with closing(map_as_finished(work, begun(), jobs, on_news)) as answers:
        for task, result in answers:
            if isinstance(result, Died):
                clear_away(work.job(task))
                result = FileResult(task.path, error=str(fate(result, task.source)))
            if result.cleaned:
                done_list.finish(task.path, task.outputs)
            tally.add(result)
            under_way.pop(task.path, None)
            finished += task.size
            on_progress(finished + int(sum(under_way.values())), total)


class _Cleaner:
    """What each process does: it cleans a sound, and makes the folder for it."""

    def __init__(self, network: Path, options: CleanOptions, *, sandbox: bool) -> None:
        self._clean, self._options = Cleaner(network, limited=sandbox), options

    def __call__(self, task: Task, tell: Callable[[tuple[int, int | None]], None]) -> FileResult:
        try:
            _make_folder(task.target.parent)
        except AudioFileError as error:
            return FileResult(task.path, error=str(error))
        answer = self._clean(self.job(task), tell)
        if isinstance(answer, CleanedFile):
            return FileResult(task.path, cleaned=answer)
        return FileResult(task.path, error=str(answer))

    def job(self, task: Task) -> Job:
        return Job(task.source, task.target, replace(self._options, overwrite=task.overwrite))


class _Tally:
    """Counts and means over the sounds, each of which is reported as it comes."""

    def __init__(self, on_file: Callable[[FileResult], None], lines: JsonLines | None) -> None:
        self._on_file, self._lines = on_file, lines
        self.cleaned = self.failed = 0
        self.seconds = 0.0
        self.samples: Counter[str] = Counter()
        self._sums: defaultdict[str, float] = defaultdict(float)  # values x seconds
        self._seconds_of: defaultdict[str, float] = defaultdict(float)

    def add(self, result: FileResult) -> None:
        if self._lines:
            self._lines.append(result.as_json())
        if result.cleaned:
            self._add_cleaned(result.cleaned)
        else:
            self.failed += 1
        self._on_file(result)

    def result(self, skipped: int, others: int, wall_seconds: float) -> FolderResult:
        return FolderResult(
            cleaned=self.cleaned,
            skipped=skipped,
            failed=self.failed,
            others=others,
            audio_seconds=self.seconds,
            wall_seconds=wall_seconds,
            repaired_samples=self.samples["repaired"],
            clipped_samples=self.samples["clipped"],
            missing_samples=self.samples["missing"],
            speech_level_dbfs=self._mean("speech_level_dbfs"),
            noise_reduction_db=self._mean("noise_reduction_db"),
            muted_share=self._mean("muted_share"),
        )

    def _mean(self, name: str) -> float | None:
        seconds = self._seconds_of[name]
        return self._sums[name] / seconds if seconds else None

    def _add_cleaned(self, done: CleanedFile) -> None:
        self.cleaned += 1
        self.seconds += done.audio_seconds
        for name in ("repaired", "clipped", "missing"):
            self.samples[name] += getattr(done, f"{name}_samples")
        for name in ("speech_level_dbfs", "noise_reduction_db", "muted_share"):
            if (value := getattr(done, name)) is not None:
                self._sums[name] += value * done.audio_seconds
                self._seconds_of[name] += done.audio_seconds
