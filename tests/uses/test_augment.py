import numpy as np
import pytest
import soundfile

from audiodae.errors import AudioFileError, SignalError, TrainingError
from audiodae.frames import FrameGeometry, analyse
from audiodae.uses.augment import augment_file, make_variants
from tests.uses.made_up import RATE, trained, words


def variants(network, samples, rate=RATE, *, count=3, strength=1.0, seed=1):
    return make_variants(network, samples, rate, count=count, strength=strength, seed=seed)


@pytest.fixture
def word():
    return words(1, start=30)[0][1][:, None]


def levels_db(samples):
    return 20 * np.log10(np.abs(analyse(np.ascontiguousarray(samples.T), FrameGeometry.for_rate(RATE))) + 1e-4)


def test_without_strength_it_is_the_recording(generator, word):
    for variant in variants(generator, word, strength=0):
        np.testing.assert_allclose(variant, word, atol=1e-5)


def test_variants_differ_and_more_with_more_strength(generator, word):
    weak, strong = (variants(generator, word, count=6, strength=strength) for strength in (0.3, 1.2))
    change = [np.mean([np.abs(levels_db(v) - levels_db(word)).mean() for v in of]) for of in (weak, strong)]
    assert 0.1 < change[0] < change[1] < 18
    assert not np.allclose(weak[0], weak[1], atol=1e-3)


def test_the_words_stay(generator, word):
    """Loud stays loud and quiet quiet: the envelope of a variant follows that of the recording."""
    for variant in variants(generator, word, count=5, strength=0.5):
        envelopes = [levels_db(of).mean(axis=(0, 2)) for of in (word, variant)]
        assert np.corrcoef(*envelopes)[0, 1] > 0.8


def test_the_seed_decides(generator, word):
    same, again, other = (variants(generator, word, count=1, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(same, again)
    assert not np.allclose(same, other, atol=1e-3)


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (16_000, 1), (8_000, 3)])
def test_shape_and_loudness_stay_at_any_rate(generator, rate, channels):
    rng = np.random.default_rng(0)
    samples = (0.3 * rng.standard_normal((rate // 2 + 7, channels))).astype(np.float32)
    for variant in variants(generator, samples, rate, strength=2):
        assert variant.shape == samples.shape and variant.dtype == np.float32
        assert np.abs(variant).max() <= max(1, np.abs(samples).max()) + 1e-6
        assert np.sqrt(np.mean(variant**2)) <= 1.01 * np.sqrt(np.mean(samples**2))


def test_channels_keep_their_balance(generator, word):
    stereo = np.concatenate([word, 0.25 * word], axis=1)
    for variant in variants(generator, stereo):
        np.testing.assert_allclose(variant[:, 1], 0.25 * variant[:, 0], atol=1e-5)


def test_a_network_that_stretches_does_it_too(word):
    network = trained("denoising-gaussian", "patches.fit=stretch", "run.epochs=2")
    made = variants(network, word, count=1)[0]
    assert made.shape == word.shape and not np.allclose(made, word, atol=1e-3)


def test_who_makes_no_variants_says_so(generator, word):
    with pytest.raises(TrainingError, match="need a denoising or variational family"):
        variants(trained("undercomplete", "run.epochs=1"), word)
    for nothing in (np.zeros((0, 1), np.float32), np.zeros((800, 1), np.float32)):
        with pytest.raises(SignalError, match="silent"):
            variants(generator, nothing)


def test_files_keep_their_format(generator, tmp_path):
    samples = np.stack([words(1)[0][1]] * 2, axis=1)
    soundfile.write(tmp_path / "word.flac", samples, 22_050, subtype="PCM_24")
    written = augment_file(generator, tmp_path / "word.flac", tmp_path, count=10, strength=0.5, seed=1)
    assert [path.name for path in written[:2]] == ["word_01.flac", "word_02.flac"] and len(written) == 10
    before, after = soundfile.info(tmp_path / "word.flac"), soundfile.info(written[3])
    for key in ("frames", "samplerate", "channels", "subtype", "format"):
        assert getattr(before, key) == getattr(after, key)
    with pytest.raises(AudioFileError, match="exists already"):
        augment_file(generator, tmp_path / "word.flac", tmp_path, count=10, strength=0.5, seed=1)
