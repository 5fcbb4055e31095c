import numpy as np
import pytest

from audiodae.evaluation.series.pictures import WINDOW, cases_figure, find_cases, gain_figure, pictures
from audiodae.evaluation.series.report import evaluate
from tests.evaluation.series.made_up import Scaled

PNG = b"\x89PNG\r\n"


class Truth:
    """A cleaner that knows the answer, and spoils one window of one series, by mixing a share of the noise back."""

    def __init__(self, test_set, spoilt):
        self.known = {}
        for condition in test_set.conditions():
            noisy, clean = test_set.noisy(condition), test_set.clean(condition.record).samples
            estimate = clean + 0.2 * (noisy - clean)
            if condition.name == spoilt:
                estimate[:WINDOW] = clean[:WINDOW]
                estimate[WINDOW : 2 * WINDOW] = -5 * clean[WINDOW : 2 * WINDOW]
            self.known[noisy.tobytes()] = estimate

    def clean(self, samples, sample_rate):
        return self.known[samples.tobytes()]


def test_cases_are_the_best_the_middling_and_the_worst(mixed):
    cases = find_cases(mixed, Truth(mixed, "8b_ma_6dB"), 6.0)
    assert list(cases) == ["best", "median", "worst"]
    assert [(case.condition.name, case.start) for case in (cases["best"], cases["worst"])] == [
        ("8b_ma_6dB", 0), ("8b_ma_6dB", WINDOW),
    ]  # fmt: skip
    assert cases["best"].prd == 0 < cases["median"].prd < cases["worst"].prd == pytest.approx(600, rel=0.1)
    assert np.array_equal(cases["worst"].clean, mixed.clean("8b").samples[WINDOW : 2 * WINDOW])
    assert np.allclose(cases["worst"].cleaned, -5 * cases["worst"].clean)
    assert find_cases(mixed, Scaled(), 99.0) == {}


def test_the_figure_shows_noisy_cleaned_and_difference(mixed):
    cases = find_cases(mixed, Truth(mixed, "8b_ma_6dB"), 6.0)
    figure = cases_figure(cases)
    assert len(figure.axes) == 9
    noisy, cleaned, difference = (figure.axes[3 * row + 2].lines for row in range(3))
    worst = cases["worst"]
    assert np.array_equal(noisy[0].get_ydata(), worst.noisy)
    assert np.array_equal(cleaned[0].get_ydata(), worst.clean)
    assert np.array_equal(cleaned[1].get_ydata(), worst.cleaned)
    assert np.allclose(difference[0].get_ydata(), worst.cleaned - worst.clean)
    low, high = figure.axes[8].get_ylim()
    assert low <= difference[0].get_ydata().min() and difference[0].get_ydata().max() <= high
    assert figure.axes[2].get_title().startswith("worst: record 8b at 4 s, ma, 6 dB in")


def test_all_pictures_of_a_report(mixed, monkeypatch):
    monkeypatch.setattr("audiodae.evaluation.series.pictures.DPI", 20)
    report = evaluate(mixed, lambda: {"half": Scaled(0.5)}, peaks=False)
    drawn = pictures(mixed, Scaled(0.5), report)
    assert [name for name, _, _ in drawn] == ["gain.png", "cases_6dB.png", "cases_-6dB.png"]
    assert all(png.startswith(PNG) and said for _, said, png in drawn)
    figure = gain_figure(report)
    assert [axes.get_title() for axes in figure.axes] == ["bw", "em", "ma", "all"]
    assert figure.axes[1].lines[0].get_ydata() == pytest.approx(
        [report.mean("half", "snr_gain_db", kind="em", snr_db=snr) for snr in (-6, 6)]
    )
