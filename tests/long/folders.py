"""Clean a folder by one job and by two and tell how much faster two are: `python -m tests.long.folders [FILES]`.

The files are ten seconds of noise, 16 kHz, cleaned by the shipped network. Two idle cores are needed: exit code 1 where
two jobs are less than 1.8 times as fast. The seconds of computing tell more on a busy machine: where two jobs compute
no longer in all than one, nothing but the cores bounds them.
"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from audiodae.folders import clean_folder

BAR = 1.8


def make(folder: Path, files: int) -> Path:
    """A folder of links to one noise: what is read of it is the same."""
    folder.mkdir()
    sound = np.random.default_rng(0).normal(0, 0.1, 160_000)
    soundfile.write(folder / "0.wav", sound, 16_000)
    for number in range(1, files):
        os.link(folder / "0.wav", folder / f"{number}.wav")
    return folder


def measure(source: Path, target: Path, jobs: int) -> tuple[float, float]:
    """Clean with so many jobs; give seconds on the clock, and of computing in all processes."""
    before, computed = time.perf_counter(), computing()
    done = clean_folder("speech", source, target, jobs=jobs)
    assert (done.failed, done.skipped) == (0, 0)
    return time.perf_counter() - before, computing() - computed


def computing() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main(files: int = 1000) -> int:
    with tempfile.TemporaryDirectory() as place:
        source = make(Path(place) / "in", files)
        one, one_computing = measure(source, Path(place) / "one", 1)
        two, two_computing = measure(source, Path(place) / "two", 2)
    print(f"{files} files of 10 s: one job {one:.1f} s ({one_computing:.1f} s of computing), ", end="")
    print(f"two jobs {two:.1f} s ({two_computing:.1f} s of computing): {one / two:.2f} times as fast (bar {BAR})")
    return int(one / two < BAR)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
