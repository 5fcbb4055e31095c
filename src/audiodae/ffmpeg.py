"""Sounds that libsndfile does not know (M4A, WMA, the sound of videos, ...), through an installed ffmpeg.

ffmpeg runs beside us and sends or takes float32 samples by a pipe, in blocks; no temporary file. It may open the named
file and nothing else: no network, no playlists that name other files.
"""

import json
import os
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from audiodae.audio_format import FFMPEG_CONTAINERS, PCM_BITS, SUFFIXES, AudioFormat, PathName, encode
from audiodae.errors import AudioFileError, one_line
from audiodae.frames import Samples
from audiodae.whole_file import whole_file

# How a file begins that ffmpeg reads, libsndfile does not, and people clean: (offset, bytes).
BEGINNINGS = (
    *((4, name) for name in (b"ftyp", b"moov", b"mdat", b"wide")),  # MP4, M4A, MOV, 3GP
    (0, b"\x1aE\xdf\xa3"),  # Matroska, WebM
    (0, b"0&\xb2u\x8ef\xcf\x11"),  # WMA, WMV
    (8, b"AVI "),
    (0, b"FLV\x01"),
    *((0, bytes((0xFF, second))) for second in (0xF0, 0xF1, 0xF8, 0xF9)),  # AAC without a container
    (0, b"\x0bw"),  # AC-3
    (0, b"#!AMR"),
    (0, b"MAC "),  # Monkey's Audio
    (0, b"wvpk"),
    (0, b"TTA"),
    (0, b"MPCK"),
    (0, b"DSD "),
    (0, b"\x00\x00\x01\xba"),  # MPEG programme stream
    (0, b"G@"),  # MPEG transport stream
)
DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,avi,flv,live_flv,aac,ac3,eac3,amr,ape,wv,tta,mpc8,dsf,mpeg,mpegts"
SAFE = ("-protocol_whitelist", "file", "-format_whitelist", DEMUXERS)
CODINGS = {"mp3": "MPEG_LAYER_III", "mp2": "MPEG_LAYER_II", "opus": "OPUS", "vorbis": "VORBIS", "pcm_f32le": "FLOAT"}
LOSSLESS = frozenset({"flac", "alac", "wavpack", "ape", "tta"})
TAGS = {"title", "copyright", "artist", "comment", "date", "album", "license", "genre"}
ENCODERS = {
    "AAC": ("aac",),
    "OPUS": ("libopus",),
    "VORBIS": ("libvorbis", "-q:a", "6"),
    "MPEG_LAYER_III": ("libmp3lame",),
    "AC3": ("ac3",),
    "EAC3": ("eac3",),
    "ALAC_16": ("alac", "-sample_fmt", "s16p"),
    "ALAC_24": ("alac", "-sample_fmt", "s32p"),
    "FLAC_16": ("flac", "-sample_fmt", "s16"),
    "FLAC_24": ("flac", "-sample_fmt", "s32"),
    "PCM_16": ("pcm_s16le",),
    "PCM_24": ("pcm_s24le",),
    "PCM_32": ("pcm_s32le",),
    "FLOAT": ("pcm_f32le",),
}
BITS_A_SAMPLE = 2  # of lossy codings: 192 kbit/s for stereo at 48 kHz, where a second coding is not heard
PROBE_SECONDS = 60


def needs_ffmpeg(beginning: bytes) -> bool:
    """Tell from its first 16 bytes whether a file is one for ffmpeg."""
    return any(beginning[at : at + len(name)] == name for at, name in BEGINNINGS)


