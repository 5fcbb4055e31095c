import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from audiodae import AudioFileError, Denoiser, Network, SignalError
from audiodae.files import clean_file
from tests import networks

RECURRENT = Denoiser(Network.from_bytes(networks.recurrent().SerializeToString(), source="test"))


def write_noise(path, samples=50_000, channels=1, rate=16_000, subtype="PCM_24", seed=0):
    sound = np.random.default_rng(seed).normal(0, 0.1, (samples, channels))
    soundfile.write(path, sound, rate, subtype=subtype)
    return path


@pytest.mark.parametrize("samples", [0, 1, 255, 256, 257, 100_003])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_is_cleaned_as_an_array_is(tmp_path, samples, channels):
    source = write_noise(tmp_path / "in.wav", samples, channels, subtype="FLOAT")
    done = clean_file(RECURRENT, source, tmp_path / "out.wav", limit_db=30, mix=0.8)
    noisy = soundfile.read(source, dtype="float32", always_2d=True)[0]
    heard = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)[0]
    np.testing.assert_allclose(heard, RECURRENT.clean(noisy, 16_000, limit_db=30, mix=0.8), rtol=0, atol=1e-5)
    assert done.audio_seconds == samples / 16_000
    assert (done.repaired_samples, done.clipped_samples, done.missing_samples) == (0, 0, 0)


def test_independent_channels(tmp_path):
    source = write_noise(tmp_path / "in.wav", channels=2, subtype="FLOAT")
    clean_file(RECURRENT, source, tmp_path / "out.wav", channels="independent")
    noisy = soundfile.read(source, dtype="float32")[0]
    wanted = RECURRENT.clean(noisy, 16_000, channels="independent")
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0], wanted, rtol=0, atol=1e-5)
    assert np.max(np.abs(wanted - RECURRENT.clean(noisy, 16_000))) > 1e-4  # negative control


def test_what_was_not_finite_or_too_loud_is_counted(tmp_path):
    sound = np.zeros(20_000, np.float32)
    sound[:3], sound[10_000:] = np.nan, 2.0
    soundfile.write(tmp_path / "in.wav", sound, 16_000, subtype="FLOAT")
    unit = Denoiser(Network.from_bytes(networks.constant(1).SerializeToString(), source="test"))
    done = clean_file(unit, tmp_path / "in.wav", tmp_path / "float.wav")
    assert (done.repaired_samples, done.clipped_samples) == (3, 0)
    done = clean_file(unit, tmp_path / "in.wav", tmp_path / "out.flac")
    assert (done.repaired_samples, done.clipped_samples) == (3, 10_000)


def test_progress_reaches_the_end(tmp_path):
    seen = []
    source = write_noise(tmp_path / "in.wav", 400_000)
    clean_file(RECURRENT, source, tmp_path / "out.wav", on_progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 2 and seen[-1] == (400_000, 400_000)


def test_the_source_is_never_written_over(tmp_path):
    source = write_noise(tmp_path / "in.wav")
    before = source.read_bytes()
    (tmp_path / "link.wav").symlink_to(source)
    os.link(source, tmp_path / "hard.wav")
    for target in (source, tmp_path / "link.wav", tmp_path / "hard.wav", tmp_path / "." / "in.wav"):
        with pytest.raises(AudioFileError, match="the input itself"):
            clean_file(RECURRENT, source, target, overwrite=True)
    assert source.read_bytes() == before


def test_an_existing_target_only_with_overwrite(tmp_path):
    source, target = write_noise(tmp_path / "in.wav"), tmp_path / "out.wav"
    target.write_bytes(b"old")
    with pytest.raises(AudioFileError, match="exists already"):
        clean_file(RECURRENT, source, target)
    assert target.read_bytes() == b"old"
    clean_file(RECURRENT, source, target, overwrite=True)
    assert soundfile.info(target).frames == 50_000


def test_settings_and_rates_that_make_no_sense_leave_nothing(tmp_path):
    with pytest.raises(SignalError, match=r"in.wav.*limit_db"):
        clean_file(RECURRENT, write_noise(tmp_path / "in.wav"), tmp_path / "out.wav", limit_db=-1)
    with pytest.raises(SignalError, match=r"slow.wav.*sample rate 1000"):
        clean_file(RECURRENT, write_noise(tmp_path / "slow.wav", rate=1_000), tmp_path / "out.wav")
    assert sorted(os.listdir(tmp_path)) == ["in.wav", "slow.wav"]


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
