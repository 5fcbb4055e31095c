import pytest

from audiodae.errors import AudiodaeError
from audiodae.uses.encoding import encode_recordings
from audiodae.uses.search import nearest
from tests.uses.made_up import trained, with_noise, words


@pytest.fixture(scope="module")
def library(network):
    return encode_recordings(network, words(240, start=0)[::6])


def query(network, samples):
    return encode_recordings(network, [("query.wav", samples)])


def test_a_recording_finds_itself(network, library):
    name, samples = words(240)[18]
    first, *rest = nearest(library, query(network, samples), top=3)
    assert (first.name, first.distance) == (name, pytest.approx(0, abs=1e-4))
    assert first.distance < rest[0].distance <= rest[1].distance


def test_a_noisy_copy_finds_the_recording(network, library):
    found = [nearest(library, query(network, with_noise(samples, 20)), top=3) for _, samples in words(240)[::24]]
    wanted = [name for name, _ in words(240)[::24]]
    hits = sum(name in [match.name for match in matches] for name, matches in zip(wanted, found, strict=True))
    assert hits >= 6  # of 10, among 40; by chance 0.75


def test_there_is_no_more_than_the_library(network, library):
    assert len(nearest(library, query(network, words(1)[0][1]), top=500)) == 40


def test_codes_of_another_network_do_not_compare(library):
    other = trained("variational", "run.epochs=1")
    with pytest.raises(AudiodaeError, match="another network"):
        nearest(library, query(other, words(1)[0][1]), top=1)
