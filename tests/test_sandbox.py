import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiodae import AudioFileError, Denoiser, NetworkError, SignalError, audio, limits, sandbox
from audiodae.files import CleanOptions, clean_file
from audiodae.folders import clean_folder
from audiodae.sandbox import clean_file_in_sandbox
from tests import networks

OVERWRITE = CleanOptions(overwrite=True)
LIMITED = pytest.mark.skipif(sys.platform != "linux", reason="only Linux heeds the limit")


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A network file that halves."""
    path = tmp_path_factory.mktemp("network") / "half.onnx"
    path.write_bytes(networks.constant(0.5).SerializeToString())
    return path


@pytest.fixture
def place(tmp_path):
    """A folder with in.wav, 24 bits stereo, and an old out.wav."""
    soundfile.write(tmp_path / "in.wav", np.random.default_rng(0).normal(0, 0.1, (200_000, 2)), 16_000, "PCM_24")
    (tmp_path / "out.wav").write_bytes(b"the old sound")
    return tmp_path


class Bad(sandbox.Cleaner):
    """Cleans by a decoder that goes wrong after its first block, when the output has been begun."""

    decode_on = staticmethod(lambda: None)

    def __call__(self, job, tell):
        read, bad = audio.AudioReader.blocks, self.decode_on

        def blocks(reader, length):
            for block in read(reader, length):
                yield block
                assert [name for name in os.listdir(Path(job.target).parent) if name.endswith(".part")]
                bad()

        audio.AudioReader.blocks = blocks  # in this process only
        return super().__call__(job, tell)


class Crashing(Bad):
    def decode_on(self):
        os.kill(os.getpid(), signal.SIGSEGV)


class Killed(Bad):
    def decode_on(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Greedy(Bad):
    def decode_on(self):
        np.empty(limits.MEMORY_BYTES + 1, np.uint8)  # without a limit this much is given, and not yet taken


class GreedyWithout(Greedy):
    def __init__(self, network, **settings):
        super().__init__(network, **settings | {"limited": False})


class Endless(Bad):
    def decode_on(self):
        limits.limit_computing(0.3)  # as it would be after 300 s
        while True:
            pass


class Buggy(Bad):
    def decode_on(self):
        raise RuntimeError("a bug")


def test_it_is_the_same_sound(place, half):
    seen = []
    wanted = clean_file(Denoiser(half), place / "in.wav", place / "alone.wav", options=CleanOptions(mix=0.5))
    done = clean_file_in_sandbox(
        half,
        place / "in.wav",
        place / "out.wav",
        options=CleanOptions(mix=0.5, overwrite=True),
        on_progress=lambda *told: seen.append(told),
    )
    assert (place / "out.wav").read_bytes() == (place / "alone.wav").read_bytes()
    for name, value in wanted.as_json().items():
        assert done.as_json()[name] == value or name in ("output", "rtf")


def test_progress_comes_across(place, half, monkeypatch):
    seen = []
    monkeypatch.setattr(sandbox, "Cleaner", Chatty)
    clean_file_in_sandbox(
        half, place / "in.wav", place / "new.wav", on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen == sorted(seen) and seen[-1] == (200_000, 200_000) and len(seen) > 2


class Chatty(sandbox.Cleaner):
    def __call__(self, job, tell):
        sandbox.NEWS_S = -1.0
        return super().__call__(job, tell)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Crashing, "SIGSEGV"),
        (Killed, "SIGKILL"),
        pytest.param(Greedy, "more than 4 GiB of memory", marks=LIMITED),
        (Endless, "gave up after 300 s"),
        (Buggy, "unexpected RuntimeError: a bug"),
    ],
)
def test_what_goes_wrong_there_is_told_here_and_the_old_output_stands(place, half, monkeypatch, capfd, kind, message):
    monkeypatch.setattr(sandbox, "Cleaner", kind)
    with pytest.raises(AudioFileError, match=message) as caught:
        clean_file_in_sandbox(half, place / "in.wav", place / "out.wav", options=OVERWRITE)
    assert str(caught.value).startswith(f"{place / 'in.wav'}: ")
    assert (place / "out.wav").read_bytes() == b"the old sound"
    assert sorted(os.listdir(place)) == ["in.wav", "out.wav"]
    assert ("Traceback" in capfd.readouterr().err) == (kind is Buggy)


def test_it_is_the_limit_that_stops_the_greedy(place, half, monkeypatch):
    """Negative control."""
    monkeypatch.setattr(sandbox, "Cleaner", GreedyWithout)
    clean_file_in_sandbox(half, place / "in.wav", place / "out.wav", options=OVERWRITE)


def test_both_parts_of_both_outputs_are_taken_away(place, half, monkeypatch):
    monkeypatch.setattr(sandbox, "Cleaner", Crashing)
    with suppress(AudioFileError):
        clean_file_in_sandbox(half, place / "in.wav", place / "new.wav", options=CleanOptions(output="both"))
    assert sorted(os.listdir(place)) == ["in.wav", "out.wav"]


def test_a_folder_leaves_no_part_either(place, half, monkeypatch):
    monkeypatch.setattr("audiodae.folders.clean.Cleaner", Crashing)
    results = []
    clean_folder(half, place, place / "out", include=["in.wav"], on_file=results.append)
    assert "SIGSEGV" in results[0].error and [*(place / "out").glob("*")] == [place / "out" / ".audiodae.jsonl"]


@pytest.mark.parametrize(("limited", "message"), [(True, "more than 4 GiB"), (False, None)])
@LIMITED
def test_a_folder_may_do_without_limits(place, half, monkeypatch, limited, message):
    monkeypatch.setattr("audiodae.folders.clean.Cleaner", Greedy)
    results = []
    clean_folder(half, place, place / "out", include=["in.wav"], on_file=results.append, sandbox=limited)
    assert message in results[0].error if message else results[0].cleaned


def test_errors_come_across(place, half):
    (place / "text.wav").write_text("Once upon a time")
    sound = np.full((1_000, 1), np.nan, np.float32)
    soundfile.write(place / "nan.wav", sound, 16_000, "FLOAT")
    with pytest.raises(AudioFileError, match=r"text\.wav: no sound file"):
        clean_file_in_sandbox(half, place / "text.wav", place / "new.wav")
    with pytest.raises(AudioFileError, match="exists already"):
        clean_file_in_sandbox(half, place / "in.wav", place / "out.wav")
    with pytest.raises(SignalError, match="not finite"):
        clean_file_in_sandbox(half, place / "nan.wav", place / "new.wav", options=CleanOptions(strict=True))
    with pytest.raises(NetworkError, match="not an ONNX network"):
        clean_file_in_sandbox(place / "text.wav", place / "in.wav", place / "new.wav")
    assert not (place / "new.wav").exists()
