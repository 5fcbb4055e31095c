"""Sound through standard input and output: WAV in and out as it comes, anything else that is read in by a detour.

A pipe cannot be sought in, and libsndfile seeks. So WAV of whole numbers or floats is read here, sample by sample as
it arrives, whatever its header says of a length that nobody knew when it was written. Other formats are first kept in
a temporary file, up to 4 GiB.

What is written is WAV, for it has no need to know its end: the sizes in the header are those of the whole where it is
known, else the largest that can be written, which readers take for "until the end". Where standard output turns out
to be a file the true sizes are put in at the end.
"""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TextIO

from audiodae.audio import AudioFormat, PathName, SoundReader, open_reader
from audiodae.errors import AudiodaeError, AudioFileError
from audiodae.frames import Samples
from audiodae.wav_stream import WavHeader, bytes_per_sample, decode, read_wav_header, to_bytes, write_wav_header

PIPE = "-"
STDIN, STDOUT = "standard input", "standard output"
READ_BYTES = 2**18
SPOOL_BYTES = 2**32


def is_pipe(name: PathName) -> bool:
    """Tell whether a name stands for standard input or output; a Path never does, nor does "./-"."""
    return name == PIPE


def stdin_number() -> int:
    """Give the number that the system has for standard input; AudioFileError where no sound can come from it."""
    return _pipe_end(sys.stdin, STDIN)


def stdout_number() -> int:
    """Give the number that the system has for standard output; AudioFileError where no sound can go to it."""
    return _pipe_end(sys.stdout, STDOUT)


@contextmanager
def open_stdin() -> Iterator[SoundReader]:
    """Open the sound that comes in through standard input.

    Raises
    ------
    AudioFileError
        It is closed, a terminal, no sound that can be read, or too much to be kept.
    """
    pipe = stdin_number()
    head = _Head(pipe)
    header = read_wav_header(head)
    if header:
        with WavPipeReader(pipe, header) as reader:
            yield reader
        return
    with tempfile.NamedTemporaryFile(prefix="audiodae-") as spool:
        try:
            _keep(head.taken, pipe, spool)
            with open_reader(spool.name) as kept:
                yield kept
        except AudiodaeError as error:
            raise type(error)(str(error).replace(spool.name, STDIN)) from None


class WavPipeReader:
    """WAV that is read as it arrives: a SoundReader."""

    def __init__(self, pipe: int, header: WavHeader) -> None:
        self.path = Path(STDIN)
        self.format = header.format
        self.n_samples = self.n_expected = header.n_samples
        self.tags: dict[str, str] = {}
        self._pipe = pipe

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass  # standard input is not ours to close

    def blocks(self, length: int) -> Iterator[Samples]:
        """Yield what has come in, float32, shape (samples, channels), as soon as it has."""
        size = bytes_per_sample(self.format)
        left = sys.maxsize if self.n_samples is None else self.n_samples * size
        rest = b""
        while left and (data := _read(self._pipe, min(READ_BYTES, length * size, left))):
            left -= len(data)
            data = rest + data
            whole = len(data) - len(data) % size
            rest = data[whole:]
            if whole:
                yield decode(data[:whole], self.format)
        while _read(self._pipe, READ_BYTES):  # tags after the samples: who writes them must not find the pipe closed
            pass


class WavPipeWriter:
    """WAV to standard output: a SoundWriter.

    Parameters
    ----------
    audio_format : AudioFormat, as `stream_format` gives it
    n_samples : int or None, where the length is not known yet
    """

    def __init__(self, audio_format: AudioFormat, n_samples: int | None) -> None:
        self.path = Path(STDOUT)
        self.clipped = 0
        self._format = audio_format
        self._n_samples = n_samples
        self._written = 0  # samples
        self._fd = stdout_number()

    def __enter__(self) -> Self:
        self._header = write_wav_header(self._format, self._n_samples)
        self._start = _place_in_file(self._fd)
        self._write(self._header)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            return
        if self._n_samples is not None and self._written * bytes_per_sample(self._format) % 2:
            self._write(b"\0")  # a chunk ends on an even byte; one without a length has no end to tell
        header = write_wav_header(self._format, self._written)
        if self._start is not None and len(header) == len(self._header):
            with suppress(OSError):
                os.pwrite(self._fd, header, self._start)

    def write(self, samples: Samples) -> None:
        """Send samples, float32, shape (samples, channels), at once.

        Raises
        ------
        AudioFileError
            The disk is full, or the like.
        BrokenPipeError
            Who read them has gone.
        """
        data, clipped = to_bytes(samples, self._format.coding)
        self.clipped += clipped
        self._written += len(samples)
        self._write(data)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise AudioFileError(f"{STDOUT}: cannot be written ({error.strerror})") from None


class _Head:
    """The beginning of a pipe, kept, for what turns out to be no WAV is to be read again."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self.taken = bytearray()

    def read(self, size: int) -> bytes:
        """Give the next bytes, fewer only at the end."""
        begin = len(self.taken)
        while missing := begin + size - len(self.taken):
            data = _read(self._pipe, missing)
            if not data:
                break
            self.taken += data
        return bytes(self.taken[begin:])


def _pipe_end(stream: TextIO | None, name: str) -> int:
    """Give the number of the system for standard input or output; Python has None for one that is closed."""
    if stream is None or stream.isatty():
        raise AudioFileError(f"{name} is {'a terminal' if stream else 'closed'}; use a pipe, or name a file")
    return stream.fileno()


def _read(pipe: int, size: int) -> bytes:
    try:
        return os.read(pipe, size)
    except OSError as error:
        raise AudioFileError(f"{STDIN}: cannot be read ({error.strerror})") from None


def _keep(taken: bytearray, pipe: int, spool: IO[bytes]) -> None:
    """Put a whole pipe into a file."""
    size = spool.write(taken)
    while data := _read(pipe, READ_BYTES):
        size += spool.write(data)
        if size > SPOOL_BYTES:
            gib = SPOOL_BYTES >> 30
            raise AudioFileError(f"{STDIN}: more than {gib} GiB of what is not plain WAV; write it to a file first")
    spool.flush()


def _place_in_file(fd: int) -> int | None:
    """Where in a file the next byte goes, so that it can be mended; None for a pipe, or a file that is appended to."""
    with suppress(OSError, ImportError):
        import fcntl  # not on Windows

        appended = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND
        if stat.S_ISREG(os.fstat(fd).st_mode) and not appended:
            return os.lseek(fd, 0, os.SEEK_CUR)
    return None
