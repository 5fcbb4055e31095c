"""Sound files read and written in blocks, the format kept, by libsndfile (WAV, FLAC, OGG, Opus, MP3, AIFF, ...).

Samples here are float32, shape (samples, channels), full scale 1. What soundfile calls a frame is a sample here.
A file is written under another name in the same folder and renamed when it is whole, so that under its own name it is
complete or not there at all.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import soundfile

from audiodae.errors import AudioFileError
from audiodae.frames import Samples

# Whole numbers of this many bits. They are rounded here: soundfile would cut off instead, and turn the -0.0000001 of
# a sum that should be zero into a step.
PCM_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
PCM_BITS |= {"ALAC_16": 16, "ALAC_20": 20, "ALAC_24": 24, "ALAC_32": 32}
# Codings that take floats as they come, beyond full scale too.
FLOAT_CODINGS = frozenset({"FLOAT", "DOUBLE"})
LOSSY_CODINGS = frozenset({"VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"})

PathName = str | os.PathLike[str]


@dataclass(frozen=True)
class AudioFormat:
    """How a sound file keeps its sound.

    Attributes
    ----------
    container : str, as libsndfile names it: "WAV", "FLAC", "OGG", ...
    coding : str, what libsndfile calls the subtype: "PCM_16", "FLOAT", "VORBIS", ...
    endian : str, "FILE" for the container's own
    sample_rate : int, Hz
    channels : int
    """

    container: str
    coding: str
    endian: str
    sample_rate: int
    channels: int


class _Onward(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A sound file that is read or written from its beginning to its end.

    soundfile seeks to where it is after every read that may seek. An MP3 decoder forgets by that what the next frame
    needs of the last ones, and gives garbage at every seam.
    """

    def seekable(self) -> bool:
        return False


class AudioReader:
    """A sound file, open for reading from its beginning on. Use as a context manager.

    Attributes
    ----------
    path : Path
    format : AudioFormat
    n_samples : int, as the file's header says; a damaged file may hold fewer
    tags : dict, title, artist and the like
    """

    def __init__(self, path: PathName) -> None:
        """Open a sound file.

        Raises
        ------
        AudioFileError
            It is missing, no regular file, empty, unreadable, or no sound that libsndfile knows.
        """
        self.path = Path(path)
        _refuse_unreadable(self.path)
        if self.path.suffix.lower() == ".raw":
            raise AudioFileError(f"{self.path}: raw samples do not say their rate; send them through `audiodae stream`")
        try:
            self._file = _Onward(self.path)
        except (soundfile.SoundFileError, OSError, TypeError) as error:
            raise AudioFileError(f"{self.path}: no sound file that can be read ({_reason(error)})") from None
        file = self._file
        self.format = AudioFormat(file.format, file.subtype, file.endian, file.samplerate, file.channels)
        self.n_samples = int(file.frames)
        self.tags: dict[str, str] = file.copy_metadata()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

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
                block: Samples = self._file.read(length, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, OSError) as error:
                raise AudioFileError(f"{self.path}: damaged ({_reason(error)})") from None
            if not len(block):
                return
            yield block


class AudioWriter:
    """A sound file in the making. Use as a context manager: at its end the file appears, after an error it never does.

    Attributes
    ----------
    clipped : int, samples so far that lay beyond full scale and were held at it; always 0 for codings that take floats
    """

    def __init__(self, path: PathName, audio_format: AudioFormat, tags: dict[str, str] | None = None) -> None:
        """Begin a file that will appear as path.

        Raises
        ------
        AudioFileError
            The folder is missing or not writable, path is no regular file, or the format cannot be written.
        """
        self.path = Path(path)
        refuse_unwritable(self.path)
        if audio_format.container == "SD2":  # keeps its rate in a second file
            raise AudioFileError(f"{self.path}: SD2 is not written; name another format, e.g. .wav")
        self.clipped = 0
        self._coding = audio_format.coding
        # A link stays a link: what it points to is replaced.
        self._target = Path(os.path.realpath(self.path))
        self._part = self._target.with_name(f".{self._target.name[:100]}.{secrets.token_hex(4)}.part")
        self._format, self._tags = audio_format, tags or {}

    def __enter__(self) -> Self:
        # The file is made here and not before: from here on a signal either ends in the line below or in __exit__.
        try:
            self._open()
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise
        return self

    def _open(self) -> None:
        try:
            self._file = _Onward(
                self._part,
                "x",
                samplerate=self._format.sample_rate,
                channels=self._format.channels,
                format=self._format.container,
                subtype=self._format.coding,
                endian=self._format.endian,
            )
        except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
            raise AudioFileError(f"{self.path}: cannot be written ({_reason(error)})") from None
        for name, text in self._tags.items():
            with suppress(soundfile.SoundFileError):  # not every container has every tag
                setattr(self._file, name, text)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            with suppress(soundfile.SoundFileError, OSError):
                self._file.close()
            self._part.unlink(missing_ok=True)

    def write(self, samples: Samples) -> None:
        """Append samples, float32, shape (samples, channels).

        Raises
        ------
        AudioFileError
            The disk is full, or the like.
        """
        encoded, clipped = encode(samples, self._coding)
        self.clipped += clipped
        try:
            self._file.write(encoded)
        except (soundfile.SoundFileError, OSError, AssertionError) as error:  # soundfile asserts that all was written
            raise AudioFileError(f"{self.path}: cannot be written ({_reason(error)})") from None

    def _finish(self) -> None:
        """Close, see to it that all lies on the disk, and give the file its name."""
        try:
            self._file.close()
            with open(self._part, "rb+") as file:
                os.fsync(file.fileno())
            if self._target.exists():
                self._part.chmod(stat.S_IMODE(self._target.stat().st_mode))
            os.replace(self._part, self._target)
        except (soundfile.SoundFileError, OSError) as error:
            raise AudioFileError(f"{self.path}: cannot be written ({_reason(error)})") from None


