"""Sets of patches: images and sounds as they lie in folders, and what is known of each."""

import gzip

import numpy as np
import pytest
import soundfile

from audiodae.errors import CorpusError
from audiodae.prep import patch_sets
from audiodae.prep.patch_sets import make_spoken_digits, read_images, read_patches, read_sounds
from audiodae.prep.patches import PatchSettings, patches_of_sound

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 5, 4), np.uint8)
DIGITS = np.array([3, 1, 4, 1, 5, 9, 2], np.uint8)


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def images(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES)))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(DIGITS))
    return tmp_path


@pytest.fixture
def sounds(tmp_path):
    for name in ("ann_3_00", "bob_7_01", "ann_7_12"):
        seconds = 0.3 + 0.1 * len(list(tmp_path.iterdir()))
        samples = np.random.default_rng(1).uniform(-0.3, 0.3, int(seconds * 8000))
        soundfile.write(tmp_path / f"{name}.wav", samples, 8000)
    return tmp_path


def test_images_and_their_labels(images):
    patches = read_images(images)
    np.testing.assert_allclose(patches.clean, IMAGES / 255, rtol=1e-6)
    np.testing.assert_array_equal(patches.labels["digit"], DIGITS)
    assert patches.clean.dtype == np.float32 and patches.settings is None
    assert read_patches(images).labels.keys() == {"digit"}


def test_images_of_nowhere():
    pytest.importorskip("sklearn")
    patches = read_images()
    assert patches.clean.shape[1:] == (8, 8) and patches.clean.min() >= 0 and patches.clean.max() == 1
    assert set(patches.labels["digit"]) == set(range(10))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t10k-labels-idx1-ubyte", idx(DIGITS[:5]), "7 images, but 5 labels"),
        ("t10k-labels-idx1-ubyte", idx(DIGITS)[:-1], "cut short"),
        ("t10k-labels-idx1-ubyte", b"", "cut short"),
        ("t10k-images-idx3-ubyte.gz", gzip.compress(idx(IMAGES))[:-9], "cannot be read"),
        ("train-images-idx3-ubyte", idx(IMAGES), "2 files"),
    ],
)
def test_damaged_images_are_named(images, name, content, message):
    (images / name).write_bytes(content)
    with pytest.raises(Exception, match=message) as caught:
        read_images(images)
    assert str(images) in str(caught.value)


def test_sounds_and_what_their_names_tell(sounds):
    settings = PatchSettings(frames=8)
    patches = read_patches(sounds, settings)
    assert patches.names == ["ann_3_00.wav", "ann_7_12.wav", "bob_7_01.wav"]
    assert patches.labels["speaker"].tolist() == ["ann", "ann", "bob"]
    assert patches.labels["digit"].tolist() == [3, 7, 7]
    assert patches.labels["take"].tolist() == [0, 12, 1]
    np.testing.assert_array_equal(patches.clean[1], patches_of_sound(patches.waveforms[1], settings)[0])


def test_one_name_that_tells_nothing_and_no_labels(sounds):
    (sounds / "bob_7_01.wav").rename(sounds / "bob.wav")
    assert read_sounds(sounds).labels == {}


def test_cut_patches_know_where_they_come_from(sounds):
    settings = PatchSettings(fit="cut", frames=6)
    patches = read_sounds(sounds, settings)
    for patch, (number, place), name in zip(patches.clean, patches.origin, patches.names, strict=True):
        np.testing.assert_array_equal(patch, patches_of_sound(patches.waveforms[number], settings)[place])
        assert name == ["ann_3_00.wav", "ann_7_12.wav", "bob_7_01.wav"][number]
    some = patches.select(patches.labels["speaker"] == "bob")
    assert set(some.names) == {"bob_7_01.wav"} and len(some) == (patches.origin[:, 0] == 2).sum()
    np.testing.assert_array_equal(patches.select(np.array([4, 0])).origin, patches.origin[[4, 0]])


def test_a_split_keeps_recordings_whole(sounds):
    patches = read_sounds(sounds, PatchSettings(fit="cut", frames=6))
    train, valid = patches.split(0.1, seed=1)
    assert len(set(valid.names)) == 1
    assert set(train.names) | set(valid.names) == set(patches.names)
    assert not set(train.names) & set(valid.names)
    assert len(train) + len(valid) == len(patches)


def test_empty_sounds_and_folders_are_named(sounds, tmp_path):
    soundfile.write(sounds / "zoe_1_00.wav", np.zeros(0), 8000)
    with pytest.raises(CorpusError, match=r"zoe_1_00\.wav"):
        read_sounds(sounds)
    with pytest.raises(CorpusError, match="nowhere"):
        read_patches(tmp_path / "nowhere")


def test_made_up_digits_are_words_and_voices(monkeypatch):
    monkeypatch.setattr(patch_sets, "MADE_SPEAKERS", 4)
    monkeypatch.setattr(patch_sets, "MADE_TAKES", 2)
    patches = read_sounds()
    assert len(patches) == len(set(patches.names)) == 4 * 10 * 2
    again, _ = make_spoken_digits(8000)
    assert all(np.array_equal(one, other) for one, other in zip(patches.waveforms, again, strict=True))
    # Words are words in another voice too: of the means over the others, the nearest mostly is of the same word.
    digit, new = patches.labels["digit"], patches.labels["speaker"] == "voice0"
    flat = patches.clean.reshape(len(patches), -1)
    means = np.stack([flat[~new & (digit == d)].mean(axis=0) for d in range(10)])
    nearest = np.square(flat[new][:, None] - means).sum(axis=2).argmin(axis=1)
    assert (nearest == digit[new]).mean() >= 0.7
