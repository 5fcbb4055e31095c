"""A loss that follows PESQ: the distance of two sounds in loudness over Bark bands, differentiable.

After ITU-T P.862 (2001) and its wideband extension P.862.2 (2007), with the constants of their reference code, in the
differentiable form of Lorenz Schmidt's torch-pesq (2022). What is left out: alignment in time (nothing here is
shifted). The level and the wideband filter are applied to power spectra, not by filters over the samples.

It follows what PESQ rates, not PESQ itself, and raises it at the cost of the other measures where it is given much
weight: a little of it, beside other terms (docs/decisions/007-speech-is-judged-by-ear-too.md).
"""

import functools

import torch
from torch import Tensor

N_FFT = 512
RATE = 16_000
TARGET_POWER = 1e7  # of the band that levels are aligned by
ALIGNED_HZ = (350.0, 3250.0)
LARGEST_RAISE = 100.0  # of the estimate's power over the reference's gain: what is all but silent stays so
ZWICKER_POWER = 0.23
POWER_SCALE = 6.910853e-6
LOUDNESS_SCALE = 1.866055e-1
WIDEBAND_FILTER = ((2.740826, -5.4816519, 2.740826), (1.0, -1.9444777, 0.94597794))  # numerator, denominator
FRAMES_TOGETHER, FRAMES_BETWEEN = 20, 10  # disturbances are gathered over 320 ms, every 160 ms
TINY = 1e-12

# Tables of the reference code for 16 kHz: bins of each band, its centre and width in Bark, what its power is multiplied
# by, and the power under which it is not heard.
BINS = (
    *(1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4),
    *(3, 4, 5, 4, 5, 6, 6, 7, 8, 9, 9, 12, 12, 15, 16, 18, 21, 25, 20),
)
CENTRES = (
    *(0.078672, 0.316341, 0.636559, 0.961246, 1.290450, 1.624217, 1.962597, 2.305636, 2.653383, 3.005889),
    *(3.363201, 3.725371, 4.092449, 4.464486, 4.841533, 5.223642, 5.610866, 6.003256, 6.400869, 6.803755),
    *(7.211971, 7.625571, 8.044611, 8.469146, 8.899232, 9.334927, 9.776288, 10.223374, 10.676242, 11.134952),
    *(11.599563, 12.070135, 12.546731, 13.029408, 13.518232, 14.013264, 14.514566, 15.022202, 15.536238),
    *(16.056736, 16.583761, 17.117382, 17.657663, 18.204674, 18.758478, 19.319147, 19.886751, 20.461355, 21.043034),
)
WIDTHS = (
    *(0.157344, 0.317994, 0.322441, 0.326934, 0.331474, 0.336061, 0.340697, 0.345381, 0.350114, 0.354897),
    *(0.359729, 0.364611, 0.369544, 0.374529, 0.379565, 0.384653, 0.389794, 0.394989, 0.400236, 0.405538),
    *(0.410894, 0.416306, 0.421773, 0.427297, 0.432877, 0.438514, 0.444209, 0.449962, 0.455774, 0.461645),
    *(0.467577, 0.473569, 0.479621, 0.485736, 0.491912, 0.498151, 0.504454, 0.510819, 0.517250, 0.523745),
    *(0.530308, 0.536934, 0.543629, 0.550390, 0.557220, 0.564119, 0.571085, 0.578125, 0.585232),
)
CORRECTIONS = (
    *(100.0, 99.999992, 100.0, 100.000008, 100.000008, 100.000015, 99.999992, 99.999969, 50.000027, 100.0),
    *(99.999969, 100.000015, 99.999947, 100.000061, 53.047077, 110.000046, 117.991989, 65.0, 68.760147, 69.999931),
    *(71.428818, 75.000038, 76.843384, 80.968781, 88.646126, 63.864388, 68.155350, 72.547775, 75.584831, 58.379192),
    *(80.950836, 64.135651, 54.384785, 73.821884, 64.437073, 59.176456, 65.521278, 61.399822, 58.144047, 57.004543),
    *(64.126297, 54.311001, 61.114979, 55.077751, 56.849335, 55.628868, 53.137054, 54.985844, 79.546974),
)
THRESHOLDS = (
    *(51286152.0, 2454709.5, 70794.59375, 4897.788574, 1174.897705, 389.045166, 104.712860, 45.708820, 17.782795),
    *(9.772372, 4.897789, 3.090296, 1.905461, 1.258925, 0.977237, 0.724436, 0.562341, 0.457088, 0.389045, 0.331131),
    *(0.295121, 0.269153, 0.257040, 0.251189, 0.251189, 0.251189, 0.251189, 0.263027, 0.288403, 0.309030, 0.338844),
    *(0.371535, 0.398107, 0.436516, 0.467735, 0.489779, 0.501187, 0.501187, 0.512861, 0.524807, 0.524807, 0.524807),
    *(0.512861, 0.478630, 0.426580, 0.371535, 0.363078, 0.416869, 0.537032),
)


