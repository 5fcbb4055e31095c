"""What is tried on a damaged sound: it is read, cleaned to a WAV, or both through pipes."""

import io
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import numpy as np
import soundfile

from audiodae import Denoiser, Network
from audiodae.audio import SoundReader, open_reader
from audiodae.cli.stream import stream
from audiodae.errors import AudiodaeError, AudioFileError, SignalError
from audiodae.files import BLOCK_VALUES, CleanOptions, clean_file
from audiodae.pipes import open_stdin
from tests import networks
from tests.fuzz import sounds
from tests.fuzz.mutation import mutated

VALUES = 500_000  # read of an input, which may promise any length, and FLAC and the like can hold much in little
PIPE_BYTES = 65_536  # what a pipe holds that nobody reads yet
BLOCK_CODINGS = {"GSM610", "IMA_ADPCM", "MS_ADPCM", "G721_32"} | {f"NMS_ADPCM_{bits}" for bits in (16, 24, 32)}
LONGEST_BLOCK = 2100  # samples
FFMPEG_EVERY = 250  # inputs: a process started for each takes longer than all else


class TooMuch(Exception):
    """Enough was seen of a sound that goes on."""


class SoundTrials:
    """The input of a number, always the same, and what becomes of it."""

    def __init__(self) -> None:
        self.seeds = sounds.of_libsndfile() + sounds.of_odd_headers()
        self.ffmpeg_seeds = sounds.of_ffmpeg()
        network = networks.constant(0.5).SerializeToString()
        self.denoiser = Denoiser(Network.from_bytes(network, source="test"))

    def content(self, number: int) -> bytes:
        """Give the bytes of an input."""
        chance = random.Random(number)
        for_ffmpeg = self.ffmpeg_seeds and number % FFMPEG_EVERY == 0
        seed = chance.choice(self.ffmpeg_seeds) if for_ffmpeg else self.seeds[number % len(self.seeds)]
        return mutated(seed, self.seeds, chance)[:PIPE_BYTES]

    def __call__(self, number: int, folder: Path) -> str:
        """Try an input; "sound", "refused", or what is wrong."""
        content = self.content(number)
        way = random.Random(-1 - number).choice(("read", "read", "clean", "clean", "pipe", "pipe", "clean pipe", "raw"))
        match way:
            case "pipe":
                with _standard_input(content):
                    return _ending(_read_pipe, "standard input")
            case "raw":
                return self._raw(content, folder)
        path = folder / "in put"
        path.write_bytes(content)
        if way == "read":
            return _ending(lambda: _read(open_reader(path)), str(path))
        return self._clean(number, content, path, through_pipe=way == "clean pipe")

    def _clean(self, number: int, content: bytes, path: Path, *, through_pipe: bool) -> str:
        """Clean to a WAV; what is written must be as long as what is read."""
        target = path.with_name("out.wav")
        subtype = random.Random(number).choice((None, "PCM_16", "FLOAT"))
        options = CleanOptions(subtype=subtype, output=random.Random(number).choice(("speech", "noise")))

        def clean() -> None:
            if not through_pipe:
                clean_file(self.denoiser, path, target, options=options, on_progress=_enough)
                return
            with _standard_input(content), _standard_output(target):
                clean_file(self.denoiser, "-", "-", options=options, on_progress=_enough)

        try:
            end = _ending(clean, "standard input" if through_pipe else str(path))
        except TooMuch:
            return "sound"
        if end == "refused" and not through_pipe and target.exists():
            return "half: it was refused and is there"
        if end != "sound" or not target.exists():
            return end
        written, _ = soundfile.read(target, always_2d=True)
        if not np.isfinite(written).all():
            return "not finite"
        length = _length(path) if not through_pipe else _length_through_pipe(content)
        # libsndfile ends a lossy coding at the end of a block, and GSM 6.10 in WAV, an odd number of bytes, one later.
        blocks = soundfile.info(target).subtype in BLOCK_CODINGS
        fits = 0 <= len(written) - length < LONGEST_BLOCK if blocks else len(written) == length
        return end if fits else f"length: {length} in, {len(written)} out"

    def _raw(self, content: bytes, folder: Path) -> str:
        """Send bytes through `audiodae stream`, which takes any for samples."""
        network, target = folder / "network.onnx", folder / "out"
        network.write_bytes(networks.constant(0.5).SerializeToString())
        with _standard_input(content), _standard_output(target):
            arguments = ["--rate", "8000", "--format", "f32le", "--quiet", "--model", str(network)]
            with redirect_stderr(io.StringIO()) as said:
                stream.main(arguments, standalone_mode=False)
        for line in said.getvalue().splitlines():
            if not line.startswith("audiodae: warning: "):
                return f"says: {line}"
        out = np.frombuffer(target.read_bytes(), "<f4")
        if len(out) != len(content) // 4:
            return f"length: {len(content) // 4} in, {len(out)} out"
        return "sound" if np.isfinite(out).all() else "not finite"


def _ending(work: Callable[[], None], name: str) -> str:
    try:
        work()
    except (AudioFileError, SignalError) as error:
        text = str(error)
        return "refused" if text.startswith(name) and text.isprintable() and len(text) < 500 else f"badly told: {text}"
    except AudiodaeError as error:
        return f"no sound's error: {error!r}"
    return "sound"


def _read(opened: SoundReader) -> None:
    with opened as reader:
        left = VALUES
        for block in reader.blocks(max(1, 2**14 // reader.format.channels)):
            assert block.dtype == np.float32 and block.shape[1] == reader.format.channels and len(block)
            left -= block.size
            if left < 0:
                break


def _read_pipe() -> None:
    with open_stdin() as reader:
        _read(reader)


def _length(path: Path) -> int:
    # In the blocks of a cleaning: of a DWVW cut short libsndfile fills up the block in which it ends.
    with open_reader(path) as reader:
        return sum(len(block) for block in reader.blocks(BLOCK_VALUES // reader.format.channels))


def _length_through_pipe(content: bytes) -> int:
    with _standard_input(content), open_stdin() as reader:
        return sum(len(block) for block in reader.blocks(BLOCK_VALUES // reader.format.channels))


def _enough(done: int, total: int | None) -> None:
    if done > VALUES:
        raise TooMuch


@contextmanager
def _standard_input(content: bytes) -> Iterator[None]:
    ours, theirs = os.pipe()
    assert os.write(theirs, content) == len(content)
    os.close(theirs)
    before, sys.stdin = sys.stdin, os.fdopen(ours)
    try:
        yield
    finally:
        sys.stdin.close()
        sys.stdin = before


@contextmanager
def _standard_output(target: Path) -> Iterator[None]:
    before, sys.stdout = sys.stdout, target.open("w")
    try:
        yield
    finally:
        sys.stdout.close()
        sys.stdout = before
