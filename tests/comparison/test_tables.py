import pytest

from audiodae.comparison import tables, verdicts
from audiodae.comparison.settings import SubjectSettings
from audiodae.comparison.tables import Column
from tests.markdown import unpadded


def found(method, **measures):
    return {"run": {"subject": "spoken", "method": method, "held_out": None}, "measures": measures}


@pytest.fixture
def runs():
    return {
        "pca": [found("pca", error=0.5)],
        "undercomplete": [found("undercomplete", error=value, gain=1.0) for value in (0.1, 0.2, 0.3)],
        "sparse": [found("sparse", error=value) for value in (0.2, 0.2, 0.2)],
        "raw": [found("raw", other=3.0)],
    }


def test_means_spread_and_the_best(runs):
    table = tables.make_table("What.", runs, [Column("e", "error", 2, "lower"), Column("g", "gain", 1)])
    assert list(table.rows) == ["PCA", "undercomplete", "sparse"]  # raw has neither
    assert [row[0].text for row in table.rows.values()] == ["0.50", "0.20 ± 0.10", "0.20 ± 0.00"]
    assert [row[0].best for row in table.rows.values()] == [False, True, True]
    assert table.rows["PCA"][1].text == "–" and not table.rows["undercomplete"][1].best  # nothing to be better than
    assert unpadded(tables.to_markdown(table)).splitlines()[2] == "| PCA | 0.50 | – |"
    assert "**0.20 ± 0.10**" in tables.to_markdown(table)


def test_large_numbers_have_commas_and_no_best():
    table = tables.make_table("", {"pca": [found("pca", n=12345.0)]}, [Column("n", "n", None, "")])
    assert table.rows["PCA"][0].text == "12,345"


def test_the_headline_is_held_to_its_bars():
    def both(error, probe):
        return {
            "undercomplete": [found("undercomplete", error_noisy=0.08, probe_digit_noisy=0.80)],
            "denoising-gaussian": [found("denoising-gaussian", error_noisy=error, probe_digit_noisy=probe)],
        }

    assert [of.holds for of in verdicts.headline(both(0.05, 0.85), SubjectSettings())] == [True, True]
    assert [of.holds for of in verdicts.headline(both(0.051, 0.84), SubjectSettings())] == [False, False]
    assert verdicts.headline({}, SubjectSettings()) == []


def test_features_are_held_to_the_hand_made_ones():
    def known(clean, noisy):
        return {
            "log-mel-parts": [found("log-mel-parts", probe_digit_clean=0.96, probe_digit_noisy=0.2, train_seconds=0.0)],
            "sparse": [found("sparse", probe_digit_clean=clean, probe_digit_noisy=noisy, train_seconds=1.0)],
        }

    assert verdicts.features(known(0.97, 0.61), {}, "log-mel-parts")[0].holds
    assert not verdicts.features(known(0.97, 0.59), {}, "log-mel-parts")[0].holds
    assert not verdicts.features(known(0.95, 0.9), {}, "log-mel-parts")[0].holds
    by_speaker = verdicts.features(known(0.97, 0.7), known(0.5, 0.5), "log-mel-parts")[1]
    assert not by_speaker.holds and "0.500" in by_speaker.measured
