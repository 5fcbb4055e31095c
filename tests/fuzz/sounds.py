"""Seeds: one small file of every container and coding, and WAV with headers as odd as they are found."""

import io
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
SAMPLES = 1500
SOUND = (np.sin(np.arange(SAMPLES) / 9) / 2 + np.random.default_rng(0).normal(0, 0.05, SAMPLES))[:, np.newaxis]


def of_libsndfile() -> list[bytes]:
    """One file of every container and coding that libsndfile writes, and some with tags, many channels, no samples."""
    found = []
    # SD2 keeps its rate in a second file, which libsndfile would leave here as "._" and read beside every MP3.
    for container in sorted(soundfile.available_formats().keys() - {"SD2"}):
        for coding in sorted(soundfile.available_subtypes(container)):
            try:
                found.append(_written(container, coding))
            except (soundfile.SoundFileError, ValueError, TypeError):
                continue
    for container in ("WAV", "AIFF", "FLAC", "OGG", "MP3", "CAF", "RF64"):
        found.append(_written(container, None, tags={"title": "A street", "artist": "Nobody", "comment": "x" * 50}))
    found += [_written("WAV", "PCM_16", 3000 // channels, channels) for channels in (2, 64)]
    found += [_written("FLAC", "PCM_24", channels=2), _written("OGG", "OPUS", channels=2), _written("W64", "FLOAT", 0)]
    return found


def _written(
    container: str, coding: str | None, samples: int = SAMPLES, channels: int = 1, tags: dict[str, str] | None = None
) -> bytes:
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", RATE, channels, coding, format=container) as sound:
        for name, text in (tags or {}).items():
            setattr(sound, name, text)
        sound.write(np.repeat(SOUND[:samples], channels, axis=1))
    return file.getvalue()


def of_odd_headers() -> list[bytes]:
    """WAV and its kin whose sizes are missing, too large or in the other order, with chunks before and after."""
    short = (SOUND[:400, 0] * 32767).astype("<i2").tobytes()
    found = [wav(short, size=size) for size in (len(short), 0, 0xFFFFFFFF, 0x7FFFFFDB, len(short) * 3, 7)]
    found += [wav(short, order=">"), wav(short, order=">", size=0), wav(short, bits=24), wav(short, bits=8)]
    found += [wav(short, tag=3, bits=32), wav(short, extensible=True), wav(short, kind=b"RF64")]
    notes = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"A street\0") + chunk(b"IART", b"Nobody\0"))
    found += [wav(short, before=notes), wav(short, after=notes), wav(short, size=0, after=notes)]
    found += [wav(short, before=chunk(b"JUNK", bytes(101)) * 5), wav(short, before=chunk(b"bext", bytes(602)))]
    au = struct.pack(">4sIIIII", b".snd", 24, 0xFFFFFFFF, 3, RATE, 1)
    return [*found, au + SOUND[:400, 0].astype(">i2").tobytes()]


def chunk(name: bytes, body: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}4sI", name, len(body)) + body + b"\0" * (len(body) % 2)


def wav(
    data: bytes,
    *,
    order: str = "<",
    size: int | None = None,
    kind: bytes | None = None,
    tag: int = 1,
    bits: int = 16,
    extensible: bool = False,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Put a WAV together by hand, right or wrong."""
    kind = kind or (b"RIFX" if order == ">" else b"RIFF")
    layout = struct.pack(f"{order}HHIIHH", 0xFFFE if extensible else tag, 1, RATE, RATE * bits // 8, bits // 8, bits)
    if extensible:
        layout += struct.pack(f"{order}HHIH", 22, bits, 4, tag) + bytes.fromhex("000000001000800000aa00389b71")
    if kind == b"RF64":
        before = chunk(b"ds64", struct.pack("<QQQI", len(data) + 72, len(data), len(data) // 2, 0)) + before
    told = 0xFFFFFFFF if kind == b"RF64" else len(data) if size is None else size
    body = b"WAVE" + before + chunk(b"fmt ", layout, order)
    body += struct.pack(f"{order}4sI", b"data", told) + data + b"\0" * (len(data) % 2) + after
    return struct.pack(f"{order}4sI", kind, min(told + len(body), 0xFFFFFFFF)) + body


FFMPEG_SEEDS = {
    "m4a": ("-c:a", "aac"),
    "mp4": ("-f", "mp4", "-c:a", "alac"),
    "mka": ("-c:a", "libopus"),
    "wma": ("-f", "asf", "-c:a", "wmav2"),
    "avi": ("-c:a", "pcm_s16le"),
    "aac": ("-f", "adts", "-c:a", "aac"),
}


def of_ffmpeg() -> list[bytes]:
    """Files for ffmpeg; none where it is not installed."""
    if not shutil.which("ffmpeg"):
        return []
    found = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.wav"
        soundfile.write(source, SOUND, RATE)
        for suffix, options in FFMPEG_SEEDS.items():
            path = Path(folder) / f"out.{suffix}"
            subprocess.run(["ffmpeg", "-v", "error", "-i", source, *options, path], check=True)
            found.append(path.read_bytes())
    return found
