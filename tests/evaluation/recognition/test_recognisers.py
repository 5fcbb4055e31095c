import shutil
import subprocess

import numpy as np
import pytest

from audiodae.evaluation.recognition.digits import Digits, digit_features
from audiodae.evaluation.recognition.measure import word_errors
from audiodae.evaluation.recognition.sphinx import SAMPLE_RATE, Sphinx, write_language_model
from audiodae.evaluation.recognition.utterances import Utterance, read_digits
from audiodae.prep.decode import read_mono
from tests.evaluation.recognition.made_up import RATE, tone, write_digits

SENTENCES = (("call", "my", "mother", "at", "seven"), ("play", "music", "again"), ("turn", "the", "lights", "zoof"))


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """The first two sentences by a synthesiser."""
    pytest.importorskip("pocketsphinx")
    if shutil.which("espeak-ng") is None:
        pytest.skip("no espeak-ng")
    folder = tmp_path_factory.mktemp("spoken")
    for number, words in enumerate(SENTENCES[:2]):
        said = ["espeak-ng", "-v", "en-us+f3", "-s", "130", "-w", folder / f"{number}.wav", " ".join(words)]
        subprocess.run(said, check=True)
    return [Utterance(f"{n}", folder / f"{n}.wav", words, "espeak") for n, words in enumerate(SENTENCES[:2])]


def test_sentences_of_known_words_are_heard(spoken):
    ears = Sphinx(tuple(spoken), SENTENCES).load()
    sounds = [np.pad(read_mono(one.path, sample_rate=SAMPLE_RATE), 8_000) for one in spoken]
    heard = [ears.recognise(one, sound) for one, sound in zip(spoken, sounds, strict=True)]
    # A robot is not always understood; a word may be wrong.
    assert all(word_errors(one.words, words) <= 1 for one, words in zip(spoken, heard, strict=True)), heard
    assert ears.recognise(spoken[0], sounds[0]) == heard[0]  # whatever was heard before
    hiss = np.random.default_rng(0).normal(0, 0.3, SAMPLE_RATE).astype(np.float32)
    assert word_errors(spoken[0].words, ears.recognise(spoken[0], hiss)) >= 3
    assert ears.recognise(spoken[0], np.zeros(SAMPLE_RATE, np.float32)) == ()


def test_the_words_are_those_of_the_transcripts(tmp_path):
    pytest.importorskip("pocketsphinx")
    files = write_language_model(SENTENCES, tmp_path)
    entries = (tmp_path / "words.dict").read_text().splitlines()
    assert {line.split()[0].partition("(")[0] for line in entries} == {w for s in SENTENCES for w in s} - {"zoof"}
    model = (tmp_path / "words.arpa").read_text()
    assert files["lm"].endswith("words.arpa") and " turn the lights" in model and "zoof" not in model


def test_digits_are_learnt_from_other_speakers(tmp_path):
    known = read_digits(write_digits(tmp_path / "digits"))
    ada = tuple(one for one in known if one.speaker == "ada")
    task = Digits(ada, tuple(known))
    assert {one.speaker for one in task._others("ada")} == {"ben", "cy"}
    classifier = task.load()
    heard = [classifier.recognise(one, read_mono(one.path, sample_rate=RATE)) for one in ada]
    assert heard == [one.words for one in ada]


def test_features_of_digits_do_not_tell_the_level():
    sound = tone(440).astype(np.float32)
    loud, quiet = digit_features(sound), digit_features(sound / 10)
    np.testing.assert_allclose(quiet, loud, atol=1e-3)
    assert np.abs(digit_features(tone(900).astype(np.float32)) - loud).max() > 1
    assert digit_features(np.zeros(3, np.float32)).shape == loud.shape == (130,)
