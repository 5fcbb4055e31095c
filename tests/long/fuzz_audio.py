"""Sound files with bytes changed, cut, doubled or exchanged, read and written again: how many end as they should.

    python tests/long/fuzz_audio.py 200000

Good ends are a sound, or an AudioFileError of one line. The inputs are read in child processes: what crashes or hangs
one is kept under its number in the folder `fuzzed`, and the next child goes on behind it. Prints a line of JSON; exit 1
where one ended badly.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile

from audiodae.audio import open_reader
from audiodae.errors import AudioFileError

BATCH = 500  # inputs a child
SECONDS = 120  # for a batch
MEMORY = 2 * 2**30  # bytes of address space
SAMPLES_READ = 2_000_000  # an input may promise any length, and FLAC and the like can hold much in little


def seeds() -> list[bytes]:
    """One small file of every container and coding that libsndfile writes."""
    sound = np.sin(np.arange(1500) / 9)[:, np.newaxis] / 2
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed"
        for container in sorted(soundfile.available_formats()):
            for coding in sorted(soundfile.available_subtypes(container)):
                try:
                    soundfile.write(path, sound, 16_000, format=container, subtype=coding)
                    found.append(path.read_bytes())
                except (soundfile.SoundFileError, ValueError, TypeError):
                    continue
    return found


def mutated(sources: list[bytes], number: int) -> bytes:
    """The input of a number: always the same."""
    rng = np.random.default_rng(number)
    content = bytearray(sources[number % len(sources)])
    for _ in range(rng.integers(1, 6)):
        # Headers are small and decide most: half of the changes fall there.
        place = int(rng.integers(0, min(len(content), 100) if rng.random() < 0.5 else len(content)))
        match rng.integers(0, 5):
            case 0:
                content[place] = rng.integers(0, 256)
            case 1:
                content[place : place + 4] = rng.choice([b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\x80"])
            case 2:
                content = content[: max(place, 1)]
            case 3:
                content[place:place] = content[place : place + int(rng.integers(1, 64))]
            case 4:
                other = sources[int(rng.integers(0, len(sources)))]
                content[place : place + 16] = other[place : place + 16]
        content = content or bytearray(b"\0")
    return bytes(content)


def ending(path: Path) -> str:
    """Read a file: "sound", "refused", or what else became of it."""
    try:
        with open_reader(path) as reader:
            left = SAMPLES_READ
            for block in reader.blocks(max(1, 2**14 // reader.format.channels)):
                left -= block.size
                if left < 0:
                    break
        return "sound"
    except AudioFileError as error:
        return "refused" if "\n" not in str(error) else "more than a line"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def batch(first: int, last: int, seen: Path) -> None:
    """Read some inputs, and note before each its number, after each its end."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sources = seeds()
    path = seen.with_suffix(".sound")
    with seen.open("a", buffering=1) as notes:
        for number in range(first, last):
            path.write_bytes(mutated(sources, number))
            notes.write(f"{number}\t")
            notes.write(f"{ending(path)}\n")


def main(inputs: int) -> int:
    """Read the inputs 0 to `inputs`, in children."""
    ends: Counter[str] = Counter()
    started = time.perf_counter()
    kept = Path("fuzzed")
    with tempfile.TemporaryDirectory() as folder:
        seen, first = Path(folder) / "seen", 0
        while first < inputs:
            last = min(first + BATCH, inputs)
            seen.write_text("")
            command = [sys.executable, __file__, "--batch", str(first), str(last), str(seen)]
            try:
                run = subprocess.run(command, timeout=SECONDS, check=False, capture_output=True)
                died = f"ended by {run.returncode}"
            except subprocess.TimeoutExpired:
                died = "hangs"
            notes = [line.split("\t") for line in seen.read_text().splitlines()]
            for number, end in [(int(number), end or died) for number, end in notes]:
                ends[end] += 1
                if end not in ("sound", "refused"):
                    kept.mkdir(exist_ok=True)
                    (kept / str(number)).write_bytes(mutated(seeds(), number))
            if not notes:  # the child did not even begin
                raise SystemExit(run.stderr.decode())
            first += len(notes)
    bad = {end: count for end, count in ends.items() if end not in ("sound", "refused")}
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({"inputs": inputs, **ends, "seconds": seconds}))
    return 1 if bad else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if sys.argv[1] == "--batch":
        batch(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    else:
        sys.exit(main(int(sys.argv[1])))
