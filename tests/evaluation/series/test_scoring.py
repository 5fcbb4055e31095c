import numpy as np
import pytest

from audiodae.errors import NetworkError, SignalError
from audiodae.evaluation.series import scoring
from audiodae.evaluation.series.filters import classic_filters
from audiodae.evaluation.series.metrics import frame_means, snr_gain_db
from audiodae.evaluation.series.scoring import NetworkAndFilters, cleaned_by, score_set, seconds_a_day, tasks_of
from tests import series_networks
from tests.evaluation.series.made_up import Scaled


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "smooth.onnx"
    path.write_bytes(series_networks.smoothed(delay=2, name="smooth").SerializeToString())
    return path


@pytest.fixture(scope="module")
def scores(mixed):
    return score_set(mixed, lambda: {"same": Scaled(), "half": Scaled(0.5)}, peaks=False)


def of(scores, **wanted):
    return [s for s in scores if all(getattr(s, key) == value for key, value in wanted.items())]


def test_everything_is_scored_under_every_system(mixed, scores):
    assert len(tasks_of(mixed)) == 2 + 16 + 2
    assert {s.system for s in scores} == {"noisy input", "same", "half"}
    assert len(of(scores, protocol="snr")) == 3 * 16 and len(of(scores, protocol="beats")) == 3 * 2
    assert [(s.name, s.system) for s in of(scores, protocol="clean")] == [
        (record, system) for record in ("7a", "8b") for system in ("same", "half")
    ]
    (score,) = of(scores, name="8b_all_-6dB", system="half")
    assert (score.kind, score.snr_db) == ("all", -6)


def test_scores_are_the_measures(mixed, scores):
    condition = next(c for c in mixed.conditions() if c.name == "8b_all_-6dB")
    noisy, clean = mixed.noisy(condition), mixed.clean("8b").samples
    (half,) = of(scores, name="8b_all_-6dB", system="half")
    expected = frame_means(estimate=0.5 * noisy, clean=clean)
    assert {name: half.values[name] for name in expected} == pytest.approx(expected)
    assert half.values["snr_gain_db"] == pytest.approx(
        float(snr_gain_db(estimate=0.5 * noisy, noisy=noisy, clean=clean))
    )
    assert "r_f1" not in half.values
    (noisy_in,) = of(scores, name="8b_all_-6dB", system="noisy input")
    (same,) = of(scores, name="8b_all_-6dB", system="same")
    assert same.values == noisy_in.values != half.values
    assert same.values["snr_gain_db"] == 0


def test_clean_in_and_beats(scores):
    same, half = of(scores, protocol="clean", name="7a")
    assert same.values["snr_out_db"] == 100 and 5.5 < half.values["snr_out_db"] < 6.1
    assert half.values["qrs_bias_percent"] == pytest.approx(-50)
    noisy, _, half = of(scores, protocol="beats", name="bw")
    assert noisy.values["snr_gain_db"] == 0 and 0 < half.values["snr_gain_db"] < 6.1


def test_peaks_are_scored_too(mixed):
    task = next(task for task in tasks_of(mixed) if task.name == "7a_bw_6dB")
    found = scoring._score_task(task, systems={"half": Scaled(0.5)}, test_set=mixed, peaks=True, cleaned_dir=None)
    assert all(score.values["r_f1"] > 0.8 for score in found)


def test_a_network_beside_the_filters(network, mixed, tmp_path):
    make = NetworkAndFilters(network)
    systems = make()
    assert list(systems) == ["smooth", *classic_filters()]
    assert list(NetworkAndFilters(network, filters=False)()) == ["smooth"]
    assert seconds_a_day(mixed, systems["smooth"]) > 0
    task = next(task for task in tasks_of(mixed) if task.name == "7a_ma_-6dB")
    found = scoring._score_task(task, systems=systems, test_set=mixed, peaks=False, cleaned_dir=tmp_path)
    gains = {score.system: score.values["snr_gain_db"] for score in found}
    assert gains["smooth"] > gains["noisy input"] + 2  # means of five samples against white noise
    kept = np.load(tmp_path / "snr" / "7a_ma_-6dB.npy")
    noisy = mixed.noisy(task.condition)
    means = np.convolve(noisy - noisy[0], np.ones(5) / 5, "same")  # a series is counted from its first sample
    assert np.allclose(kept[100:-100], means[100:-100], atol=1e-5)


def test_beats_are_cleaned_each_by_itself(network, mixed, monkeypatch):
    monkeypatch.setattr(scoring, "BEATS_AT_ONCE", 9)
    smooth = NetworkAndFilters(network, filters=False)()["smooth"]
    noisy = mixed.beats("bw").noisy
    together = cleaned_by(smooth, noisy, name="smooth")
    assert np.array_equal(together[20], cleaned_by(smooth, noisy[20], name="smooth"))
    assert len(noisy) % 9


def test_a_process_changes_nothing(network, mixed):
    make = NetworkAndFilters(network, filters=False)
    here, there = (score_set(mixed, make, jobs=jobs, peaks=False) for jobs in (None, 1))
    assert [(s.name, s.system) for s in there] == [(s.name, s.system) for s in here]
    assert all(one.values == pytest.approx(two.values, rel=1e-6) for one, two in zip(here, there, strict=True))
    assert here[0].values != pytest.approx(there[-1].values)


def test_a_network_for_sound_is_refused(gate):
    with pytest.raises(NetworkError, match="a network for sound; name one for series"):
        NetworkAndFilters(gate)()
    with pytest.raises(NetworkError):
        NetworkAndFilters("no-such-network")()


@pytest.mark.parametrize("spoilt", [np.full(3600, np.nan), np.zeros(3599)])
def test_what_a_cleaner_gives_is_checked(mixed, spoilt):
    class Bad:
        def clean(self, samples, sample_rate):
            return spoilt if samples.ndim == 1 else samples

    with pytest.raises(SignalError, match="bad, 7a_bw_-6dB: what came out has shape"):
        score_set(mixed, lambda: {"bad": Bad()}, peaks=False)


def test_progress_is_told(mixed):
    seen = []
    score_set(mixed, lambda: {"same": Scaled()}, peaks=False, on_progress=lambda *of: seen.append(of))
    assert seen[0] == (1, 20) and seen[-1] == (20, 20) and len(seen) == 20
