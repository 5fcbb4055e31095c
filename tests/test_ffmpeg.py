"""Sounds that libsndfile does not know, through ffmpeg."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from audiodae.audio import AudioFormat, open_reader, open_writer, output_format
from audiodae.audio_format import FFMPEG_CONTAINERS
from audiodae.errors import AudioFileError
from audiodae.ffmpeg import needs_ffmpeg

needed = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
RATE = 48_000
# Noise under a slow hill: its place can be found to the sample.
HILL = np.hanning(20_000)[:, np.newaxis]
SOUND = (np.random.default_rng(0).normal(0, 0.1, (20_000, 2)).cumsum(0) % 0.5 * HILL).astype(np.float32)


def write(path, container, coding, rate=RATE, **options):
    with open_writer(path, AudioFormat(container, coding, "FILE", rate, 2), {"title": "A street"}, **options) as writer:
        for start in range(0, len(SOUND), 7_000):
            writer.write(SOUND[start : start + 7_000])


def read(path):
    with open_reader(path) as reader:
        return reader, np.concatenate(list(reader.blocks(5_000)))


def lag(heard):
    """By how many samples the sound came back late."""
    products = [np.sum(heard[5_000 + by : 12_000 + by] * SOUND[5_000:12_000]) for by in range(-1_500, 1_501)]
    return int(np.argmax(products)) - 1_500


EVERY = [(name, coding) for name, container in FFMPEG_CONTAINERS.items() for coding in container.codings]


@needed
@pytest.mark.parametrize(("container", "coding"), EVERY)
def test_what_is_written_comes_back_in_step(tmp_path, container, coding):
    path = tmp_path / f"out.{container.lower()}"
    write(path, container, coding)
    reader, heard = read(path)
    assert (reader.format.container, reader.format.sample_rate, reader.format.channels) == (container, RATE, 2)
    assert reader.format.coding in (coding, coding.replace("FLAC", "PCM"))
    assert reader.tags["title"] == "A street"
    assert lag(heard) == 0 and 0 <= len(heard) - len(SOUND) < 2_048
    if coding.startswith(("FLAC", "ALAC", "PCM", "FLOAT")):
        assert len(heard) == len(SOUND)
        np.testing.assert_allclose(heard, SOUND, atol=0 if coding == "FLOAT" else 2**-16)
    assert os.listdir(tmp_path) == [path.name]


def video(path):
    soundfile.write(path.with_name("sound.wav"), SOUND, RATE)
    picture = ["-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10", "-itsoffset", "0.3"]
    command = ["ffmpeg", "-v", "error", *picture, "-i", path.with_name("sound.wav"), "-c:v", "mpeg4", path]
    subprocess.run(command, check=True)


def picture_of(path):
    command = ["ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-c", "copy", "-f", "md5", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def starts(path):
    """When the sound and the picture begin, in seconds."""
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_type,start_time", "-of", "csv=p=0", path]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return {kind: float(start) for kind, start in (line.split(",")[:2] for line in lines)}


@needed
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov"])
def test_the_picture_is_copied_and_stays_in_step(tmp_path, name):
    source, target = tmp_path / "in.mp4", tmp_path / name
    video(source)
    with open_reader(source) as reader:
        chosen = output_format(reader.format, target)
        with open_writer(target, chosen, reader.tags, source=source, n_samples=reader.n_samples) as writer:
            for block in reader.blocks(4_096):
                writer.write(block)
    assert picture_of(target) == picture_of(source)
    late = {path: starts(path)["audio"] - starts(path)["video"] for path in (source, target)}
    assert late[target] == pytest.approx(late[source], abs=0.03) and late[source] > 0.2


@needed
def test_a_sound_file_takes_no_picture_that_moves(tmp_path):
    video(tmp_path / "in.mp4")
    write(tmp_path / "out.m4a", "M4A", "AAC", source=tmp_path / "in.mp4")
    assert "video" not in starts(tmp_path / "out.m4a")


@needed
@pytest.mark.parametrize("name", ["-y.m4a", "http:x.m4a", "two\nlines.m4a", "%d.m4a", os.fsdecode(b"\xff\xfe.m4a")])
def test_any_name_will_do(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write(name, "M4A", "ALAC_16")
    assert len(read(name)[1]) == len(SOUND)


@needed
def test_content_decides(tmp_path):
    write(tmp_path / "in.m4a", "M4A", "AAC")
    (tmp_path / "in.m4a").rename(tmp_path / "in.wav")
    assert read(tmp_path / "in.wav")[0].format.container == "MP4"


@needed
def test_damage_is_told_in_a_line(tmp_path):
    path = tmp_path / "in.m4a"
    for content in (b"\0\0\0\x20ftypM4A " + bytes(500), b"\x1aE\xdf\xa3" + bytes(50), b"FLV\x01\x05" + bytes(90)):
        path.write_bytes(content)
        with pytest.raises(AudioFileError, match="no sound") as caught:
            read(path)
        assert "\n" not in str(caught.value)


@needed
def test_a_playlist_opens_no_other_file(tmp_path):
    """ffmpeg would follow it."""
    soundfile.write(tmp_path / "secret.wav", SOUND, RATE)
    for text in (
        f"ffconcat version 1.0\nfile {tmp_path}/secret.wav\n",
        f"#EXTM3U\n#EXTINF:1,\n{tmp_path}/secret.wav\n",
    ):
        (tmp_path / "in.m4a").write_text(text)
        with pytest.raises(AudioFileError, match="no sound file"):
            open_reader(tmp_path / "in.m4a")


@needed
def test_an_error_leaves_nothing(tmp_path):
    (tmp_path / "out.m4a").write_bytes(b"old")
    writer = open_writer(tmp_path / "out.m4a", AudioFormat("M4A", "AAC", "FILE", RATE, 2))
    with pytest.raises(KeyboardInterrupt), writer:
        writer.write(SOUND)
        raise KeyboardInterrupt
    assert (tmp_path / "out.m4a").read_bytes() == b"old" and os.listdir(tmp_path) == ["out.m4a"]


@needed
def test_what_ffmpeg_refuses_is_told(tmp_path):
    with pytest.raises(AudioFileError, match="out.m4a: cannot be written"):
        write(tmp_path / "out.m4a", "M4A", "AAC", rate=1)
    assert os.listdir(tmp_path) == []


@needed
def test_reading_may_stop_anywhere(tmp_path):
    write(tmp_path / "in.m4a", "M4A", "AAC")
    with open_reader(tmp_path / "in.m4a") as reader:
        next(reader.blocks(10))


def test_without_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "in.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(500))
    with pytest.raises(AudioFileError, match=r"in\.m4a: needs ffmpeg"):
        open_reader(tmp_path / "in.m4a")
    with pytest.raises(AudioFileError, match=r"out\.m4a: needs ffmpeg"):
        write(tmp_path / "out.m4a", "M4A", "AAC")


def test_which_files_go_to_ffmpeg():
    assert needs_ffmpeg(b"\0\0\0\x20ftypisom") and needs_ffmpeg(b"RIFF\0\0\0\0AVI LIST")
    assert not needs_ffmpeg(b"RIFF\0\0\0\0WAVEfmt ") and not needs_ffmpeg(b"fLaC") and not needs_ffmpeg(b"")
    assert not needs_ffmpeg(b"I am a poem\nI am")
