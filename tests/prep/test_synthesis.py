import os

import pytest
import soundfile

from audiodae.errors import CorpusError
from audiodae.prep.corpus import find_splits
from audiodae.prep.noises import NOISES
from audiodae.prep.synthesis import SynthesisSettings, plan, synthesise_corpus
from tests.prep.made_corpus import bytes_of

SMALL = SynthesisSettings(speakers=4, speech_minutes=0.2, noise_minutes=0.5, seed=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("synthesis") / "corpus"
    return out, synthesise_corpus(SMALL, out)


def test_a_corpus_that_can_be_prepared(made):
    out, _ = made
    speech, noise = (find_splits(out / kind, kind, seed=1) for kind in ("speech", "noise"))
    assert set(speech) == set(noise) == {"train", "valid", "test"}
    assert {recording.group for recording in noise["test"]} == set(NOISES)
    assert sum(len({r.group for r in some}) for some in speech.values()) == 4


def test_files(made):
    out, paths = made
    assert sorted(paths) == sorted(p.relative_to(out).as_posix() for p in out.rglob("*.wav"))
    infos = [soundfile.info(out / path) for path in paths]
    assert {(info.samplerate, info.channels, info.subtype) for info in infos} == {(16_000, 1, "PCM_16")}
    assert sum(info.duration for info in infos if "speech" in info.name) == pytest.approx(12, rel=0.1)


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    out, _ = made
    synthesise_corpus(SMALL, tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(out)
    synthesise_corpus(SynthesisSettings(speakers=4, speech_minutes=0.2, noise_minutes=0.5, seed=2), tmp_path / "other")
    ours, others = bytes_of(out), bytes_of(tmp_path / "other")
    assert ours["noise/train/rain/000.wav"] != others["noise/train/rain/000.wav"]


def test_a_corpus_that_is_there_is_left_alone(made):
    out, paths = made
    before = {path: (out / path).stat().st_mtime_ns for path in paths}
    synthesise_corpus(SMALL, out)
    assert before == {path: (out / path).stat().st_mtime_ns for path in paths}


def test_another_corpus_is_not_overwritten(made, tmp_path):
    with pytest.raises(CorpusError, match="holds a corpus made with .*seed=1"):
        synthesise_corpus(SynthesisSettings(seed=2), made[0])
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(CorpusError, match="is no synthesised corpus"):
        synthesise_corpus(SMALL, tmp_path)


def test_too_few_speakers(tmp_path):
    with pytest.raises(CorpusError, match="2 speakers: need 3 or more"):
        synthesise_corpus(SynthesisSettings(speakers=2), tmp_path / "out")


def test_an_interrupted_run_leaves_nothing(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesise_corpus(SMALL, tmp_path / "out", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed(tmp_path):
    left = [tmp_path / f".out.{pid}.part" for pid in (os.getpid(), 1)]
    others = [tmp_path / f".{name}.1.part" for name in ("other", "out.other", "outer")]
    for folder in left + others:
        (folder / "speech").mkdir(parents=True)
    synthesise_corpus(SMALL, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "out"])


def test_the_default_size():
    files = list(plan(SynthesisSettings()))
    minutes = {kind: sum(f.seconds for f in files if f.path.startswith(kind)) / 60 for kind in ("speech", "noise")}
    assert minutes == {"speech": pytest.approx(10), "noise": pytest.approx(6)}
    speakers = {
        split: len({f.path.split("/")[2] for f in files if f.path.startswith(f"speech/{split}")})
        for split in ("train", "valid", "test")
    }
    assert speakers == {"train": 18, "valid": 3, "test": 3}
