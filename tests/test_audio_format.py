"""Every format through reader and writer: what can be kept is kept."""

import os

import numpy as np
import pytest
import soundfile

from audiodae import audio
from audiodae.audio import AudioFormat, open_reader, open_writer, output_format
from audiodae.errors import AudioFileError

PCM = AudioFormat("WAV", "PCM_16", "FILE", 16_000, 1)


def noise(samples=5_000, channels=2, seed=0):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (samples, channels)).astype(np.float32)


def passed_through(source, target):
    with (
        open_reader(source) as reader,
        open_writer(target, reader.format, reader.tags, n_samples=reader.n_samples) as writer,
    ):
        for block in reader.blocks(1_000):
            writer.write(block)


# What libsndfile itself damages: VOC of these codings grows by a sample at every writing, PAF of 24 bits read in blocks
# is not PAF read at once, DWVW of 16 and 24 bits is not read to its end, SDS of 8 and 16 bits comes back a step lower.
DAMAGED = {("VOC", "ULAW"), ("VOC", "ALAW"), ("PAF", "PCM_24"), ("AIFF", "DWVW_16"), ("AIFF", "DWVW_24")}
DAMAGED |= {("SDS", "PCM_S8"), ("SDS", "PCM_16")}
# Coding by differences or by models: the second time gives other numbers.
INEXACT = {"VORBIS", "OPUS", "MPEG_LAYER_III", "IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32", "G723_24", "G723_40"}
INEXACT |= {"NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32", "DWVW_12", "DPCM_8", "DPCM_16"}


def combinations(container):
    for coding in soundfile.available_subtypes(container):
        for endian in ("FILE", "LITTLE", "BIG"):
            for rate, channels in ((8_000, 1), (48_000, 2)) if endian == "FILE" else ((16_000, 1),):
                if soundfile.check_format(container, coding, endian) and (container, coding) not in DAMAGED:
                    yield coding, endian, rate, channels


