import numpy as np
import pytest
import soundfile

from audiodae.errors import SignalError
from audiodae.evaluation.recognition.measure import Plan, Setting, measure, word_errors
from audiodae.evaluation.recognition.noises import find_noises
from audiodae.evaluation.recognition.utterances import read_sentences
from tests import networks
from tests.evaluation.recognition.made_up import Ears, tone, write_noise, write_sentences

ALL, HALF = Setting(None, 1.0), Setting(None, 0.5)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A network that makes all 40 dB quieter."""
    path = tmp_path_factory.mktemp("network") / "quiet.onnx"
    path.write_bytes(networks.constant(0.01).SerializeToString())
    return str(path)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    return write_sentences(folder / "speech"), write_noise(folder / "noise")


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "", 3),
        ("a b c", "a c", 1),
        ("a b c", "a x c", 1),
        ("a b c", "a b b c", 1),
        ("a b c d", "b c d e", 2),
        ("go home", "home go", 2),
    ],
)
def test_word_errors(said, heard, errors):
    assert word_errors(said.split(), heard.split()) == errors


def test_noise_is_in_the_way_and_cleaning_takes_it_away(folders, quiet):
    plan = Plan(quiet, tuple(find_noises(folders[1])), (0.0, None), (ALL, HALF))
    trials = measure({"ears": Ears(tuple(read_sentences(folders[0])))}, plan)
    heard = {(t.utterance.name[-1], t.snr_db, t.setting): (t.errors, t.heard != ()) for t in trials}
    assert len(heard) == len(trials) == 2 * 2 * 3
    # Half of the noise is still too much.
    for name, words in (("0", 3), ("1", 2)):
        assert [heard[name, 0.0, setting] for setting in (None, ALL, HALF)] == [
            (words, False),
            (0, True),
            (words, False),
        ]
        assert [heard[name, None, setting] for setting in (None, ALL, HALF)] == [(0, True)] * 3


def test_processes_change_nothing(folders, quiet):
    plan = Plan(quiet, tuple(find_noises(folders[1])), (0.0,), (ALL,))
    tasks = {"ears": Ears(tuple(read_sentences(folders[0])))}
    assert measure(tasks, plan, jobs=2) == measure(tasks, plan)


def test_silence_says_nothing(folders, quiet, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros_like(tone(300)), 8_000)
    (tmp_path / "transcripts.txt").write_text("a HELLO\n")
    plan = Plan(quiet, tuple(find_noises(folders[1])), (0.0,), (ALL,))
    with pytest.raises(SignalError, match=r"a\.wav: empty or silent"):
        measure({"ears": Ears(tuple(read_sentences(tmp_path)))}, plan)


def test_settings_read_as_text():
    assert [str(s) for s in (ALL, HALF, Setting(12.0, 0.7))] == [
        "no limit",
        "no limit, mix 0.5",
        "limit 12 dB, mix 0.7",
    ]
