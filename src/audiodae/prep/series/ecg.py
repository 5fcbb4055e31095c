"""A synthetic ECG, for when there are no records: the dynamical model of McSharry et al., many made-up patients.

P. E. McSharry, G. D. Clifford, L. Tarassenko, L. A. Smith, "A dynamical model for generating synthetic
electrocardiogram signals", IEEE Trans. Biomed. Eng. 50(3):289-294, 2003; its program is ECGSYN on PhysioNet. A point
goes round a circle, once a beat, with the angular velocity w; five waves push it up and down at their angles t_i::

    z' = - sum_i a_i d_i exp(-d_i^2 / (2 b_i^2)) - z        d_i = the angle minus t_i, within -pi ... pi

On the limit cycle the angle is the integral of w, so that z alone is left: a linear filter of the waves, solved here
exactly but for straight lines between samples. The baseline z0 that the paper adds at the rate of breathing is left
out: a reference has none.

The RR intervals have the paper's spectrum: two Gaussian humps, at 0.1 Hz (Mayer waves, LF) and at the rate of breathing
(HF). Widths and angles go with the root of the heart rate, as in ECGSYN, for the QT interval does (Bazett). Beyond the
paper: patients whose waves, rates and rhythms differ, premature ventricular beats (early, wide, no P wave, the T wave
turned over, a pause after it), irregular rhythm without P waves as in atrial fibrillation.
"""

import math

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator
from scipy.signal import lfilter

Floats = npt.NDArray[np.float64]
Beats = npt.NDArray[np.int64]
Rng = np.random.Generator

P, Q, R, S, T = range(5)  # the waves, in the order of the tuples below
LF_HZ = 0.1
HUMP_HZ = 0.01  # standard deviation of either hump of the RR spectrum
RR_RATE_HZ = 4.0  # at which the course of the RR interval is drawn
RUN_IN_SECONDS = 6.0  # left out at the start, where the filter has not settled; its time constant is 1 s
FEWEST_STEPS_PER_SECOND = 500.0  # of the solution: a wave of the QRS is some 20 ms wide
SHORTEST_RR_SECONDS = 0.25


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """Whose heart it is; the defaults are the paper's, with the amplitude of ECGSYN.

    Attributes
    ----------
    heart_rate_bpm, heart_rate_deviation_bpm : mean and standard deviation, beats per minute
    lf_hf : power of the RR intervals' hump at 0.1 Hz over that at the rate of breathing
    breathing_hz : the rate of breathing
    irregular : standard deviation of each RR interval on its own, as a share of it (atrial fibrillation)
    angles : of P, Q, R, S and T on the circle, radians, at 60 beats per minute; R is at 0
    heights : the a of the model
    widths : the b of the model, radians, at 60 beats per minute
    millivolts : from the lowest to the highest point of a QRS complex
    premature_share : share of beats that are premature ventricular ones
    unsteady : standard deviation of each wave's height from beat to beat, as a share of it
    breathing_depth : how much the heights go with breathing, as a share
    """

    heart_rate_bpm: float = 60.0
    heart_rate_deviation_bpm: float = 1.0
    lf_hf: float = 0.5
    breathing_hz: float = 0.25
    irregular: float = 0.0
    angles: tuple[float, ...] = (-70 / 180 * math.pi, -math.pi / 12, 0.0, math.pi / 12, 100 / 180 * math.pi)
    heights: tuple[float, ...] = (1.2, -5.0, 30.0, -7.5, 0.75)
    widths: tuple[float, ...] = (0.25, 0.1, 0.1, 0.1, 0.4)
    millivolts: float = 1.6
    premature_share: float = 0.0
    unsteady: float = 0.0
    breathing_depth: float = 0.0


def draw_patient(rng: Rng) -> Patient:
    """Make up a patient: most with a normal rhythm, some with wide complexes, ectopic beats or fibrillation."""
    normal = Patient()
    fibrillates = rng.random() < 0.1
    broad = rng.uniform(1.3, 1.9) if rng.random() < 0.15 else rng.uniform(0.8, 1.2)  # a bundle branch block
    turned = -1.0 if rng.random() < 0.15 else 1.0  # an inverted T wave
    factors = np.array(
        [
            0.0 if fibrillates else rng.uniform(0.3, 1.8),
            rng.uniform(0, 1.8),
            rng.uniform(0.5, 1.4),
            rng.uniform(0, 2.5),
            turned * rng.uniform(0.4, 2.5),
        ]
    )
    turns = np.array([rng.uniform(0.85, 1.15), broad, 1.0, broad, rng.uniform(0.85, 1.1)])
    broadening = np.array([rng.uniform(0.7, 1.2), broad, broad, broad, rng.uniform(0.7, 1.1)])
    return Patient(
        heart_rate_bpm=float(np.clip(np.exp(rng.normal(math.log(75), 0.22)), 42, 150)),
        heart_rate_deviation_bpm=float(rng.uniform(0.5, 5)),
        lf_hf=float(np.exp(rng.uniform(math.log(0.3), math.log(3)))),
        breathing_hz=float(rng.uniform(0.18, 0.35)),
        irregular=float(rng.uniform(0.12, 0.25)) if fibrillates else 0.0,
        angles=tuple((turns * normal.angles).tolist()),
        heights=tuple((factors * normal.heights).tolist()),
        widths=tuple((broadening * normal.widths).tolist()),
        millivolts=float(np.exp(rng.normal(math.log(1.5), 0.4))),
        premature_share=float(rng.uniform(0.01, 0.15)) if rng.random() < 0.3 else 0.0,
        unsteady=float(rng.uniform(0.01, 0.05)),
        breathing_depth=float(rng.uniform(0, 0.15)),
    )