def pesq_distance(*, estimate: Tensor, clean: Tensor) -> Tensor:
    """How far apart two sounds are for PESQ: 4.5 less its raw score, about 0 (alike) to 5, for each segment.

    Parameters
    ----------
    estimate, clean : float32, shape (segments, samples), 16 kHz, at least `FRAMES_TOGETHER` + 1 hops of 256 samples

    Returns
    -------
    distance : float32, shape (segments,); of a silent reference it means nothing
    """
    tables = _tables(estimate.device)
    reference, degraded = _power(clean), _power(estimate)
    raise_reference = TARGET_POWER / tables.level(reference).clamp_min(TINY)
    raise_degraded = TARGET_POWER / tables.level(degraded).clamp_min(TINY)
    raise_degraded = torch.minimum(raise_degraded, LARGEST_RAISE * raise_reference)
    reference = tables.bands(raise_reference * reference)
    degraded = tables.bands(raise_degraded * degraded)
    reference, degraded = _alike_in_tone_and_gain(reference, degraded, tables)
    loud, wanted = tables.loudness(degraded), tables.loudness(reference)
    difference = loud - wanted
    masked = 0.25 * torch.minimum(loud, wanted)
    disturbance = difference.sign() * (difference.abs() - masked).clamp_min(0)
    # What was added annoys more than what was taken away.
    asymmetry = ((degraded + 50) / (reference + 50)) ** 1.2
    asymmetry = torch.where(asymmetry < 3, torch.zeros_like(asymmetry), asymmetry.clamp_max(12))
    heard = ((tables.audible(reference, 1) + 1e5) / 1e7) ** 0.04
    symmetric = (tables.norm(disturbance, 2) / heard).clamp_max(45)
    asymmetric = (tables.norm(disturbance * asymmetry, 1) / heard).clamp_max(45)
    return 0.1 * _over_time(symmetric) + 0.0309 * _over_time(asymmetric)


