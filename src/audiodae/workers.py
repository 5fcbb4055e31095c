"""Processes that share work, walled off from one another: one that crashes takes no more with it than its own item.

They are spawned, not forked: a fork copies the locks of running threads. Ctrl-C at a terminal reaches every process
there; here only the one that started the others heeds it, and ends them in order (SIGTERM), so that each can take away
what it had begun. When it is killed itself they end too, rather than work on beside the run that takes its place.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from typing import Any, NoReturn, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

GRACE_S = 5.0  # what a process is given to clear away before it is killed


@dataclass(frozen=True)
class Died:
    """What stands in for an answer where the process that was to give it ended.

    Attributes
    ----------
    exit_code : int, as Python has it: -9 for one ended by signal 9
    """

    exit_code: int

    def __str__(self) -> str:
        """Tell what ended it."""
        if self.exit_code >= 0:
            return f"exit code {self.exit_code}"
        with suppress(ValueError):
            return signal.Signals(-self.exit_code).name
        return f"signal {-self.exit_code}"


def map_as_finished(
    work: Callable[[Item, Callable[[Any], None]], Answer],
    items: Iterable[Item],
    jobs: int,
    on_news: Callable[[Item, Any], None] = lambda item, news: None,
) -> Generator[tuple[Item, Answer | Died], None, None]:
    """Answer for each item, in the order in which they are done, by up to `jobs` processes.

    Close the iterator (`contextlib.closing`) where it may be left early: that ends the processes.

    Parameters
    ----------
    work : takes an item, and what to call with news of it; each process has its own copy
    items : the next is taken when a process is free for it; items, news and answers are picklable
    on_news : called in this process with the item and the news

    Yields
    ------
    item, answer : Died in place of the answer where the process ended over the item; a new one takes the next
    """
    waiting = iter(items)
    idle: list[_Worker] = []
    busy: dict[connection.Connection, tuple[_Worker, Item]] = {}
    finished: list[tuple[Item, Answer | Died]] = []
    try:
        while True:
            # Who is free gets work before anybody looks at answers.
            for item in islice(waiting, jobs - len(busy)):
                worker = idle.pop() if idle else _Worker(work)
                busy[worker.pipe] = worker, item
                worker.give(item)
            yield from finished
            finished = []
            if not busy:
                return
            for pipe in connection.wait(list(busy)):
                worker, item = busy[pipe]  # type: ignore[index]  # wait gives what it was given
                is_answer, message = worker.hear()
                if not is_answer:
                    on_news(item, message)
                    continue
                del busy[worker.pipe]
                finished.append((item, message))
                if not isinstance(message, Died):
                    idle.append(worker)
    finally:
        _end([*idle, *(worker for worker, _ in busy.values())])


class _Worker:
    """A process and the pipe to it."""

    def __init__(self, work: Callable[..., object]) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(work, theirs), daemon=True)
        with _interrupts_ignored():
            self.process.start()
        theirs.close()  # so that the pipe ends when the process does

    def give(self, item: object) -> None:
        with suppress(BrokenPipeError):  # it died in idleness; `hear` will tell
            self.pipe.send(item)

    def hear(self) -> tuple[bool, Any]:
        """Give what it says next: whether that is the answer, and the answer or the news."""
        try:
            said: tuple[bool, Any] = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            return True, Died(self.process.exitcode or 0)
        return said


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.process.terminate()
    deadline = time.monotonic() + GRACE_S
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        worker.process.kill()  # nothing, where it has ended
        worker.process.join()
        worker.pipe.close()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Have the processes started here ignore Ctrl-C from their first moment: they inherit it."""
    if threading.current_thread() is not threading.main_thread():  # others may not set it
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(work: Callable[..., object], pipe: connection.Connection) -> None:
    """Work on what comes through the pipe until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    end_with_parent()
    with suppress(EOFError, BrokenPipeError):
        while True:
            item = pipe.recv()
            pipe.send((True, work(item, lambda news: pipe.send((False, news)))))


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def end_with_parent() -> None:
    """End this process when the one that started it ends, however that ends."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
