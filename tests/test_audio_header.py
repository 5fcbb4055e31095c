"""Sizes that a header has wrong: what is there is read, whatever it says."""

import io
import struct

import numpy as np
import pytest
import soundfile

from audiodae.audio import open_reader
from audiodae.audio_header import make_plain_wav, mended

SOUND = (np.arange(1000) % 200 / 400).astype(np.float32)[:, np.newaxis]
LYING = [0, 0xFFFFFFFF, 0x7FFFFFFF, 100_000]  # never finished; a stream; both signs; longer than the file


def written(container, coding="PCM_16", endian="FILE"):
    held = io.BytesIO()
    soundfile.write(held, SOUND, 16_000, format=container, subtype=coding, endian=endian)
    return bytearray(held.getvalue())


def read(path):
    with open_reader(path) as reader:
        heard = np.concatenate([np.zeros((0, 1), np.float32), *reader.blocks(300)])
        assert reader.n_expected == len(heard) <= reader.n_samples
        return heard


def lie(content, container, size):
    """Write a size where the container has that of its sound, and that of the whole file."""
    order = ">" if content[:4] == b"RIFX" else "<"
    match container:
        case "WAV" | "WAVEX":
            struct.pack_into(f"{order}I", content, content.index(b"data") + 4, size)
            struct.pack_into(f"{order}I", content, 4, size)
        case "RF64":
            struct.pack_into("<QQQ", content, content.index(b"ds64") + 8, *(3 * [2**64 - 1 if size > 2**31 else size]))
        case "W64":
            struct.pack_into("<Q", content, content.index(b"data") + 16, size)
        case "AU":
            struct.pack_into(">I", content, 8, size)
        case "CAF":
            struct.pack_into(">q", content, content.index(b"data") + 4, -1 if size == 0xFFFFFFFF else size)
        case "AIFF":
            struct.pack_into(">I", content, content.index(b"SSND") + 4, size)


@pytest.mark.parametrize("size", LYING)
@pytest.mark.parametrize(
    ("container", "endian"),
    [("WAV", "FILE"), ("WAV", "BIG"), *((name, "FILE") for name in ("WAVEX", "RF64", "W64", "AU", "CAF", "AIFF"))],
)
def test_the_sound_is_read_to_its_real_end(tmp_path, container, endian, size):
    content = written(container, endian=endian)
    lie(content, container, size)
    (tmp_path / "in").write_bytes(content)
    np.testing.assert_allclose(read(tmp_path / "in"), SOUND, atol=1 / 2**15)


@pytest.mark.parametrize(
    ("container", "coding"), [("WAV", "PCM_24"), ("RF64", "PCM_16"), ("AU", "ULAW"), ("CAF", "FLOAT")]
)
def test_what_a_cut_file_promised_is_told(tmp_path, container, coding):
    path = tmp_path / "cut"
    soundfile.write(path, np.zeros((1_000, 2)), 16_000, coding, format=container)
    path.write_bytes(path.read_bytes()[:-999])
    with open_reader(path) as reader:
        held = sum(map(len, reader.blocks(300)))
        assert reader.n_samples == 1_000 > held == reader.n_expected >= 500


def test_what_a_cut_file_of_blocks_promised_is_told(tmp_path):
    path = tmp_path / "cut.wav"
    soundfile.write(path, np.zeros(50_000), 16_000, "IMA_ADPCM")
    path.write_bytes(path.read_bytes()[:-5_000])
    with open_reader(path) as reader:
        held = sum(map(len, reader.blocks(30_000)))
        assert held < 45_000 and abs(reader.n_samples - 50_000) < 2_200  # two blocks


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_a_size_without_meaning_promises_nothing(tmp_path, size):
    content = written("WAV")
    lie(content, "WAV", size)
    (tmp_path / "in.wav").write_bytes(content)
    with open_reader(tmp_path / "in.wav") as reader:
        assert reader.n_samples == reader.n_expected > 0


def test_libsndfile_alone_reads_nothing_of_an_unfinished_wav(tmp_path):
    """Negative control: when this fails, libsndfile has been mended."""
    content = written("WAV")
    lie(content, "WAV", 0)
    assert len(soundfile.read(io.BytesIO(content))[0]) == 0


@pytest.mark.parametrize("container", ["WAV", "RF64", "AU", "CAF"])
def test_what_is_right_stays_as_it_is(container):
    assert mended(io.BytesIO(written(container))) is None


def test_a_wav_without_sound_but_with_tags_holds_none(tmp_path):
    with soundfile.SoundFile(tmp_path / "in.wav", "w", 16_000, 1) as file:
        file.title = "Silence"
    content = bytearray((tmp_path / "in.wav").read_bytes())
    content += struct.pack("<4sI", b"junk", 8) + bytes(8)
    (tmp_path / "in.wav").write_bytes(content)
    assert len(read(tmp_path / "in.wav")) == 0


@pytest.mark.parametrize("container", ["WAV", "RF64", "AU", "CAF"])
def test_a_header_cut_anywhere_is_left_to_libsndfile(container):
    content = written(container)
    for length in range(1, 120):
        mended(io.BytesIO(content[:length]))


def test_only_a_wav_begun_as_rf64_is_made_plain():
    for container in ("WAV", "WAVEX", "RF64", "AIFF"):
        file = io.BytesIO(written(container))
        make_plain_wav(file)
        assert file.getvalue() == written(container)