class _Tables:
    """The reference code's tables as tensors on one device, and what is computed with them."""

    def __init__(self, device: torch.device) -> None:
        bins = torch.arange(N_FFT // 2 + 1, device=device)
        frequency = bins * RATE / N_FFT
        self.aligned = (frequency >= ALIGNED_HZ[0]) & (frequency <= ALIGNED_HZ[1])
        z = torch.exp(-2j * torch.pi * bins / N_FFT)
        above, below = (sum(c * z**power for power, c in enumerate(row)) for row in WIDEBAND_FILTER)
        self.filter = (above.abs() / below.abs()).square().float()  # type: ignore[union-attr]
        band_of_bin = torch.repeat_interleave(torch.arange(len(BINS)), torch.tensor(BINS))
        sums = torch.nn.functional.one_hot(band_of_bin, len(BINS)).float()  # (256 bins, bands)
        self.sums = (sums * torch.tensor(CORRECTIONS) * POWER_SCALE).to(device)
        self.width = torch.tensor(WIDTHS, device=device)
        self.threshold = torch.tensor(THRESHOLDS, device=device)
        self.exponent = (6 / (torch.tensor(CENTRES, device=device) + 2)).clamp(1, 2) ** 0.15 * ZWICKER_POWER

    def level(self, power: Tensor) -> Tensor:
        """Mean power of a sample in the band that levels are aligned by, shape (segments, 1, 1)."""
        # Twice for the bins of negative frequency, by Parseval over N_FFT, by the power of a Hann window (3/8).
        return power[..., self.aligned].sum(dim=2, keepdim=True).mean(dim=1, keepdim=True) * 2 / N_FFT**2 / 0.375

    def bands(self, power: Tensor) -> Tensor:
        """Power in Bark bands, shape (segments, frames, bands), of power in bins; the constant is not heard."""
        filtered = power * self.filter
        filtered = torch.nn.functional.pad(filtered[..., 1:-1], (1, 0))
        return filtered @ self.sums

    def audible(self, bands: Tensor, factor: float) -> Tensor:
        """Sum of what lies above the threshold of hearing times a factor, shape (segments, frames)."""
        return (bands * (bands > factor * self.threshold)).sum(dim=2)

    def loudness(self, bands: Tensor) -> Tensor:
        """Zwicker's loudness of each band."""
        threshold, exponent = self.threshold, self.exponent
        loud = (2 * threshold) ** exponent * ((0.5 + 0.5 * bands / threshold) ** exponent - 1)
        return loud * (bands > threshold) * LOUDNESS_SCALE

    def norm(self, values: Tensor, p: int) -> Tensor:
        """The norm over the bands, weighted by their widths, shape (segments, frames)."""
        total = self.width[1:].sum()
        weighted = (values * self.width)[..., 1:].abs()
        return total ** (1 - 1 / p) * ((weighted**p).sum(dim=2) + TINY) ** (1 / p)


@functools.cache
def _tables(device: torch.device) -> _Tables:
    return _Tables(device)


def _power(samples: Tensor) -> Tensor:
    """Power spectra of frames of 32 ms, shape (segments, frames, bins)."""
    window = torch.hann_window(N_FFT, device=samples.device)
    spectrum = torch.stft(samples, N_FFT, N_FFT // 2, window=window, center=False, return_complex=True)
    return torch.view_as_real(spectrum.transpose(1, 2)).square().sum(dim=3)


def _alike_in_tone_and_gain(reference: Tensor, degraded: Tensor, tables: _Tables) -> tuple[Tensor, Tensor]:
    """Give the reference the estimate's tone (within 20 dB), the estimate the reference's gain in each frame."""
    speaking = (tables.audible(reference, 100) >= 1e7)[..., None]
    means = [
        (bands * speaking * (bands > 100 * tables.threshold)).mean(dim=1, keepdim=True)
        for bands in (degraded, reference)
    ]
    reference = reference * ((means[0] + 1000) / (means[1] + 1000)).clamp(0.01, 100)
    gain = (tables.audible(reference, 1) + 5e3) / (tables.audible(degraded, 1) + 5e3)
    smooth = torch.cat([gain[:, :1], 0.8 * gain[:, 1:] + 0.2 * gain[:, :-1]], dim=1)
    return reference, degraded * smooth.clamp(3e-4, 5)[..., None]


def _over_time(disturbance: Tensor) -> Tensor:
    """Gather the disturbance of frames, shape (segments, frames) to (segments,): the worst moments count most."""
    # The sixth power of what is fainter than 1e-4 is zero in float32, and its root has no slope there.
    pieces = (disturbance + 1e-4).unfold(1, FRAMES_TOGETHER, FRAMES_BETWEEN)  # (segments, pieces, frames)
    return (pieces**6).mean(dim=2).pow(1 / 6).square().mean(dim=1).sqrt()
