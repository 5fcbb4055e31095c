import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import time
from functools import partial

import numpy as np
import pytest
import soundfile

from audiodae import Denoiser, sandbox
from tests import networks
from tests.cli.process import COMMAND, assert_refused, audiodae, here, with_model
from tests.test_sandbox import Crashing


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A network file that halves."""
    path = tmp_path_factory.mktemp("network") / "half.onnx"
    path.write_bytes(networks.constant(0.5).SerializeToString())
    return path


@pytest.fixture
def noisy(tmp_path):
    """One second of stereo noise, 44.1 kHz, 24 bits."""
    path = tmp_path / "noisy.wav"
    sound = np.random.default_rng(0).normal(0, 0.1, (44_100, 2))
    soundfile.write(path, sound, 44_100, subtype="PCM_24")
    return path


def test_a_file_is_cleaned(noisy, half, tmp_path):
    done = audiodae("clean", noisy, tmp_path / "clean.wav", "--model", half)
    assert (done.returncode, done.stderr) == (0, "")
    pattern = (
        rf"{re.escape(str(tmp_path))}/clean\.wav: 1\.00 s, rtf \d\.\d{{4}}, noise reduced by 6\.0 dB, "
        r"speech at -26\.0 dBFS, 0 samples repaired, 0 clipped\n"
    )
    assert re.fullmatch(pattern, done.stdout)
    before, after = soundfile.info(noisy), soundfile.info(tmp_path / "clean.wav")
    for what in ("format", "subtype", "samplerate", "channels", "frames"):
        assert getattr(before, what) == getattr(after, what)
    heard, sound = soundfile.read(tmp_path / "clean.wav")[0], soundfile.read(noisy)[0]
    np.testing.assert_allclose(heard, sound / 2, atol=2**-23)
    assert sorted(os.listdir(tmp_path)) == ["clean.wav", "noisy.wav"]


def test_as_the_library_does(noisy, tmp_path):
    model = tmp_path / "network.onnx"
    model.write_bytes(networks.recurrent().SerializeToString())
    options = ["--limit-db", "12", "--mix", "0.5", "--channels", "independent"]
    assert audiodae("clean", noisy, tmp_path / "clean.wav", *options, env=with_model(model)).returncode == 0
    sound = soundfile.read(noisy, dtype="float32")[0]
    wanted = Denoiser(model).clean(sound, 44_100, limit_db=12, mix=0.5, channels="independent")
    np.testing.assert_allclose(soundfile.read(tmp_path / "clean.wav")[0], wanted, atol=1e-5)
    assert np.max(np.abs(wanted - Denoiser(model).clean(sound, 44_100))) > 0.01  # negative control: options matter


def test_json(noisy, half, tmp_path):
    done = audiodae("clean", noisy, tmp_path / "clean.flac", "--model", half, "--json")
    told = json.loads(done.stdout)
    assert told.pop("rtf") > 0
    levels = [told.pop(f"{what}_dbfs") for what in ("level_before", "level_after", "speech_level")]
    assert levels == pytest.approx([-20, -26, -26], abs=0.1)
    assert told.pop("noise_reduction_db") == pytest.approx(6.02, abs=0.01)
    assert told == {
        "input": str(noisy),
        "output": str(tmp_path / "clean.flac"),
        "model": "test",
        "sample_rate": 44_100,
        "channels": 2,
        "audio_seconds": 1.0,
        "muted_share": 0.0,
        "repaired_samples": 0,
        "clipped_samples": 0,
        "missing_samples": 0,
    }
    assert soundfile.info(tmp_path / "clean.flac").subtype == "PCM_24"


def test_quiet(noisy, half, tmp_path):
    done = audiodae("clean", noisy, tmp_path / "clean.wav", "--model", half, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_not_finite_is_silenced_counted_and_told(half, tmp_path):
    sound = np.full(10_000, 0.5, np.float32)
    sound[5_000:5_007] = np.nan
    soundfile.write(tmp_path / "in.wav", sound, 16_000, subtype="FLOAT")
    done = audiodae("clean", tmp_path / "in.wav", tmp_path / "out.wav", "--model", half)
    assert done.returncode == 0 and "7 samples repaired" in done.stdout
    assert re.search(r"warning: .*in\.wav: 7 input samples were not finite", done.stderr)
    heard = soundfile.read(tmp_path / "out.wav")[0]
    assert np.isfinite(heard).all() and np.max(np.abs(heard[5_001:5_006])) < 1e-6


def bad_input(folder, kind):
    path = folder / "bad.wav"
    match kind:
        case "empty":
            path.touch()
        case "text":
            path.write_text("Once upon a time\n" * 50)
        case "pipe":
            os.mkfifo(path)
        case "slow":
            soundfile.write(path, np.zeros(100), 1_000)
        case "cut":
            soundfile.write(path, np.zeros(100), 16_000)
            path.write_bytes(path.read_bytes()[:20])
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "no such file"),
        ("empty", "is empty"),
        ("text", "no sound file"),
        ("pipe", "not a regular file"),
        ("slow", "sample rate 1000"),
        ("cut", "bad.wav"),
    ],
)
def test_bad_input(half, tmp_path, kind, message):
    path = bad_input(tmp_path, kind)
    done = audiodae("clean", path, tmp_path / "out.wav", "--model", half)
    if kind == "cut" and done.returncode == 0:  # some versions of libsndfile take a header as a sound of no length
        return
    assert_refused(done, str(path), message)
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [(".", "is a folder"), ("no/out.wav", "there is no folder"), ("p", "regular")],
)
def test_bad_output(noisy, half, tmp_path, name, message):
    os.mkfifo(tmp_path / "p")
    before = noisy.read_bytes()
    for flags in ([], ["--overwrite"]):
        assert_refused(audiodae("clean", noisy, tmp_path / name, "--model", half, *flags), message)
    assert noisy.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["noisy.wav", "p"]


def test_the_input_is_replaced_when_asked_only(noisy, half, tmp_path):
    sound = soundfile.read(noisy)[0]
    os.link(noisy, tmp_path / "other.wav")
    for name in ("noisy.wav", "other.wav"):
        assert_refused(audiodae("clean", noisy, tmp_path / name, "--model", half), "the input itself", "--overwrite")
    assert audiodae("clean", noisy, noisy, "--model", half, "--overwrite").returncode == 0
    np.testing.assert_allclose(soundfile.read(noisy)[0], sound / 2, atol=2**-23)
    np.testing.assert_array_equal(soundfile.read(tmp_path / "other.wav")[0], sound)


def test_what_was_removed(noisy, half, tmp_path):
    done = audiodae("clean", noisy, tmp_path / "out.wav", "--model", half, "--output", "both", "--subtype", "FLOAT")
    assert done.returncode == 0, done.stderr
    speech, noise = (soundfile.read(tmp_path / name)[0] for name in ("out.wav", "out.noise.wav"))
    np.testing.assert_allclose(speech + noise, soundfile.read(noisy)[0], rtol=0, atol=1e-7)
    assert soundfile.info(tmp_path / "out.noise.wav").subtype == "FLOAT"


def test_strict(half, tmp_path):
    soundfile.write(tmp_path / "in.wav", np.full(1_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    done = audiodae("clean", tmp_path / "in.wav", tmp_path / "out.wav", "--model", half, "--strict")
    assert_refused(done, "in.wav", "1000 samples", "not finite")
    assert os.listdir(tmp_path) == ["in.wav"]


def test_plot(noisy, half, tmp_path):
    done = audiodae("clean", noisy, tmp_path / "out.wav", "--model", half, "--plot", tmp_path / "picture.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"
    assert_refused(
        audiodae("clean", noisy, tmp_path / "new.wav", "--model", half, "--plot", tmp_path / "picture.png"),
        "picture.png: exists already",
    )
    done = audiodae("clean", noisy, tmp_path / "new.wav", "--model", half, "--plot", tmp_path / "picture.jpg")
    assert done.returncode == 2 and "PNG" in done.stderr
    assert not (tmp_path / "new.wav").exists()


def test_in_a_sandbox(noisy, half, tmp_path):
    options = ["--model", half, "--output", "both", "--plot", tmp_path / "picture.png", "--json", "--sandbox"]
    done = audiodae("clean", noisy, tmp_path / "out.wav", *options)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["model"], told["audio_seconds"], told["channels"]) == ("test", 1.0, 2)
    assert sorted(os.listdir(tmp_path)) == ["noisy.wav", "out.noise.wav", "out.wav", "picture.png"]
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0], soundfile.read(noisy)[0] / 2, atol=2**-23)
    done = audiodae("clean", noisy, tmp_path / "out.wav", "--model", half, "--sandbox")
    assert_refused(done, "out.wav: exists already")


def test_a_decoder_that_crashes_in_a_sandbox_is_told_in_a_line(noisy, half, tmp_path, monkeypatch):
    (tmp_path / "out.wav").write_text("precious")
    monkeypatch.setattr(sandbox, "Cleaner", Crashing)
    done = here("clean", noisy, tmp_path / "out.wav", "--model", half, "--overwrite", "--sandbox", cwd=tmp_path)
    assert_refused(done, "noisy.wav: the process that cleaned it ended (SIGSEGV)")
    assert (tmp_path / "out.wav").read_text() == "precious" and len(os.listdir(tmp_path)) == 2


def test_a_full_disk_leaves_the_old_output(half, tmp_path):
    soundfile.write(tmp_path / "in.wav", np.random.default_rng(0).normal(0, 0.1, 200_000), 16_000)
    (tmp_path / "out.wav").write_bytes(b"precious " * 5)
    full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (100_000, 100_000))  # Python ignores SIGXFSZ
    for options in ([], ["--sandbox"], ["--output", "both"]):
        arguments = [tmp_path / "in.wav", tmp_path / "out.wav", "--model", half, "--overwrite", *options]
        assert_refused(audiodae("clean", *arguments, preexec_fn=full), "out.", "cannot be written")
        assert (tmp_path / "out.wav").read_bytes() == b"precious " * 5
        assert sorted(os.listdir(tmp_path)) == ["in.wav", "out.wav"]


def test_no_room_for_the_picture(noisy, half, tmp_path):
    full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (20_000, 20_000))
    sound = soundfile.read(noisy)[0][:4_000]
    soundfile.write(tmp_path / "in.wav", sound, 48_000)
    arguments = ["clean", tmp_path / "in.wav", tmp_path / "out.wav", "--model", half, "--plot", tmp_path / "p.png"]
    done = audiodae(*arguments, preexec_fn=full)
    assert_refused(done, "p.png: cannot be written")


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_a_full_disk_behind_ffmpeg(noisy, half, tmp_path):
    (tmp_path / "out.m4a").write_bytes(b"precious")
    full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (5_000, 5_000))
    done = audiodae("clean", noisy, tmp_path / "out.m4a", "--model", half, "--overwrite", preexec_fn=full)
    assert_refused(done, "out.m4a: cannot be written")
    assert (tmp_path / "out.m4a").read_bytes() == b"precious" and len(os.listdir(tmp_path)) == 2


def test_an_output_that_exists(noisy, half, tmp_path):
    (tmp_path / "out.wav").write_text("precious")
    assert_refused(audiodae("clean", noisy, tmp_path / "out.wav", "--model", half), "--overwrite")
    assert (tmp_path / "out.wav").read_text() == "precious"
    assert audiodae("clean", noisy, tmp_path / "out.wav", "--model", half, "--overwrite").returncode == 0
    assert soundfile.info(tmp_path / "out.wav").frames == 44_100


def bad_network(folder, kind):
    path = folder / "bad.onnx"
    match kind:
        case "text":
            path.write_text("no network at all")
        case "cut":
            path.write_bytes(networks.recurrent().SerializeToString()[:-100])
        case "folder":
            path.mkdir()
        case "no card":
            path.write_bytes(networks.constant(1, card_text="").SerializeToString())
        case "operators":
            node = networks.helper.make_node("Gain", ["magnitudes"], ["gains"], domain="evil")
            keep = networks.helper.make_node("Identity", ["state"], ["next_state"])
            path.write_bytes(networks.model([node, keep]).SerializeToString())
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "neither a file nor a shipped network"),
        ("text", "not an ONNX network"),
        ("cut", "bad.onnx"),
        ("folder", "not a file"),
        ("no card", "card is not JSON"),
        ("operators", "evil.Gain"),
    ],
)
def test_bad_network(noisy, tmp_path, kind, message):
    path = bad_network(tmp_path, kind)
    done = audiodae("clean", noisy, tmp_path / "out.wav", "--model", path)
    assert_refused(done, str(path), message)
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ended_in_the_middle_it_leaves_nothing(half, tmp_path, number):
    soundfile.write(tmp_path / "long.wav", np.zeros(16_000 * 1200, np.int16), 16_000)
    command = [*COMMAND, "clean", tmp_path / "long.wav", tmp_path / "out.wav", "--model", half]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while len(os.listdir(tmp_path)) < 2 and time.monotonic() < deadline:  # until it writes
        time.sleep(0.002)
    running.send_signal(number)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 128 + number, err
    assert "Traceback" not in err
    assert os.listdir(tmp_path) == ["long.wav"]


def test_what_a_cut_file_lacks_is_told(noisy, half, tmp_path):
    (tmp_path / "cut.wav").write_bytes(noisy.read_bytes()[:-6_000])
    done = audiodae("clean", tmp_path / "cut.wav", tmp_path / "out.wav", "--model", half)
    assert done.returncode == 0 and "cut.wav: 1000 samples are missing at the end" in done.stderr
    done = audiodae("clean", tmp_path / "cut.wav", "-", "--model", half, text=False)
    assert struct.unpack_from("<I", done.stdout, 40) == (43_100 * 6,) == (len(done.stdout) - 44,)


@pytest.mark.parametrize(("place", "number"), [(24, 0), (24, 2**32 - 1)])
def test_a_header_that_cannot_be(noisy, half, tmp_path, place, number):
    content = bytearray(noisy.read_bytes())
    struct.pack_into("<I", content, place, number)
    (tmp_path / "bad.wav").write_bytes(content)
    done = audiodae("clean", tmp_path / "bad.wav", tmp_path / "out.wav", "--model", half)
    assert_refused(done, "bad.wav", "its header has a sample rate")


def test_a_name_that_reads_as_an_option(noisy, half, tmp_path):
    noisy.rename(tmp_path / "-noisy.wav")
    done = audiodae("clean", "-noisy.wav", "out.wav", "--model", half, cwd=tmp_path)
    assert done.returncode == 2 and "The file of that name is ./-noisy.wav" in done.stderr
    assert audiodae("clean", "./-noisy.wav", "out.wav", "--model", half, cwd=tmp_path).returncode == 0
    assert "The file" not in audiodae("clean", "--nosy", "out.wav", cwd=tmp_path).stderr


def test_a_name_of_any_bytes(noisy, half, tmp_path):
    strange = os.fsencode(tmp_path) + b"/n\xffe w\nline.wav"
    os.link(noisy, strange)
    done = subprocess.run(
        [*COMMAND, "clean", strange, strange + b".flac", "--model", half], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == 1 and os.path.exists(strange + b".flac")
