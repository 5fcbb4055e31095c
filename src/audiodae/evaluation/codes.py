"""What a code is worth: pure functions of arrays, for any encoder.

Conventions
-----------
codes : float, shape (examples, width); one row an example
inputs : float32 in [0, 1], shape (examples, rows, columns)
Accuracies, precisions and areas lie between 0 and 1. Classifiers and neighbours are scikit-learn's
(`pip install "audiodae[evaluate]"`).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from audiodae.errors import SignalError

Floats = npt.NDArray[np.floating]
Labels = npt.NDArray[np.generic]
Encode = Callable[[Floats], Floats]


def fit_probe(codes: Floats, labels: Labels) -> Pipeline:
    """Fit a linear probe: standardised features, then logistic regression with C = 1.

    Returns
    -------
    probe : its `score(codes, labels)` is the accuracy, on clean codes or noisy ones

    Raises
    ------
    SignalError
        There is but one label, or codes and labels differ in number.
    """
    _check(codes, labels)
    if np.unique(labels).size < 2:
        raise SignalError("a probe needs examples of two labels or more")
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=500)).fit(_rows(codes), labels)


def retrieval_precision(
    *, queries: Floats, query_labels: Labels, library: Floats, library_labels: Labels, k: int = 5
) -> float:
    """Share of the k nearest library entries (Euclidean) that bear the query's label, mean over the queries.

    Raises
    ------
    SignalError
        The library holds fewer than k entries, or codes and labels differ in number.
    """
    _check(queries, query_labels)
    _check(library, library_labels)
    if len(library) < k:
        raise SignalError(f"the library holds {len(library)} entries: cannot give the {k} nearest")
    found = NearestNeighbors(n_neighbors=k).fit(_rows(library)).kneighbors(_rows(queries), return_distance=False)
    return float(np.mean(library_labels[found] == query_labels[:, None]))


def neighbour_accuracy(
    *, queries: Floats, query_labels: Labels, library: Floats, library_labels: Labels, k: int = 5
) -> float:
    """Share of the queries whose label most of their k nearest library entries bear (k-nearest neighbours)."""
    _check(queries, query_labels)
    _check(library, library_labels)
    classifier = KNeighborsClassifier(n_neighbors=k).fit(_rows(library), library_labels)
    return float(classifier.score(_rows(queries), query_labels))


def anomaly_auc(*, normal: Floats, odd: Floats) -> float:
    """Area under the ROC curve: how often an odd example scores above a normal one. 0.5 is chance.

    Parameters
    ----------
    normal, odd : float, shape (examples,), anomaly scores
    """
    truth = np.repeat([0, 1], [len(normal), len(odd)])
    return float(roc_auc_score(truth, np.concatenate([normal, odd])))


def sensitivity(encode: Encode, inputs: Floats, *, step: float, rng: np.random.Generator) -> float:
    """How far a small random change moves the code, each measured against its own spread.

    1 means that a change of one hundredth of the spread of the inputs moves the code by one hundredth of the spread of
    the codes. Shrinking the code as a whole changes nothing, so that only real contraction counts.

    Parameters
    ----------
    encode : inputs to codes
    inputs : at least two examples that differ
    step : float, length of the change per input value (root mean square)

    Returns
    -------
    sensitivity : float, mean over the examples; infinity where the code never changes between examples
    """
    change = rng.standard_normal(inputs.shape).astype(np.float32)
    change *= step / np.sqrt(np.mean(change**2, axis=tuple(range(1, inputs.ndim)), keepdims=True))
    before, after = encode(inputs), encode(inputs + change)
    moved = np.linalg.norm(_rows(after) - _rows(before), axis=1).mean()
    changed = np.linalg.norm(_rows(change), axis=1).mean()
    spread = _spread(before)
    return float((moved / spread) / (changed / _spread(inputs))) if spread > 0 else float("inf")


def sparsity(codes: Floats) -> float:
    """How few units speak for an example: 0 where all are equally loud, 1 where one speaks alone (Hoyer 2004).

    Returns
    -------
    sparsity : float, mean over the examples that are not all zero, of (sqrt(n) - l1 / l2) / (sqrt(n) - 1)
    """
    loud = np.abs(_rows(codes))
    loud = loud[loud.any(axis=1)]
    root = np.sqrt(loud.shape[1])
    if not len(loud) or root == 1:
        return 0.0
    return float(np.mean((root - loud.sum(axis=1) / np.linalg.norm(loud, axis=1)) / (root - 1)))


def moments(codes: Floats) -> dict[str, float]:
    """How near the codes come to independent standard normal units.

    Returns
    -------
    moments : "mean" (root mean square of the units' means; N(0, I) has 0), "std" (mean of the units' standard
        deviations; 1), "correlation" (root mean square between two units; 0), "kurtosis" (mean excess; 0), "active"
        (share of units with a variance above 0.01). Units that stand still count for mean, std and active only.
    """
    rows = _rows(codes).astype(np.float64)
    std = rows.std(axis=0)
    alive = std > 0.1
    standard = (rows[:, alive] - rows[:, alive].mean(axis=0)) / std[alive]
    correlation = standard.T @ standard / max(len(rows), 1)
    between = correlation[~np.eye(alive.sum(), dtype=bool)]
    return {
        "mean": float(np.sqrt(np.mean(rows.mean(axis=0) ** 2))),
        "std": float(std.mean()),
        "correlation": float(np.sqrt(np.mean(between**2))) if between.size else 0.0,
        "kurtosis": float(np.mean(standard**4) - 3) if standard.size else 0.0,
        "active": float(np.mean(alive)),
    }


def squared_error(*, estimate: Floats, clean: Floats) -> float:
    """Mean squared error over all values of all examples."""
    return float(np.mean(np.square(np.asarray(estimate, np.float64) - clean)))


def gain_db(*, noisy: Floats, estimate: Floats, clean: Floats) -> float:
    """By how much an estimate is nearer to the clean input than the noisy one was, dB of squared error.

    Raises
    ------
    SignalError
        The input was not noisy: there is nothing to gain.
    """
    before = squared_error(estimate=noisy, clean=clean)
    if before == 0:
        raise SignalError("the noisy input is the clean one: no gain to measure")
    return float(10 * np.log10(before / max(squared_error(estimate=estimate, clean=clean), 1e-12)))


def _rows(values: Floats) -> Floats:
    return values.reshape(len(values), -1)


def _spread(values: Floats) -> float:
    """Root mean square distance from the mean example."""
    rows = _rows(values).astype(np.float64)
    return float(np.sqrt(np.mean(np.sum((rows - rows.mean(axis=0)) ** 2, axis=1))))


def _check(codes: Floats, labels: Labels) -> None:
    if len(codes) != len(labels):
        raise SignalError(f"{len(codes)} codes, but {len(labels)} labels")
