import csv

import numpy as np
import pytest
import soundfile

from audiodae.prep.clips import draw_clip, write_clips
from tests.prep.made_banks import make_banks
from tests.prep.made_corpus import bytes_of


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    banks = make_banks(folder / "bank")
    write_clips(folder / "test", banks, split="test", seed=3, count=6)
    return folder / "test", banks


def test_conditions(made):
    folder, _ = made
    rows = list(csv.DictReader((folder / "conditions.csv").open()))
    assert list(rows[0]) == ["file", "snr_db", "seconds", "speech", "noise"]
    assert [row["file"] for row in rows] == [f"{number:03d}.flac" for number in range(6)]
    assert [float(row["snr_db"]) for row in rows] == [-5, 0, 5, 10, 15, -5]
    assert all(row["speech"].startswith("s") and row["noise"].startswith("n") for row in rows)


def test_clips_are_what_the_conditions_say(made):
    folder, _ = made
    for row in csv.DictReader((folder / "conditions.csv").open()):
        info = soundfile.info(folder / "noisy" / row["file"])
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        noisy, clean = (soundfile.read(folder / side / row["file"])[0] for side in ("noisy", "clean"))
        assert noisy.size == clean.size
        assert 4 <= noisy.size / 16_000 <= 6
        assert noisy.size / 16_000 == pytest.approx(float(row["seconds"]), abs=0.006)
        snr_db = 10 * np.log10(np.mean(clean**2) / np.mean((noisy - clean) ** 2))
        assert snr_db == pytest.approx(float(row["snr_db"]), abs=0.1)


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    folder, banks = made
    write_clips(tmp_path / "again", banks, split="test", seed=3, count=6)
    write_clips(tmp_path / "other", banks, split="test", seed=4, count=6)
    assert bytes_of(tmp_path / "again") == bytes_of(folder) != bytes_of(tmp_path / "other")


def test_finished_clips_are_left_alone(made):
    folder, banks = made
    before = bytes_of(folder)
    write_clips(folder, banks, split="test", seed=9, count=1)
    assert bytes_of(folder) == before


def test_a_clip_is_one_speaker_and_one_noise(made):
    _, banks = made
    for number in range(20):
        line = draw_clip(number, banks, split="valid", seed=1)
        assert len({banks.speech.groups[piece.recording] for piece in line.draw.speech}) == 1
        assert len(line.noise) == 1
        assert line.room is None and line.babble == () and line.draw.synthetic is None
        assert set(line.draw.speech_curve_db) == {0.0}
