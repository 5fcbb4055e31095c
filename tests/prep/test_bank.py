import pickle

import numpy as np
import pytest

from audiodae.errors import ShardError
from audiodae.prep.bank import Bank, Entry, read_entries, write_entries
from tests.prep.made_banks import write_bank


@pytest.fixture
def bank(tmp_path):
    recordings = [("b/1.wav", "b", np.arange(100) / 32_768), ("a/1.wav", "a", -np.arange(50) / 32_768)]
    return write_bank(tmp_path / "bank", recordings)


def test_what_a_bank_says(bank):
    assert len(bank) == 2
    assert bank.paths == ("b/1.wav", "a/1.wav")
    assert bank.starts.tolist() == [0, 100]
    assert bank.lengths.tolist() == [100, 50]
    assert bank.group_names == ("a", "b")
    assert bank.groups.tolist() == [1, 0]
    assert bank.seconds == 150 / 16_000


def test_reading(bank):
    assert (bank.read(0, 3, 4) * 32_768).tolist() == [3, 4, 5, 6]
    assert (bank.read(1, 48, 5) * 32_768).tolist() == [-48, -49, 0, -1, -2]  # round again, not into the next
    assert bank.read(0, 0, 7).dtype == np.float32
    assert bank.read(1, 0, 120).size == 120


def test_a_bank_is_mapped_and_travels_as_its_folder(bank):
    assert isinstance(bank.pcm, np.memmap)
    sent = pickle.dumps(bank)
    assert len(sent) < 500
    np.testing.assert_array_equal(pickle.loads(sent).pcm, bank.pcm)


def test_an_empty_bank(tmp_path):
    bank = write_bank(tmp_path / "rooms", [])
    assert len(bank) == 0
    assert bank.seconds == 0


def test_entries_come_back(tmp_path):
    entries = [Entry(path="ü.wav", group="g", start=3, length=4), Entry(path="x", group="g", why="silent", bad=True)]
    write_entries(tmp_path / "index.jsonl", entries)
    assert read_entries(tmp_path / "index.jsonl") == entries


def test_no_bank(tmp_path):
    with pytest.raises(ShardError, match="no bank of recordings"):
        Bank.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not numpy", b"\x93NUMPY\x01\x00"])
def test_a_damaged_bank(bank, content):
    (bank.folder / "pcm.npy").write_bytes(content)
    with pytest.raises(ShardError, match="no bank of recordings"):
        Bank.load(bank.folder)


def test_samples_that_do_not_fit_the_index(bank):
    np.save(bank.folder / "pcm.npy", np.zeros(149, np.int16))
    with pytest.raises(ShardError, match="does not hold what index"):
        Bank.load(bank.folder)


def test_a_share_is_part_of_a_larger_one_and_travels(tmp_path):
    whole = write_bank(tmp_path / "bank", [(f"{n}.wav", f"g{n % 4}", np.full(10 + n, n / 100)) for n in range(40)])
    some = {share: Bank.load(whole.folder, share) for share in (0.01, 0.1, 0.5, 1.0)}
    assert [len(bank) for bank in some.values()] == [1, 4, 20, 40]
    assert {*some[0.01].paths} < {*some[0.1].paths} < {*some[0.5].paths} < {*whole.paths}
    assert {*some[0.5].group_names} == {"g0", "g1", "g2", "g3"}  # from all over the bank
    few = pickle.loads(pickle.dumps(some[0.1]))
    assert few.paths == some[0.1].paths and few.seconds == few.lengths.sum() / 16_000 < whole.seconds
    for place, path in enumerate(few.paths):
        there = whole.paths.index(path)
        assert few.read(place, 2, 5).tolist() == whole.read(there, 2, 5).tolist()
