import copy
import pickle

import numpy as np
import pytest

from audiodae.errors import ShardError
from audiodae.prep.series.bank import SeriesBank, SeriesHeader, bank_path, write_series_bank
from tests.prep.series.made_series import make_bank


def test_what_is_written_is_read(tmp_path):
    rng = np.random.default_rng(1)
    clean = {"b": rng.standard_normal(50), "a": rng.standard_normal(40)}
    leads = rng.standard_normal((60, 2))
    header = SeriesHeader(rate_hz=250.0, unit="mV")
    path = bank_path(tmp_path, "train")
    write_series_bank(path, header, clean=clean, noise={"em": {"day": leads}}, beats={"b": np.array([3, 30])})
    bank = SeriesBank.load(path)
    assert path == tmp_path / "series" / "train.safetensors"
    assert bank.header == header
    assert bank.clean == ("a", "b") and bank.lengths.tolist() == [40, 50]
    assert [beats.tolist() for beats in bank.beats] == [[], [3, 30]]
    assert np.array_equal(bank.read(1, 10, 20), clean["b"][10:30].astype(np.float32))
    (day,) = bank.noise["em"]
    assert (day.name, day.length, len(day.leads)) == ("day", 60, 2)
    assert np.array_equal(bank.read_noise(day, 1, 5, 9), leads[5:14, 1].astype(np.float32))
    assert bank.seconds == 90 / 250


def test_past_its_end_a_recording_goes_back(tmp_path):
    bank = make_bank(tmp_path / "bank")
    whole = bank.read(0, 0, 20_000)
    assert np.array_equal(bank.read(0, 19_998, 4), whole[[19_998, 19_999, 19_999, 19_998]])


def test_the_same_recordings_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        make_bank(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_process_opens_the_file_anew(tmp_path):
    bank = make_bank(tmp_path / "bank")
    again = pickle.loads(pickle.dumps(bank))
    assert again.clean == bank.clean
    assert len(pickle.dumps(bank)) < 1000
    assert copy.copy(bank).path == bank.path


def test_what_is_no_bank_is_refused(tmp_path):
    with pytest.raises(ShardError, match=r"no bank of time series .*prepare_ecg\.py"):
        SeriesBank.load(tmp_path / "nothing")
    (tmp_path / "text").write_text("not a bank at all, only some words")
    with pytest.raises(ShardError, match="no bank of time series"):
        SeriesBank.load(tmp_path / "text")
    write_series_bank(tmp_path / "new", SeriesHeader(format=9, rate_hz=1.0), clean={"a": np.ones(9)}, noise={})
    with pytest.raises(ShardError, match="format 9, this audiodae reads 1"):
        SeriesBank.load(tmp_path / "new")
    write_series_bank(tmp_path / "empty", SeriesHeader(rate_hz=1.0), clean={}, noise={"bw": {"a": np.ones((9, 1))}})
    with pytest.raises(ShardError, match="no recordings to learn from"):
        SeriesBank.load(tmp_path / "empty")
