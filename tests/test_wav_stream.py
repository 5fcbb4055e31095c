import io
import struct

import numpy as np
import pytest
import soundfile

from audiodae.audio_format import AudioFormat
from audiodae.wav_stream import (
    CODINGS,
    UNKNOWN,
    decode,
    read_wav_header,
    stream_format,
    to_bytes,
    write_wav_header,
)


class Bytes:
    def __init__(self, data):
        self._file, self.taken = io.BytesIO(data), bytearray()

    def read(self, size):
        data = self._file.read(size)
        self.taken += data
        return data

    def rest(self):
        return self._file.read()


def sound(samples=1001, channels=2):
    return np.random.default_rng(0).uniform(-1, 1, (samples, channels)).astype(np.float32)


def of_libsndfile(coding, endian="FILE", container="WAV", channels=2):
    file = io.BytesIO()
    soundfile.write(file, sound(channels=channels), 44_100, format=container, subtype=coding, endian=endian)
    return file.getvalue()


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(
    ("container", "endian"), [("WAV", "FILE"), ("WAV", "BIG"), ("WAVEX", "FILE"), ("RF64", "FILE")]
)
def test_it_reads_what_libsndfile_writes_as_libsndfile_does(coding, container, endian):
    data = of_libsndfile(coding, endian, container)
    stream = Bytes(data)
    header = read_wav_header(stream)
    assert (header.format.coding, header.format.sample_rate, header.format.channels) == (coding, 44_100, 2)
    assert header.n_samples == 1001
    wanted = soundfile.read(io.BytesIO(data), dtype="float32")[0]
    size = 1001 * 2 * CODINGS[coding][1] // 8
    np.testing.assert_array_equal(decode(stream.rest()[:size], header.format), wanted)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("length", [1001, 0])
def test_libsndfile_reads_what_it_writes(coding, length):
    audio_format = AudioFormat("WAV", coding, "FILE", 48_000, 3)
    noisy = sound(length, 3) * 1.1
    data, clipped = to_bytes(noisy, coding)
    assert clipped == (0 if coding in ("FLOAT", "DOUBLE") else np.count_nonzero(np.abs(noisy) > 1))
    file = io.BytesIO(write_wav_header(audio_format, length) + data + b"\0" * (len(data) % 2))
    heard, rate = soundfile.read(file, dtype="float32", always_2d=True)
    assert (heard.shape, rate) == ((length, 3), 48_000)
    held = noisy if clipped == 0 else np.clip(noisy, -1, 1)
    last_bit = 0 if coding in ("FLOAT", "DOUBLE") else 2.0 ** (1 - CODINGS[coding][1])
    np.testing.assert_allclose(heard, held, rtol=0, atol=last_bit)


@pytest.mark.parametrize("size", [0, UNKNOWN, 0x7FFFFFFF, 0x7FFFFFDB])
def test_sizes_that_mean_nothing(size):
    data = bytearray(write_wav_header(AudioFormat("WAV", "PCM_16", "FILE", 16_000, 1), 100))
    data[40:44] = struct.pack("<I", size)
    assert read_wav_header(Bytes(bytes(data))).n_samples is None


def test_beyond_4_gib_it_is_rf64():
    audio_format = AudioFormat("WAV", "FLOAT", "FILE", 48_000, 2)
    data = write_wav_header(audio_format, 36_000 * 48_000)  # ten hours
    assert data[:4] == b"RF64" and len(data) == 80
    assert read_wav_header(Bytes(data)).n_samples == 36_000 * 48_000
    assert write_wav_header(audio_format, 2**28)[:4] == b"RIFF"
    assert read_wav_header(Bytes(write_wav_header(audio_format, None))).n_samples is None


@pytest.mark.parametrize("coding", ["ALAW", "IMA_ADPCM", "GSM610"])
def test_other_codings_are_left_to_libsndfile(coding):
    stream = Bytes(of_libsndfile(coding, channels=1))
    assert read_wav_header(stream) is None
    assert stream.taken[:4] == b"RIFF"  # nothing is lost
    wanted = stream_format(AudioFormat("WAV", coding, "FILE", 8_000, 1))
    assert (wanted.coding, wanted.container) == ("PCM_16", "WAV")


@pytest.mark.parametrize("cut", [0, 3, 11, 12, 19, 30, 43])
def test_a_header_that_ends_too_early(cut):
    assert read_wav_header(Bytes(of_libsndfile("PCM_16")[:cut])) is None


@pytest.mark.parametrize("place", range(0, 44))
def test_a_header_that_lies_is_refused_or_read(place):
    for value in (0, 1, 0x7F, 0xFF):
        data = bytearray(of_libsndfile("PCM_16"))
        data[place] = value
        stream = Bytes(bytes(data))
        header = read_wav_header(stream)
        if header:
            assert header.format.channels > 0 and header.format.sample_rate > 0


def test_a_chunk_without_end_is_not_read_into_memory():
    data = b"RIFF\xff\xff\xff\xffWAVEJUNK" + struct.pack("<I", UNKNOWN - 1) + bytes(1000)
    stream = Bytes(data)
    assert read_wav_header(stream) is None and len(stream.taken) == 20
