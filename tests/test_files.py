import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from audiodae import AudioFileError, Denoiser, Network, SignalError, audio
from audiodae.files import CleanOptions, clean_file, noise_path
from tests import networks, series_networks
from tests.long.kill import kill_often

RECURRENT = Denoiser(Network.from_bytes(networks.recurrent().SerializeToString(), source="test"))
UNIT = Denoiser(Network.from_bytes(networks.constant(1).SerializeToString(), source="test"))
SERIES = Denoiser(Network.from_bytes(series_networks.scaled().SerializeToString(), source="test"))
OVERWRITE = CleanOptions(overwrite=True)


def write_noise(path, samples=50_000, channels=1, rate=16_000, subtype="PCM_24", seed=0):
    sound = np.random.default_rng(seed).normal(0, 0.1, (samples, channels))
    soundfile.write(path, sound, rate, subtype=subtype)
    return path


@pytest.mark.parametrize("samples", [0, 1, 255, 256, 257, 100_003])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_is_cleaned_as_an_array_is(tmp_path, samples, channels):
    source = write_noise(tmp_path / "in.wav", samples, channels, subtype="FLOAT")
    done = clean_file(RECURRENT, source, tmp_path / "out.wav", options=CleanOptions(limit_db=30, mix=0.8))
    noisy = soundfile.read(source, dtype="float32", always_2d=True)[0]
    heard = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)[0]
    np.testing.assert_allclose(heard, RECURRENT.clean(noisy, 16_000, limit_db=30, mix=0.8), rtol=0, atol=1e-5)
    assert done.audio_seconds == samples / 16_000
    assert (done.repaired_samples, done.clipped_samples, done.missing_samples) == (0, 0, 0)


def test_independent_channels(tmp_path):
    source = write_noise(tmp_path / "in.wav", channels=2, subtype="FLOAT")
    clean_file(RECURRENT, source, tmp_path / "out.wav", options=CleanOptions(channels="independent"))
    noisy = soundfile.read(source, dtype="float32")[0]
    wanted = RECURRENT.clean(noisy, 16_000, channels="independent")
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0], wanted, rtol=0, atol=1e-5)
    assert np.max(np.abs(wanted - RECURRENT.clean(noisy, 16_000))) > 1e-4  # negative control


def test_what_was_not_finite_or_too_loud_is_counted(tmp_path):
    sound = np.zeros(20_000, np.float32)
    sound[:3], sound[10_000:] = np.nan, 2.0
    soundfile.write(tmp_path / "in.wav", sound, 16_000, subtype="FLOAT")
    done = clean_file(UNIT, tmp_path / "in.wav", tmp_path / "float.wav")
    assert (done.repaired_samples, done.clipped_samples) == (3, 0)
    done = clean_file(UNIT, tmp_path / "in.wav", tmp_path / "out.flac")
    assert (done.repaired_samples, done.clipped_samples) == (3, 10_000)


