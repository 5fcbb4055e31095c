"""What a cardiologist reads off an ECG, before and after cleaning: heart beats, the ST segment, the height of the QRS.

Conventions
-----------
Series are float, shape (samples,), mV; peaks are sample numbers. Beats are judged where they are annotated, the same
places in the reference and in the cleaned series.

References
----------
Heart beats count as found less than 150 ms away, ANSI/AAMI EC57:2012. ST is read 60 to 80 ms after the J point against
the isoelectric PR level, and 0.1 mV is what matters: Taddei et al. 1992, "The European ST-T database",
doi:10.1093/oxfordjournals.eurheartj.a060332. J points are not annotated in the MIT-BIH databases; 50 ms after the R
peak stands in for them, and 80 to 60 ms before it for the PR segment.
"""

import numpy as np
import numpy.typing as npt
from wfdb.processing import XQRS, compare_annotations

from audiodae.evaluation.series.records import Indices

TOLERANCE_S = 0.150
J_AFTER_R_S = 0.050
ST_AFTER_J_S = (0.060, 0.080)
PR_BEFORE_R_S = (0.080, 0.060)
QRS_HALF_S = 0.060
ST_MATTERS_MV = 0.1

Values = npt.NDArray[np.floating]
Floats = npt.NDArray[np.float64]


def find_r_peaks(series: Values, sample_rate: float) -> Indices:
    """Detect heart beats with XQRS of package `wfdb`; none where the series is constant.

    XQRS filters to 5 to 20 Hz itself, so a linear filter outside that band hardly changes what it finds, and it finds
    beats in noise alone too: F1 is about 0.4 then.
    """
    if np.ptp(series) == 0:
        return np.zeros(0, np.int64)
    detector = XQRS(sig=np.asarray(series, np.float64), fs=sample_rate)
    detector.detect(verbose=False)
    return np.asarray(detector.qrs_inds, np.int64)


def peak_scores(*, found: Indices, annotated: Indices, sample_rate: float) -> dict[str, float]:
    """Sensitivity, precision and their harmonic mean F1 of the heart beats found, 0 to 1.

    Each annotated beat is matched to one at most that was found less than 150 ms away. No beat found has precision 0.
    """
    if not len(found) or not len(annotated):
        return {"r_sensitivity": 0.0, "r_precision": 0.0, "r_f1": 0.0}
    matched = compare_annotations(annotated, found, int(TOLERANCE_S * sample_rate))
    true, false, missed = matched.tp, matched.fp, matched.fn
    return {
        "r_sensitivity": true / (true + missed),
        "r_precision": true / (true + false),
        "r_f1": 2 * true / (2 * true + false + missed),
    }


def st_levels(series: Values, r_peaks: Indices, sample_rate: float) -> Floats:
    """ST level of each beat, mV: the mean from J + 60 to J + 80 ms less that of the PR segment.

    Returns
    -------
    levels : float64, shape (beats,); beats too near an end of the series are left out
    """
    start, end = (J_AFTER_R_S + after for after in ST_AFTER_J_S)
    inside = _whole(r_peaks, len(series), sample_rate)
    st = _windows(series, inside, start, end, sample_rate)
    pr = _windows(series, inside, -PR_BEFORE_R_S[0], -PR_BEFORE_R_S[1], sample_rate)
    return np.asarray(st.mean(axis=1) - pr.mean(axis=1), np.float64)


def qrs_amplitudes(series: Values, r_peaks: Indices, sample_rate: float) -> Floats:
    """Range from the lowest to the highest sample within 60 ms of each R peak, mV; beats as in `st_levels`."""
    inside = _whole(r_peaks, len(series), sample_rate)
    return np.asarray(np.ptp(_windows(series, inside, -QRS_HALF_S, QRS_HALF_S, sample_rate), axis=1), np.float64)


def morphology_errors(*, estimate: Values, clean: Values, r_peaks: Indices, sample_rate: float) -> dict[str, float]:
    """By how much cleaning moves what is read off the beats; means over the beats, NaN where there are none.

    Returns
    -------
    errors : "st_error_mv", mean absolute error of the ST level; "st_wrong_percent", share of beats where it is 0.1 mV
        and more; "qrs_error_percent", mean absolute error of the QRS amplitude, of the clean beat's;
        "qrs_bias_percent", the same with its sign: below 0 where beats come out too low
    """
    st = st_levels(estimate, r_peaks, sample_rate) - st_levels(clean, r_peaks, sample_rate)
    height = qrs_amplitudes(clean, r_peaks, sample_rate)
    grown = 100 * (qrs_amplitudes(estimate, r_peaks, sample_rate) - height)[height > 0] / height[height > 0]
    return {
        "st_error_mv": _mean(np.abs(st)),
        "st_wrong_percent": _mean(100.0 * (np.abs(st) >= ST_MATTERS_MV)),
        "qrs_error_percent": _mean(np.abs(grown)),
        "qrs_bias_percent": _mean(grown),
    }


def _whole(r_peaks: Indices, n_samples: int, sample_rate: float) -> Indices:
    """The beats whose windows lie in the series."""
    before = round(max(*PR_BEFORE_R_S, QRS_HALF_S) * sample_rate)
    after = round((J_AFTER_R_S + ST_AFTER_J_S[1]) * sample_rate)
    return r_peaks[(r_peaks >= before) & (r_peaks + after < n_samples)]


def _windows(series: Values, r_peaks: Indices, start_s: float, end_s: float, sample_rate: float) -> Floats:
    """Stretches around each peak, both ends included: shape (beats, samples)."""
    offsets = np.arange(round(start_s * sample_rate), round(end_s * sample_rate) + 1)
    found: Floats = np.asarray(series, np.float64)[r_peaks[:, None] + offsets]
    return found


def _mean(values: Values) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
