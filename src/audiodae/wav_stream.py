"""WAV as a stream of bytes: a header whose sizes may mean nothing, then samples of whole numbers or floats.

libsndfile reads and writes WAV files; this is for pipes, which cannot be sought in. The layout is that of Microsoft's
RIFF WAVE, RIFX (the same, big-endian) and, beyond 4 GiB, EBU Tech 3306 (RF64).
"""

import struct
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from audiodae.audio_format import AudioFormat, encode
from audiodae.frames import Samples

HEADER_BYTES = 2**24  # more than this before the samples is no header
UNKNOWN = 0xFFFFFFFF
# ffmpeg writes 0xFFFFFFFF where it does not know the length, sox a little less than 2^31, others 0.
SIZE_OF_NO_MEANING = 0x7FFF0000
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
# What libsndfile calls a coding: the tag of WAV and bits a sample.
CODINGS = {"PCM_U8": (PCM, 8), "PCM_16": (PCM, 16), "PCM_24": (PCM, 24), "PCM_32": (PCM, 32)}
CODINGS |= {"FLOAT": (FLOAT, 32), "DOUBLE": (FLOAT, 64)}


class Head(Protocol):
    """The beginning of a stream.

    Attributes
    ----------
    taken : bytearray, all that was read so far
    """

    taken: bytearray

    def read(self, size: int) -> bytes:
        """Give the next bytes, fewer only at the end."""


@dataclass(frozen=True)
class WavHeader:
    """What stands before the samples of a WAV stream; n_samples is None where its writer did not know."""

    format: AudioFormat
    n_samples: int | None


def read_wav_header(head: Head) -> WavHeader | None:
    """Read up to the first sample of a WAV stream; None where it is none, or of a coding that is not read here."""
    order = {b"RIFF": "<", b"RF64": "<", b"RIFX": ">"}.get(head.read(4))
    if order is None or head.read(8)[4:] != b"WAVE":
        return None
    audio_format, long_size = None, 0
    while len(chunk := head.read(8)) == 8:
        name, size = struct.unpack(f"{order}4sI", chunk)
        if name == b"data":
            return _with_length(audio_format, long_size if size == UNKNOWN and long_size else size)
        if len(head.taken) + size > HEADER_BYTES:
            return None
        body = head.read(size + size % 2)
        if name == b"fmt ":
            audio_format = _read_format(body, order)
        elif name == b"ds64" and len(body) >= 16:
            long_size = struct.unpack_from("<Q", body, 8)[0]
    return None


def _read_format(body: bytes, order: str) -> AudioFormat | None:
    """Understand a chunk "fmt "; what is unusual in it is for libsndfile to judge."""
    if len(body) < 16:
        return None
    tag, channels, sample_rate, _, sample_bytes, bits = struct.unpack_from(f"{order}HHIIHH", body)
    if tag == EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack_from(f"{order}H", body, 24)[0]
    coding = next((name for name, layout in CODINGS.items() if layout == (tag, bits)), None)
    if coding is None or not sample_rate or not channels or sample_bytes != channels * bits // 8:
        return None
    return AudioFormat("WAV", coding, "BIG" if order == ">" else "FILE", sample_rate, channels)


def _with_length(audio_format: AudioFormat | None, data_bytes: int) -> WavHeader | None:
    if audio_format is None:
        return None
    told = 0 < data_bytes < 2**63 and not SIZE_OF_NO_MEANING <= data_bytes <= UNKNOWN
    return WavHeader(audio_format, data_bytes // bytes_per_sample(audio_format) if told else None)


def stream_format(audio_format: AudioFormat) -> AudioFormat:
    """Choose how a sound goes through a pipe: 16 bits where its coding is neither whole numbers nor floats."""
    coding = audio_format.coding if audio_format.coding in CODINGS else "PCM_16"
    return AudioFormat("WAV", coding, "FILE", audio_format.sample_rate, audio_format.channels)


def write_wav_header(audio_format: AudioFormat, n_samples: int | None) -> bytes:
    """Give the 44 bytes before the samples of a WAV, or the 80 of an RF64 where 4 GiB are too few."""
    tag, bits = CODINGS[audio_format.coding]
    size = bytes_per_sample(audio_format)
    rate = audio_format.sample_rate
    layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, audio_format.channels, rate, rate * size, size, bits)
    data_bytes = UNKNOWN if n_samples is None else n_samples * size
    whole = 36 + data_bytes + data_bytes % 2
    if whole < UNKNOWN or n_samples is None:
        begin = struct.pack("<4sI4s", b"RIFF", min(whole, UNKNOWN), b"WAVE")
        return begin + layout + struct.pack("<4sI", b"data", data_bytes)
    begin = struct.pack("<4sI4s", b"RF64", UNKNOWN, b"WAVE")
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, whole + 36, data_bytes, n_samples, 0)
    return begin + sizes + layout + struct.pack("<4sI", b"data", UNKNOWN)


def bytes_per_sample(audio_format: AudioFormat) -> int:
    """Bytes of one sample of all channels."""
    return audio_format.channels * CODINGS[audio_format.coding][1] // 8


def decode(data: bytes, audio_format: AudioFormat) -> Samples:
    """Turn the bytes of whole samples into float32, shape (samples, channels), full scale 1."""
    order = ">" if audio_format.endian == "BIG" else "<"
    kind, bits = CODINGS[audio_format.coding]
    values: Samples
    if kind == FLOAT:
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number, or beyond float32, is repaired later
            values = np.frombuffer(data, f"{order}f{bits // 8}").astype(np.float32)
    elif bits == 8:  # around 128
        values = np.frombuffer(data, np.uint8).astype(np.float32) / np.float32(128) - np.float32(1)
    elif bits == 24:
        values = _from_three_bytes(np.frombuffer(data, np.uint8), order)
    else:
        whole = np.frombuffer(data, f"{order}i{bits // 8}")
        values = (whole * np.float64(2.0 ** (1 - bits))).astype(np.float32)
    return values.reshape(-1, audio_format.channels)


def to_bytes(samples: Samples, coding: str) -> tuple[bytes, int]:
    """Turn samples into what stands in a little-endian WAV; give the number clipped as well."""
    encoded, clipped = encode(samples, coding)
    kind, bits = CODINGS[coding]
    if kind == FLOAT:
        return encoded.astype(f"<f{bits // 8}").tobytes(), clipped
    whole = np.ascontiguousarray(encoded, "<i4").reshape(-1, 1).view(np.uint8)  # (values, 4), the least byte first
    if bits == 8:
        return (whole[:, 3] ^ 0x80).tobytes(), clipped
    return whole[:, 4 - bits // 8 :].tobytes(), clipped


def _from_three_bytes(data: npt.NDArray[np.uint8], order: str) -> Samples:
    four = np.zeros((len(data) // 3, 4), np.uint8)  # the fourth is the least
    four[:, slice(0, 3) if order == ">" else slice(1, 4)] = data.reshape(-1, 3)
    values: Samples = (four.view(f"{order}i4")[:, 0] * 2.0**-31).astype(np.float32)
    return values
