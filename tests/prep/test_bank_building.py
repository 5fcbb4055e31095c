from functools import partial
from pathlib import Path

import numpy as np
import pytest

from audiodae.errors import CorpusError, ShardError
from audiodae.prep import bank_building
from audiodae.prep.bank import Bank, Entry
from audiodae.prep.bank_building import Source, build_bank, from_files, refuse_bad
from audiodae.prep.corpus import find_splits
from tests.prep.made_corpus import bytes_of, make_noise


def some_samples(number):
    return np.random.default_rng(number).integers(-9000, 9000, 500 + 40 * number).astype(np.int16)


def sources(count):
    return [Source(f"{n}.wav", f"g{n % 2}", partial(some_samples, n)) for n in range(count)]


class Stop(Exception):
    """Stands for a kill."""


def stop_at(number):
    def progress(done, total):
        if done == number:
            raise Stop

    return progress


def test_a_bank_of_files(tmp_path):
    recordings = find_splits(make_noise(tmp_path / "noise"), "noise", seed=1)["train"]
    (tmp_path / "noise/kind0/9.wav").write_bytes(b"no sound")
    with_bad = find_splits(tmp_path / "noise", "noise", seed=1)
    every = [recording for some in with_bad.values() for recording in some]
    left_out = build_bank(from_files(every, "noise"), tmp_path / "bank")
    assert [(entry.path, entry.bad) for entry in left_out] == [("kind0/9.wav", True)]
    bank = Bank.load(tmp_path / "bank")
    assert len(bank) == len(every) - 1
    assert set(bank.lengths) == {32_000}
    assert len(recordings) == 2


def test_what_is_in_a_bank(tmp_path):
    build_bank(sources(3), tmp_path / "bank")
    bank = Bank.load(tmp_path / "bank")
    np.testing.assert_array_equal(bank.pcm, np.concatenate([some_samples(n) for n in range(3)]))
    assert bank.pcm.dtype == np.int16
    assert sorted(path.name for path in (tmp_path / "bank").iterdir()) == ["index.jsonl", "left_out.jsonl", "pcm.npy"]


def test_any_number_of_processes_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(bank_building, "WORTH_A_PROCESS", 1)
    build_bank(sources(7), tmp_path / "one")
    build_bank(sources(7), tmp_path / "two", jobs=2)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    build_bank(sources(6), tmp_path / "other")
    assert bytes_of(tmp_path / "one") != bytes_of(tmp_path / "other")


@pytest.mark.parametrize("number", [1, 3, 6])
def test_an_interrupted_build_goes_on(tmp_path, number):
    build_bank(sources(6), tmp_path / "whole")
    with pytest.raises(Stop):
        build_bank(sources(6), tmp_path / "bank", progress=stop_at(number))
    assert not (tmp_path / "bank").exists()
    seen = []
    build_bank(sources(6), tmp_path / "bank", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 6) for done in range(number + 1, 7)]
    assert bytes_of(tmp_path / "bank") == bytes_of(tmp_path / "whole")


@pytest.mark.parametrize("damage", ["half a line", "samples without a line", "a line without samples", "no journal"])
def test_what_a_kill_leaves_half_done_is_made_again(tmp_path, damage):
    build_bank(sources(6), tmp_path / "whole")
    with pytest.raises(Stop):
        build_bank(sources(6), tmp_path / "bank", progress=stop_at(4))
    pcm, journal = (tmp_path / "bank.part" / name for name in ("pcm.npy", "journal.jsonl"))
    if damage == "half a line":
        journal.write_bytes(journal.read_bytes()[:-9])
    elif damage == "samples without a line":
        pcm.write_bytes(pcm.read_bytes() + b"\x01" * 301)
    elif damage == "a line without samples":
        pcm.write_bytes(pcm.read_bytes()[:-301])
    else:
        journal.unlink()
    build_bank(sources(6), tmp_path / "bank")
    assert bytes_of(tmp_path / "bank") == bytes_of(tmp_path / "whole")


