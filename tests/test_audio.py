import os
import resource
import signal

import numpy as np
import pytest
import soundfile

from audiodae.audio import (
    AudioFormat,
    AudioReader,
    AudioWriter,
    encode,
    output_format,
    refuse_unwritable,
)
from audiodae.errors import AudioFileError

PCM = AudioFormat("WAV", "PCM_16", "FILE", 16_000, 1)


def noise(samples=5_000, channels=2, seed=0):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (samples, channels)).astype(np.float32)


def copy(source, target):
    with AudioReader(source) as reader, AudioWriter(target, reader.format, reader.tags) as writer:
        for block in reader.blocks(777):
            writer.write(block)
    return writer


# Every container and coding in common use; ALAC of 20 and 24 bits is left out, which libsndfile itself damages.
LOSSLESS = [
    *[("WAV", coding) for coding in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")],
    *[("FLAC", coding) for coding in ("PCM_S8", "PCM_16", "PCM_24")],
    *[("AIFF", coding) for coding in ("PCM_S8", "PCM_16", "PCM_24", "FLOAT")],
    *[("CAF", coding) for coding in ("PCM_16", "PCM_24", "ALAC_16")],
    *[(container, "PCM_24") for container in ("WAVEX", "RF64", "W64", "AU")],
]


@pytest.mark.parametrize(("container", "coding"), LOSSLESS)
def test_a_copy_is_the_same_sound_in_the_same_format(tmp_path, container, coding):
    source, target = tmp_path / "in.snd", tmp_path / "out.snd"
    soundfile.write(source, noise(), 44_100, format=container, subtype=coding)
    copy(source, target)
    np.testing.assert_array_equal(soundfile.read(target)[0], soundfile.read(source)[0])
    before, after = soundfile.info(source), soundfile.info(target)
    for what in ("format", "subtype", "samplerate", "channels", "frames"):
        assert getattr(after, what) == getattr(before, what)


LOSSY = [("OGG", "VORBIS", 44_100), ("OGG", "OPUS", 48_000), ("MP3", "MPEG_LAYER_III", 44_100)]


def write_sine(path, container, coding, rate):
    sine = np.sin(2 * np.pi * 440 * np.arange(rate) / rate) / 2
    soundfile.write(path, sine, rate, format=container, subtype=coding)


@pytest.mark.parametrize(("container", "coding", "rate"), LOSSY)
def test_blocks_of_a_lossy_file_are_the_whole(tmp_path, container, coding, rate):
    source = tmp_path / "in.snd"
    write_sine(source, container, coding, rate)
    whole = soundfile.read(source, dtype="float32", always_2d=True)[0]
    with AudioReader(source) as reader:
        np.testing.assert_allclose(np.concatenate(list(reader.blocks(777))), whole, atol=1e-6)


def test_soundfile_alone_damages_the_blocks_of_an_mp3(tmp_path):
    """Negative control: when this fails, soundfile has been mended and `_Onward` may go."""
    source = tmp_path / "in.mp3"
    write_sine(source, *LOSSY[2])
    blocks = list(soundfile.blocks(source, 777, dtype="float32"))
    assert np.max(np.abs(np.concatenate(blocks) - soundfile.read(source)[0])) > 0.1


@pytest.mark.parametrize(("container", "coding", "rate"), LOSSY)
def test_a_lossy_copy_keeps_format_and_length(tmp_path, container, coding, rate):
    source, target = tmp_path / "in.snd", tmp_path / "out.snd"
    write_sine(source, container, coding, rate)
    copy(source, target)
    before, after = soundfile.info(source), soundfile.info(target)
    assert (before.format, before.subtype, before.frames) == (after.format, after.subtype, after.frames)
    difference = soundfile.read(target)[0] - soundfile.read(source)[0]
    assert np.sqrt(np.mean(difference[2000:-2000] ** 2)) < 0.05


def test_tags_are_kept(tmp_path):
    with soundfile.SoundFile(tmp_path / "in.flac", "w", 16_000, 1) as file:
        file.title, file.artist = "A street", "Nobody"
        file.write(noise(100, 1))
    copy(tmp_path / "in.flac", tmp_path / "out.flac")
    with soundfile.SoundFile(tmp_path / "out.flac") as file:
        assert (file.title, file.artist) == ("A street", "Nobody")


@pytest.mark.parametrize(("coding", "bits"), [("PCM_U8", 8), ("PCM_16", 16), ("PCM_24", 24)])
def test_whole_numbers_are_rounded_not_cut_off(tmp_path, coding, bits):
    """A sample that an error of float32 moved off its step lands on it again."""
    steps = np.arange(-100, 100, dtype=np.float32)[:, np.newaxis] / 2 ** (bits - 1)
    moved = (steps * np.float32(1 - 1e-6)).astype(np.float32)
    path = tmp_path / "out.wav"
    with AudioWriter(path, AudioFormat("WAV", coding, "FILE", 16_000, 1)) as writer:
        writer.write(moved)
    np.testing.assert_array_equal(soundfile.read(path, dtype="float32", always_2d=True)[0], steps)


def test_too_loud_is_held_and_counted_never_wrapped(tmp_path):
    loud = np.array([[-3.0], [-1.0], [0.0], [1.0], [3.0], [1e9]], np.float32)
    for coding, top in (("PCM_16", 32767 / 32768), ("PCM_24", 1 - 2**-23), ("PCM_32", 1 - 2**-31), ("ULAW", 0.98)):
        path = tmp_path / f"{coding}.wav"
        with AudioWriter(path, AudioFormat("WAV", coding, "FILE", 16_000, 1)) as writer:
            writer.write(loud)
        heard = soundfile.read(path)[0]
        assert writer.clipped == 3
        assert np.all(heard[:2] < -0.97) and np.all(heard[3:] >= top - 1e-2) and heard[2] == pytest.approx(0, abs=1e-3)
    np.testing.assert_array_equal(encode(loud, "FLOAT")[0], loud)
    assert encode(loud, "FLOAT")[1] == 0


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        (("WAV", "PCM_24"), "out.wav", ("WAV", "PCM_24")),
        (("WAVEX", "PCM_24"), "out.wav", ("WAVEX", "PCM_24")),
        (("RF64", "PCM_16"), "out.WAV", ("RF64", "PCM_16")),
        (("WAV", "PCM_16"), "out", ("WAV", "PCM_16")),
        (("WAV", "PCM_16"), "out.xyz", ("WAV", "PCM_16")),
        (("WAV", "PCM_24"), "out.flac", ("FLAC", "PCM_24")),
        (("WAV", "FLOAT"), "out.flac", ("FLAC", "PCM_24")),
        (("WAV", "PCM_32"), "out.flac", ("FLAC", "PCM_24")),
        (("WAV", "PCM_U8"), "out.flac", ("FLAC", "PCM_16")),
        (("WAV", "PCM_16"), "out.ogg", ("OGG", "VORBIS")),
        (("WAV", "PCM_16"), "out.opus", ("OGG", "OPUS")),
        (("OGG", "OPUS"), "out.opus", ("OGG", "OPUS")),
        (("MP3", "MPEG_LAYER_III"), "out.wav", ("WAV", "PCM_16")),
        (("OGG", "VORBIS"), "out.flac", ("FLAC", "PCM_16")),
    ],
)
def test_the_name_may_ask_for_another_container(source, name, expected):
    chosen = output_format(AudioFormat(*source, "FILE", 48_000, 2), name)
    assert (chosen.container, chosen.coding) == expected
    assert (chosen.sample_rate, chosen.channels) == (48_000, 2)


