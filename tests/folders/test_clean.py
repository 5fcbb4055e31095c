import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiodae import AudioFileError, Denoiser, NetworkError
from audiodae.files import CleanOptions, clean_file
from audiodae.folders import clean, clean_folder
from tests import networks


@pytest.fixture
def half(tmp_path):
    """A network file that halves."""
    path = tmp_path / "half.onnx"
    path.write_bytes(networks.constant(0.5).SerializeToString())
    return path


@pytest.fixture
def noisy(tmp_path):
    """A folder with three sounds, one of them stereo in a folder below, and a text."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for name, samples, channels in (("a.wav", 8_000, 1), ("b.flac", 4_000, 1), ("sub/c.wav", 2_000, 2)):
        sound = np.random.default_rng(samples).normal(0, 0.1, (samples, channels))
        soundfile.write(folder / name, sound, 16_000)
    (folder / "notes.txt").write_text("a, b and c")
    return folder


def contents(folder):
    """What lies in a folder that is not hidden."""
    paths = (path for path in folder.rglob("[!.]*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_folder_is_cleaned_as_its_files_are(noisy, half, tmp_path):
    (noisy / "bad.wav").write_text("no sound at all")
    results, progress = [], []
    done = clean_folder(
        half,
        noisy,
        tmp_path / "deep" / "out",
        options=CleanOptions(mix=0.5),
        jobs=2,
        report=tmp_path / "report.jsonl",
        on_file=results.append,
        on_progress=lambda done, total: progress.append((done, total)),
    )
    assert (done.cleaned, done.skipped, done.failed, done.others) == (3, 0, 1, 1)
    assert done.audio_seconds == 14_000 / 16_000
    assert done.noise_reduction_db == pytest.approx(-20 * np.log10(0.75), abs=0.01)

    found = contents(tmp_path / "deep" / "out")
    assert sorted(found) == ["a.wav", "b.flac", "sub/c.wav"]
    for name in found:
        clean_file(Denoiser(half), noisy / name, tmp_path / "alone.wav", options=CleanOptions(mix=0.5, overwrite=True))
        np.testing.assert_array_equal(read(tmp_path / "deep" / "out" / name), read(tmp_path / "alone.wav"))
    assert np.any(read(noisy / "a.wav") != read(tmp_path / "deep" / "out" / "a.wav"))  # negative control

    assert sorted(str(result.path) for result in results) == ["a.wav", "b.flac", "bad.wav", "sub/c.wav"]
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert lines == [result.as_json() for result in results]
    (stereo,) = (line for line in lines if line["path"] == "sub/c.wav")
    assert (stereo["channels"], stereo["sample_rate"], stereo["audio_seconds"]) == (2, 16_000, 0.125)
    (bad,) = (line for line in lines if line["error"])
    assert bad["path"] == "bad.wav" and "bad.wav: no sound file" in bad["error"]
    total = sum(path.stat().st_size for path in noisy.rglob("*.*") if path.suffix != ".txt")
    assert progress == sorted(progress) and progress[-1] == (total, total)


def read(path):
    return soundfile.read(path)[0]


def test_what_is_done_and_unchanged_is_skipped(noisy, half, tmp_path, monkeypatch):
    out = noisy / "out"  # within the input: its outputs are no inputs

    def run(**options):
        results = []
        done = clean_folder(half, noisy, out, options=CleanOptions(**options), on_file=results.append)
        assert done.failed == 0 and done.cleaned == len(results)
        return sorted(result.path.name for result in results), done.skipped

    everything = ["a.wav", "b.flac", "c.wav"]
    assert run() == (everything, 0)
    with monkeypatch.context() as patch:
        patch.setattr(clean, "map_as_finished", lambda work, items, *_: iter_nothing(items))  # starts no process
        assert run() == ([], 3)
    os.utime(noisy / "b.flac")
    (out / "a.wav").unlink()
    assert run() == (["a.wav", "b.flac"], 1)
    assert run(limit_db=6) == (everything, 0)
    assert run(limit_db=6, overwrite=True) == (everything, 0)


def iter_nothing(items):
    assert list(items) == []
    yield from ()


def test_another_network_is_a_change(noisy, half, tmp_path):
    assert clean_folder(half, noisy, tmp_path / "out", include=["b.*"]).cleaned == 1
    half.write_bytes(networks.constant(0.25).SerializeToString())
    assert clean_folder(half, noisy, tmp_path / "out", include=["b.*"]).cleaned == 1


def test_a_file_from_elsewhere_is_kept(noisy, half, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.wav").write_text("precious")
    results = []
    done = clean_folder(half, noisy, out, include=["a.wav"], on_file=results.append)
    assert (done.cleaned, done.failed) == (0, 1) and "exists already" in results[0].error
    assert contents(out) == {"a.wav": b"precious"}
    assert clean_folder(half, noisy, out, include=["a.wav"], options=CleanOptions(overwrite=True)).cleaned == 1


class Hostile(clean._Cleaner):
    """Cleans, but for one sound that brings the process down, and one that meets a bug."""

    def __call__(self, task, tell):
        if task.path.name == "a.wav":
            os.kill(os.getpid(), signal.SIGSEGV)
        if task.path.name == "b.flac":
            task = replace(task, source=None)
        return super().__call__(task, tell)


def test_a_file_that_brings_its_process_down_stops_no_other(noisy, half, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(clean, "_Cleaner", Hostile)
    results = []
    done = clean_folder(half, noisy, tmp_path / "out", on_file=results.append)
    errors = {result.path.name: result.error for result in results if result.error}
    assert (done.cleaned, [*errors]) == (1, ["a.wav", "b.flac"])  # the largest first, by one process
    assert "SIGSEGV" in errors["a.wav"] and "unexpected" in errors["b.flac"]
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("in", "in", "the input itself"),
        ("in", "link", "the input itself"),
        ("in", "half.onnx", "is no folder"),
        ("in", "half.onnx/out", "cannot be made"),
        ("missing", "out", "is no folder"),
        ("in/sub/empty", "out", "no sound in it"),
    ],
)
def test_refused(noisy, half, tmp_path, source, target, message):
    (tmp_path / "link").symlink_to(noisy)
    (noisy / "sub" / "empty").mkdir()
    before = contents(noisy)
    with pytest.raises(AudioFileError, match=message):
        clean_folder(half, tmp_path / source, tmp_path / target)
    assert contents(noisy) == before and not (tmp_path / "out").exists()


def test_refused_before_anything_is_written(noisy, half, tmp_path):
    with pytest.raises(AudioFileError, match="report"):
        clean_folder(half, noisy, tmp_path / "out", report=tmp_path / "no" / "report.jsonl")
    half.write_text("no network")
    with pytest.raises(NetworkError):
        clean_folder(half, noisy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_looked_into_is_a_failure(noisy, half, tmp_path, monkeypatch):
    found = clean.find_sounds(noisy, include=["b.flac"])
    found.unreadable[Path("shut")] = "Permission denied"  # root, who may run this, could read it
    monkeypatch.setattr(clean, "find_sounds", lambda *_, **__: found)
    results = []
    done = clean_folder(half, noisy, tmp_path / "out", on_file=results.append)
    assert (done.cleaned, done.failed) == (1, 1)
    assert results[0].error == f"{noisy / 'shut'}: Permission denied"