def encode(samples: Samples, coding: str) -> tuple[npt.NDArray[np.float32] | npt.NDArray[np.int32], int]:
    """Make samples fit a coding: held at full scale where it has one, never wrapped round.

    Parameters
    ----------
    samples : float32, any shape
    coding : str, as in AudioFormat

    Returns
    -------
    encoded : int32 with the coding's bits uppermost where it is one of whole numbers, else float32
    clipped : int, samples that lay beyond full scale
    """
    if coding in FLOAT_CODINGS | LOSSY_CODINGS:
        return samples, 0
    clipped = int(np.count_nonzero(np.abs(samples) > 1))
    if coding not in PCM_BITS:
        return np.clip(samples, -1, 1), clipped
    full_scale = 2.0 ** (PCM_BITS[coding] - 1)
    whole = np.clip(np.rint(samples * np.float64(full_scale)), -full_scale, full_scale - 1)
    return whole.astype(np.int32) << (32 - PCM_BITS[coding]), clipped


def output_format(source: AudioFormat, path: PathName) -> AudioFormat:
    """Choose how to write path: as the source, unless the name asks for another container.

    Then the coding stays where the new container has it, else it is the container's usual one.

    Raises
    ------
    AudioFileError
        The container that the name asks for cannot be written.
    """
    wanted = {"OPUS": "OGG", "OGA": "OGG", "WAVE": "WAV", "AIF": "AIFF"}
    suffix = Path(path).suffix[1:].upper()
    container = wanted.get(suffix, suffix)
    if container not in soundfile.available_formats() or container == _plain(source.container):
        return source
    coding = "OPUS" if suffix == "OPUS" else _closest_coding(source.coding, container)
    if coding is None:
        raise AudioFileError(f"{path}: {container} cannot be written; name another format, e.g. .wav")
    return AudioFormat(container, coding, "FILE", source.sample_rate, source.channels)


def _closest_coding(coding: str, container: str) -> str | None:
    """Keep a lossless coding where the container has it, give 24 bits for more; else the container's usual coding."""
    # A lossy stream inside WAV is legal and surprises every program that reads it.
    lossless = coding in PCM_BITS or coding in FLOAT_CODINGS
    for candidate in (coding, "PCM_24") if lossless else ():
        fine = candidate == coding or coding in FLOAT_CODINGS or PCM_BITS[coding] > 24
        if fine and soundfile.check_format(container, candidate):
            return candidate
    usual: str | None = soundfile.default_subtype(container)
    return usual


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
        raise AudioFileError(f"{path}: is not a regular file")
    if not folder.is_dir():
        raise AudioFileError(f"{path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise AudioFileError(f"{path}: the folder {folder} is not writable")


def _refuse_unreadable(path: Path) -> None:
    if path.is_dir():
        raise AudioFileError(f"{path}: is a folder; name a sound file")
    if not path.exists():
        raise AudioFileError(f"{path}: no such file")
    if not path.is_file():  # opening a pipe would wait for ever
        raise AudioFileError(f"{path}: is not a regular file; for a pipe there is `audiodae stream`")
    try:
        with open(path, "rb") as file:
            if not file.read(1):
                raise AudioFileError(f"{path}: is empty")
    except PermissionError:
        raise AudioFileError(f"{path}: may not be read (permissions)") from None


def _plain(container: str) -> str:
    """Give the name that a file's suffix would have: three containers of libsndfile call themselves .wav."""
    return "WAV" if container in ("WAVEX", "RF64") else container


def _reason(error: Exception) -> str:
    """Give what libsndfile or the system said, without the path that it repeats."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = getattr(error, "error_string", None) or str(error) or "the disk may be full"
    return str(text).strip().rstrip(".")