def synthetic_ecg(patient: Patient, seconds: float, rate_hz: float, rng: Rng) -> tuple[Floats, Beats]:
    """Let a patient's heart beat.

    Returns
    -------
    millivolts : float64, shape (seconds x rate,), around its own slow course: high-pass it as one does a record
    beats : int64, sample numbers of the R peaks
    """
    finer = max(1, math.ceil(FEWEST_STEPS_PER_SECOND / rate_hz))
    count = round(seconds * rate_hz)
    run_in = round(RUN_IN_SECONDS * rate_hz)
    step = 1 / (rate_hz * finer)
    times = np.arange((run_in + count) * finer) * step
    peaks, premature = _beat_times(patient, float(times[-1]), rng)
    # Smooth, or a wave at an R peak would rise at one speed, fall at another and leave a step behind.
    phase = PchipInterpolator(peaks, 2 * np.pi * np.arange(len(peaks)))(times)
    z = _solve(_push(patient, phase, peaks, premature, rng), step)[run_in * finer :: finer]
    beats = np.rint(peaks * rate_hz).astype(np.int64) - run_in
    beats = beats[(beats >= 0) & (beats < count)]
    return z * (patient.millivolts / _height(z, beats, rate_hz)), beats


def rr_course(patient: Patient, seconds: float, rng: Rng) -> Floats:
    """The course of the RR interval in time, seconds, `RR_RATE_HZ` values a second."""
    n = 2 * math.ceil(seconds * RR_RATE_HZ / 2) + 2
    frequency = np.fft.rfftfreq(n, 1 / RR_RATE_HZ)
    power = patient.lf_hf * np.exp(-((frequency - LF_HZ) ** 2) / (2 * HUMP_HZ**2))
    power += np.exp(-((frequency - patient.breathing_hz) ** 2) / (2 * HUMP_HZ**2))
    course = np.fft.irfft(np.sqrt(power) * np.exp(2j * np.pi * rng.random(len(frequency))), n)
    mean = 60 / patient.heart_rate_bpm
    deviation = mean * patient.heart_rate_deviation_bpm / patient.heart_rate_bpm
    return np.asarray(mean + deviation * (course - course.mean()) / course.std())


def _beat_times(patient: Patient, seconds: float, rng: Rng) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """When R peaks are, from before 0 until after `seconds`, and which beats are premature."""
    course = rr_course(patient, seconds, rng)
    times, shares = [-60 / patient.heart_rate_bpm], [1.0]  # how much of its usual length the interval before has
    while times[-1] < seconds + 1:
        interval = course[min(max(int(times[-1] * RR_RATE_HZ), 0), len(course) - 1)]
        interval *= math.exp(patient.irregular * rng.normal())
        if shares[-1] < 1:
            # A pause makes up for an early beat: the two intervals together are two usual ones.
            shares.append(2 - shares[-1])
        else:
            shares.append(rng.uniform(0.55, 0.8) if rng.random() < patient.premature_share else 1.0)
        times.append(times[-1] + max(interval * shares[-1], SHORTEST_RR_SECONDS))
    return np.array(times), np.array(shares) < 1


def _push(patient: Patient, phase: Floats, peaks: Floats, premature: npt.NDArray[np.bool_], rng: Rng) -> Floats:
    """The sum over the waves, at every sample."""
    faster = math.sqrt(patient.heart_rate_bpm / 60)
    turning = (math.sqrt(faster), faster, 1.0, faster, math.sqrt(faster))
    breath = np.sin(2 * np.pi * patient.breathing_hz * peaks)
    total = np.zeros_like(phase)
    for wave in range(5):
        angle = patient.angles[wave] * turning[wave]
        beat = np.clip(np.rint((phase - angle) / (2 * np.pi)).astype(np.int64), 0, len(peaks) - 1)
        height = patient.heights[wave] * (1 + patient.breathing_depth * breath)
        height *= 1 + patient.unsteady * rng.standard_normal(len(peaks))
        width = np.full(len(peaks), patient.widths[wave] * faster)
        angles = np.full(len(peaks), angle)
        if wave == P:
            height[premature] = 0
        elif wave == T:
            height[premature] *= -1.5
        else:
            width[premature] *= 2.2
            angles[premature] *= 2
            height[premature] *= 0.5
        away = phase - 2 * np.pi * beat - angles[beat]
        total -= height[beat] * away * np.exp(-(away**2) / (2 * width[beat] ** 2))
    return total


def _solve(push: Floats, step: float) -> Floats:
    """Solve z' = push - z: exact where the push goes in straight lines from sample to sample, to second order."""
    decay = math.exp(-step)
    return np.asarray(lfilter([step / 2, step / 2 * decay], [1, -decay], push))


def _height(z: Floats, beats: Beats, rate_hz: float) -> float:
    """The usual height of a QRS complex, from its lowest to its highest point."""
    around = np.arange(-round(0.06 * rate_hz), round(0.06 * rate_hz) + 1)
    inside = beats[(beats + around[0] >= 0) & (beats + around[-1] < len(z))]
    if not len(inside):
        return float(np.ptp(z)) or 1.0
    return float(np.median(np.ptp(z[inside[:, None] + around], axis=1)))
