"""Sound files read and written in blocks, the format kept: by libsndfile (WAV, FLAC, OGG, MP3, ...), else by ffmpeg.

Samples here are float32, shape (samples, channels), full scale 1. What soundfile calls a frame is a sample here.
What a file is, its content says; its name only says how to write it. A file is written under another name in the same
folder and renamed when it is whole, so that under its own name it is complete or not there at all.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

import soundfile

from audiodae.audio_format import (
    FFMPEG_CONTAINERS,
    PCM_BITS,
    AudioFormat,
    PathName,
    encode,
    output_format,
)
from audiodae.audio_header import MendedFile, make_plain_wav, mended
from audiodae.c_output import c_output_silenced
from audiodae.errors import AudioFileError, one_line
from audiodae.ffmpeg import FfmpegReader, FfmpegWriter, needs_ffmpeg
from audiodae.frames import Samples
from audiodae.whole_file import whole_file

__all__ = [
    "AudioFormat",
    "AudioReader",
    "AudioWriter",
    "PathName",
    "SoundReader",
    "SoundWriter",
    "encode",
    "open_reader",
    "open_writer",
    "output_format",
    "refuse_unwritable",
]

# Bytes that a container with sizes of 32 bits holds, less some for its header and tags.
LARGEST_WAV = 2**32 - 2**20
SMALL_CONTAINERS = frozenset({"WAV", "WAVEX", "AIFF"})
ESTIMATED = 2**62  # libsndfile promises this many samples and more where a FLAC stream does not say its length
RF64_AUTO_DOWNGRADE = 0x1210  # a command of libsndfile: RF64 that turned out small becomes WAV when it is closed


class SoundReader(Protocol):
    """A sound, open for reading from its beginning on. Use as a context manager.

    Attributes
    ----------
    path : Path
    format : AudioFormat
    n_samples : int, what there is by its header, and a damaged file may hold fewer; None where only the end tells
    n_expected : int, about how many, for those who wait; None where nothing is known
    tags : dict, title, artist and the like
    """

    path: Path
    format: AudioFormat
    n_samples: int | None
    n_expected: int | None
    tags: dict[str, str]

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def blocks(self, length: int) -> Iterator[Samples]:
        """Read on to the end: float32, shape (length or fewer, channels), an array of its own each."""


class SoundWriter(Protocol):
    """A sound file in the making. Use as a context manager: at its end the file appears, after an error it never does.

    Attributes
    ----------
    path : Path
    clipped : int, samples so far that lay beyond full scale and were held at it; always 0 for codings that take floats
    """

    path: Path
    clipped: int

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def write(self, samples: Samples) -> None:
        """Append samples, float32, shape (samples, channels)."""


def open_reader(path: PathName) -> SoundReader:
    """Open a sound file, whatever its name says that it is.

    Raises
    ------
    AudioFileError
        It is missing, no regular file, empty, unreadable, no known sound, or needs ffmpeg and there is none.
    """
    with _open_regular(Path(path)) as file:
        known_to_ffmpeg = needs_ffmpeg(file.read(16))
    return FfmpegReader(path) if known_to_ffmpeg else AudioReader(path)


def open_writer(
    path: PathName,
    audio_format: AudioFormat,
    tags: dict[str, str] | None = None,
    *,
    source: PathName | None = None,
    n_samples: int | None = None,
) -> SoundWriter:
    """Begin a file that will appear as path.

    Parameters
    ----------
    audio_format : as from `output_format`
    tags : title, artist and the like
    source : the file that the sound is from: where a video comes out, its picture goes along
    n_samples : int, how many will be written, where that is known; else a WAV is made ready for any number

    Raises
    ------
    AudioFileError
        The folder is missing or not writable, path is no regular file, or ffmpeg is needed and missing.
    """
    refuse_unwritable(Path(path))
    if audio_format.container in FFMPEG_CONTAINERS:
        return FfmpegWriter(path, audio_format, tags, source=source)
    return AudioWriter(path, audio_format, tags, n_samples=n_samples)


class _Onward(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A sound file that is read or written from its beginning to its end.

    soundfile seeks to where it is after every read that may seek. An MP3 decoder forgets by that what the next frame
    needs of the last ones, and gives garbage at every seam.
    """

    def seekable(self) -> bool:
        return False

    def become_wav_where_small(self) -> None:
        soundfile._snd.sf_command(self._file, RF64_AUTO_DOWNGRADE, soundfile._ffi.NULL, 1)


