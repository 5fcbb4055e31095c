import numpy as np
import pytest
import soundfile
import soxr

from audiodae.errors import AudioFileError, SignalError
from audiodae.prep import decode as decoding
from audiodae.prep.decode import align_response, clean_estimate_db, decode, read_mono, to_pcm
from tests.prep.made_corpus import write_sound


def tone(seconds=1.0, rate=16_000, hz=440.0, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)


def loudest_hz(samples):
    return np.argmax(np.abs(np.fft.rfft(samples * np.hanning(samples.size)))) * 16_000 / samples.size


@pytest.mark.parametrize(
    ("name", "rate", "options"),
    [
        ("a.wav", 16_000, {"subtype": "PCM_16"}),
        ("a.wav", 48_000, {"subtype": "FLOAT"}),
        ("a.wav", 8_000, {"subtype": "ULAW"}),
        ("a.wav", 11_025, {"subtype": "PCM_24"}),
        ("a.flac", 44_100, {}),
        ("a.ogg", 22_050, {"format": "OGG", "subtype": "VORBIS"}),
        ("a.opus", 48_000, {"format": "OGG", "subtype": "OPUS"}),
        ("a.opus", 16_000, {"format": "OGG", "subtype": "OPUS"}),
        ("a.mp3", 44_100, {"format": "MP3"}),
        ("a.mp3", 32_000, {"format": "MP3"}),
    ],
)
def test_formats_and_rates(tmp_path, name, rate, options):
    pcm = decode(write_sound(tmp_path / name, tone(rate=rate), sample_rate=rate, **options), "speech")
    assert pcm.dtype == np.int16
    assert abs(pcm.size - 16_000) < 2_000  # MP3 pads
    assert np.std(pcm[2000:14_000] / 32_768) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    assert loudest_hz(pcm) == pytest.approx(440, abs=3)


def test_sixteen_bits_come_through_exactly(tmp_path):
    samples = np.random.default_rng(1).integers(-30_000, 30_000, 5000).astype(np.int16)
    path = write_sound(tmp_path / "a.wav", samples, subtype="PCM_16")
    np.testing.assert_array_equal(decode(path, "speech"), samples)


def test_the_first_channel_is_taken(tmp_path):
    path = write_sound(tmp_path / "a.wav", np.stack([tone(hz=440), tone(hz=1000)], axis=1))
    assert loudest_hz(decode(path, "noise")) == pytest.approx(440, abs=3)


def test_blocks_resample_as_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "BLOCK_SAMPLES", 44_100)
    noise = (0.1 * np.random.default_rng(2).standard_normal(44_100 * 3 + 777)).astype(np.float32)
    path = write_sound(tmp_path / "a.wav", noise, sample_rate=44_100, subtype="FLOAT")
    whole = soxr.resample(noise, 44_100, 16_000)
    np.testing.assert_allclose(read_mono(path), whole, atol=1e-6)
    assert not np.allclose(read_mono(path)[1:], whole[:-1], atol=1e-6)  # a sample's shift would be seen


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(0), "empty"),
        (np.zeros(1000), "silent"),
        (np.full(100, np.nan), "NaN"),
        (np.full(9, np.inf), "infinity"),
    ],
)
def test_sound_that_is_none(tmp_path, samples, message):
    with pytest.raises(SignalError, match=message):
        decode(write_sound(tmp_path / "a.wav", samples, subtype="FLOAT"), "speech")


@pytest.mark.parametrize("content", [b"", b"this is text", b"RIFF\x00\x00\x00\x00WAVE"])
def test_files_that_are_no_sound(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioFileError, match=r"a\.wav"):
        decode(tmp_path / "a.wav", "speech")


@pytest.mark.parametrize("rate", [1, 3_999, 384_001, 2_000_000_000])
def test_a_rate_that_no_recording_has_is_refused(tmp_path, rate):
    path = write_sound(tmp_path / "a.wav", tone(), subtype="PCM_16")
    header = bytearray(path.read_bytes())
    header[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(header)
    with pytest.raises(SignalError, match=f"states a rate of {rate} Hz; taken is 4000 to 384000 Hz"):
        decode(path, "speech")


def test_many_channels_do_not_make_a_block_larger(tmp_path, monkeypatch):
    samples = np.random.default_rng(4).integers(-30_000, 30_000, (500, 200)).astype(np.int16)
    path = write_sound(tmp_path / "a.wav", samples, subtype="PCM_16")
    for block in (1, 600, 1 << 21):
        monkeypatch.setattr(decoding, "BLOCK_SAMPLES", block)
        np.testing.assert_array_equal(decode(path, "noise"), samples[:, 0])


def test_a_cut_off_file_is_told(tmp_path):
    whole = write_sound(tmp_path / "a.flac", np.random.default_rng(3).uniform(-0.5, 0.5, 50_000))
    whole.write_bytes(whole.read_bytes()[:3000])
    with pytest.raises((AudioFileError, SignalError)):
        decode(whole, "speech")


def test_beyond_full_scale_is_clipped_not_wrapped():
    assert to_pcm(np.array([2.0, -2.0, 1.0, 0.0], np.float32)).tolist() == [32_767, -32_767, 32_767, 0]


def test_a_response_begins_at_its_direct_sound(tmp_path):
    response = np.zeros(2000)
    response[[300, 301, 700]] = [-0.8, 0.4, 0.2]
    pcm = decode(write_sound(tmp_path / "a.wav", response, subtype="FLOAT"), "rooms")
    assert pcm.size == 1700
    assert pcm[[0, 1, 400]].tolist() == [16_384, -8_192, -4_096]
    speech = decode(tmp_path / "a.wav", "speech")
    assert speech.size == 2000  # only rooms are cut


def test_a_silent_response_stays_silent():
    assert not align_response(np.zeros(10, np.float32)).any()


def test_clean_estimate():
    loud, quiet = tone(1.0, amplitude=0.5), tone(1.0, amplitude=0.005)
    assert clean_estimate_db(to_pcm(np.concatenate([loud, quiet]))) == pytest.approx(40, abs=0.5)
    assert clean_estimate_db(to_pcm(np.concatenate([loud, loud]))) == pytest.approx(0, abs=0.5)
    assert clean_estimate_db(to_pcm(loud[:2000])) == float("inf")


def test_soundfile_reads_what_the_suffixes_promise():
    assert {"WAV", "FLAC", "OGG", "MP3"} <= set(soundfile.available_formats())


def test_an_mp3_longer_than_a_block_has_no_seams(tmp_path, monkeypatch):
    """Read in blocks or at once, an MP3 is the same: a decoder that seeks between blocks damages each seam."""
    rng = np.random.default_rng(0)
    sound = np.convolve(rng.standard_normal(16_000 * 6), np.ones(8) / 8, "same") * 0.1
    soundfile.write(tmp_path / "a.mp3", sound, 16_000)
    monkeypatch.setattr("audiodae.prep.decode.BLOCK_SAMPLES", 16_000)
    whole, _ = soundfile.read(tmp_path / "a.mp3", dtype="float32")
    np.testing.assert_allclose(read_mono(tmp_path / "a.mp3"), whole, atol=1e-6)


def test_another_rate_can_be_asked_for(tmp_path):
    path = write_sound(tmp_path / "a.wav", tone(rate=8_000), sample_rate=8_000, subtype="FLOAT")
    np.testing.assert_allclose(read_mono(path, sample_rate=8_000), tone(rate=8_000), atol=1e-6)  # as it is
    assert abs(read_mono(path, sample_rate=12_000).size - 12_000) < 20
