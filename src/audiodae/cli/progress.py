"""A progress bar on stderr, for commands that work through a known amount."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(name: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Give what takes how much is done and how much there is; the bar is gone when the work is."""
    if not shown:
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(name), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=max(total, done))
