"""A sound cleaned in a process apart, which may take so much memory and compute so long without getting on.

A file that brings a decoder down, makes it ask for all memory or never come to an end does that to a process that holds
nothing else: it is told in a line, what was begun is taken away, and an old output stands. Folders are always cleaned
so. This is no jail: a file that could make a decoder run code of its own would run it with the rights of the user.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path

from audiodae.audio import PathName
from audiodae.denoiser import Denoiser
from audiodae.errors import AudiodaeError, AudioFileError
from audiodae.files import DEFAULTS, CleanedFile, CleanOptions, clean_file, targets
from audiodae.limits import MEMORY_BYTES, STUCK_S, limit_computing, limit_memory
from audiodae.network import find_network
from audiodae.pipes import STDIN, is_pipe, stdin_number, stdout_number
from audiodae.whole_file import remove_dead_parts
from audiodae.workers import Died, map_as_finished

NEWS_S = 0.5  # between two words of how far a file is


@dataclass(frozen=True)
class Job:
    """A sound to clean; as in `audiodae.files.clean_file`."""

    source: PathName
    target: PathName
    options: CleanOptions
    plot: PathName | None = None


def clean_file_in_sandbox(
    model: PathName | None,
    source: PathName,
    target: PathName,
    *,
    options: CleanOptions = DEFAULTS,
    plot: PathName | None = None,
    on_progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> CleanedFile:
    """Clean a sound file as `audiodae.files.clean_file` does, in a process apart.

    The process is spawned: a script that calls this needs `if __name__ == "__main__":`.

    Parameters
    ----------
    model : name, path or None, as in `Denoiser`
    source, target, options, plot, on_progress : as in `clean_file`

    Raises
    ------
    AudioFileError
        As in `clean_file`; or the process crashed, was killed, needed too much memory or came to no end.
    SignalError, AudiodaeError
        As in `clean_file`.
    NetworkError
        There is no such network, or its file is refused.
    """
    job = Job(source, target, options, plot)
    if is_pipe(target):
        stdout_number()
    # A process is given no standard input when it is spawned, but any other open file.
    stdin = Connection(os.dup(stdin_number()), writable=False) if is_pipe(source) else None
    cleaner = Cleaner(find_network(model), stdin=stdin)
    answer: CleanedFile | Exception | Died | None = None
    try:
        with closing(map_as_finished(cleaner, [job], 1, lambda _, news: on_progress(*news))) as answers:
            _, answer = next(answers)
    finally:
        if stdin:
            stdin.close()
        if not isinstance(answer, CleanedFile):
            clear_away(job)
    if isinstance(answer, Died):
        raise fate(answer, source)
    if isinstance(answer, Exception):
        raise answer
    return answer


def clear_away(job: Job) -> None:
    """Remove what a process that was killed over a job had begun to write."""
    for path in (*targets(job.target, job.options.output).values(), job.plot):
        if path is not None and not is_pipe(path):
            remove_dead_parts(Path(path))


def fate(died: Died, source: PathName) -> AudioFileError:
    """Tell what became of a process that ended over a sound."""
    text = f"the process that cleaned it ended ({died})"
    if died.exit_code == -signal.SIGPROF:
        text = f"gave up after {STUCK_S:.0f} s of computing without getting on"
    elif died.exit_code == -signal.SIGKILL:
        text += ": the machine may be short of memory"
    elif died.exit_code < 0:
        text += ": the file may be damaged"
    return AudioFileError(f"{_told(source)}: {text}")


class Cleaner:
    """What the process does; it loads the network at its first sound.

    Parameters
    ----------
    network : Path
    limited : bool, whether memory and time are bounded
    stdin : what stands for standard input there
    """

    def __init__(self, network: Path, *, limited: bool = True, stdin: Connection | None = None) -> None:
        self._network, self._limited, self._stdin = network, limited, stdin

    @cached_property
    def _denoiser(self) -> Denoiser:
        denoiser = Denoiser(self._network)
        if self._limited:
            limit_memory()  # from here on all that grows comes from a file
        return denoiser

    def __call__(
        self, job: Job, tell: Callable[[tuple[int, int | None]], None]
    ) -> CleanedFile | AudiodaeError | BrokenPipeError:
        """Clean a sound, and tell now and then how many samples are done, of how many; give the error that ended it."""
        told = time.monotonic()

        def on_progress(done: int, total: int | None) -> None:
            nonlocal told
            self._limit_computing()
            if time.monotonic() > told + NEWS_S:
                told = time.monotonic()
                tell((done, total))

        self._take_stdin()
        self._limit_computing()
        try:
            return clean_file(
                self._denoiser, job.source, job.target, options=job.options, plot=job.plot, on_progress=on_progress
            )
        except (AudiodaeError, BrokenPipeError) as error:
            return error
        except MemoryError:
            return AudioFileError(f"{_told(job.source)}: needs more than {MEMORY_BYTES >> 30} GiB of memory")
        except Exception as error:  # a bug: it keeps its traceback, and does not stop other files
            traceback.print_exc()
            return AudioFileError(f"{_told(job.source)}: unexpected {type(error).__name__}: {error}")
        finally:
            limit_computing(0)

    def _limit_computing(self) -> None:
        if self._limited:
            limit_computing()

    def _take_stdin(self) -> None:
        if self._stdin is not None:
            os.dup2(self._stdin.fileno(), 0)
            sys.stdin = open(0, closefd=False)  # noqa: SIM115  # open as long as the process


def _told(source: PathName) -> str:
    return STDIN if is_pipe(source) else str(source)