def test_a_corpus_that_changed_meanwhile_is_read_again(tmp_path):
    with pytest.raises(Stop):
        build_bank(sources(6), tmp_path / "bank", progress=stop_at(4))
    build_bank(sources(6)[1:], tmp_path / "bank")
    assert Bank.load(tmp_path / "bank").paths == ("1.wav", "2.wav", "3.wav", "4.wav", "5.wav")


def test_a_finished_bank_is_left_alone(tmp_path):
    build_bank(sources(3), tmp_path / "bank")
    before = bytes_of(tmp_path / "bank")
    build_bank(sources(3), tmp_path / "bank")
    assert bytes_of(tmp_path / "bank") == before


def test_a_finished_bank_of_other_recordings_is_refused(tmp_path):
    build_bank(sources(3), tmp_path / "bank")
    before = bytes_of(tmp_path / "bank")
    with pytest.raises(ShardError, match=r"made: 3\.wav is new, and 1 more; prepare into another folder"):
        build_bank(sources(5), tmp_path / "bank")
    with pytest.raises(ShardError, match=r"made: 0\.wav is gone, or in another split; "):
        build_bank(sources(3)[1:], tmp_path / "bank")
    assert bytes_of(tmp_path / "bank") == before


def test_a_finished_bank_knows_what_it_left_out(tmp_path):
    some = [Source("good.wav", "a", partial(spoken, 5000, 10)), Source("poor.wav", "a", partial(spoken, 5000, 900))]
    for _ in range(2):
        assert len(build_bank(some, tmp_path / "bank", min_clean_db=30)) == 1


def test_a_damaged_bank_is_told(tmp_path):
    build_bank(sources(3), tmp_path / "bank")
    (tmp_path / "bank/left_out.jsonl").unlink()
    with pytest.raises(ShardError, match=r"left_out\.jsonl: cannot be read .*prepare again"):
        build_bank(sources(3), tmp_path / "bank")


def spoken(loud, quiet):
    rng = np.random.default_rng(1)
    return np.concatenate([rng.normal(0, loud, 8000), rng.normal(0, quiet, 8000)]).astype(np.int16)


def test_noisy_speech_is_left_out_but_not_bad(tmp_path):
    some = [Source("good.wav", "a", partial(spoken, 5000, 10)), Source("poor.wav", "a", partial(spoken, 5000, 900))]
    (left_out,) = build_bank(some, tmp_path / "bank", min_clean_db=30)
    assert (left_out.path, left_out.bad) == ("poor.wav", False)
    assert "stands only" in left_out.why
    assert Bank.load(tmp_path / "bank").paths == ("good.wav",)
    assert build_bank(some, tmp_path / "all") == []


def test_nothing_left(tmp_path):
    some = [Source("poor.wav", "a", partial(spoken, 5000, 900))]
    with pytest.raises(CorpusError, match=r"all 1 recordings were left out, the first poor\.wav"):
        build_bank(some, tmp_path / "bank", min_clean_db=30)


def test_an_empty_bank_is_fine(tmp_path):
    build_bank([], tmp_path / "rooms")
    assert len(Bank.load(tmp_path / "rooms")) == 0


def test_bad_share():
    left_out = [Entry(path="x.wav", group="a", why="empty", bad=True), Entry(path="y.wav", group="a", why="noisy")]
    refuse_bad(left_out, "speech", total=10, bad_share=0.1)
    with pytest.raises(CorpusError, match=r"1 of 10 recordings of speech are bad, the first x\.wav \(empty\)"):
        refuse_bad(left_out, "speech", total=10, bad_share=0.09)


def test_sources_of_files_keep_names(tmp_path):
    (recording, *_) = find_splits(make_noise(tmp_path), "noise", seed=1)["train"]
    (source,) = from_files([recording], "noise")
    assert (source.path, source.group) == (recording.path, recording.group)
    assert Path(source.path).parts[0] == source.group