def test_an_error_leaves_nothing(tmp_path):
    old = tmp_path / "out.wav"
    old.write_bytes(b"the old file")
    with pytest.raises(ZeroDivisionError), AudioWriter(old, PCM) as writer:
        writer.write(noise(1000, 1))
        raise ZeroDivisionError
    assert old.read_bytes() == b"the old file"
    assert os.listdir(tmp_path) == ["out.wav"]


def test_it_appears_only_when_whole(tmp_path):
    path = tmp_path / "out.wav"
    with AudioWriter(path, PCM) as writer:
        writer.write(noise(1000, 1))
        assert not path.exists()
    assert soundfile.info(path).frames == 1000
    assert os.listdir(tmp_path) == ["out.wav"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(AudioFileError, match="cannot be written"), AudioWriter(tmp_path / "out.wav", PCM) as writer:
            for _ in range(20):
                writer.write(noise(5_000, 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert os.listdir(tmp_path) == []


def test_permissions(tmp_path):
    path = tmp_path / "out.wav"
    for mode in (None, 0o600, 0o644):
        if mode is not None:
            path.chmod(mode)
        with AudioWriter(path, PCM) as writer:
            writer.write(noise(10, 1))
        umask = os.umask(0)
        os.umask(umask)
        assert path.stat().st_mode & 0o777 == (0o666 & ~umask if mode is None else mode)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link.wav").symlink_to("real.wav")
    with AudioWriter(tmp_path / "link.wav", PCM) as writer:
        writer.write(noise(10, 1))
    assert (tmp_path / "link.wav").is_symlink() and soundfile.info(tmp_path / "real.wav").frames == 10


def make_bad(folder, kind):
    """Make an input that cannot be read."""
    path = folder / "bad.wav"
    match kind:
        case "folder":
            path.mkdir()
        case "empty":
            path.touch()
        case "text":
            path.write_text("I am a poem\n" * 100)
        case "header only":
            path.write_bytes(b"RIFF")
        case "pipe":
            os.mkfifo(path)
        case "raw":
            path = folder / "bad.raw"
            path.write_bytes(bytes(100))
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "no such file"),
        ("folder", "is a folder"),
        ("empty", "is empty"),
        ("text", "no sound file"),
        ("header only", "no sound file"),
        ("pipe", "standard input"),
        ("raw", "audiodae stream"),
    ],
)
def test_unreadable(tmp_path, kind, message):
    path = make_bad(tmp_path, kind)
    with pytest.raises(AudioFileError, match=message) as caught:
        AudioReader(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_a_cut_flac_gives_what_it_holds_or_says_that_it_is_damaged(tmp_path):
    path = tmp_path / "cut.flac"
    soundfile.write(path, noise(50_000), 16_000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with AudioReader(path) as reader:
        assert reader.n_samples == 50_000
        try:
            assert sum(len(block) for block in reader.blocks(1000)) < 50_000
        except AudioFileError as error:
            assert "damaged" in str(error)


@pytest.mark.parametrize(
    ("name", "message"),
    [("", "is a folder"), ("no/such/out.wav", "there is no folder"), ("pipe", "not a regular file")],
)
def test_unwritable(tmp_path, name, message):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AudioFileError, match=message):
        refuse_unwritable(tmp_path / name)
    with pytest.raises(AudioFileError, match=message):
        AudioWriter(tmp_path / name, PCM)


def test_a_device_is_never_replaced(tmp_path):
    (tmp_path / "null.wav").symlink_to("/dev/null")
    with pytest.raises(AudioFileError, match="not a regular file"):
        AudioWriter(tmp_path / "null.wav", PCM)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(AudioFileError, match="not writable"):
        AudioWriter(tmp_path / "out.wav", PCM)


def test_a_rate_that_the_container_does_not_have(tmp_path):
    with (
        pytest.raises(AudioFileError, match="cannot be written"),
        AudioWriter(tmp_path / "out.opus", AudioFormat("OGG", "OPUS", "FILE", 44_100, 1)),
    ):
        pass
    assert os.listdir(tmp_path) == []