@pytest.mark.parametrize("container", sorted(set(soundfile.available_formats()) - {"RAW", "SD2"}))
def test_all_that_libsndfile_writes_comes_through(tmp_path, monkeypatch, container):
    """Length, place and format, of every coding, order of bytes, a low and a high rate, mono and stereo."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # slow where hundreds of files are written
    source, target = tmp_path / "in", tmp_path / "out"
    wave = np.sin(np.arange(1_500)[:, np.newaxis] / [20, 30]) / 2
    done = 0
    for coding, endian, rate, channels in combinations(container):
        try:
            soundfile.write(source, wave[:, :channels], rate, format=container, subtype=coding, endian=endian)
        except soundfile.SoundFileError:
            continue  # has no stereo, or not this rate
        before, sound = soundfile.info(source), soundfile.read(source, always_2d=True)[0]
        passed_through(source, target)
        after, heard = soundfile.info(target), soundfile.read(target, always_2d=True)[0]
        for what in ("format", "subtype", "endian", "samplerate", "channels"):
            assert getattr(after, what) == getattr(before, what)
        assert len(heard) == len(sound)
        np.testing.assert_allclose(heard, sound, rtol=0, atol=0.2 if coding in INEXACT else 2**-23)
        done += 1
    assert done


def test_a_wav_of_unknown_length_is_a_plain_one(tmp_path):
    for coding in ("PCM_16", "PCM_24", "FLOAT", "ULAW"):
        with open_writer(tmp_path / "out.wav", AudioFormat("WAV", coding, "FILE", 16_000, 2), {"title": "A"}) as writer:
            writer.write(noise())
        assert soundfile.info(tmp_path / "out.wav").format == "WAV"
        with open_reader(tmp_path / "out.wav") as reader:
            assert (reader.format.coding, reader.n_samples, reader.tags["title"]) == (coding, 5_000, "A")
            np.testing.assert_allclose(np.concatenate(list(reader.blocks(999))), noise(), atol=0.03)


@pytest.mark.parametrize(("known", "wanted"), [(5_001, "RF64"), (5_000, "WAV")])
def test_a_wav_that_will_be_too_large_becomes_rf64(tmp_path, monkeypatch, known, wanted):
    monkeypatch.setattr(audio, "LARGEST_WAV", 10_000)
    with open_writer(tmp_path / "out.wav", PCM, n_samples=known) as writer:
        writer.write(noise(known, 1))
    assert soundfile.info(tmp_path / "out.wav").format == wanted
    assert soundfile.info(tmp_path / "out.wav").frames == known


def test_what_cannot_grow_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "LARGEST_WAV", 10_000)
    with (
        pytest.raises(AudioFileError, match="AIFF holds 4 GiB"),
        open_writer(tmp_path / "out.aiff", AudioFormat("AIFF", "PCM_16", "FILE", 16_000, 1)) as writer,
    ):
        writer.write(noise(6_000, 1))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("source", ["wav", "flac", "ogg", "aiff", "caf", "mp3"])
@pytest.mark.parametrize("target", ["wav", "flac", "ogg", "aiff", "caf", "mp3"])
def test_tags_go_from_container_to_container(tmp_path, source, target):
    with soundfile.SoundFile(tmp_path / f"in.{source}", "w", 16_000, 1) as file:
        file.title, file.artist = "Straße", "Nobody"
        file.write(noise(2_000, 1))
    with open_reader(tmp_path / f"in.{source}") as reader:
        chosen = output_format(reader.format, f"out.{target}")
        with open_writer(tmp_path / f"out.{target}", chosen, reader.tags) as writer:
            writer.write(noise(2_000, 1))
    with open_reader(tmp_path / f"out.{target}") as reader:
        assert (reader.tags["title"], reader.tags["artist"]) == ("Straße", "Nobody")


def test_a_subtype_may_be_asked_for():
    source = AudioFormat("WAV", "PCM_16", "BIG", 48_000, 2)
    assert output_format(source, "out.wav", "float") == AudioFormat("WAV", "FLOAT", "BIG", 48_000, 2)
    assert output_format(source, "out.flac", "pcm-24").coding == "PCM_24"
    with pytest.raises(AudioFileError, match="FLAC has no subtype FLOAT; it has .*PCM_24"):
        output_format(source, "out.flac", "FLOAT")
    with pytest.raises(AudioFileError, match="not 44100 Hz"):
        output_format(AudioFormat("WAV", "PCM_16", "FILE", 44_100, 2), "out.opus")


def test_what_ffmpeg_reads_and_nobody_writes_in_step():
    source = AudioFormat("WMA", "WMAV2", "FILE", 44_100, 2)
    with pytest.raises(AudioFileError, match="WMA cannot be written"):
        output_format(source, "out.wma")
    assert output_format(source, "out.m4a").coding == "AAC"
    assert output_format(AudioFormat("MKV", "AAC", "FILE", 44_100, 2), "out.mkv").coding == "VORBIS"
    assert output_format(AudioFormat("APE", "PCM_16", "FILE", 44_100, 2), "out.flac").coding == "PCM_16"


@pytest.mark.parametrize("name", ["out.aac", "out.WMA", "out.raw"])
def test_a_name_that_promises_what_is_not_written_is_refused(name):
    with pytest.raises(AudioFileError, match="cannot be written; name another"):
        output_format(AudioFormat("WAV", "PCM_16", "FILE", 44_100, 2), name)
    assert output_format(AudioFormat("WAV", "PCM_16", "FILE", 44_100, 2), "out.clean").container == "WAV"


def test_content_decides_and_any_name_will_do(tmp_path):
    for name in ("sound.bin", "sound.mp3", "two\nlines", os.fsdecode(b"\xff\xfe.wav")):
        soundfile.write(tmp_path / "in.flac", noise(), 16_000)
        (tmp_path / "in.flac").rename(tmp_path / name)
        passed_through(tmp_path / name, tmp_path / (name + ".copy"))
        assert soundfile.info(os.fsencode(tmp_path / (name + ".copy"))).format == "FLAC"


def test_32_bits_keep_the_24_that_float32_holds(tmp_path):
    whole = np.random.default_rng(0).integers(-(2**31), 2**31, (5_000, 1), dtype=np.int32)
    soundfile.write(tmp_path / "in.wav", whole, 16_000, subtype="PCM_32")
    passed_through(tmp_path / "in.wav", tmp_path / "out.wav")
    heard = soundfile.read(tmp_path / "out.wav", dtype="int32", always_2d=True)[0].astype(np.int64)
    assert np.all(np.abs(heard - whole) <= np.maximum(np.abs(whole.astype(np.float64)) * 2**-24, 1))
