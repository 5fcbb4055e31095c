"""The benchmark: peers behind one call, delays taken out, costs measured in a process of its own."""

import csv
import io

import numpy as np
import pytest

from audiodae import Denoiser
from audiodae.evaluation import benchmark as module
from audiodae.evaluation.benchmark import NOISY, ORACLE, SystemResult, benchmark
from audiodae.evaluation.benchmark_report import draw, to_csv, to_markdown
from audiodae.evaluation.benchmark_run import OURS, SystemRun, run_system
from audiodae.evaluation.pairs import find_pairs, read_pair
from audiodae.evaluation.peers import PEERS, Peer, measured_delay
from audiodae.evaluation.scoring import measure
from tests.evaluation.made_up import RATE, voice, write_gate, write_pairs
from tests.markdown import unpadded


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    clean_dir, noisy_dir = write_pairs(folder)
    return clean_dir, noisy_dir, find_pairs(clean_dir, noisy_dir), write_gate(folder / "gate.onnx")


@pytest.mark.parametrize("delay", [0, 37, 480])
def test_a_delay_is_found(delay):
    clean = voice().astype(np.float32)
    late = np.concatenate([np.zeros(delay, np.float32), 0.3 * clean])[: clean.size]
    assert measured_delay(late, clean, RATE) == delay


def test_a_late_system_is_judged_as_if_it_were_in_time(material, monkeypatch, tmp_path):
    *_, pairs, _ = material

    def load():
        return lambda noisy: np.concatenate([np.zeros(100, np.float32), noisy])[: noisy.size]

    monkeypatch.setitem(PEERS, "late", Peer("late", "numpy", RATE, load))
    done = run_system("late", pairs, tmp_path, started=0.0)
    assert done.delay_ms == pytest.approx(6.25)
    for pair in pairs:
        _, noisy, _ = read_pair(pair)
        estimate = module.soundfile.read(tmp_path / f"{pair.name}.wav")[0]
        np.testing.assert_allclose(estimate, noisy, atol=1e-6)  # to its very end


def test_our_network_is_scored_as_evaluate_scores_it(material, tmp_path):
    clean_dir, noisy_dir, pairs, gate = material
    results, left_out = benchmark(clean_dir, noisy_dir, pairs, tmp_path, networks=[str(gate)], peers=[])
    assert [result.system for result in results] == [NOISY, ORACLE, f"{OURS}{gate}"]
    assert left_out == {}
    ours = results[2]
    assert ours.cost is not None
    assert 0 < ours.cost.rtf < 1
    assert 0 < ours.cost.first_answer_seconds < 120
    assert 20 < ours.cost.peak_mb < 4000
    assert ours.cost.delay_ms == 32  # of a stream; a whole sound comes out aligned

    for pair in pairs:
        clean, noisy, rate = read_pair(pair)
        wanted = measure(estimate=Denoiser(gate).clean(noisy.astype(np.float32), rate), clean=clean, sample_rate=rate)
        found = {name: ours.scores[pair.name][name] for name in wanted}
        assert found == pytest.approx(wanted, abs=1e-3)
    assert results[1].mean("si_sdr_db") > results[2].mean("si_sdr_db") > results[0].mean("si_sdr_db")


def test_what_is_missing_or_fails_is_left_out_and_said(material, tmp_path, monkeypatch):
    clean_dir, noisy_dir, pairs, _ = material
    missing = Peer("not-there", "no_such_module_anywhere", RATE, lambda: None)
    monkeypatch.setitem(PEERS, "missing", missing)
    results, left_out = benchmark(
        clean_dir, noisy_dir, pairs[:1], tmp_path, networks=["no/such.onnx"], peers=["missing"]
    )
    assert [result.system for result in results] == [NOISY, ORACLE]
    assert left_out["missing"] == "not installed: pip install not-there"
    assert "no network 'no/such.onnx'" in left_out[f"{OURS}no/such.onnx"]


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_gives_back_speech(name):
    peer = PEERS[name]
    if not peer.installed:
        pytest.skip(f"{peer.package} is not installed")
    clean = voice().astype(np.float32)
    sound = clean if peer.sample_rate == RATE else np.repeat(clean, peer.sample_rate // RATE)
    try:
        clean_with = peer.load()
    except Exception as error:
        pytest.skip(f"{peer.package} cannot be used here: {error}")
    estimate = clean_with(sound)
    assert estimate.shape == sound.shape
    assert estimate.dtype == np.float32
    assert 0 <= measured_delay(estimate, sound, peer.sample_rate) < 0.1 * peer.sample_rate


def test_the_report_marks_the_best_and_keeps_every_score(tmp_path):
    cost = SystemRun(delay_ms=0.0, first_answer_seconds=0.3, rtf=0.01, peak_mb=100.0)
    results = [
        SystemResult(NOISY, {"a": {"pesq_wb": 9.0, "estoi": 0.1, "si_sdr_db": 0.0}}, None),
        SystemResult(f"{OURS}speech", {"a": {"pesq_wb": 2.0, "estoi": 0.7, "si_sdr_db": 9.0}}, cost),
        SystemResult("other", {"a": {"pesq_wb": 1.5, "estoi": 0.8, "si_sdr_db": 8.0}}, cost),
    ]
    text = unpadded(to_markdown(results, {"third": "not installed: pip install third"}))
    assert "| noisy | 9.00 | 0.100 | 0.00 |" in text
    assert "| audiodae speech | **2.00** | 0.700 | **9.00** |" in text
    assert "| other | 1.50 | **0.800** | 8.00 |" in text
    assert "| other | 0.01 | 0 | 0.3 | 100 |" in text
    assert "Left out: third (not installed: pip install third)." in text
    assert "DNSMOS" not in text  # not measured
    rows = list(csv.DictReader(io.StringIO(to_csv(results))))
    assert [(row["system"], row["pesq_wb"], row["csig"]) for row in rows][1] == ("audiodae speech", "2.0", "")
    draw(results, tmp_path / "quality.png")
    assert (tmp_path / "quality.png").stat().st_size > 5000
