"""Write docs/inputs.md, and find out every line of it: each row of inputs_rows.py is run. `python docs/inputs.py`.

The page goes to standard output; docs/generate.py keeps it, tests/test_docs.py holds it to what happens. A row
is run in a folder of its own by a fork of this process, in which the network is loaded once. Nothing on the page
depends on the place, the time or the machine. Where a program is missing, the row says so.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from inputs_rows import SECTIONS, Row

from audiodae.audio import open_reader
from audiodae.audio_format import FFMPEG_CONTAINERS
from audiodae.cli import clean, main
from audiodae.denoiser import Denoiser
from audiodae.errors import AudiodaeError

NOBODY = 65_534
HEAD = """\
# What happens to which input

<!-- Written by `make docs`, which runs every row: change the code, or docs/inputs_rows.py, not this page. -->

Each row below was made, given to the command beside it, and written down as it ended. `all` means that as many samples
came out as went in. Where OUT says "nothing" there is no file, no half of one and no temporary one; "as it was" is a
file that was there before, byte for byte. Exit code 0 is success, 1 something that you can put right, told in one line,
2 wrong usage, 141 a reader that has gone. [Cleaning](cleaning.md) and [Formats](formats.md) tell why it is so.
"""


@dataclass(frozen=True)
class Ending:
    """What came of a command."""

    code: int
    out: bytes
    said: str


def page() -> str:
    clean.Denoiser = cache(Denoiser)  # type: ignore[misc]  # loaded once, before the first fork
    clean.Denoiser(None)
    parts = [HEAD]
    for title, rows in SECTIONS.items():
        lines = ["| input | `audiodae clean` | exit | OUT | said |", "|---|---|--:|---|---|", *map(line, rows)]
        parts.append(f"\n## {title}\n\n" + "\n".join(lines) + "\n")
    return "".join(parts)


def line(row: Row) -> str:
    """Run a row and tell it in a line of the table."""
    through = f" (through {row.program})" if row.program else ""
    cells = [row.kind + through, f"`{_shown(row.arguments)}`"]
    if row.program and not shutil.which(row.program):
        return "| " + " | ".join([*cells, "", f"not run: {row.program} is missing", ""]) + " |"
    with tempfile.TemporaryDirectory(prefix="inputs-") as place:
        folder = Path(place) / "here"
        folder.mkdir()
        for each in (Path(place), folder):
            each.chmod(0o755 if not row.nobody else 0o777)
        n_samples = row.make(folder)
        before = _contents(folder)
        ending = run(row, folder)
        assert "Traceback" not in ending.said, f"{row.kind}: {ending.said}"
        assert not [*folder.rglob("*.part")], f"{row.kind}: a part is left"
        out = _outcome(row, folder, before, ending, n_samples)
        cells += [str(ending.code), out, _words(ending.said, folder, row)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def run(row: Row, folder: Path) -> Ending:
    """Run a command in a fork, its standard streams being pipes."""
    given = subprocess.Popen(["cat", folder / row.piped], stdout=subprocess.PIPE) if row.piped else None
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            stdin = given.stdout.fileno() if given and given.stdout else os.open(os.devnull, os.O_RDONLY)
            stdout = os.open("/dev/full", os.O_WRONLY) if row.read == 0 else writing
            _be_the_command(row, folder, (stdin, stdout, errors.fileno()), (reading, writing))
        os.close(writing)
        if given and given.stdout:
            given.stdout.close()
        out: list[bytes] = []
        reader = threading.Thread(target=_read, args=(reading, row.read, out))
        reader.start()
        _, status = os.waitpid(child, 0)
        reader.join()
        if given:
            given.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(status)
    return Ending(code, b"".join(out), said)


def _be_the_command(row: Row, folder: Path, streams: tuple[int, int, int], ends: tuple[int, int]) -> None:
    """Be `audiodae clean` in this fork, to its end."""
    code: object = 1
    try:
        os.chdir(folder)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        for end in ends:
            os.close(end)
        if row.nobody and os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        main(["clean", *map(os.fsdecode, row.arguments)])
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def _read(pipe: int, at_most: int | None, out: list[bytes]) -> None:
    """Read what comes out, to its end or to where its reader has enough."""
    with open(pipe, "rb") as file:
        out.append(file.read(at_most))


def _contents(folder: Path) -> dict[str, bytes]:
    """What lies in a folder and can be read, by name; hidden files too."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and os.access(path, os.R_OK):
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def _outcome(row: Row, folder: Path, before: dict[str, bytes], ending: Ending, n_samples: int | None) -> str:
    """Tell what came out: OUT, and other files that appeared."""
    name = os.fsdecode(row.arguments[1])
    now = _contents(folder)
    changed = [each for each in now if now[each] != before.get(each) and not Path(each).name.startswith(".")]
    told = []
    if name == "-":
        out = folder / "stdout"
        out.write_bytes(ending.out)
        if row.read:
            told.append(f"{len(ending.out):,} bytes, as many as were read")
        elif ending.out:
            told.append(describe(out, n_samples))
        else:
            told.append("nothing")
    elif name in changed:
        told.append(describe(folder / name, n_samples))
    elif name in before:
        told.append("as it was")
    others = [f"`{each}`" for each in changed if each != name]
    return "; ".join(told + ([", ".join(others)] if others else [])) or "nothing"


