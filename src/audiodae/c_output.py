"""What libraries in C print is kept from standard output and standard error, while they read a damaged file.

libsndfile writes of some to standard output, where our sound or JSON goes, and the MP3 decoder in it line after line to
standard error. They print through C's own `stdout` and `stderr`, which Python does not use: for as long as such a
library is at work those point to nowhere, and what Python prints, in other threads too, comes out.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_lock = threading.Lock()
_at_work = 0  # how many are silenced
_before: list[int | None] = []


@contextmanager
def c_output_silenced() -> Iterator[None]:
    """Let nothing come out that is printed from C meanwhile; where the system is not known, all does."""
    global _at_work
    with _lock:
        _at_work += 1
        if _at_work == 1:
            _before[:] = [stream.value for stream in _streams()]
            for stream in _streams():
                stream.value = _nowhere()
    try:
        yield
    finally:
        with _lock:
            _at_work -= 1
            if _at_work == 0:
                for stream, value in zip(_streams(), _before, strict=True):
                    stream.value = value


@cache
def _streams() -> list[ctypes.c_void_p]:
    """Give the variables of the C library; none where there is no null device to send them to."""
    names = {"linux": ("stdout", "stderr"), "darwin": ("__stdoutp", "__stderrp")}.get(sys.platform, ())
    try:
        return [ctypes.c_void_p.in_dll(ctypes.CDLL(None), name) for name in names] if _nowhere() else []
    except (OSError, TypeError, ValueError):
        return []


@cache
def _nowhere() -> int | None:
    if sys.platform not in ("linux", "darwin"):
        return None
    fopen = ctypes.CDLL(None).fopen
    fopen.restype = ctypes.c_void_p
    opened: int | None = fopen(os.devnull.encode(), b"we")
    return opened
