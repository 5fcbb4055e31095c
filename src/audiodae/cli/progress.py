"""A progress bar on stderr, for commands that work through an amount that they mostly know."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(name: str, *, shown: bool) -> Iterator[Callable[[int, int | None], None]]:
    """Give what takes how much is done and how much there is, None if unknown; the bar is gone when the work is."""
    if not shown:
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(name), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=max(total, done) if total else None)
