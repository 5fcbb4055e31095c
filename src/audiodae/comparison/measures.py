"""What is measured of each method, the same for all: one flat mapping of names to numbers."""

import time
from collections.abc import Mapping
from functools import partial

import numpy as np

from audiodae.comparison.methods import Method
from audiodae.comparison.subjects import Subject
from audiodae.evaluation import codes
from audiodae.prep.patches import Floats

NEIGHBOURS = 5
STEP = 0.02  # root mean square change of an input value, for the sensitivity
TIMED_PATCHES = 256

Measures = dict[str, float]


def measure(method: Method, subject: Subject) -> Measures:
    """Everything but what needs a second training.

    Returns
    -------
    measures : `clean` and `noisy` in a name stand for the test patches and the same at settings.level; errors are mean
        squared, per value
    """
    test = subject.test
    measures = {
        f"input_error@{level:g}": codes.squared_error(estimate=noisy, clean=test.clean)
        for level, noisy in subject.noisy.items()
    }
    if method.reconstruct is not None:
        measures |= _reconstruction(method, subject)
    return measures | measure_features(method, subject) | _character(method, subject)


def unseen_auc(method: Method, subject: Subject) -> float:
    """How well the reconstruction error tells a digit that was never learnt from the others."""
    errors, unseen = _errors(method, subject.test.clean), subject.test.labels["digit"] == subject.settings.unseen
    return codes.anomaly_auc(normal=errors[~unseen], odd=errors[unseen])


def _reconstruction(method: Method, subject: Subject) -> Measures:
    assert method.reconstruct is not None
    clean = subject.test.clean
    made = method.reconstruct(clean)
    measures = {"error_clean": codes.squared_error(estimate=made, clean=clean)}
    for level, noisy in subject.noisy.items():
        estimate = method.reconstruct(noisy)
        measures[f"error@{level:g}"] = codes.squared_error(estimate=estimate, clean=clean)
        measures[f"gain_db@{level:g}"] = codes.gain_db(noisy=noisy, estimate=estimate, clean=clean)
    measures["error_noisy"] = measures[f"error@{subject.settings.level:g}"]
    measures["gain_db"] = measures[f"gain_db@{subject.settings.level:g}"]
    normal, odd = _errors(method, clean), _errors(method, subject.with_bursts)
    measures["auc_burst"] = codes.anomaly_auc(normal=normal, odd=odd)
    return measures


def measure_features(method: Method, subject: Subject) -> Measures:
    """What the code tells of digit and speaker; learnt from clean codes only."""
    known = np.concatenate([subject.train.clean, subject.valid.clean])
    library, clean, noisy = method.encode(known), method.encode(subject.test.clean), method.encode(subject.at_level)
    measures: Measures = {}
    for name in ("digit", "speaker"):
        if name not in subject.test.labels or _is_new(subject, name):
            continue
        labels = np.concatenate([subject.train.labels[name], subject.valid.labels[name]])
        truth = subject.test.labels[name]
        probe = codes.fit_probe(library, labels)
        measures[f"probe_{name}_clean"] = float(probe.score(clean, truth))
        measures[f"probe_{name}_noisy"] = float(probe.score(noisy, truth))
        if name == "digit":
            for measured, ask in (("precision", codes.retrieval_precision), ("neighbours", codes.neighbour_accuracy)):
                of = partial(ask, query_labels=truth, library=library, library_labels=labels, k=NEIGHBOURS)
                measures |= {f"{measured}_clean": of(queries=clean), f"{measured}_noisy": of(queries=noisy)}
    return measures


def _is_new(subject: Subject, name: str) -> bool:
    """Whether the test's labels are none of those learnt: a held-out speaker cannot be named."""
    return not set(np.unique(subject.test.labels[name])) & set(np.unique(subject.train.labels[name]))


def _character(method: Method, subject: Subject) -> Measures:
    """What the families promise of their codes, and what using them costs."""
    patches, rng = subject.test.clean, np.random.default_rng(0)
    found = codes.moments(method.sampled(patches))
    code = method.encode(patches[:1])
    return {
        "code_width": code.shape[1],
        "sensitivity": codes.sensitivity(method.encode, patches, step=STEP, rng=rng),
        "sparsity": codes.sparsity(method.encode(patches)),
        **{f"moment_{name}": value for name, value in found.items()},
        "parameters": method.parameters,
        "microseconds": _microseconds(method, patches[:TIMED_PATCHES]),
    }


def _microseconds(method: Method, patches: Floats) -> float:
    """Time for one patch, there and back where there is a way back; the best of three."""
    use, times = method.reconstruct or method.encode, []
    for _ in range(4):
        started = time.process_time()
        use(patches)
        times.append(time.process_time() - started)
    return 1e6 * min(times[1:]) / len(patches)


def _errors(method: Method, patches: Floats) -> Floats:
    assert method.reconstruct is not None
    return np.asarray(np.mean((method.reconstruct(patches) - patches) ** 2, axis=(1, 2)))


def of_level(measures: Mapping[str, float], name: str) -> dict[float, float]:
    """A measure at each level of noise, from names such as error@5."""
    return {float(key.split("@")[1]): value for key, value in measures.items() if key.startswith(f"{name}@")}
