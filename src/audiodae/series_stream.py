"""SeriesStream: noisy samples of an ECG or a sensor in, clean samples out, by a network that works on samples.

::

    samples -> gaps held -> less the first -> network -> without its delay -> gaps again -> samples
               +------------------- kept as they came, for the delay -------------------+

Samples of the public API are numbers in any unit, shape (samples,) or (samples, leads), NaN where there is a gap;
those within are float64, shape (leads, samples). Each lead is a series of its own, unless the network takes several
together. What comes out is as long as what went in and aligned with it. It is float32, or float64 where that came in,
or whole numbers of more than 16 bits, which float32 would round.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from audiodae.card import SeriesFacts
from audiodae.errors import SignalError
from audiodae.live_stream import (
    LiveStream,
    Numbers,
    as_array,
    checked_limit_db,
    checked_mix,
    checked_rate,
    refuse_shape,
)
from audiodae.network import Floats, Network

BLOCK_SAMPLES = 4096  # samples a network call, of all leads: enough to drown its overhead, few enough for the cache
# Beyond this a number is no measurement but damage, or stands for a missing one.
LARGEST_SAMPLE = 1e30

Doubles = npt.NDArray[np.float64]


class SeriesStream(LiveStream):
    """One live series: chunks of any length in, what is ready out.

    All that `feed` and `flush` give, put together, is what `Denoiser.clean` gives for the whole series, however it was
    cut. Made by `Denoiser.stream`.

    Attributes
    ----------
    sample_rate : float, Hz
    channels : int, leads
    latency : int, samples: what is fed comes out at most this much later
    latency_ms : float, the same in ms
    repaired : int, samples so far that were infinite (or absurdly large) and became gaps
    bypassed : int, samples so far that went through unchanged because the network gave no finite ones
    """

    REPAIRED_INTO = "gaps"

    def __init__(
        self,
        network: Network,
        sample_rate: float,
        channels: int = 1,
        *,
        limit_db: float | None = None,
        mix: float = 1.0,
    ) -> None:
        if network.card.series is None:
            raise SignalError(f"the network {network.card.name} cleans sound, not series")
        self._facts = network.card.series
        super().__init__(_rate_within(sample_rate, network.card.name, self._facts), channels)
        if channels % network.leads:
            raise SignalError(f"{channels} leads; the network {network.card.name} takes {network.leads} together")
        self._network = network
        # What is left of the difference between the samples and the clean ones is 1 less this.
        kept = 0.0 if limit_db is None else 10 ** (-checked_limit_db(limit_db) / 20)
        self._share = checked_mix(mix) * (1 - kept)
        self.reset()

    @property
    def latency(self) -> int:
        """Samples by which the output may lag behind the input: the network's delay, and up to one step."""
        return self._facts.latency

    @staticmethod
    def as_samples(samples: npt.ArrayLike) -> Numbers:
        """Take numbers of shape (samples,) or (samples, leads), whole or not; refuse anything else."""
        if isinstance(samples, np.ma.MaskedArray):
            samples = np.ma.asarray(samples, np.float64).filled(np.nan)
        array = as_array(samples)
        if array.dtype.kind not in "iuf":
            raise SignalError(f"samples are {array.dtype}; need numbers, NaN where there is a gap")
        refuse_shape(array)
        return array

    @staticmethod
    def unchanged(samples: Numbers) -> Numbers:
        """Give what would come out if nothing were removed: the samples, NaN for what is no measurement."""
        values, _ = _with_gaps(samples)
        return values.astype(_given_back(samples.dtype))

    def _dtype_given_back(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return _given_back(dtype)

    def _start(self) -> None:
        streams = self.channels // self._network.leads
        self._fed = self._ran = self._given = 0  # samples
        self._kept = np.zeros((self.channels, 0))  # from the first not given to the last fed; NaN where there is a gap
        self._held = np.full(self.channels, np.nan)  # the last sample that the network saw, of each lead
        self._first = np.full(self.channels, np.nan)  # what is taken from each lead before the network
        self._state = self._network.initial_state(streams)
        self._forgotten = np.zeros(streams, np.int64)  # samples that the network had taken in when it had to start anew

    def _block_length(self) -> int:
        step = self._facts.step
        return step * max(1, BLOCK_SAMPLES // (self.channels * step))

    def _clean_block(self, samples: Numbers) -> Numbers:
        values, repaired = _with_gaps(samples)
        self.repaired += repaired
        self._fed += values.shape[1]
        self._kept = np.concatenate([self._kept, values], axis=1)
        return self._advance()

    def _finish(self) -> Numbers:
        """Feed gaps, which hold the last sample, until all that came is out."""
        fed, pieces = self._fed, []
        missing = -(-(fed + self._facts.delay) // self._facts.step) * self._facts.step - fed if fed else 0
        for start in range(0, missing, self._block_length()):
            left = fed - self._given
            gaps = np.full((self.channels, min(self._block_length(), missing - start)), np.nan)
            pieces.append(self._clean_block(gaps)[:, :left])
        return np.concatenate([np.zeros((self.channels, 0), self._dtype), *pieces], axis=1)

    def _advance(self) -> Numbers:
        """Run all whole steps; give the samples that come out."""
        length = (self._fed - self._ran) // self._facts.step * self._facts.step
        if not length:
            return np.zeros((self.channels, 0), self._dtype)
        start = self._ran - self._given
        seen = self._conditioned(self._kept[:, start : start + length])
        offset = self._first[:, np.newaxis] if self._facts.offset == "kept" else None
        clean, bad = self._run(seen)
        early = min(max(self._facts.delay - self._ran, 0), length)  # comes out before the first sample
        ready = length - early
        noisy, self._kept = self._kept[:, :ready], self._kept[:, ready:]
        self._ran += length
        self._given += ready
        return self._mixed(noisy, clean[:, early:], bad[:, early:], offset)

    def _conditioned(self, values: Doubles) -> Floats:
        """Hold the last sample over gaps and take away the first, so that an offset of thousands does no harm.

        A lead is zero until its first sample comes.
        """
        values = _held_over_gaps(values, self._held)
        self._held = values[:, -1]
        new = np.isnan(self._first)
        if new.any():
            place = np.argmax(np.isfinite(values), axis=1)  # 0 where there is none, and there is a gap
            self._first = np.where(new, values[np.arange(self.channels), place], self._first)
        seen: Floats = (values - self._first[:, np.newaxis]).astype(np.float32)
        return np.nan_to_num(seen, copy=False) if new.any() else seen

    def _run(self, seen: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Take samples of shape (leads, samples) through the network; say which of those that it gives are none."""
        streams, leads = len(self._state), self._network.leads
        values = np.ascontiguousarray(seen.reshape(streams, leads, -1).swapaxes(1, 2))
        clean, state = self._network.run(values, self._state)
        bad = ~np.isfinite(clean)
        lost: npt.NDArray[np.bool_] = np.logical_or(bad.any(axis=(1, 2)), ~np.isfinite(state).all(axis=1))
        self._state = state
        if lost.any() or self._forgotten.any():
            bad |= np.arange(len(clean[0]))[:, np.newaxis] < self._forgotten[:, np.newaxis, np.newaxis]
            clean = np.where(bad, np.float32(0), clean)
            self._forgotten = np.maximum(self._forgotten - len(clean[0]), 0)
            self._start_anew(lost)
        return clean.swapaxes(1, 2).reshape(seen.shape), bad.swapaxes(1, 2).reshape(seen.shape)

    def _start_anew(self, lost: npt.NDArray[np.bool_]) -> None:
        """Empty the memory of streams that hold what is not finite.

        With it goes what was fed and did not come out yet, as many samples as the delay: they will go through as they
        are.
        """
        self._state = np.where(lost[:, np.newaxis], np.float32(0), self._state)
        self._forgotten[lost] = self._facts.delay
        self._first[np.repeat(lost, self._network.leads)] = np.nan

    def _mixed(
        self, noisy: Doubles, clean: Floats, bad: npt.NDArray[np.bool_], offset: Doubles | None
    ) -> npt.NDArray[np.floating]:
        """Mix what went in with what came out; the first alone where the second is bad, or the first a gap."""
        mixed: npt.NDArray[np.floating] = clean if offset is None else clean + offset
        if self._share != 1:
            mixed = noisy + self._share * (mixed - noisy)
        gaps = np.isnan(noisy)
        if bad.any() or gaps.any():
            self.bypassed += int(np.count_nonzero(bad & ~gaps))
            mixed = np.where(bad | gaps, noisy, mixed)
        return mixed.astype(self._dtype, copy=False)


def _with_gaps(samples: Numbers) -> tuple[Doubles, int]:
    """Give samples as float64, NaN in place of what is no measurement, and how many of those were no NaN before."""
    with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite
        values = np.array(samples, np.float64, order="C")
    bad = ~(np.abs(values) <= LARGEST_SAMPLE)
    if not bad.any():
        return values, 0
    repaired = int(np.count_nonzero(bad & ~np.isnan(values)))
    values[bad] = np.nan
    return values, repaired


def _held_over_gaps(values: Doubles, before: Doubles) -> Doubles:
    """Fill gaps with the last number before them, which may be that of the last block."""
    gaps = np.isnan(values)
    if not gaps.any():
        return values
    number = np.where(gaps, 0, np.arange(1, values.shape[1] + 1))
    return np.take_along_axis(
        np.concatenate([before[:, np.newaxis], values], axis=1), np.maximum.accumulate(number, axis=1), axis=1
    )


def _given_back(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type of what comes out: float32, or float64 where that would round what goes in."""
    return np.dtype(np.float32 if np.result_type(dtype, np.float32).itemsize == 4 else np.float64)


def _rate_within(sample_rate: object, name: str, facts: SeriesFacts) -> float:
    """Refuse a rate that the network was not trained at, and near which it is not known to work."""
    rate = float(checked_rate(sample_rate))
    lowest, highest = facts.lowest_rate_hz, facts.highest_rate_hz
    if not lowest <= rate <= highest:
        raise SignalError(
            f"sample rate {rate:g} Hz: the network {name} cleans series of {lowest:g} to {highest:g} Hz; "
            "resample the series first, or train a network at its rate"
        )
    return int(rate) if rate.is_integer() else rate
