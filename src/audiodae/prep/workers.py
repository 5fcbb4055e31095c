"""Processes that share work and answer in order.

They are spawned, not forked: a fork copies the locks of running threads. When the process that started them is killed
they end too, rather than write on beside the run that takes its place.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from audiodae.workers import end_with_parent

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def map_in_order(work: Callable[[Item], Answer], items: Sequence[Item], jobs: int) -> Iterator[Answer]:
    """Answer for each item, in the order of the items, by up to `jobs` processes; one works in this process.

    Parameters
    ----------
    work : a function at the top of a module, whose answer depends on nothing but the item
    items, answers : picklable
    """
    jobs = min(jobs, len(items))
    if jobs <= 1:
        yield from map(work, items)
        return
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent)
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
