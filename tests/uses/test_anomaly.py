import numpy as np
import pytest

from audiodae.errors import CorpusError
from audiodae.prep.patches import patches_of_sound
from audiodae.training import codes
from audiodae.uses.anomaly import Score, learn_usual, score_recording
from audiodae.uses.anomaly_plot import errors_figure
from tests.uses.made_up import RATE, trained, words


def scored(network, recordings):
    return [score_recording(network, name, samples) for name, samples in recordings]


def test_the_error_of_a_frame_is_in_decibels(network):
    name, samples = words(1)[0]
    score = score_recording(network, name, samples)
    patches = patches_of_sound(samples, network.recipe.patches)
    made = codes.reconstruct(network, patches)
    by_hand = [
        80 * np.sqrt(np.mean((made[n, :, t] - patches[n, :, t]) ** 2)) for n in range(len(patches)) for t in range(8)
    ]
    n_frames = network.recipe.patches.geometry.n_frames(samples.size)
    np.testing.assert_allclose(score.frames_db, by_hand[:n_frames], rtol=1e-4)
    assert score.frame_seconds == 0.016
    assert score.error_db == pytest.approx(np.sqrt(np.mean(np.square(by_hand[:n_frames]))), rel=1e-4)


def test_a_stretched_patch_spreads_over_the_recording():
    network = trained("denoising-gaussian", "patches.fit=stretch", "run.epochs=1")
    samples = words(1)[0][1]
    score = score_recording(network, "word", samples)
    assert len(score.frames_db) == 8
    assert score.frame_seconds * 8 == pytest.approx(samples.size / RATE)


def test_a_burst_is_odd(network):
    usual = learn_usual(scored(network, words(60, start=60)))
    name, samples = words(1, start=20)[0]
    burst, start = samples.copy(), samples.size // 2
    burst[start : start + 400] += (0.1 * np.random.default_rng(0).standard_normal(400)).astype(np.float32)
    plain, odd = scored(network, [(name, samples), ("odd", burst)])
    assert usual.deviations(odd) > 3 > usual.deviations(plain)


def test_the_worst_lies_where_the_oddness_is(network):
    word = words(1, start=20)[0][1]
    tone = (0.3 * np.sin(2 * np.pi * 3000 * np.arange(RATE) / RATE)).astype(np.float32)
    score = score_recording(network, "word, then tone", np.concatenate([word, tone]))
    assert word.size / RATE - 0.15 < score.worst_seconds
    last = score.frames_db[word.size // 128 + 8 :]
    assert last.mean() > 1.5 * score.frames_db[: word.size // 128 - 8].mean()


def test_noise_that_words_do_not_hold_is_odd(network):
    usual = learn_usual(scored(network, words(60, start=60)))
    noise = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    tone = np.sin(2 * np.pi * 3000 * np.arange(RATE) / RATE).astype(np.float32)
    (words_score, *odd) = scored(network, [words(1, start=20)[0], ("noise", noise), ("tone", tone)])
    assert abs(usual.deviations(words_score)) < 3 < 10 < min(usual.deviations(score) for score in odd)
    assert all(usual.odd_share(score) > 0.05 for score in odd)


def test_the_limit_is_what_one_in_a_hundred_frames_passes(network):
    known = scored(network, words(30, start=60))
    usual = learn_usual(known)
    shares = [usual.odd_share(score) * len(score.frames_db) for score in known]
    assert sum(shares) / sum(len(score.frames_db) for score in known) == pytest.approx(0.01, abs=0.002)
    assert np.mean([usual.deviations(score) for score in known]) == pytest.approx(0, abs=1e-6)


def test_one_usual_recording_is_too_few():
    with pytest.raises(CorpusError, match="two or more"):
        learn_usual([Score("a", np.ones(4, np.float32), 0.016)])


def test_the_plot_has_a_panel_each(network):
    scores = scored(network, words(3))
    assert len(errors_figure(scores, None).axes) == 3
    assert len(errors_figure(scores, learn_usual(scores)).axes[0].lines) == 2
