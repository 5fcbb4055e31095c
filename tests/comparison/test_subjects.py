import numpy as np
import pytest

from audiodae.comparison.subjects import read_digits, speakers, split
from audiodae.errors import CorpusError
from audiodae.evaluation.codes import squared_error
from audiodae.prep.patches import PatchSettings
from tests.comparison.small import HANDWRITTEN, SPOKEN
from tests.uses.made_up import words, write_words

PATCHES = PatchSettings(bands=12, frames=8)


@pytest.fixture(scope="module")
def recordings():
    return read_digits("spoken", None, PATCHES)


@pytest.fixture(scope="module")
def spoken(recordings):
    return split("spoken", recordings, SPOKEN)


@pytest.fixture(scope="module")
def images():
    return read_digits("handwritten", None, PATCHES)


@pytest.fixture(scope="module")
def handwritten(images):
    return split("handwritten", images, HANDWRITTEN)


def test_takes_do_not_meet(spoken):
    takes = [set(part.labels["take"]) for part in (spoken.train, spoken.valid, spoken.test)]
    assert not takes[0] & takes[1] and not takes[0] & takes[2] and not takes[1] & takes[2]
    assert takes[2] == {0, 1} and len(spoken.test) == 2 * 60


def test_a_speaker_held_out_is_heard_in_the_test_alone(recordings, spoken):
    who = speakers(spoken)[2]
    subject = split("spoken", recordings, SPOKEN, held_out=who)
    assert set(subject.test.labels["speaker"]) == {who} and len(subject.test) == 120
    assert who not in {*subject.train.labels["speaker"], *subject.valid.labels["speaker"]}


def test_images_are_split_in_order_and_thinned(handwritten):
    assert len(handwritten.train) == 200 and len(handwritten.test) == 270
    names = [part.names for part in (handwritten.train, handwritten.valid, handwritten.test)]
    assert max(names[0]) < min(names[1]) and max(names[1]) < min(names[2])
    assert speakers(handwritten) == []


def test_more_noise_is_more_error(spoken, handwritten):
    for subject, order in ((spoken, (5.0, 0.0)), (handwritten, (0.25, 0.5))):
        errors = [squared_error(estimate=subject.noisy[level], clean=subject.test.clean) for level in order]
        assert 0 < errors[0] < errors[1]
    assert spoken.at_level is spoken.noisy[5.0]


def test_the_noise_is_the_same_each_time(images, handwritten):
    again = split("handwritten", images, HANDWRITTEN)
    np.testing.assert_array_equal(again.at_level, handwritten.at_level)
    np.testing.assert_array_equal(again.with_bursts, handwritten.with_bursts)


def test_a_burst_leaves_most_of_an_image_alone(handwritten):
    changed = (handwritten.with_bursts != handwritten.test.clean).mean(axis=(1, 2))
    assert 0.1 < changed.min() <= changed.max() < 0.3


def test_a_burst_is_heard(spoken):
    assert spoken.with_bursts.shape == spoken.test.clean.shape
    assert (np.abs(spoken.with_bursts - spoken.test.clean).max(axis=(1, 2)) > 0.1).mean() > 0.9


def test_a_digit_can_be_kept_from_the_training(spoken):
    without = spoken.without(9)
    assert 9 not in {*without.train.labels["digit"], *without.valid.labels["digit"]}
    assert 9 in without.test.labels["digit"]


def test_recordings_have_to_tell_what_they_are(tmp_path):
    folder = write_words(tmp_path / "some", [("hello.wav", words(1)[0][1])])
    with pytest.raises(CorpusError, match="SPEAKER_DIGIT_TAKE"):
        read_digits("spoken", folder, PATCHES)


def test_one_recording_is_too_few(recordings):
    with pytest.raises(CorpusError, match="too few"):
        split("spoken", recordings.select(slice(1)), SPOKEN)