def describe(path: Path, n_samples: int | None) -> str:
    """Tell how a sound is kept and how much of it there is."""
    try:
        with open_reader(path) as reader:
            blocks = [*reader.blocks(65_536)]
    except AudiodaeError as error:
        return f"NO SOUND ({error})"
    kept = reader.format
    n = sum(map(len, blocks))
    length = f"all {n:,}" if n == n_samples else f"{n:,}" if n_samples is None else f"{n:,} of {n_samples:,}"
    order = {"BIG": ", big-endian", "LITTLE": ", little-endian"}.get(kept.endian, "")
    channels = "" if kept.channels == 1 else f", {kept.channels} channels"
    text = f"{kept.container} {kept.coding}{order}, {kept.sample_rate:,} Hz{channels}, {length} sample{'s' * (n != 1)}"
    peak = max((float(np.max(np.abs(block))) for block in blocks if block.size), default=None)
    if peak == 0:
        text += ", all zero"
    if peak is not None and peak > 1:
        text += ", beyond full scale"
    if _has_picture(path, kept.container):
        text += ", the picture"
    if reader.tags:
        text += f", tags {' and '.join(sorted(reader.tags))}"
    return text


def _has_picture(path: Path, container: str) -> bool:
    if container not in FFMPEG_CONTAINERS:
        return False
    command = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        "v",
        "-show_entries",
        "stream=index",
        "-of",
        "csv=p=0",
        path,
    ]
    return bool(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.strip())


def _words(said: str, folder: Path, row: Row) -> str:
    """Give the first line that was said, without the place where this was run, times, or what another program said."""
    lines = [each for each in said.splitlines() if ", rtf " not in each]
    lines = [each for each in lines if each.startswith(("audiodae: ", "Error: "))] or lines
    text = lines[0].removeprefix("audiodae: ") if lines else ""
    text = text.replace(f"{os.path.realpath(folder)}/", "")
    if row.program:
        text = re.sub(r" \(.*\)$", "", text)
    return text if len(text) < 300 else text[:100] + " ... " + text[-100:]


def _shown(arguments: tuple[str | bytes, ...]) -> str:
    """Write arguments as a shell has them."""
    words = []
    for argument in map(os.fsencode, arguments):
        text = argument.decode("ascii", "backslashreplace").replace("\n", "\\n")
        text = f"{text[:8]}...{text[-8:]}" if len(text) > 100 else text
        words.append(f"$'{text}'" if "\\" in text else f"'{text}'" if " " in text else text)
    return " ".join(words)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdout.write(page())