class FfmpegReader:
    """A sound that ffmpeg decodes, at its own rate and with its own channels: a SoundReader.

    Of several sound tracks the first is read.
    """

    def __init__(self, path: PathName) -> None:
        """Look at a file.

        Raises
        ------
        AudioFileError
            There is no ffmpeg, or it finds no sound in the file.
        """
        self.path = Path(path)
        _refuse_without_ffmpeg(self.path)
        found = _probe(self.path)
        sounds = [stream for stream in found["streams"] if stream.get("codec_type") == "audio"]
        if not sounds:
            raise AudioFileError(f"{self.path}: no sound in it")
        sound = sounds[0]
        try:
            rate, channels = int(sound["sample_rate"]), int(sound["channels"])
        except (KeyError, ValueError):
            rate = channels = 0
        if rate <= 0 or channels <= 0:
            raise AudioFileError(f"{self.path}: ffmpeg finds no rate or channels in its sound")
        self.format = AudioFormat(_container(self.path, found), _coding(sound), "FILE", rate, channels)
        self.n_samples: int | None = (
            None  # the duration in the header counts in the units of the container, and may be wrong
        )
        seconds = _number(sound.get("duration")) or _number(found["format"].get("duration"))
        self.n_expected = round(seconds * rate) if seconds > 0 else None
        self.tags = _tags(found["format"].get("tags", {}) | sound.get("tags", {}))
        self._process: _Ffmpeg | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()

    def blocks(self, length: int) -> Iterator[Samples]:
        """Read on to the end; arguments, results and errors as for `AudioReader.blocks`."""
        n_channels = self.format.channels
        rate = ("-ar", str(self.format.sample_rate), "-ac", str(n_channels))
        self._process = process = _Ffmpeg(
            [*SAFE, "-i", _url(self.path), "-map", "0:a:0", *rate, "-f", "f32le", "-c:a", "pcm_f32le", "pipe:1"],
            stdout=subprocess.PIPE,
        )
        pipe = process.stdout
        while content := pipe.read(4 * n_channels * length):
            values = np.frombuffer(content[: len(content) // (4 * n_channels) * 4 * n_channels], "<f4")
            yield values.astype(np.float32).reshape(-1, n_channels)
        if process.wait():
            raise AudioFileError(f"{self.path}: damaged ({process.last_words()})")


class FfmpegWriter:
    """A sound that ffmpeg encodes: a SoundWriter. Where a video comes out, the picture of the source goes along."""

    def __init__(
        self,
        path: PathName,
        audio_format: AudioFormat,
        tags: dict[str, str] | None = None,
        *,
        source: PathName | None = None,
    ) -> None:
        """Begin a file that will appear as path; arguments and errors as for `open_writer`."""
        self.path = Path(path)
        _refuse_without_ffmpeg(self.path)
        self.clipped = 0
        self._format, self._tags = audio_format, tags or {}
        self._container = FFMPEG_CONTAINERS[audio_format.container]
        if audio_format.coding not in self._container.codings:
            raise AudioFileError(f"{self.path}: {audio_format.container} cannot hold {audio_format.coding}")
        self._before, self._along = self._from_source(None if source is None else Path(source))

    def _from_source(self, source: Path | None) -> tuple[list[str], list[bytes | str]]:
        """Give what stands before our sound (its delay against the picture), and what takes the picture along."""
        if source is None or not self._container.pictures or not _is_for_ffmpeg(source):
            return [], []
        found = _probe(source)
        moving = self._container.pictures == "video"
        pictures = [
            stream["index"]
            for stream in found["streams"]
            if stream.get("codec_type") == "video" and (moving or stream.get("disposition", {}).get("attached_pic"))
        ]
        sound: dict[str, Any] = next((stream for stream in found["streams"] if stream.get("codec_type") == "audio"), {})
        # A decoder drops what lies before time 0 (its own delay), and ffmpeg lets the whole file begin at 0.
        late = max(_number(sound.get("start_time")), 0) - _number(found["format"].get("start_time"))
        before = ["-itsoffset", f"{late:.6f}"] if late > 0.0005 else []
        maps = [argument for index in pictures for argument in ("-map", f"1:{index}")]
        kept = ["-map_metadata", "1", "-map_chapters", "1", "-c:v", "copy"]
        return before, [*SAFE, "-i", _url(source), "-map", "0:a", *maps, *kept]

    def __enter__(self) -> Self:
        coding = self._format.coding
        whole = coding in PCM_BITS
        rate, n_channels = self._format.sample_rate, self._format.channels
        tags = [argument for name, text in self._tags.items() for argument in ("-metadata", f"{name}={text}")]
        bit_rate = ["-b:a", str(BITS_A_SAMPLE * min(rate, 48_000) * n_channels)]
        with ExitStack() as stack:
            try:
                part = stack.enter_context(whole_file(self.path))
            except OSError as error:
                raise AudioFileError(f"{self.path}: cannot be written ({error.strerror})") from None
            self._process = _Ffmpeg(
                [
                    *("-y", *self._before, "-f", "s32le" if whole else "f32le"),
                    *("-ar", str(rate), "-ac", str(n_channels), "-i", "pipe:0", *self._along, *tags),
                    *("-c:a", *ENCODERS[coding], *([] if whole or "-q:a" in ENCODERS[coding] else bit_rate)),
                    *("-f", self._container.muxer, _url(part)),
                ],
                stdin=subprocess.PIPE,
            )
            stack.push(self._close)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stack.__exit__(kind, error, trace)
        except OSError as failure:
            if kind is not None or isinstance(failure, AudioFileError):
                raise
            raise AudioFileError(f"{self.path}: cannot be written ({failure.strerror})") from None

    def _close(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._process.kill()
            return
        try:
            self._process.stdin.close()
            failed = self._process.wait()
        finally:
            self._process.kill()
        if failed:
            raise self._failure()

    def write(self, samples: Samples) -> None:
        """Append samples, float32, shape (samples, channels).

        Raises
        ------
        AudioFileError
            The disk is full, or ffmpeg refuses the rate or the like.
        """
        encoded, clipped = encode(samples, self._format.coding)
        self.clipped += clipped
        try:
            self._process.stdin.write(encoded.astype(encoded.dtype.newbyteorder("<")).tobytes())
        except OSError:
            self._process.wait()
            raise self._failure() from None

    def _failure(self) -> AudioFileError:
        return AudioFileError(f"{self.path}: cannot be written ({self._process.last_words()})")


class _Ffmpeg:
    """ffmpeg at work. What it says is read as it comes, so that it never waits for us to listen."""

    def __init__(self, arguments: list[str | bytes], **pipes: int) -> None:
        self._process = _start("ffmpeg", arguments, **pipes)
        self._said: deque[bytes] = deque(maxlen=2)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with suppress(OSError, ValueError):
            while said := self._process.stderr.read1(4096):  # type: ignore[attr-defined]
                self._said.append(said)

    @property
    def stdin(self) -> Any:
        return self._process.stdin

    @property
    def stdout(self) -> Any:
        return self._process.stdout

    def wait(self) -> int:
        return self._process.wait()

    def kill(self) -> None:
        """End it, whatever it does, and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not yet written has nobody to read it
                    pipe.close()
        self._listener.join()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def last_words(self) -> str:
        """Give the last line that it said."""
        self._listener.join(1)
        return _last_line(b"".join(self._said))


def _start(program: str, arguments: list[str | bytes], **pipes: int) -> "subprocess.Popen[bytes]":
    """Start ffmpeg or ffprobe, out of reach of the terminal's Ctrl-C: who started it also ends it."""
    quiet = ["-nostdin"] if program == "ffmpeg" else []
    standard = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE} | pipes
    command = [program, "-hide_banner", "-v", "error", *quiet, *arguments]
    return subprocess.Popen(command, start_new_session=True, **standard)  # type: ignore[call-overload,no-any-return]


def _refuse_without_ffmpeg(path: Path) -> None:
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        raise AudioFileError(f"{path}: needs ffmpeg, which is not here: install it")


def _probe(path: Path) -> dict[str, Any]:
    """Ask ffprobe what is in a file."""
    process = _start(
        "ffprobe", [*SAFE, "-of", "json", "-show_streams", "-show_format", "-i", _url(path)], stdout=subprocess.PIPE
    )
    with process:
        try:
            answer, said = process.communicate(timeout=PROBE_SECONDS)
            found = json.loads(answer)
        except subprocess.TimeoutExpired:
            raise AudioFileError(f"{path}: ffprobe came to no end with it") from None
        except ValueError:
            found = {}
        finally:
            process.kill()
    if process.returncode or not isinstance(found.get("streams"), list) or "format" not in found:
        raise AudioFileError(f"{path}: no sound file that can be read ({_last_line(said)})")
    return {"streams": found["streams"], "format": found["format"]}


def _is_for_ffmpeg(path: Path) -> bool:
    with open(path, "rb") as file:
        return needs_ffmpeg(file.read(16))


def _url(path: Path) -> bytes:
    """Name a file so that ffmpeg takes it for nothing else, whatever its name is."""
    return b"file:" + os.fsencode(path)


def _container(path: Path, found: dict[str, Any]) -> str:
    """Name the container by the file's suffix where that is one of its names, else by the first that fits."""
    names = str(found["format"].get("format_name", "")).split(",")
    suffix = path.suffix[1:].upper()
    possible = {"mov": ("MP4", "M4A", "MOV"), "matroska": ("MKV", "MKA", "WEBM"), "asf": ("WMA", "WMV")}.get(names[0])
    if possible is None:
        return names[0].upper()
    plain = SUFFIXES.get(suffix, suffix)
    return plain if plain in possible else possible[0]


def _coding(sound: dict[str, Any]) -> str:
    """Name a coding as libsndfile does where it has the like."""
    name = str(sound.get("codec_name", "")).lower()
    if name in LOSSLESS or name.startswith("pcm_s") or name.startswith("pcm_u"):
        bits = int(_number(sound.get("bits_per_raw_sample")) or _number(sound.get("bits_per_sample")) or 16)
        return f"{'ALAC' if name == 'alac' else 'PCM'}_{16 if bits <= 16 else 24 if bits <= 24 else 32}"
    return CODINGS.get(name, name.upper())


def _tags(found: dict[str, str]) -> dict[str, str]:
    """Give the tags that libsndfile knows as well."""
    lower = {name.lower(): one_line(str(text)) for name, text in found.items()}
    return {name: text for name, text in lower.items() if name in TAGS} | (
        {"tracknumber": lower["track"]} if "track" in lower else {}
    )


def _number(text: object) -> float:
    try:
        return float(str(text))
    except ValueError:
        return 0.0


def _last_line(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return one_line(lines[-1]) if lines else "ffmpeg did not say why"
