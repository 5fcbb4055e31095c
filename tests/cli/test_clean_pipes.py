import shutil
import signal
import struct
import subprocess

import numpy as np
import pytest
import soundfile

from audiodae.audio import AudioFormat
from audiodae.wav_stream import write_wav_header
from tests import networks
from tests.cli.process import COMMAND, assert_refused, audiodae, with_model


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """An environment whose default network halves."""
    path = tmp_path_factory.mktemp("network") / "half.onnx"
    path.write_bytes(networks.constant(0.5).SerializeToString())
    return with_model(path)


@pytest.fixture
def noisy(tmp_path):
    """Two seconds of stereo noise, 44.1 kHz, 24 bits."""
    path = tmp_path / "noisy.wav"
    sound = np.random.default_rng(0).normal(0, 0.1, (88_200, 2))
    soundfile.write(path, sound, 44_100, subtype="PCM_24")
    return path


def assert_halved(path, noisy, *, bits=24):
    heard, rate = soundfile.read(path)
    wanted = soundfile.read(noisy)[0] / 2
    assert rate == soundfile.info(noisy).samplerate
    np.testing.assert_allclose(heard, wanted, rtol=0, atol=2.0 ** (2 - bits))


def read_to_the_end(data, path):
    """Keep what came out of a pipe, with the sizes that its reader finds."""
    assert data[:4] == b"RIFF" and data[36:40] == b"data"
    whole, sound = (struct.pack("<I", len(data) - header) for header in (8, 44))
    path.write_bytes(data[:4] + whole + data[8:40] + sound + data[44:])
    return path


def test_a_pipe_gives_what_a_file_gives(noisy, half, tmp_path):
    done = audiodae("clean", "-", "-", input=noisy.read_bytes(), text=False, env=half)
    assert done.returncode == 0, done.stderr
    (tmp_path / "out.wav").write_bytes(done.stdout)
    assert_halved(tmp_path / "out.wav", noisy)
    assert soundfile.info(tmp_path / "out.wav").subtype == "PCM_24"
    assert b"-: 2.00 s" in done.stderr  # the summary does not mix with the sound


def test_a_length_that_nobody_knows(noisy, half, tmp_path):
    data = bytearray(noisy.read_bytes())
    place = data.index(b"data")
    data[4:8] = data[place + 4 : place + 8] = b"\xff" * 4
    done = audiodae("clean", "-", "-", "--quiet", input=bytes(data), text=False, env=half)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout[4:8] == done.stdout[40:44] == b"\xff" * 4
    assert_halved(read_to_the_end(done.stdout, tmp_path / "out.wav"), noisy)
    with open(tmp_path / "redirected.wav", "wb") as file:  # standard output is a file: the sizes are put right
        command = [*COMMAND, "clean", "-", "-", "--quiet"]
        subprocess.run(command, input=bytes(data), stdout=file, env=half, check=True)
    assert soundfile.info(tmp_path / "redirected.wav").frames == 88_200
    assert_halved(tmp_path / "redirected.wav", noisy)


@pytest.mark.parametrize("container", ["flac", "ogg"])
def test_other_formats_are_kept_first(noisy, half, tmp_path, container):
    source = tmp_path / f"in.{container}"
    soundfile.write(source, *soundfile.read(noisy))
    done = audiodae("clean", "-", tmp_path / "out.wav", input=source.read_bytes(), text=False, env=half)
    assert done.returncode == 0, done.stderr
    assert_halved(tmp_path / "out.wav", source, bits=16)


def test_from_a_file_to_a_pipe_the_length_is_told(noisy, half):
    done = audiodae("clean", noisy, "-", "--json", text=False, env=half)
    assert struct.unpack_from("<I", done.stdout, 40) == (88_200 * 6,)
    assert b'"output": "-"' in done.stderr


def test_what_comes_in_goes_out_at_once(half):
    """A pipe that stays open gets its sound all the same."""
    command = [*COMMAND, "clean", "-", "-", "--quiet"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=half)
    header = write_wav_header(AudioFormat("WAV", "PCM_16", "FILE", 16_000, 1), None)
    running.stdin.write(header + bytes(2 * 1_600))
    running.stdin.flush()
    assert len(running.stdout.read(44 + 2 * (1_600 - 512))) == 44 + 2 * (1_600 - 512)  # all but a window
    rest, _ = running.communicate(timeout=30)
    assert running.returncode == 0 and len(rest) <= 2 * 512


