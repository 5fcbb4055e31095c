"""Damaged inputs by the thousand, and how many end as they should.

    python -m tests.fuzz sounds 200000
    python -m tests.fuzz networks 20000

Good ends are a result, or a refusal of one line that names the file. Inputs that end otherwise are kept under their
number in the folder `fuzzed`; `python -m tests.fuzz sounds 1 --first 4711` tries the one of a number again. Prints a
line of JSON; exit code 1 where one ended badly.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is loaded

from tests.fuzz.children import GOOD, run
from tests.fuzz.network_trials import NetworkTrials
from tests.fuzz.sound_trials import SoundTrials

KINDS = {"sounds": (SoundTrials, 1 << 30), "networks": (NetworkTrials, 3 << 30)}  # bytes that a child may take


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("inputs", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kept", type=Path, default=Path("fuzzed"))
    wanted = parser.parse_args()
    make, memory = KINDS[wanted.kind]
    started = time.perf_counter()
    trials = make()

    def on_bad(number: int, end: str) -> None:
        wanted.kept.mkdir(exist_ok=True)
        (wanted.kept / f"{wanted.kind}-{number}").write_bytes(trials.content(number))
        print(f"{wanted.kind} {number}: {end}", file=sys.stderr, flush=True)

    ends = run(trials, range(wanted.first, wanted.first + wanted.inputs), on_bad, memory)
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({"inputs": wanted.inputs, **ends, "seconds": seconds}))
    return int(bool(set(ends) - GOOD))


if __name__ == "__main__":
    sys.exit(main())
