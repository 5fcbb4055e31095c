"""Many inputs, each tried in a child process with bounds on memory and time, and what became of each.

The child is a fork, so that nothing is loaded or made twice, and goes from input to input; where one crashes or hangs
it, the next child goes on behind it. Bad ends are: a crash, no end, an exception that is no refusal, memory without
bounds, a word on stderr, a file left behind.
"""

import os
import select
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from audiodae.limits import limit_computing, limit_memory

BATCH = 2000  # inputs a child: what leaks little by little shows as too much memory
COMPUTING_S = 10.0  # of one input
WAITING_S = 120.0  # of one input, where it waits for a program that never answers
MEMORY = 1 << 30  # bytes beyond what the child began with
GOOD = frozenset({"sound", "network", "refused"})

# Takes the number of an input and an empty folder for its files; says how it ended.
Trial = Callable[[int, Path], str]


def run(trial: Trial, numbers: range, on_bad: Callable[[int, str], None], memory: int = MEMORY) -> Counter[str]:
    """Try the inputs of these numbers; give how many ended how."""
    ends: Counter[str] = Counter()
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # no disk: files are written and synced for each
    started, told = time.perf_counter(), numbers.start
    number = numbers.start
    while number < numbers.stop:
        batch = range(number, min(number + BATCH, numbers.stop))
        with tempfile.TemporaryDirectory(dir=place) as folder:
            for end in _batch(trial, batch, Path(folder), memory):
                # Of one kind whatever the numbers in it.
                ends[end.split(":")[0]] += 1
                if end not in GOOD:
                    on_bad(number, end)
                number += 1
        if number - told >= 10_000 or number == numbers.stop:
            told = number
            each = (time.perf_counter() - started) / (number - numbers.start)
            print(f"{number}: {dict(ends)}, {1000 * each:.1f} ms each", file=sys.stderr, flush=True)
    return ends


def _batch(trial: Trial, numbers: range, folder: Path, memory: int) -> Iterator[str]:
    """Yield the ends of the inputs, as far as a child gets with them: the last is that of the one that ended it."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _work(trial, numbers, folder, theirs, memory)
    os.close(theirs)
    seen, rest, hangs = 0, b"", False
    try:
        while True:
            if not select.select([ours], [], [], WAITING_S)[0]:
                hangs = True
                break
            heard = os.read(ours, 65_536)
            if not heard:
                break
            *lines, rest = (rest + heard).split(b"\n")
            for line in lines:
                seen += 1
                yield line.decode(errors="replace")
    finally:
        os.close(ours)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if seen < len(numbers):
        code = os.waitstatus_to_exitcode(status)
        yield "hangs" if hangs or code == -signal.SIGPROF else f"crash: ended by {code}: {_said(folder)}"


def _said(folder: Path) -> str:
    with suppress(OSError):
        return " ".join((folder / "said").read_text(errors="replace").split())[:500]
    return ""


def _work(trial: Trial, numbers: range, folder: Path, answers: int, memory: int) -> NoReturn:
    """Try inputs, and say of each how it ended; never returns."""
    code = 1
    try:
        said = os.open(folder / "said", os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        os.dup2(said, 1)
        os.dup2(said, 2)
        warnings.simplefilter("error")
        limit_memory(memory)
        files = folder / "files"
        files.mkdir()
        for number in numbers:
            end = _tried(trial, number, files)
            os.write(answers, " ".join(end.split()).encode() + b"\n")
        code = 0
    finally:
        os._exit(code)


def _tried(trial: Trial, number: int, files: Path) -> str:
    limit_computing(COMPUTING_S)
    try:
        end = trial(number, files)
    except Exception as error:
        end = f"{type(error).__name__}: {error}"
    limit_computing(0)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fstat(2).st_size:
        end = f"says: {os.pread(2, 500, 0).decode(errors='replace')}"
        os.ftruncate(2, 0)
    if left := [name for name in os.listdir(files) if name.startswith(".")]:
        end = f"leaves: {left}"
    for name in os.listdir(files):
        (files / name).unlink()
    return end
