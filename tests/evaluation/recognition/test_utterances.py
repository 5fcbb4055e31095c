import pytest
import soundfile

from audiodae.errors import CorpusError
from audiodae.evaluation.recognition.utterances import evenly, no_longer_than, read_digits, read_sentences
from tests.evaluation.recognition.made_up import RATE, tone, write_digits, write_sentences


def test_sentences_have_their_words(tmp_path):
    found = read_sentences(write_sentences(tmp_path))
    assert [one.name for one in found] == ["17-3-0000", "17-3-0001"]
    assert found[0].words == ("it's", "cold", "today")
    assert found[0].speaker == "17" and found[0].path.is_file()


def test_transcripts_may_lie_in_one_file(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(300), RATE)
    (tmp_path / "transcripts.txt").write_text("a  Hello there!\n\n")
    assert [one.words for one in read_sentences(tmp_path)] == [("hello", "there")]


def test_what_is_wrong_with_sentences(tmp_path):
    write_sentences(tmp_path)
    for path in tmp_path.rglob("*.trans.txt"):
        path.write_text("17-3-0009 NOBODY\n")
    with pytest.raises(CorpusError, match="3 sounds, 1 transcripts .* none of a sound"):
        read_sentences(tmp_path)
    path.write_bytes(b"17-3-0000 \xff\n")
    with pytest.raises(CorpusError, match="cannot read transcripts"):
        read_sentences(tmp_path)
    soundfile.write(tmp_path / "17-3-0000.flac", tone(300), RATE)
    with pytest.raises(CorpusError, match="two sounds are named 17-3-0000"):
        read_sentences(tmp_path)
    with pytest.raises(CorpusError, match="no such folder"):
        read_sentences(tmp_path / "none")


def test_digits_are_told_by_their_names(tmp_path):
    found = read_digits(write_digits(tmp_path / "digits"))
    assert len(found) == 18
    assert {(one.speaker, one.words) for one in found[:6]} == {("ada", (word,)) for word in ("zero", "three", "seven")}


def test_what_is_wrong_with_digits(tmp_path):
    with pytest.raises(CorpusError, match="digits of one speaker"):
        read_digits(write_digits(tmp_path / "one", speakers=("ada",)))
    folder = write_digits(tmp_path / "digits")
    soundfile.write(folder / "hello.flac", tone(300), RATE)
    with pytest.raises(CorpusError, match=r"hello\.flac: digits are named SPEAKER_DIGIT_TAKE"):
        read_digits(folder)


def test_some_of_all(tmp_path):
    assert evenly(range(10), 3) == [0, 3, 6]
    assert evenly(range(3), None) == evenly(range(3), 9) == [0, 1, 2]
    found = read_sentences(write_sentences(tmp_path))
    assert no_longer_than(found, None) == no_longer_than(found, 1.0) == found
    with pytest.raises(CorpusError, match=r"all 2 sentences are longer than 0\.5 s"):
        no_longer_than(found, 0.5)
