import numpy as np
import pytest

from audiodae.errors import NetworkError
from audiodae.evaluation.robustness.conditions import CLEAN, IN_NOISE, SHOUT
from audiodae.evaluation.robustness.measures import CLICK_FALL, FIRST_100_MS, KEPT, LEVEL_CHANGE
from audiodae.evaluation.robustness.run import try_all
from audiodae.evaluation.robustness.sentences import LEVEL_DBFS, Sentence, at_level
from tests import networks
from tests.evaluation.made_up import voice


def sentences():
    return [
        Sentence(f"{hz}", "", f"{hz}", at_level(np.pad(voice(1.5, pitch_hz=hz), 3200), LEVEL_DBFS)) for hz in (120, 180)
    ]


@pytest.fixture(scope="module")
def same(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "same.onnx"
    path.write_bytes(networks.constant(1.0).SerializeToString())
    return path


def tried(model, *conditions, **settings):
    outcomes = [outcome for each in try_all(sentences(), model, conditions=conditions, **settings) for outcome in each]
    assert [outcome.condition for outcome in outcomes] == [*conditions] * 2
    return outcomes


def test_a_network_that_changes_nothing_keeps_everything(same):
    clean, shout, in_noise, clicks = tried(same, CLEAN, SHOUT, IN_NOISE, "clicks")[:4]
    assert clean.noisy is None and clean.cleaned["pesq_wb"] > 4.6 and clean.cleaned["si_sdr_db"] > 60
    assert clean.values[KEPT.name] == [pytest.approx(0, abs=1e-3)] * len(clean.values[KEPT.name])
    assert clean.values[LEVEL_CHANGE.name] == [pytest.approx(0, abs=1e-3)]
    assert shout.cleaned is None and shout.values[FIRST_100_MS.name] == [pytest.approx(0, abs=0.05)]
    assert len(shout.curves) == 1 and not in_noise.unscored
    assert in_noise.noisy["si_sdr_db"] == pytest.approx(5, abs=0.2)
    assert in_noise.cleaned["si_sdr_db"] == pytest.approx(in_noise.noisy["si_sdr_db"], abs=0.01)
    falls = clicks.values[CLICK_FALL.name]
    assert len(falls) > 3 and falls == [pytest.approx(0, abs=0.01)] * len(falls)


def test_a_network_that_mutes_is_caught(tmp_path):
    path = tmp_path / "mute.onnx"
    path.write_bytes(networks.constant(0.0).SerializeToString())
    clean, shout, *_ = tried(path, CLEAN, SHOUT)
    assert clean.cleaned is None and "silent" in clean.unscored
    assert set(clean.values[KEPT.name]) == {-60.0}
    assert shout.values[FIRST_100_MS.name] == [-60.0] and shout.unscored == ""


def test_jobs_change_nothing(same):
    assert tried(same, SHOUT, "hiss alone", jobs=2) == tried(same, SHOUT, "hiss alone")


def test_an_outcome_depends_on_the_seed_and_not_on_the_other_conditions(same):
    alone, beside = tried(same, IN_NOISE)[0], tried(same, CLEAN, IN_NOISE)[1]
    other = tried(same, IN_NOISE, seed=2)[0]
    # pystoi's last digit depends on where its arrays lie in memory.
    assert alone.cleaned == pytest.approx(beside.cleaned, rel=1e-6) and alone.values == beside.values
    assert alone.cleaned != pytest.approx(other.cleaned, rel=1e-6)


def test_a_network_for_series_is_refused():
    with pytest.raises(NetworkError, match="evaluate-ecg"):
        tried("ecg", CLEAN)
