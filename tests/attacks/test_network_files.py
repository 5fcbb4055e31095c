"""Network files of strangers: refused in one line that names the file, at once, without more memory or other files."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from audiodae import Denoiser
from audiodae import network as network_module
from audiodae.errors import NetworkError
from audiodae.network import Network
from tests.attacks import network_files
from tests.attacks.network_files import AT_LOADING, STATIC, content

SECONDS = 2.0  # of computing; each takes some milliseconds
MEMORY_MB = 600  # of which 50 are Python and onnxruntime; the largest file here has 2 MB


def refuse(path, message):
    started = time.process_time()
    with pytest.raises(NetworkError, match=message) as caught:
        Network.load(path)
    assert time.process_time() - started < SECONDS
    told = str(caught.value)
    assert told.startswith(f"{path}: ") and told.isprintable() and len(told) < 700


@pytest.mark.parametrize("name", STATIC)
def test_refused_before_a_runtime_sees_it(tmp_path, monkeypatch, name):
    make, message = STATIC[name]
    path = tmp_path / "here.onnx"
    path.write_bytes(content(make))
    monkeypatch.setattr(network_module, "_open_session", lambda *_: pytest.fail("the runtime was asked"))
    refuse(path, message)


@pytest.mark.parametrize("name", AT_LOADING)
def test_refused_when_it_is_loaded(tmp_path, name):
    make, message = AT_LOADING[name]
    path = tmp_path / "here.onnx"
    path.write_bytes(content(make))
    refuse(path, message)


def test_all_of_them_in_little_memory():
    """In a process of its own, which a crash would end too."""
    program = "from tests.attacks.test_network_files import try_all; try_all()"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    assert int(run.stdout) < MEMORY_MB


def try_all():
    for make, _ in [*STATIC.values(), *AT_LOADING.values()]:
        try:
            Network(content(make))
        except NetworkError:
            continue
        raise AssertionError(make)
    # Not ru_maxrss: that counts what the process was forked from.
    print(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1][:-3])


def test_what_grows_without_end_stops_at_the_bound(tmp_path):
    (tmp_path / "here.onnx").write_bytes(content(lambda: network_files.doubled(60)))
    with pytest.raises(NetworkError, match="the network failed"):
        Network.load(tmp_path / "here.onnx")
    Network(content(lambda: network_files.doubled(3)))  # negative control: it is the size


def test_what_computes_without_end_is_stopped(monkeypatch):
    monkeypatch.setattr(network_module, "PROBE_SECONDS", 0.5)
    with pytest.raises(NetworkError, match=r"computes for more than 0.5 s"):
        Network(content(network_files.endless))


def test_data_beside_it_are_not_read(tmp_path):
    """The link and the file outside are there, so that only our refusal keeps them from being read."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / "secret.bin").write_bytes(np.float32(0.5).tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    for location in ("../../secret.bin", "link.bin", str(tmp_path / "secret.bin")):
        (folder / "here.onnx").write_bytes(content(lambda where=location: network_files.external(where)))
        refuse(folder / "here.onnx", "data in other files")


@pytest.mark.parametrize("name", ["folder", "pipe", "null", "missing", "zero\0byte"])
def test_what_is_no_file(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    (tmp_path / "null").symlink_to("/dev/zero")
    with pytest.raises(NetworkError, match="not a file|no such file"):
        Network.load(tmp_path / name)


def test_a_file_of_gigabytes_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "here.onnx"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)  # a hole: it takes no room on the disk
    refuse(path, "a network file is smaller")


def test_gains_that_turn_out_to_be_no_numbers_let_the_sound_through():
    denoiser = Denoiser(Network(content(network_files.turned_nan)))
    loud = np.full(16_000, 1e3, np.float32)
    assert np.isnan(denoiser.network.run(np.full((1, 1, 257), 20, np.float32), np.zeros((1, 1), np.float32))[0]).all()
    np.testing.assert_allclose(denoiser.clean(loud, 16_000), loud, rtol=1e-4)


def test_another_shape_than_promised_later_on():
    denoiser = Denoiser(Network(content(network_files.shrinking)))
    with pytest.raises(NetworkError, match=r"gave gains as float32 \(1, 20, 257\)"):
        denoiser.clean(np.zeros(160_000, np.float32), 16_000)