class AudioReader:
    """A sound file that libsndfile reads: a SoundReader."""

    def __init__(self, path: PathName) -> None:
        """Open a sound file.

        Raises
        ------
        AudioFileError
            It is missing, no regular file, empty, unreadable, or no sound that libsndfile knows.
        """
        self.path = Path(path)
        self._raw = _open_regular(self.path)
        # By its descriptor, so that libsndfile sees no name to guess from and every name of a file will do.
        self._mended = mended(self._raw)
        try:
            with c_output_silenced():
                self._file = _Onward(self._mended or self._raw.fileno(), closefd=False)
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:
            self._raw.close()
            if self.path.suffix.lower() == ".raw":
                reason = "raw samples do not say their rate; send them through `audiodae stream`"
                raise AudioFileError(f"{self.path}: {reason}") from None
            raise AudioFileError(f"{self.path}: no sound file that can be read ({_reason(error)})") from None
        file = self._file
        self.format = AudioFormat(file.format, file.subtype, file.endian, file.samplerate, file.channels)
        self.n_expected = int(file.frames) if file.frames < ESTIMATED else None
        # Of an MP3 libsndfile only says about how long it is.
        self.n_samples = None if file.subtype.startswith("MPEG") else self._promised(self.n_expected)
        self.tags: dict[str, str] = {name: one_line(text) for name, text in file.copy_metadata().items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._raw.close()

    def _promised(self, n_samples: int | None) -> int | None:
        """Give how many samples the header speaks of, where the file holds so many and was cut short."""
        cut = self._mended.cut if isinstance(self._mended, MendedFile) else None
        if not n_samples or cut is None:
            return n_samples
        said, room = cut
        sample_bytes = room // n_samples
        return said // sample_bytes if sample_bytes else round(said / room * n_samples)

    def blocks(self, length: int) -> Iterator[Samples]:
        """Read on to the end.

        Parameters
        ----------
        length : int, samples a block; the last may be shorter

        Yields
        ------
        block : float32, shape (samples, channels); an array of its own

        Raises
        ------
        AudioFileError
            The file is damaged here.
        """
        while True:
            try:
                with c_output_silenced():
                    block: Samples = self._file.read(length, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, OSError) as error:
                rest = "ffmpeg may save the rest: ffmpeg -i IN OUT.wav"
                raise AudioFileError(f"{self.path}: damaged ({_reason(error)}); {rest}") from None
            if isinstance(self._mended, MendedFile) and self._mended.error is not None:
                raise self._mended.error
            if not len(block):
                return
            yield block


class AudioWriter:
    """A sound file that libsndfile writes: a SoundWriter."""

    def __init__(
        self,
        path: PathName,
        audio_format: AudioFormat,
        tags: dict[str, str] | None = None,
        *,
        n_samples: int | None = None,
    ) -> None:
        """Begin a file that will appear as path; arguments and errors as for `open_writer`."""
        self.path = Path(path)
        refuse_unwritable(self.path)
        self.clipped = 0
        self._written = 0  # samples of one channel
        self._wanted, self._format = audio_format, _large_enough(audio_format, n_samples)
        self._open_end = self._format != audio_format and n_samples is None
        self._tags = tags or {}

    def __enter__(self) -> Self:
        # The file is made here and not before: from here on a signal either ends in `whole_file` or in __exit__.
        with ExitStack() as stack:
            try:
                part = stack.enter_context(whole_file(self.path))
                raw = self._raw = stack.enter_context(open(part, "r+b", buffering=0))
                self._file = _Onward(
                    raw.fileno(),
                    "w",
                    samplerate=self._format.sample_rate,
                    channels=self._format.channels,
                    format=self._format.container,
                    subtype=self._format.coding,
                    endian=self._format.endian,
                    closefd=False,
                )
            except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
                raise AudioFileError(f"{self.path}: cannot be written ({_reason(error)})") from None
            stack.push(self._close)
            if self._open_end:
                self._file.become_wav_where_small()
            for name, text in self._tags.items():
                with suppress(soundfile.SoundFileError):  # not every container has every tag
                    setattr(self._file, name, text)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stack.__exit__(kind, error, trace)
        except (soundfile.SoundFileError, OSError) as failure:
            if kind is not None or isinstance(failure, AudioFileError):
                raise
            raise AudioFileError(f"{self.path}: cannot be written ({_reason(failure)})") from None

    def _close(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write the rest; after an error whatever that gives, for nothing of it will be seen."""
        if kind is None:
            self._file.close()
            if self._open_end and self._wanted.container == "WAV":
                make_plain_wav(self._raw)
        else:
            with suppress(soundfile.SoundFileError, OSError):
                self._file.close()

    def write(self, samples: Samples) -> None:
        """Append samples, float32, shape (samples, channels).

        Raises
        ------
        AudioFileError
            The disk is full, the container is, or the like.
        """
        encoded, clipped = encode(samples, self._format.coding)
        self.clipped += clipped
        self._written += len(samples)
        if self._format.container in SMALL_CONTAINERS and _n_bytes(self._format, self._written) > LARGEST_WAV:
            container = self._format.container
            raise AudioFileError(f"{self.path}: {container} holds 4 GiB and not more; name another format, e.g. .w64")
        try:
            self._file.write(encoded)
        except (soundfile.SoundFileError, OSError, AssertionError) as error:  # soundfile asserts that all was written
            raise AudioFileError(f"{self.path}: cannot be written ({_reason(error)})") from None


def _large_enough(audio_format: AudioFormat, n_samples: int | None) -> AudioFormat:
    """Take RF64 for a WAV that is or may become too large."""
    if audio_format.container not in ("WAV", "WAVEX") or not soundfile.check_format("RF64", audio_format.coding):
        return audio_format
    if n_samples is not None and _n_bytes(audio_format, n_samples) <= LARGEST_WAV:
        return audio_format
    return replace(audio_format, container="RF64", endian="FILE")


def _n_bytes(audio_format: AudioFormat, n_samples: int) -> int:
    """Give the bytes that samples take, for the codings of WAV that have no blocks; for the others at most that."""
    wide = {"DOUBLE": 64, "FLOAT": 32}
    bits = wide.get(audio_format.coding) or PCM_BITS.get(audio_format.coding, 8)
    return n_samples * audio_format.channels * bits // 8


def refuse_unwritable(path: Path) -> None:
    """Refuse a name under which no file can appear; a device or a pipe would be lost to the rename.

    Raises
    ------
    AudioFileError
        It names a folder, device or pipe, or its folder is missing or not writable.
    """
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        raise AudioFileError(f"{path}: is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise AudioFileError(f"{path}: is not a regular file; name one, or - for standard output")
    if not folder.is_dir():
        raise AudioFileError(f"{path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise AudioFileError(f"{path}: the folder {folder} is not writable")


def _open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; a pipe is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        file = os.fdopen(descriptor, "rb", buffering=0)  # libsndfile reads on from where the system stands
    except IsADirectoryError:
        os.close(descriptor)
        raise AudioFileError(f"{path}: is a folder; name a sound file") from None
    except FileNotFoundError:
        raise AudioFileError(f"{path}: no such file") from None
    except PermissionError:
        raise AudioFileError(f"{path}: may not be read (permissions)") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in its name
        raise AudioFileError(f"{path}: cannot be opened ({_reason(error)})") from None
    status = os.fstat(descriptor)
    wrong = None if stat.S_ISREG(status.st_mode) else "is not a regular file; a pipe is read from standard input, as -"
    if wrong or not status.st_size:
        file.close()
        raise AudioFileError(f"{path}: {wrong or 'is empty'}")
    return file


def _reason(error: Exception) -> str:
    """Give what libsndfile or the system said, without the path that it repeats."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = getattr(error, "error_string", None) or str(error) or "the disk may be full"
    if "SF_INFO struct incomplete" in text:  # its check of what it has read from the header
        return "its header has a sample rate or a number of channels that cannot be"
    return one_line(str(text)).strip().rstrip(".")
