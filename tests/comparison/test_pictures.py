"""The figures hold what they were given: panels, points, images and names."""

import numpy as np
import pytest

from audiodae.comparison import pictures


@pytest.fixture
def kept():
    rng = np.random.default_rng(0)
    patches = {name: rng.random((10, 6, 8)).astype(np.float32) for name in ("clean", "noisy", "of_noisy")}
    mapped = {"map": rng.standard_normal((40, 2)), "digit": np.arange(40) % 10}
    return {name: patches | mapped | {"samples": rng.random((20, 6, 8))} for name in ("one", "two", "three", "four")}


def test_every_map_has_its_points(kept):
    axes = pictures.map_figure(kept).axes
    shown = {axis.get_title(): sum(len(of.get_offsets()) for of in axis.collections) for axis in axes if axis.axison}
    assert shown == dict.fromkeys(kept, 40)


def test_before_after_has_a_row_each(kept):
    axes = pictures.before_after_figure(kept).axes
    assert len(axes) == (2 + len(kept)) * 10 and all(axis.images for axis in axes)
    assert [axis.texts[0].get_text() for axis in axes if axis.texts] == ["clean", "noisy", *kept]
    np.testing.assert_array_equal(axes[25].images[0].get_array(), kept["one"]["of_noisy"][5])


def test_samples_take_two_rows_each(kept):
    axes = pictures.samples_figure({"one": kept["one"]}).axes
    assert len(axes) == 20 and all(axis.images for axis in axes)


def test_curves_gains_and_robustness_name_what_they_show():
    curves = pictures.curves_figure({"plain": {"a": [3, 2, 1]}, "denoising": {"b": [2, 1]}}).axes
    assert [axis.get_legend().get_texts()[0].get_text() for axis in curves] == ["a", "b"]
    gains = {"a": {0.0: [1, 2, 3], 5.0: [2, 2, 2]}, "b": {0.0: [0], 5.0: [1]}}
    (axis,) = pictures.levels_figure(gains, label="dB", falling=True).axes
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [2, 2])
    assert axis.xaxis_inverted()
    (axis,) = pictures.robustness_figure({"weak": (0.9, 0.1), "strong": (0.8, 0.7)}).axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["weak", "strong"]
