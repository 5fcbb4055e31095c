"""Bounds for a process that opens the files of strangers: a decoder gone astray must not take the machine with it."""

import resource
import signal
from pathlib import Path

MEMORY_BYTES = 4 << 30  # beyond what the process has when the limit is set
STUCK_S = 300.0  # of computing without getting on


def limit_memory(more_bytes: int = MEMORY_BYTES) -> None:
    """Let this process, and those that it starts, have so much more address space: beyond it MemoryError."""
    sizes = Path("/proc/self/statm")
    if not sizes.exists():  # Linux alone heeds the limit
        return
    now = int(sizes.read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = now + more_bytes
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def limit_computing(seconds: float = STUCK_S) -> None:
    """End this process (SIGPROF) unless this is called again within so many seconds of its computing; 0 for no limit.

    Time in which it is stopped, or waits for a disk or a program, does not count.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)
