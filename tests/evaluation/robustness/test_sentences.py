import numpy as np
import pytest
import soundfile

from audiodae.errors import CorpusError
from audiodae.evaluation.robustness.sentences import (
    LEVEL_DBFS,
    active_level_dbfs,
    at_level,
    read_sentences,
    synthesised_sentences,
)
from tests.evaluation.made_up import RATE, voice


def write(path, seconds=2.0, rate=RATE, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = np.resize(voice(2.0), int(seconds * rate))
    soundfile.write(path, np.stack([sound] * channels, axis=1) * 0.1, rate)


def test_groups_have_as_many_sentences_and_all_are_at_one_level(tmp_path):
    for number in range(8):
        write(tmp_path / "dutch" / f"speaker_{number}" / "a.wav")
    write(tmp_path / "maori" / "hana" / "a.flac", rate=44_100, channels=2, seconds=7.0)
    write(tmp_path / "maori" / "hana" / "short.wav", seconds=0.5)
    found = read_sentences(tmp_path, 4)
    assert [(each.group, each.speaker) for each in found] == [
        ("dutch", "dutch/speaker_0"),
        ("dutch", "dutch/speaker_2"),
        ("dutch", "dutch/speaker_4"),
        ("maori", "maori/hana"),
    ]
    assert [each.samples.size for each in found] == [2 * RATE] * 3 + [5 * RATE]
    assert [active_level_dbfs(each.samples) for each in found] == [pytest.approx(LEVEL_DBFS, abs=0.1)] * 4


def test_files_without_folders_have_no_group(tmp_path):
    for name in "abc":
        write(tmp_path / f"{name}.wav")
    assert [(each.name, each.group) for each in read_sentences(tmp_path, 9)] == [(f"{n}.wav", "") for n in "abc"]


def test_too_little_speech_is_refused(tmp_path):
    write(tmp_path / "a.wav")
    write(tmp_path / "b.wav", seconds=1.0)
    soundfile.write(tmp_path / "silent.wav", np.zeros(3 * RATE), RATE)
    with pytest.raises(CorpusError, match="1 recordings of 1.5 s or more; need 2"):
        read_sentences(tmp_path, 12)
    with pytest.raises(CorpusError, match="no such folder"):
        read_sentences(tmp_path / "none", 12)


def test_synthesised_voices_come_from_the_seed():
    first, second = synthesised_sentences(2, seed=3)
    (again,) = synthesised_sentences(1, seed=3)
    (other,) = synthesised_sentences(1, seed=4)
    assert np.array_equal(first.samples, again.samples) and not np.array_equal(first.samples, other.samples)
    assert first.speaker != second.speaker
    assert active_level_dbfs(first.samples) == pytest.approx(LEVEL_DBFS, abs=0.1)


def test_silence_has_no_level():
    assert active_level_dbfs(np.zeros(RATE)) is None
    assert not at_level(np.zeros(RATE), -26).any()
