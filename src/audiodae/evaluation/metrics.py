"""Measures of an estimate against the clean signal it should be.

Conventions
-----------
All functions are pure, take keywords only, and take float arrays of shape (samples,) and one length, full scale 1.
None has a hidden floor: what a measure cannot be computed on (silence, NaN, too short a signal) is a `SignalError`.

The numbers are those that papers print: SI-SDR of signals made zero-mean, wide-band PESQ as mapped by ITU-T P.862.2
(package `pesq`), STOI and ESTOI as in package `pystoi`. Those packages come with `pip install "audiodae[evaluate]"`.
"""

import warnings
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import numpy.typing as npt

from audiodae.errors import AudiodaeError, SignalError

SI_SDR_LIMIT_DB = 100.0  # what a perfect estimate reads, so that means over files stay finite
PESQ_WB_RATE = 16_000

Samples = npt.NDArray[np.floating]


def si_sdr(*, estimate: Samples, clean: Samples) -> float:
    """Scale-invariant signal-to-distortion ratio of two signals made zero-mean.

    The part of the estimate that lies along the clean signal, against the rest of it.

    Parameters
    ----------
    estimate, clean : float, shape (samples,)

    Returns
    -------
    si_sdr : float, dB, from -100 to 100

    Raises
    ------
    SignalError
        Lengths differ, a sample is not finite, or a signal is constant (silence).

    References
    ----------
    Le Roux et al. 2019, "SDR: half-baked or well done?", doi:10.1109/ICASSP.2019.8683855
    """
    estimate, clean = _checked(estimate=estimate, clean=clean)
    estimate, clean = estimate - estimate.mean(), clean - clean.mean()
    target = clean * (np.dot(estimate, clean) / np.dot(clean, clean))
    distortion = estimate - target
    target_energy, distortion_energy = np.dot(target, target), np.dot(distortion, distortion)
    if distortion_energy == 0 or target_energy == 0:
        return SI_SDR_LIMIT_DB if distortion_energy == 0 else -SI_SDR_LIMIT_DB
    ratio_db = 10 * np.log10(target_energy / distortion_energy)
    return float(np.clip(ratio_db, -SI_SDR_LIMIT_DB, SI_SDR_LIMIT_DB))


def pesq_wb(*, estimate: Samples, clean: Samples, sample_rate: int) -> float:
    """Wide-band PESQ: the quality a listener would give, predicted.

    Parameters
    ----------
    estimate, clean : float, shape (samples,), a quarter of a second or more
    sample_rate : int, Hz; 16,000, as the standard has it

    Returns
    -------
    pesq_wb : float, mean opinion score, from about 1 (bad) to 4.64 (no difference)

    Raises
    ------
    SignalError
        As `si_sdr`; another rate; too short; no speech found.

    References
    ----------
    ITU-T P.862.2 (2007)
    """
    estimate, clean = _checked(estimate=estimate, clean=clean)
    if sample_rate != PESQ_WB_RATE:
        raise SignalError(f"wide-band PESQ is defined at {PESQ_WB_RATE} Hz, not {sample_rate}: resample first")
    pesq = _library("pesq")
    try:
        return float(pesq.pesq(sample_rate, clean, estimate, "wb"))
    except pesq.PesqError as error:
        raise SignalError(f"PESQ: {_first_line(error)}") from error


def stoi(*, estimate: Samples, clean: Samples, sample_rate: int) -> float:
    """Short-time objective intelligibility, of correlations over 384 ms, up to 1.

    Parameters
    ----------
    estimate, clean : float, shape (samples,), with 0.4 s of speech or more
    sample_rate : int, Hz; other rates than 10,000 are resampled to it

    Raises
    ------
    SignalError
        As `si_sdr`; too little speech.

    References
    ----------
    Taal et al. 2011, doi:10.1109/TASL.2011.2114881
    """
    return _intelligibility(estimate, clean, sample_rate, extended=False)


def estoi(*, estimate: Samples, clean: Samples, sample_rate: int) -> float:
    """Extended short-time objective intelligibility, which modulated noise does not fool, up to 1.

    Takes and refuses what `stoi` does.

    References
    ----------
    Jensen and Taal 2016, doi:10.1109/TASLP.2016.2585878
    """
    return _intelligibility(estimate, clean, sample_rate, extended=True)


def dnsmos(*, estimate: Samples, sample_rate: int) -> dict[str, float]:
    """DNSMOS P.835: what a network thinks that listeners would say, without a reference, by package `speechmos`.

    It saturates: half a dozen denoisers have a better background than the clean recordings. Read it beside the others.

    Parameters
    ----------
    estimate : float, shape (samples,), within full scale
    sample_rate : int, Hz; 16,000

    Returns
    -------
    rated : dnsmos_sig, dnsmos_bak, dnsmos_ovrl from 1 to 5; empty where `speechmos` is not installed

    Raises
    ------
    SignalError
        As `si_sdr`; another rate.

    References
    ----------
    Reddy et al. 2022, arXiv:2110.01763
    """
    (samples,) = _checked(estimate=estimate)
    if sample_rate != PESQ_WB_RATE:
        raise SignalError(f"DNSMOS is defined at {PESQ_WB_RATE} Hz, not {sample_rate}: resample first")
    if find_spec("speechmos") is None:
        return {}
    found = import_module("speechmos.dnsmos").run(np.clip(samples, -1, 1), sample_rate)
    return {f"dnsmos_{name}": float(found[f"{name}_mos"]) for name in ("sig", "bak", "ovrl")}


def _intelligibility(estimate: Samples, clean: Samples, sample_rate: int, *, extended: bool) -> float:
    estimate, clean = _checked(estimate=estimate, clean=clean)
    pystoi = _library("pystoi")
    with warnings.catch_warnings():
        # On too little speech pystoi warns and returns 1e-5, which would spoil a mean unseen.
        warnings.filterwarnings("error", message="Not enough STFT frames")
        try:
            return float(pystoi.stoi(clean, estimate, sample_rate, extended=extended))
        except (RuntimeWarning, ValueError) as error:
            raise SignalError("STOI: the clean signal holds less than 0.4 s of speech; take longer files") from error


def _checked(**signals: Samples) -> list[npt.NDArray[np.float64]]:
    """The signals as float64, in order, after the checks that every measure needs."""
    (first, reference), *others = signals.items()
    for name, samples in signals.items():
        if samples.ndim != 1:
            raise SignalError(f"{name} has shape {samples.shape}: need one channel, shape (samples,)")
        if not np.isfinite(samples).all():
            raise SignalError(f"{name} holds NaN or infinity")
    for name, samples in others:
        if samples.size != reference.size:
            raise SignalError(f"{first} has {reference.size} samples, {name} {samples.size}: need one length")
    for name, samples in signals.items():
        if samples.size == 0 or np.ptp(samples) == 0:
            raise SignalError(f"{name} is silent: nothing to measure")
    return [samples.astype(np.float64) for samples in signals.values()]


def _library(name: str) -> ModuleType:
    """A metric's package, imported when first asked for: neither is needed to draw or to clean."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise AudiodaeError(f'package {error.name} is not installed: pip install "audiodae[evaluate]"') from error


def _first_line(error: Exception) -> str:
    """A C library's message, which pesq hands on as bytes."""
    message = error.args[0] if error.args else type(error).__name__
    return (message.decode() if isinstance(message, bytes) else str(message)).strip().splitlines()[0]
