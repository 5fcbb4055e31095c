"""Kill a cleaning at random moments and see whether OUT is ever lost or half: `python -m tests.long.kill [KILLS]`.

OUT holds an old sound. After each SIGKILL it must hold the old bytes or the new ones. The child is a fork with the
network loaded, so that a moment between its start and its end is one of reading, cleaning, writing or renaming; a third
of the kills aim at the end. Exit code 1 where one harmed OUT, left more than one part file, or all came too late.
"""

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from audiodae import Denoiser, Network
from audiodae.files import CleanOptions, clean_file
from tests import networks

SECONDS = 60


def clean(denoiser: Denoiser, source: Path, target: Path) -> int:
    """Clean in a child; give its process."""
    child = os.fork()
    if child == 0:
        try:
            clean_file(denoiser, source, target, options=CleanOptions(overwrite=True))
        finally:
            os._exit(0)
    return child


def kill_often(kills: int, folder: Path) -> dict[str, int]:
    """Kill `kills` cleanings of one file; count what OUT held afterwards."""
    denoiser = Denoiser(Network.from_bytes(networks.constant(0.5).SerializeToString(), source="test"))
    source, target = folder / "in.wav", folder / "out.wav"
    soundfile.write(source, np.random.default_rng(0).normal(0, 0.1, (SECONDS * 16_000, 1)), 16_000)
    started = time.perf_counter()
    os.waitpid(clean(denoiser, source, target), 0)
    needed = time.perf_counter() - started
    new, old = target.read_bytes(), b"the old sound " * 1000
    chance = random.Random(0)
    counts = {"old": 0, "new": 0, "harmed": 0, "most parts": 0}
    for _ in range(kills):
        target.write_bytes(old)
        child = clean(denoiser, source, target)
        time.sleep(needed * (chance.uniform(0, 1) if chance.random() < 2 / 3 else chance.uniform(0.8, 1.2)))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        held = target.read_bytes() if target.exists() else b""
        counts["old" if held == old else "new" if held == new else "harmed"] += 1
        counts["most parts"] = max(counts["most parts"], len(list(folder.glob(".*.part"))))
    os.waitpid(clean(denoiser, source, target), 0)  # one that is left alone takes away what the killed ones left
    counts["parts at the end"] = len(list(folder.glob(".*.part")))
    return counts


def main(kills: int = 100) -> int:
    with tempfile.TemporaryDirectory() as folder:
        counts = kill_often(kills, Path(folder))
    print(f"{kills} kills: " + ", ".join(f"{what} {count}" for what, count in counts.items()))
    return int(bool(counts["harmed"] or counts["most parts"] > 1 or counts["parts at the end"] or not counts["old"]))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
