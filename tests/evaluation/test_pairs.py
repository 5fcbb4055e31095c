import numpy as np
import pytest
import soundfile

from audiodae.errors import AudioFileError, CorpusError, SignalError
from audiodae.evaluation.pairs import find_pairs, read_conditions, read_pair
from tests.evaluation.made_up import RATE, hiss


@pytest.fixture
def folders(tmp_path):
    clean, noisy = tmp_path / "clean", tmp_path / "noisy"
    for folder in (clean, noisy):
        folder.mkdir()
        for name in ("b", "a"):
            soundfile.write(folder / f"{name}.flac", hiss(800, 0.1), RATE)
    return clean, noisy


def conditions(folder, text):
    path = folder.parent / "conditions.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_pairs_are_matched_by_name(folders):
    clean, noisy = folders
    (noisy / "b.flac").rename(noisy / "b.wav")  # another suffix, and files that nobody asked for
    soundfile.write(noisy / "c.wav", hiss(800, 0.1), RATE)
    (clean / "notes.txt").write_text("no sound")
    pairs = find_pairs(clean, noisy)
    assert [(pair.name, pair.clean.name, pair.noisy.name) for pair in pairs] == [
        ("a", "a.flac", "a.flac"),
        ("b", "b.flac", "b.wav"),
    ]
    assert pairs[0].snr_db is None and pairs[0].conditions == {}


@pytest.mark.parametrize("column", ["file", "name", "id", "utt", "whatever"])
def test_conditions_beside_the_folder_are_found(folders, column):
    conditions(folders[1], f"{column},snr_db,noise\na.flac,-5,rain\nb,10,wind\n")
    pairs = find_pairs(*folders)
    assert [(pair.snr_db, pair.conditions["noise"]) for pair in pairs] == [(-5.0, "rain"), (10.0, "wind")]


def test_named_conditions_win(folders, tmp_path):
    conditions(folders[1], "file,snr_db\na,1\nb,1\n")
    (tmp_path / "mine.csv").write_text("file,snr_db\na,2\nb,3\n")
    assert [pair.snr_db for pair in find_pairs(*folders, tmp_path / "mine.csv")] == [2, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,snr_db\na,1\n", "no row for b"),
        ("file,noise\na,rain\nb,rain\n", "need rows with a column snr_db, found file, noise"),
        ("", "found no rows"),
        ("file,snr_db\na,loud\nb,1\n", "snr_db is 'loud'"),
        ("file,snr_db\na\nb,1\n", "snr_db is None"),
        ("file,snr_db\na,nan\nb,1\n", "snr_db is 'nan'"),
    ],
)
def test_bad_conditions_are_refused(folders, text, message):
    conditions(folders[1], text)
    with pytest.raises(CorpusError, match=message):
        find_pairs(*folders)


def test_unreadable_conditions_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="cannot read conditions"):
        read_conditions(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(CorpusError, match="cannot read conditions"):
        read_conditions(tmp_path / "binary.csv")


def test_folders_that_do_not_pair_are_refused(folders, tmp_path):
    clean, noisy = folders
    (noisy / "a.flac").unlink()
    with pytest.raises(CorpusError, match="no noisy file for a$"):
        find_pairs(clean, noisy)
    (noisy / "b.flac").unlink()
    with pytest.raises(CorpusError, match="no sound files"):
        find_pairs(clean, noisy)
    with pytest.raises(CorpusError, match="no such folder"):
        find_pairs(clean, tmp_path / "none")
    soundfile.write(clean / "a.wav", hiss(800, 0.1), RATE)
    with pytest.raises(CorpusError, match=r"a\.flac and a\.wav share a name"):
        find_pairs(clean, noisy)


def test_reading_gives_float64_and_the_rate(folders):
    clean, noisy, sample_rate = read_pair(find_pairs(*folders)[0])
    assert clean.shape == noisy.shape == (800,) and clean.dtype == np.float64 and sample_rate == RATE


@pytest.mark.parametrize(
    ("samples", "rate", "error", "message"),
    [
        (hiss(799, 0.1), RATE, SignalError, "799 samples at 16000 Hz.*has 800"),
        (hiss(800, 0.1), 8000, SignalError, "800 samples at 8000 Hz"),
        (hiss(1600, 0.1).reshape(800, 2), RATE, SignalError, "2 channels; evaluation needs mono"),
        (None, RATE, AudioFileError, "cannot read sound"),
    ],
)
def test_files_that_do_not_fit_are_refused(folders, samples, rate, error, message):
    path = folders[1] / "a.flac"
    if samples is None:
        path.write_text("text")
    else:
        soundfile.write(path, samples, rate)
    with pytest.raises(error, match=message) as caught:
        read_pair(find_pairs(*folders)[0])
    assert str(path) in str(caught.value)
