"""The table behind docs/inputs.md: what comes in, how it is made, and the command that gets it.

A row needs no more than its input and its arguments; docs/inputs.py runs it and finds out what happens.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from audiodae.network import shipped_networks

Samples = npt.NDArray[np.float32]
Make = Callable[[Path], int | None]  # puts the input into a folder; gives its length in samples where it has one
SMALL = 8_000  # samples


@dataclass(frozen=True)
class Row:
    """An input and a command.

    Attributes
    ----------
    kind : str, what the page says that comes in
    make : Make
    arguments : tuple of str or bytes, after `audiodae clean`; the second is OUT
    piped : str, file that comes through standard input
    read : int or None, bytes after which who reads standard output goes away; 0 for a full disk behind it
    program : str, what must be installed beside audiodae, or ""
    nobody : bool, run by a user without rights
    """

    kind: str
    make: Make
    arguments: tuple[str | bytes, ...] = ("in.wav", "out.wav")
    piped: str = ""
    read: int | None = None
    program: str = ""
    nobody: bool = False


def noise(n: int, channels: int) -> Samples:
    return np.random.default_rng(0).normal(0, 0.1, (n, channels)).astype(np.float32)


def sound(
    name: str = "in.wav",
    coding: str | None = None,
    *,
    n: int = SMALL,
    rate: int = 16_000,
    channels: int = 1,
    container: str | None = None,
    endian: str | None = None,
    change: Callable[[Samples], Samples] = lambda samples: samples,
    edit: Callable[[bytes], bytes] | None = None,
    tags: tuple[str, ...] = (),
) -> Make:
    """A sound file written by libsndfile; its samples and its bytes changed at will."""

    def make(folder: Path) -> int:
        path = folder / name
        kind = container or {"OPUS": "OGG", "OGA": "OGG", "AIF": "AIFF"}.get(path.suffix[1:].upper())
        with soundfile.SoundFile(path, "w", rate, channels, coding, endian, kind) as file:
            for tag in tags:
                setattr(file, tag, f"some {tag}")
            file.write(change(noise(n, channels)))
        if edit:
            path.write_bytes(edit(path.read_bytes()))
        return n

    return make


def header(*, channels: int = 1, rate: int = 16_000) -> Make:
    """A WAV whose header says anything."""

    def make(folder: Path) -> None:
        data = bytes(2 * SMALL)
        layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, 0, 2 * channels & 0xFFFF, 16)
        body = b"WAVE" + layout + struct.pack("<4sI", b"data", len(data)) + data
        (folder / "in.wav").write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)

    return make


def content(data: bytes, name: str = "in.wav") -> Make:
    def make(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return make


def by_ffmpeg(name: str, *arguments: str, cut: float = 1) -> Make:
    """Half a second of stereo through ffmpeg; `VIDEO` stands for a made-up picture."""

    def make(folder: Path) -> int:
        sound("source.wav", n=24_000, rate=48_000, channels=2)(folder)
        film = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=0.5", "-shortest")
        given = [part for argument in arguments for part in (film if argument == "VIDEO" else (argument,))]
        command = ["ffmpeg", "-v", "error", "-i", folder / "source.wav", *given, folder / name]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        (folder / "source.wav").unlink()
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * cut)])
        # What ffmpeg makes of it: a lossy coding is longer or shorter than what was coded.
        decode = ["ffmpeg", "-v", "quiet", "-i", folder / name, "-vn", "-c:a", "pcm_s16le", "-f", "s16le", "-"]
        return len(subprocess.run(decode, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout) // 4

    return make


def also(*makes: Make | Callable[[Path], object]) -> Make:
    """Several things; the length of the first."""

    def make(folder: Path) -> int | None:
        n, *_ = [each(folder) for each in makes]
        return n if isinstance(n, int) else None

    return make


def link(name: str, target: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).symlink_to(target)


def mode(name: str, permissions: int) -> Callable[[Path], object]:
    return lambda folder: (folder / name).chmod(permissions)


def make_folder(name: str) -> Make:
    return lambda folder: (folder / name).mkdir()


def fifo(name: str) -> Make:
    return lambda folder: os.mkfifo(folder / name)


def cut_network(folder: Path) -> int:
    whole = shipped_networks()["speech-tiny"].read_bytes()
    (folder / "bad.onnx").write_bytes(whole[: len(whole) // 2])
    return sound()(folder) or 0


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: int(len(data) * share)]


def with_sizes(size: bytes) -> Callable[[bytes], bytes]:
    """Both sizes in the header of a plain WAV replaced."""
    return lambda data: data[:4] + size + data[8:40] + size + data[44:]


def with_holes(samples: Samples) -> Samples:
    samples[100:200], samples[200:210], samples[210:215] = np.nan, np.inf, -np.inf
    return samples


def huge(samples: Samples) -> Samples:
    samples[100:103] = 1e30
    return samples


def louder(samples: Samples) -> Samples:
    return samples * np.float32(30)


def silent(samples: Samples) -> Samples:
    return samples * 0


def strange_name(name: bytes) -> Make:
    def make(folder: Path) -> int | None:
        n = sound()(folder)
        shutil.move(folder / "in.wav", os.fsencode(folder) + b"/" + name)
        return n

    return make


def to(out: str, source: str = "in.wav", *options: str) -> tuple[str, ...]:
    return (source, out, *options)


WAV = sound()
NOISE_BYTES = np.random.default_rng(0).bytes(20_000)
TEXT = b"Once upon a time there was no sound.\n" * 50
FLOAT = sound(coding="FLOAT")
PIPE = ("-", "-")

FORMATS = [
    Row("WAV, 8 bits", sound(coding="PCM_U8")),
    Row("WAV, 16 bits", WAV),
    Row("WAV, 24 bits, 44.1 kHz, stereo", sound(coding="PCM_24", rate=44_100, channels=2)),
    Row("WAV, 32 bits", sound(coding="PCM_32")),
    Row("WAV, float32", FLOAT),
    Row("WAV, float64", sound(coding="DOUBLE")),
    Row("WAV, A-law, 8 kHz", sound(coding="ALAW", rate=8_000)),
    Row("WAV, µ-law, 8 kHz", sound(coding="ULAW", rate=8_000)),
    Row("WAV, big-endian (RIFX)", sound(endian="BIG")),
    Row("WAV with the long header (WAVEX), 24 bits", sound(coding="PCM_24", container="WAVEX")),
    Row("RF64", sound(container="RF64")),
    Row("W64", sound("in.w64"), to("out.w64", "in.w64")),
    Row("AIFF, 24 bits", sound("in.aif", "PCM_24"), to("out.aif", "in.aif")),
    Row("AU", sound("in.au"), to("out.au", "in.au")),
    Row("CAF, ALAC", sound("in.caf", "ALAC_16"), to("out.caf", "in.caf")),
    Row("FLAC, 24 bits", sound("in.flac", "PCM_24"), to("out.flac", "in.flac")),
    Row("FLAC with tags", sound("in.flac", tags=("title", "artist")), to("out.flac", "in.flac")),
    Row("Ogg Vorbis, 44.1 kHz", sound("in.ogg", rate=44_100, n=22_050), to("out.ogg", "in.ogg")),
    Row("Opus, 48 kHz", sound("in.opus", "OPUS", rate=48_000, n=24_000), to("out.opus", "in.opus")),
    Row("MP3, 44.1 kHz", sound("in.mp3", rate=44_100, n=44_100), to("out.mp3", "in.mp3")),
    Row("MP3 named .wav", sound(container="MP3", coding="MPEG_LAYER_III", rate=44_100, n=44_100)),
    Row("FLAC without a suffix", sound("in", container="FLAC"), to("out", "in")),
    Row("M4A, AAC", by_ffmpeg("in.m4a"), to("out.m4a", "in.m4a"), program="ffmpeg"),
    Row("M4A, ALAC", by_ffmpeg("in.m4a", "-c:a", "alac"), to("out.m4a", "in.m4a"), program="ffmpeg"),
    Row("MP4, video", by_ffmpeg("in.mp4", "VIDEO"), to("out.mp4", "in.mp4"), program="ffmpeg"),
    Row("MP4, video, only its sound wanted", by_ffmpeg("in.mp4", "VIDEO"), to("out.wav", "in.mp4"), program="ffmpeg"),
    Row("MP4, video without sound", by_ffmpeg("in.mp4", "VIDEO", "-an"), to("out.mp4", "in.mp4"), program="ffmpeg"),
    Row("MKV, FLAC", by_ffmpeg("in.mkv", "-c:a", "flac"), to("out.mkv", "in.mkv"), program="ffmpeg"),
    Row("WMA", by_ffmpeg("in.wma"), to("out.flac", "in.wma"), program="ffmpeg"),
    Row("WMA, OUT of the same kind", by_ffmpeg("in.wma"), to("out.wma", "in.wma"), program="ffmpeg"),
    Row("raw samples", content(NOISE_BYTES, "in.raw"), to("out.wav", "in.raw")),
]
OUTPUTS = [
    Row("WAV, OUT is FLAC", sound(coding="PCM_24"), to("out.flac")),
    Row("WAV, float32, OUT is FLAC", FLOAT, to("out.flac")),
    Row("WAV, OUT is Ogg Vorbis", WAV, to("out.ogg")),
    Row("WAV, 44.1 kHz, OUT is Opus", sound(rate=44_100), to("out.opus")),
    Row("OUT has no suffix", WAV, to("out")),
    Row("OUT has a suffix that is no format", WAV, to("out.clean")),
    Row("OUT has the suffix of a format that is not written", WAV, to("out.aac")),
    Row("another coding asked for", WAV, to("out.wav", "in.wav", "--subtype", "FLOAT")),
    Row("a coding that the container lacks", WAV, to("out.ogg", "in.wav", "--subtype", "PCM_24")),
    Row("what was removed", sound(coding="FLOAT"), to("out.wav", "in.wav", "--output", "noise")),
    Row("both", WAV, to("out.wav", "in.wav", "--output", "both")),
    Row("a picture as well", WAV, to("out.wav", "in.wav", "--plot", "picture.png")),
    Row("a picture that is no PNG", WAV, to("out.wav", "in.wav", "--plot", "picture.jpg")),
    Row("in a sandbox", WAV, to("out.wav", "in.wav", "--sandbox")),
]
RATES = [
    Row("4 kHz", sound(rate=4_000)),
    Row("3,999 Hz", sound(rate=3_999)),
    Row("384 kHz, stereo", sound(rate=384_000, channels=2, n=38_400)),
    Row("384,001 Hz", sound(rate=384_001)),
    Row("a header of 0 Hz", header(rate=0)),
    Row("a header of 4,294,967,295 Hz", header(rate=2**32 - 1)),
    Row("64 channels", sound(channels=64, coding="PCM_24")),
    Row("65 channels", sound(channels=65)),
    Row("257 channels", sound(channels=257, n=1_000)),
    Row("a header of 0 channels", header(channels=0)),
    Row("a header of 65,535 channels", header(channels=65_535)),
]
SAMPLES = [
    Row("0 samples", sound(n=0)),
    Row("1 sample", sound(n=1)),
    Row("1 sample of FLAC, stereo", sound("in.flac", n=1, channels=2), to("out.flac", "in.flac")),
    Row("shorter than a window (32 ms)", sound(n=511)),
    Row("digital silence", sound(change=silent)),
    Row("115 samples NaN or infinite", sound(coding="FLOAT", change=with_holes)),
    Row("the same, refused", sound(coding="FLOAT", change=with_holes), to("out.wav", "in.wav", "--strict")),
    Row("3 samples of 10³⁰", sound(coding="FLOAT", change=huge)),
    Row("floats beyond ±1", sound(coding="FLOAT", change=louder), to("out.wav", "in.wav", "--mix", "0")),
    Row(
        "the same, OUT of 16 bits",
        sound(coding="FLOAT", change=louder),
        to("out.wav", "in.wav", "--mix", "0", "--subtype", "PCM_16"),
    ),
]
DAMAGE = [
    Row("WAV, sizes in the header zero", sound(edit=with_sizes(bytes(4)))),
    Row("WAV, sizes in the header 0xFFFFFFFF", sound(edit=with_sizes(b"\xff" * 4))),
    Row("WAV cut in the middle", sound(edit=cut(0.5))),
    Row("WAV cut within its header", sound(edit=lambda data: data[:30])),
    Row("FLAC cut in the middle", sound("in.flac", n=40_000, edit=cut(0.5)), to("out.flac", "in.flac")),
    Row("MP3 cut in the middle", sound("in.mp3", n=48_000, edit=cut(0.5)), to("out.wav", "in.mp3")),
    Row("Ogg Vorbis cut in the middle", sound("in.ogg", n=96_000, edit=cut(0.5)), to("out.wav", "in.ogg")),
    Row("M4A cut in the middle", by_ffmpeg("in.m4a", cut=0.5), to("out.wav", "in.m4a"), program="ffmpeg"),
    Row("random bytes", content(NOISE_BYTES)),
    Row("random bytes after a WAV's first four", content(b"RIFF" + NOISE_BYTES)),
    Row("an empty file", content(b"")),
    Row("a text", content(TEXT, "in.txt"), to("out.wav", "in.txt")),
    Row("a text named .mp3", content(TEXT, "in.mp3"), to("out.wav", "in.mp3")),
    Row("a picture", content(b"\x89PNG\r\n\x1a\n" + bytes(500), "in.png"), to("out.wav", "in.png")),
]
PLACES = [
    Row("a file that does not exist", lambda folder: None),
    Row("a link that leads nowhere", link("in.wav", "gone.wav")),
    Row("a device", lambda folder: None, to("out.wav", "/dev/null")),
    Row("a named pipe", fifo("in.wav")),
    Row("a file that may not be read", also(WAV, mode("in.wav", 0)), nobody=True),
    Row("names with spaces", strange_name(b"a b.wav"), to("c d.wav", "a b.wav")),
    Row("names with line breaks", strange_name(b"a\nb.wav"), to("c\nd.wav", "a\nb.wav")),
    Row("names that are no UTF-8", strange_name(b"\xe9t\xe9.wav"), (b"\xe9t\xe9.wav", b"\xe9.wav")),
    Row("a name of 255 bytes", strange_name(b"n" * 251 + b".wav"), to("m" * 251 + ".wav", "n" * 251 + ".wav")),
    Row("a name with a leading dash", strange_name(b"-in.wav"), to("out.wav", "-in.wav")),
    Row("the same after ./", strange_name(b"-in.wav"), to("out.wav", "./-in.wav")),
    Row("OUT exists", also(WAV, content(b"old", "out.wav"))),
    Row("OUT exists, to be replaced", also(WAV, content(b"old", "out.wav")), to("out.wav", "in.wav", "--overwrite")),
    Row("OUT is IN", WAV, to("in.wav")),
    Row("OUT is IN, to be replaced", WAV, to("in.wav", "in.wav", "--overwrite")),
    Row("OUT is a link to IN", also(WAV, link("out.wav", "in.wav"))),
    Row("OUT is a folder", also(WAV, make_folder("out.wav"))),
    Row("OUT in a folder that does not exist", WAV, to("no/out.wav")),
    Row(
        "OUT in a folder that may not be written",
        also(WAV, make_folder("no"), mode("no", 0o555)),
        to("no/out.wav"),
        nobody=True,
    ),
    Row("OUT is a device", WAV, to("/dev/null", "in.wav", "--overwrite")),
]
PIPES = [
    Row("WAV through a pipe", sound(coding="PCM_24"), PIPE, piped="in.wav"),
    Row("WAV of unknown length through a pipe", sound(edit=with_sizes(b"\xff" * 4)), PIPE, piped="in.wav"),
    Row("WAV through a pipe that ends too soon", sound(edit=cut(0.5)), PIPE, piped="in.wav"),
    Row("FLAC through a pipe", sound("in.flac"), PIPE, piped="in.flac"),
    Row(
        "MP3 through a pipe, OUT is a file", sound("in.mp3", rate=44_100, n=44_100), to("out.wav", "-"), piped="in.mp3"
    ),
    Row("M4A through a pipe", by_ffmpeg("in.m4a"), PIPE, piped="in.m4a", program="ffmpeg"),
    Row("a pipe in a sandbox", WAV, (*PIPE, "--sandbox"), piped="in.wav"),
    Row("raw noise through a pipe", content(NOISE_BYTES, "in.raw"), PIPE, piped="in.raw"),
    Row("nothing through a pipe", content(b"", "in.wav"), PIPE, piped="in.wav"),
    Row("who reads our output goes away", sound(n=400_000), to("-"), read=1_000),
    Row("the disk behind standard output is full", WAV, to("-"), read=0),
    Row("both into one pipe", WAV, to("-", "in.wav", "--output", "both")),
]
FOLDERS = [
    Row(
        "a folder of two sounds and a text",
        also(make_folder("in"), sound("in/a.wav"), sound("in/b.flac"), content(TEXT, "in/c.txt")),
        to("out", "in"),
    ),
    Row(
        "a folder with a bad file",
        also(make_folder("in"), sound("in/a.wav"), content(TEXT, "in/bad.wav")),
        to("out", "in"),
    ),
    Row("a folder without a sound", also(make_folder("in"), content(TEXT, "in/c.txt")), to("out", "in")),
    Row("a folder into itself", also(make_folder("in"), sound("in/a.wav")), to("in", "in")),
    Row("a folder, OUT is a pipe", also(make_folder("in"), sound("in/a.wav")), to("-", "in")),
    Row("a file, options of folders", WAV, to("out.wav", "in.wav", "--jobs", "2")),
]
NETWORKS = [
    Row("a network that does not exist", WAV, to("out.wav", "in.wav", "--model", "none")),
    Row(
        "a network that is a text", also(WAV, content(TEXT, "bad.onnx")), to("out.wav", "in.wav", "--model", "bad.onnx")
    ),
    Row("a network cut in the middle", cut_network, to("out.wav", "in.wav", "--model", "bad.onnx")),
    Row(
        "a network that is a folder", also(WAV, make_folder("bad.onnx")), to("out.wav", "in.wav", "--model", "bad.onnx")
    ),
    Row("an option without sense", WAV, to("out.wav", "in.wav", "--mix", "2")),
]
SECTIONS = {
    "Formats": FORMATS,
    "What OUT asks for": OUTPUTS,
    "Rates and channels": RATES,
    "Samples": SAMPLES,
    "Damaged, unfinished and no sound at all": DAMAGE,
    "Names and places": PLACES,
    "Pipes": PIPES,
    "Folders": FOLDERS,
    "Networks and options": NETWORKS,
}
