import os

import numpy as np
import pytest
import soundfile

from audiodae.denoiser import Denoiser
from audiodae.errors import NetworkError, SignalError
from audiodae.evaluation import metrics, scoring
from audiodae.evaluation.pairs import find_pairs
from audiodae.evaluation.scoring import measure, real_time_factor, score_pair, score_pairs


def same(metrics_of_file):
    """Equal but for the order in which numpy sums, which depends on where in memory an array lies."""
    return pytest.approx(metrics_of_file, rel=0, abs=1e-9)


@pytest.fixture(scope="module")
def pairs(pair_folders):
    return find_pairs(*pair_folders)


@pytest.fixture(scope="module")
def scores(pairs, gate):
    return [score for of_pair in score_pairs(pairs, gate) for score in of_pair]


def test_each_file_is_scored_under_each_system(pairs, scores):
    assert [(score.pair.name, score.system) for score in scores] == [
        (pair.name, system) for pair in pairs for system in ("noisy", "cleaned", "oracle", "clean in")
    ]


def test_cleaned_is_what_the_denoiser_gives(pairs, scores, gate):
    clean, rate = soundfile.read(pairs[0].clean)
    noisy, _ = soundfile.read(pairs[0].noisy)
    cleaned = Denoiser(gate).clean(noisy.astype(np.float32), rate)
    assert scores[1].metrics == same(measure(estimate=cleaned, clean=clean, sample_rate=rate))
    assert scores[0].metrics == same(measure(estimate=noisy, clean=clean, sample_rate=rate))
    assert scores[0].metrics != same(scores[1].metrics)


def test_the_scale_is_in_order(scores):
    """A gate helps against hiss, perfect magnitudes help more, and clean speech loses little."""
    noisy, cleaned, oracle, clean_in = (score.metrics["si_sdr_db"] for score in scores[:4])
    assert noisy + 1 < cleaned < oracle < clean_in


def test_processes_change_nothing(pairs, scores, gate):
    in_two = [score for of_pair in score_pairs(pairs, gate, jobs=2) for score in of_pair]
    assert [(score.pair, score.system) for score in in_two] == [(score.pair, score.system) for score in scores]
    assert all(two.metrics == same(one.metrics) for two, one in zip(in_two, scores, strict=True))
    assert in_two[0].metrics != same(scores[-1].metrics)


def test_processes_get_one_thread_each_and_this_one_keeps_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with scoring.one_thread_in_children():
        assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7" and "OPENBLAS_NUM_THREADS" not in os.environ


def test_processes_hand_on_errors(pairs, tmp_path):
    with pytest.raises(NetworkError):
        list(score_pairs(pairs, tmp_path / "none.onnx", jobs=2))


def test_cleaned_sounds_are_kept_exactly(pairs, scores, gate, tmp_path):
    score_pair(pairs[0], denoiser=Denoiser(gate), systems=["cleaned"], cleaned_dir=tmp_path / "cleaned")
    kept, rate = soundfile.read(tmp_path / "cleaned" / f"{pairs[0].name}.wav")
    clean, _ = soundfile.read(pairs[0].clean)
    assert metrics.si_sdr(estimate=kept, clean=clean) == same(scores[1].metrics["si_sdr_db"])


def test_errors_name_the_file_and_the_system(pair_folders, gate, tmp_path):
    clean, _ = soundfile.read(pair_folders[0] / "a.flac")
    for name, samples in (("clean", clean), ("noisy", 0 * clean)):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "mute.wav", samples, 16_000)
    (pair,) = find_pairs(tmp_path / "clean", tmp_path / "noisy")
    with pytest.raises(SignalError, match=r"mute\.wav \(noisy\): estimate is silent"):
        score_pair(pair, denoiser=Denoiser(gate))


def test_real_time_factor_is_a_small_positive_number(pairs, gate):
    assert 0 < real_time_factor(pairs, Denoiser(gate)) < 1