def test_progress_reaches_the_end(tmp_path):
    seen = []
    source = write_noise(tmp_path / "in.wav", 400_000)
    clean_file(RECURRENT, source, tmp_path / "out.wav", on_progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 2 and seen[-1] == (400_000, 400_000)


def same_file(folder, kind):
    """The file in.wav by another name."""
    source = folder / "in.wav"
    match kind:
        case "symbolic":
            (folder / "link.wav").symlink_to(source)
            return folder / "link.wav"
        case "hard":
            os.link(source, folder / "hard.wav")
            return folder / "hard.wav"
        case "dotted":
            return f"{folder}/./in.wav"
    return source


@pytest.mark.parametrize("kind", ["itself", "dotted", "symbolic", "hard"])
def test_the_source_is_written_over_when_asked_only(tmp_path, kind):
    source = write_noise(tmp_path / "in.wav")
    clean_file(RECURRENT, source, tmp_path / "wanted.wav")
    before, target = source.read_bytes(), same_file(tmp_path, kind)
    with pytest.raises(AudioFileError, match="the input itself"):
        clean_file(RECURRENT, source, target)
    assert source.read_bytes() == before
    clean_file(RECURRENT, source, target, options=OVERWRITE)
    assert soundfile.read(target)[0].tolist() == soundfile.read(tmp_path / "wanted.wav")[0].tolist()
    assert (tmp_path / "link.wav").is_symlink() == (kind == "symbolic")
    if kind != "hard":  # the other name of a hard link keeps the sound as it was
        assert source.read_bytes() != before


def test_an_existing_target_only_with_overwrite(tmp_path):
    source, target = write_noise(tmp_path / "in.wav"), tmp_path / "out.wav"
    target.write_bytes(b"old")
    with pytest.raises(AudioFileError, match="exists already"):
        clean_file(RECURRENT, source, target)
    assert target.read_bytes() == b"old"
    clean_file(RECURRENT, source, target, options=OVERWRITE)
    assert soundfile.info(target).frames == 50_000


def test_settings_and_rates_that_make_no_sense_leave_nothing(tmp_path):
    with pytest.raises(SignalError, match=r"in.wav.*limit_db"):
        clean_file(RECURRENT, write_noise(tmp_path / "in.wav"), tmp_path / "out.wav", options=CleanOptions(limit_db=-1))
    with pytest.raises(SignalError, match=r"slow.wav.*sample rate 1000"):
        clean_file(RECURRENT, write_noise(tmp_path / "slow.wav", rate=1_000), tmp_path / "out.wav")
    assert sorted(os.listdir(tmp_path)) == ["in.wav", "slow.wav"]


def test_sound_is_not_given_to_a_network_for_series(tmp_path):
    for rate in (360, 48_000):
        source = write_noise(tmp_path / "in.wav", rate=rate)
        with pytest.raises(SignalError, match=r"in.wav: is sound, and the network test cleans series"):
            clean_file(SERIES, source, tmp_path / "out.wav")
    assert os.listdir(tmp_path) == ["in.wav"]


MEASURE = """
import sys
from audiodae import Denoiser
from audiodae.files import clean_file
clean_file(Denoiser(sys.argv[1]), sys.argv[2], sys.argv[3])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux tells the peak of its memory so")
def test_memory_does_not_grow_with_length(tmp_path):
    network = tmp_path / "network.onnx"
    network.write_bytes(networks.constant(0.5).SerializeToString())
    used = []
    for seconds in (20, 600):
        source = write_noise(tmp_path / f"{seconds}.wav", seconds * 16_000)
        command = [sys.executable, "-c", MEASURE, network, source, tmp_path / f"out{seconds}.wav"]
        used.append(int(subprocess.run(command, capture_output=True, check=True).stdout))  # kB
    # Ten minutes are 38 MB of float32.
    assert used[1] - used[0] < 15_000


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24"])
def test_speech_and_noise_add_up_to_the_input(tmp_path, subtype):
    source = write_noise(tmp_path / "in.wav", 30_000, channels=2, subtype=subtype)
    done = clean_file(RECURRENT, source, tmp_path / "out.wav", options=CleanOptions(output="both"))
    clean_file(RECURRENT, source, tmp_path / "only.wav", options=CleanOptions(output="noise"))
    noisy, speech, noise = (
        soundfile.read(path, dtype="int32")[0] for path in (source, done.target, noise_path(done.target))
    )
    np.testing.assert_array_equal(speech + noise, noisy)
    assert noise.any() and speech.any()
    np.testing.assert_array_equal(soundfile.read(tmp_path / "only.wav", dtype="int32")[0], noise)
    assert sorted(os.listdir(tmp_path)) == ["in.wav", "only.wav", "out.noise.wav", "out.wav"]


def test_noise_of_floats_is_what_the_library_removes(tmp_path):
    source = write_noise(tmp_path / "in.wav", 30_000, subtype="FLOAT")
    clean_file(RECURRENT, source, tmp_path / "out.wav", options=CleanOptions(output="noise", limit_db=20))
    noisy = soundfile.read(source, dtype="float32")[0]
    wanted = RECURRENT.clean(noisy, 16_000, limit_db=20, output="noise")
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0], wanted, rtol=0, atol=1e-6)
    np.testing.assert_allclose(wanted + RECURRENT.clean(noisy, 16_000, limit_db=20), noisy, rtol=0, atol=1e-7)


def test_of_two_outputs_none_is_written_where_one_may_not(tmp_path):
    source = write_noise(tmp_path / "in.wav", 1_000)
    (tmp_path / "out.noise.wav").write_bytes(b"old")
    with pytest.raises(AudioFileError, match="out.noise.wav: exists"):
        clean_file(RECURRENT, source, tmp_path / "out.wav", options=CleanOptions(output="both"))
    assert sorted(os.listdir(tmp_path)) == ["in.wav", "out.noise.wav"]
    with pytest.raises(AudioFileError, match="cannot both go to standard output"):
        clean_file(RECURRENT, source, "-", options=CleanOptions(output="both"))


def test_strict_refuses_what_is_not_finite(tmp_path):
    sound = np.zeros(200_000, np.float32)
    sound[150_000:150_004] = np.inf
    soundfile.write(tmp_path / "in.wav", sound, 16_000, subtype="FLOAT")
    with pytest.raises(SignalError, match=r"in.wav: 4 samples .*not finite"):
        clean_file(UNIT, tmp_path / "in.wav", tmp_path / "out.wav", options=CleanOptions(strict=True))
    assert os.listdir(tmp_path) == ["in.wav"]


def test_words_that_are_no_option():
    for wrong in ({"output": "music"}, {"channels": "left"}):
        with pytest.raises(SignalError, match="need one of"):
            CleanOptions(**wrong)


def test_what_was_done_is_measured(tmp_path):
    half = Denoiser(Network.from_bytes(networks.constant(0.5).SerializeToString(), source="test"))
    done = clean_file(half, write_noise(tmp_path / "in.wav", channels=2), tmp_path / "out.wav")
    assert (done.sample_rate, done.channels) == (16_000, 2)
    assert done.level_before_dbfs == pytest.approx(-20, abs=0.1)
    assert [done.level_after_dbfs, done.speech_level_dbfs] == pytest.approx([-26, -26], abs=0.1)
    assert done.noise_reduction_db == pytest.approx(6.02, abs=0.01)
    assert done.muted_share == 0
    told = done.as_json()
    assert (told["input"], told["channels"]) == (str(tmp_path / "in.wav"), 2)
    assert all(value == value for value in told.values())  # JSON has no NaN


@pytest.mark.parametrize("samples", [0, 1, 2, 767, 768, 769, 1535, 1536, 1537])
def test_anything_shorter_than_a_window_keeps_its_length(tmp_path, samples):
    source = write_noise(tmp_path / "in.wav", samples, channels=2, rate=48_000, subtype="FLOAT")
    done = clean_file(UNIT, source, tmp_path / "out.wav", options=CleanOptions(output="both"))
    noisy = soundfile.read(source)[0]
    for path, wanted in ((done.target, noisy), (noise_path(done.target), 0 * noisy)):
        np.testing.assert_allclose(soundfile.read(path)[0], wanted, rtol=0, atol=1e-6)


def test_digital_silence_stays_digital_silence(tmp_path):
    sound = np.random.default_rng(0).normal(0, 0.1, (60_000, 2)).astype(np.float32)
    sound[20_000:40_000] = 0
    soundfile.write(tmp_path / "in.wav", sound, 16_000, subtype="FLOAT")
    clean_file(Denoiser(), tmp_path / "in.wav", tmp_path / "out.wav")
    heard = soundfile.read(tmp_path / "out.wav")[0]
    assert not heard[20_512:39_488].any()  # but for the windows that hold sound as well
    assert heard[:20_000].any() and heard[40_000:].any()


def test_levels_beyond_full_scale_are_kept_and_nothing_is_rescaled(tmp_path):
    sound = np.random.default_rng(0).normal(0, 30, 20_000).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", sound, 16_000, subtype="FLOAT")
    done = clean_file(UNIT, tmp_path / "in.wav", tmp_path / "out.wav")
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0], sound, rtol=0, atol=1e-4)
    assert done.clipped_samples == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
def test_beyond_4_gib_it_is_rf64_and_complete(tmp_path, monkeypatch):
    """With a smaller limit; tests/long/memory.py does it with a real one."""
    source = write_noise(tmp_path / "in.wav", 100_000, 2)
    clean_file(UNIT, source, tmp_path / "small.wav")
    monkeypatch.setattr(audio, "LARGEST_WAV", 500_000)
    clean_file(UNIT, source, tmp_path / "out.wav")
    assert (soundfile.info(tmp_path / "small.wav").format, soundfile.info(tmp_path / "out.wav").format) == (
        "WAV",
        "RF64",
    )
    heard, noisy = soundfile.read(tmp_path / "out.wav")[0], soundfile.read(source)[0]
    np.testing.assert_allclose(heard, noisy, rtol=0, atol=2**-22)


def test_killed_at_any_moment_it_leaves_the_old_or_the_new(tmp_path):
    counts = kill_often(4, tmp_path)  # `python tests/long/kill.py` does a hundred
    assert counts["harmed"] == counts["parts at the end"] == 0
    assert counts["most parts"] <= 1
