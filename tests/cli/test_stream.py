import os
import subprocess

import numpy as np
import pytest

from audiodae import Denoiser
from audiodae.cli.stream import DTYPES
from tests import networks, series_networks
from tests.cli.process import COMMAND, audiodae, with_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "network.onnx"
    path.write_bytes(networks.recurrent().SerializeToString())
    return path


def noise(samples, channels=1):
    return np.random.default_rng(0).normal(0, 0.1, (samples, channels)).astype(np.float32)


def stream(data, model, *options):
    return audiodae("stream", *options, text=False, input=data, env=with_model(model))


@pytest.mark.parametrize("samples", [0, 1, 513, 100_000])
def test_floats_come_out_as_the_library_cleans_them(model, samples):
    sound = noise(samples, 2)
    options = ["--rate", 48_000, "--channels", 2, "--format", "f32le", "--limit-db", 20, "--mix", 0.8]
    done = stream(sound.tobytes(), model, *options)
    assert done.returncode == 0, done.stderr
    heard = np.frombuffer(done.stdout, "<f4").reshape(-1, 2)
    wanted = Denoiser(model).clean(sound, 48_000, limit_db=20, mix=0.8)
    np.testing.assert_allclose(heard, wanted, rtol=0, atol=1e-5)
    assert done.stderr == f"{samples / 48_000:.2f} s, 0 samples clipped\n".encode()


def test_whole_numbers(model):
    sound = np.rint(noise(20_000)[:, 0] * 32_768).astype("<i2")
    done = stream(sound.tobytes(), model, "--rate", 16_000, "--quiet")
    wanted = Denoiser(model).clean(sound / 32_768, 16_000) * 32_768
    np.testing.assert_allclose(np.frombuffer(done.stdout, "<i2"), wanted, atol=1)
    assert done.stderr == b""


def test_what_is_ready_comes_out_before_the_end(model):
    command = [*COMMAND, "stream", "--rate", "16000"]
    running = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=with_model(model)
    )
    running.stdin.write(bytes(2 * 16_000))
    running.stdin.flush()
    # Of a second all but the last window's worth.
    early = b""
    while len(early) < 2 * (16_000 - 512):
        early += os.read(running.stdout.fileno(), 65_536)
    late, _ = running.communicate(timeout=30)
    assert len(early) + len(late) == 2 * 16_000


def test_a_sample_cut_in_two_is_told(model):
    done = stream(bytes(2 * 1000 + 1), model, "--rate", 16_000)
    assert len(done.stdout) == 2 * 1000
    assert b"1 bytes at the end" in done.stderr


def test_what_is_not_finite_is_told(model):
    done = stream(np.full(1000, np.nan, "<f4").tobytes(), model, "--rate", 16_000, "--format", "f32le")
    assert not np.frombuffer(done.stdout, "<f4").any()
    assert b"warning: 1000 samples were not finite" in done.stderr


def test_a_reader_that_goes_away_is_no_traceback(model):
    running = subprocess.Popen(
        [*COMMAND, "stream", "--rate", "16000"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=with_model(model),
    )
    running.stdout.close()
    _, err = running.communicate(bytes(1_000_000), timeout=30)
    assert running.returncode != 0 and err == b""


@pytest.mark.parametrize(
    ("options", "message", "code"),
    [
        (["--rate", 100], b"sample rate 100 ", 1),
        ([], b"--rate", 2),
        (["--rate", 16_000, "--channels", 1000], b"1000 channels", 1),
        (["--rate", 16_000, "--format", "s24"], b"s24", 2),
    ],
)
def test_bad_options(model, options, message, code):
    done = stream(b"", model, *options)
    assert done.returncode == code and message in done.stderr and done.stdout == b""
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("sample_format", ["f32le", "s16le"])
def test_the_samples_of_a_series(tmp_path, sample_format):
    path = tmp_path / "sensor.onnx"
    path.write_bytes(series_networks.smoothed().SerializeToString())
    leads = np.rint(noise(1_000, 2) * 1000)
    wanted = Denoiser(path).clean(leads, 360)
    options = ["--rate", 360, "--channels", 2, "--format", sample_format]
    if sample_format == "f32le":
        leads[5, 1], leads[7, 0] = np.nan, np.inf
        wanted = Denoiser(path).clean(np.where(np.isfinite(leads), leads, np.nan), 360)
    done = stream(leads.astype(DTYPES[sample_format]).tobytes(), path, *options)
    heard = np.frombuffer(done.stdout, DTYPES[sample_format]).reshape(-1, 2)
    np.testing.assert_allclose(heard, wanted, rtol=0, atol=1e-3 if sample_format == "f32le" else 1)
    warned = b"warning: 1 samples were not finite and became gaps" in done.stderr
    assert warned == (sample_format == "f32le")
