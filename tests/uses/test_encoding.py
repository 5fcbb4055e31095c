import numpy as np
import pytest

from audiodae.errors import AudiodaeError, AudioFileError, CorpusError, SignalError
from audiodae.training import codes as network_codes
from audiodae.uses import encoding
from audiodae.uses.recordings import load_network, read_recording, read_recordings
from tests.uses.made_up import RATE, trained, words, write_words


@pytest.fixture(scope="module")
def codes(network):
    return encoding.encode_recordings(network, words(6))


def test_codes_are_those_of_the_network(network, codes):
    _, samples = words(6)[4]
    np.testing.assert_array_equal(codes.codes[codes.recording == 4], network_codes.encode_sound(network, samples))
    assert codes.codes.dtype == np.float32 and codes.codes.shape[1] == 16


def test_a_patch_knows_where_it_begins(network, codes):
    of_one = codes.seconds[codes.recording == 2]
    hop = network.recipe.patches.geometry.hop_length / RATE
    np.testing.assert_allclose(of_one, np.arange(len(of_one)) * 8 * hop, rtol=1e-6)
    assert of_one[-1] <= words(6)[2][1].size / RATE + hop


def test_a_recording_is_the_mean_of_its_patches(codes):
    np.testing.assert_allclose(codes.of_recordings()[3], codes.codes[codes.recording == 3].mean(axis=0), rtol=1e-5)


def test_what_is_written_is_read(codes, tmp_path):
    encoding.write_codes(tmp_path / "codes.npz", codes)
    back = encoding.read_codes(tmp_path / "codes.npz")
    for name, value in vars(codes).items():
        np.testing.assert_array_equal(getattr(back, name), value)


def test_another_network_has_another_fingerprint(network, codes):
    assert encoding.fingerprint(network) == codes.network
    assert encoding.fingerprint(trained("variational", "run.epochs=1")) != codes.network


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_what_is_no_codes_file_is_refused(tmp_path, content):
    path = tmp_path / "codes.npz"
    if content is None:
        np.savez(path, codes=np.zeros((2, 2)))
    else:
        path.write_bytes(content)
    with pytest.raises(AudiodaeError, match="no codes that `audiodae encode` wrote"):
        encoding.read_codes(path)


def test_of_a_folder_what_cannot_be_used_is_told(network, tmp_path):
    folder = write_words(tmp_path, [*words(2), ("silent.wav", np.zeros(RATE)), ("void.wav", np.zeros(0))])
    (folder / "text.wav").write_text("no sound")
    told = []
    assert [name for name, _ in read_recordings(folder, network, warn=told.append)] == [name for name, _ in words(2)]
    assert [piece in text for piece, text in zip(("silent", "no sound file", "no samples"), told, strict=True)]
    assert len(told) == 3


def test_what_holds_nothing_is_refused(network, tmp_path):
    with pytest.raises(CorpusError, match="no recordings"):
        list(read_recordings(tmp_path, network))
    folder = write_words(tmp_path, [("silent.wav", np.zeros(RATE))])
    with pytest.raises(CorpusError, match="none of its 1 recordings"):
        list(read_recordings(folder, network))
    with pytest.raises(SignalError, match="silent"):
        read_recording(folder / "silent.wav", network)
    with pytest.raises(AudioFileError, match="no such file"):
        read_recording(folder / "none.wav", network)
    with pytest.raises(CorpusError, match="no recordings to encode"):
        encoding.encode_recordings(network, [])


def test_a_network_of_images_hears_nothing(tmp_path):
    from audiodae.prep.patch_sets import read_images
    from audiodae.training.families import family_recipe
    from audiodae.training.family_run import train_family

    images = read_images().select(slice(40))
    train_family(family_recipe("undercomplete", ["run.epochs=1"]), images, images, out=tmp_path / "run")
    with pytest.raises(AudiodaeError, match="learnt from images of 8 x 8"):
        load_network(tmp_path / "run")