@pytest.mark.parametrize("options", [[], ["--sandbox"]])
def test_a_reader_that_leaves_is_no_error(half, tmp_path, options):
    soundfile.write(tmp_path / "long.wav", np.zeros(16_000 * 300, np.int16), 16_000)
    command = [*COMMAND, "clean", tmp_path / "long.wav", "-", *options]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=half)
    running.stdout.read(100)
    running.stdout.close()
    assert running.stderr.read() == b""
    assert running.wait(timeout=30) == 128 + signal.SIGPIPE


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "is empty"), (b"RIFF", "no sound"), (b"Once upon a time " * 99, "no sound")],
)
def test_what_is_no_sound(half, data, message):
    done = audiodae("clean", "-", "-", input=data, text=False, env=half)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"audiodae: standard input: ") and message.encode() in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_errors_name_standard_input(half, tmp_path):
    for container in ("wav", "flac"):
        slow = tmp_path / f"slow.{container}"
        soundfile.write(slow, np.zeros(100), 1_000)
        done = audiodae("clean", "-", tmp_path / "out.wav", input=slow.read_bytes(), text=False, env=half)
        assert done.stderr.startswith(b"audiodae: standard input: sample rate 1000"), done.stderr


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_what_only_ffmpeg_reads(noisy, half, tmp_path):
    subprocess.run(["ffmpeg", "-v", "error", "-i", noisy, tmp_path / "in.m4a"], check=True)
    done = audiodae("clean", "-", tmp_path / "out.wav", input=(tmp_path / "in.m4a").read_bytes(), text=False, env=half)
    assert done.returncode == 0, done.stderr
    assert soundfile.info(tmp_path / "out.wav").frames >= 88_200


@pytest.mark.parametrize("container", ["wav", "flac"])
def test_a_pipe_goes_into_a_sandbox_and_out_of_it(noisy, half, tmp_path, container):
    source = tmp_path / f"in.{container}"
    soundfile.write(source, *soundfile.read(noisy), subtype="PCM_24")
    done = audiodae("clean", "-", "-", "--sandbox", input=source.read_bytes(), text=False, env=half)
    assert done.returncode == 0 and b"-: 2.00 s" in done.stderr
    (tmp_path / "out.wav").write_bytes(done.stdout)
    assert_halved(tmp_path / "out.wav", noisy)


def test_errors_come_out_of_a_sandbox(half):
    done = audiodae("clean", "-", "-", "--sandbox", input=b"Once upon a time " * 99, text=False, env=half)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert done.stderr.startswith(b"audiodae: standard input: no sound")
    command = f"{' '.join(COMMAND)} clean --sandbox - - <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=half, check=False)
    assert done.returncode == 1 and done.stderr == b"audiodae: standard input is closed; use a pipe, or name a file\n"


def test_head_gets_what_it_wants_without_a_word(half, tmp_path):
    soundfile.write(tmp_path / "long.wav", np.zeros(16_000 * 60, np.int16), 16_000)
    for command in (f"clean {tmp_path}/long.wav -", "stream --rate 16000"):
        chain = f"{' '.join(COMMAND)} {command} < {tmp_path}/long.wav | head -c 1000; echo ${{PIPESTATUS[*]}} >&2"
        done = subprocess.run(["bash", "-c", chain], capture_output=True, env=half, check=False)
        assert (len(done.stdout), done.stderr) == (1000, b"141 0\n")


def test_a_full_disk_behind_a_pipe(noisy, half):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "clean", noisy, "-"], stdout=full, stderr=subprocess.PIPE, env=half, check=False
        )
    assert done.returncode == 1 and done.stderr.startswith(b"audiodae: standard output: cannot be written (No space")


@pytest.mark.parametrize(
    ("program", "take"),
    [
        ("sox", "sox -t wav - {}"),
        ("ffmpeg", "ffmpeg -v error -i - {}"),
        ("flac", "flac -s --ignore-chunk-sizes -o {} -"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_other_programs_read_our_stream(noisy, half, tmp_path, program, take, known):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    data = bytearray(noisy.read_bytes())
    if not known:
        place = data.index(b"data")
        data[4:8] = data[place + 4 : place + 8] = b"\xff" * 4
    (tmp_path / "in.wav").write_bytes(data)
    chain = f"{' '.join(COMMAND)} clean - - --quiet < {tmp_path}/in.wav | {take.format(tmp_path / 'out.flac')}"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {chain}"], capture_output=True, env=half, check=False)
    assert done.returncode == 0, done.stderr
    assert soundfile.info(tmp_path / "out.flac").frames == 88_200
    assert_halved(tmp_path / "out.flac", noisy)


def test_both_need_a_name(noisy, half):
    assert_refused(audiodae("clean", noisy, "-", "--output", "both", env=half), "cannot both go")


def test_a_pipe_that_is_closed(half):
    command = f"{' '.join(COMMAND)} clean - - <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=half, check=False)
    assert done.returncode == 1 and done.stderr == b"audiodae: standard input is closed; use a pipe, or name a file\n"


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_between_two_ffmpegs(noisy, half, tmp_path):
    chain = (
        f"ffmpeg -v error -i {noisy} -f wav - | {' '.join(COMMAND)} clean - - --quiet | "
        f"ffmpeg -v error -i - {tmp_path}/out.flac"
    )
    done = subprocess.run(["sh", "-c", chain], capture_output=True, text=True, env=half, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert soundfile.info(tmp_path / "out.flac").frames == 88_200
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.flac")[0], soundfile.read(noisy)[0] / 2, atol=2**-14)
