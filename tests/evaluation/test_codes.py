"""Known answers, and beside each measure something that must not reach it."""

import numpy as np
import pytest

from audiodae.errors import SignalError
from audiodae.evaluation import codes


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def clusters(rng):
    """Three clusters in four dimensions, labels, and the same again for a test."""
    middle = 6 * np.eye(4)[:3]
    labels = np.repeat([0, 1, 2], 40)
    return [middle[labels] + rng.standard_normal((120, 4)) for _ in range(2)], labels


def test_the_probe_reads_what_is_linearly_there(clusters, rng):
    (train, test), labels = clusters
    probe = codes.fit_probe(train, labels)
    assert probe.score(test, labels) > 0.98
    shuffled = codes.fit_probe(train, rng.permutation(labels))
    assert shuffled.score(test, labels) < 0.6


def test_the_probe_does_not_depend_on_scale(clusters):
    (train, test), labels = clusters
    scale = np.array([1e-4, 1, 1e4, 7])
    assert codes.fit_probe(train * scale, labels).score(test * scale, labels) == pytest.approx(
        codes.fit_probe(train, labels).score(test, labels), abs=0.01
    )


def test_retrieval_counts_neighbours_by_hand(rng):
    library = np.array([[0.0], [1], [2], [10], [11]])
    names = np.array(["a", "b", "a", "c", "c"])
    found = codes.retrieval_precision(
        queries=np.array([[0.1], [10.4]]), query_labels=np.array(["a", "c"]), library=library, library_labels=names, k=3
    )
    assert found == pytest.approx((2 / 3 + 2 / 3) / 2)  # 0, 1, 2 of which two are a; 10, 11, 2 of which two are c


def test_auc_is_the_share_of_pairs_in_order(rng):
    normal, odd = rng.standard_normal(50), rng.standard_normal(40) + 1
    assert codes.anomaly_auc(normal=normal, odd=odd) == pytest.approx(np.mean(odd[:, None] > normal))
    assert codes.anomaly_auc(normal=normal, odd=normal) == pytest.approx(0.5)


def test_sensitivity_of_linear_encoders_is_known(rng):
    inputs = rng.standard_normal((400, 5, 4)).astype(np.float32)
    same = codes.sensitivity(lambda x: x.reshape(len(x), -1), inputs, step=0.01, rng=rng)
    shrunk = codes.sensitivity(lambda x: 1e-3 * x.reshape(len(x), -1), inputs, step=0.01, rng=rng)
    assert same == pytest.approx(1, rel=0.02)
    assert shrunk == pytest.approx(1, rel=0.02)
    # One direction in which the inputs vary more than the change does: what varies little is thrown away.
    stretched = inputs * np.where(np.arange(20) == 0, 10, 1).reshape(5, 4)
    kept = codes.sensitivity(lambda x: x.reshape(len(x), -1)[:, :1], stretched, step=0.01, rng=rng)
    assert kept < 0.5
    assert codes.sensitivity(lambda x: np.zeros((len(x), 2)), inputs, step=0.01, rng=rng) == float("inf")


def test_sparsity_has_its_ends(rng):
    assert codes.sparsity(np.eye(16)) == pytest.approx(1)
    assert codes.sparsity(-np.ones((3, 16))) == pytest.approx(0)
    assert codes.sparsity(np.zeros((3, 16))) == 0
    few, many = rng.standard_normal((2, 100, 64))
    assert codes.sparsity(few * (rng.random((100, 64)) < 0.1)) > codes.sparsity(many) + 0.3


def test_moments_of_a_normal_code(rng):
    found = codes.moments(rng.standard_normal((20_000, 8)))
    expected = {"mean": 0, "std": 1, "correlation": 0, "kurtosis": 0, "active": 1}
    assert found == {name: pytest.approx(value, abs=0.06) for name, value in expected.items()}


def test_moments_notice_what_is_not_normal(rng):
    one = rng.standard_normal((20_000, 1))
    found = codes.moments(np.concatenate([3 + one, one, np.zeros_like(one), rng.uniform(-2, 2, one.shape)], axis=1))
    assert found["mean"] == pytest.approx(1.5, abs=0.05)
    assert found["correlation"] == pytest.approx(np.sqrt(1 / 3), abs=0.05)
    assert found["active"] == 0.75
    assert found["kurtosis"] == pytest.approx(-1.2 / 3, abs=0.1)


def test_gain_in_decibels(rng):
    clean = rng.random((10, 4, 4))
    noise = rng.standard_normal(clean.shape)
    assert codes.gain_db(noisy=clean + noise, estimate=clean + 0.1 * noise, clean=clean) == pytest.approx(20)
    assert codes.gain_db(noisy=clean + noise, estimate=clean + noise, clean=clean) == 0
    with pytest.raises(SignalError, match="no gain to measure"):
        codes.gain_db(noisy=clean, estimate=clean, clean=clean)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: codes.fit_probe(x, np.zeros(6)), "two labels"),
        (lambda x: codes.fit_probe(x, np.arange(5)), "6 codes, but 5 labels"),
        (
            lambda x: codes.retrieval_precision(
                queries=x, query_labels=np.arange(6), library=x, library_labels=np.arange(6), k=7
            ),
            "holds 6 entries",
        ),
    ],
)
def test_what_cannot_be_measured_is_said(call, message):
    with pytest.raises(SignalError, match=message):
        call(np.eye(6))
