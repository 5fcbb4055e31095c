"""Losses against known answers and slow second implementations."""

import math

import pytest
import torch
import torch.nn.functional as F

from audiodae.frames import FrameGeometry
from audiodae.training import losses
from audiodae.training.losses import Estimate, Truth
from audiodae.training.recipe import LossSettings
from audiodae.training.spectra import Frames

FRAMES = Frames(FrameGeometry.for_rate(16_000), torch.device("cpu"))
ALL = LossSettings(mse=1.0, l1=1.0, huber=1.0, bce=1.0, compressed=1.0, complex=1.0, si_sdr=1.0, pesq=1.0)


@pytest.fixture
def pair():
    torch.manual_seed(0)
    clean = torch.randn(3, 8000) * 0.1
    return clean + 0.05 * torch.randn(3, 8000), clean


def test_si_sdr_of_a_known_mixture():
    time = torch.arange(16_000) / 16_000
    clean = torch.sin(2 * math.pi * 100 * time)[None]
    error = 0.1 * torch.sin(2 * math.pi * 300 * time)[None]  # orthogonal, 20 dB below
    expected = 10 * math.log10(1 / (0.01 + 1e-3))  # held within 30 dB
    assert -float(losses.si_sdr(estimate=clean + error, clean=clean)) == pytest.approx(expected, abs=1e-3)


def test_si_sdr_does_not_care_for_scale_or_offset(pair):
    noisy, clean = pair
    plain = losses.si_sdr(estimate=noisy, clean=clean)
    torch.testing.assert_close(losses.si_sdr(estimate=3 * noisy + 0.5, clean=clean), plain, atol=1e-3, rtol=1e-3)
    assert abs(float(losses.si_sdr(estimate=noisy + clean.flip(1), clean=clean) - plain)) > 0.1  # control


def test_si_sdr_leaves_out_silent_targets(pair):
    noisy, clean = pair
    with_silence = torch.cat([clean, torch.zeros(1, 8000)])
    made = torch.cat([noisy, noisy[:1]])
    torch.testing.assert_close(
        losses.si_sdr(estimate=made, clean=with_silence), losses.si_sdr(estimate=noisy, clean=clean)
    )
    only_silence = losses.si_sdr(estimate=noisy, clean=torch.zeros(3, 8000))
    assert float(only_silence) == 0


def test_compressed_complex_is_the_plain_distance_at_exponent_one():
    torch.manual_seed(0)
    estimate, clean = torch.randn(2, 5, 7, dtype=torch.complex64), torch.randn(2, 5, 7, dtype=torch.complex64)
    made = losses.compressed_complex(estimate=estimate, clean=clean, exponent=1.0)
    torch.testing.assert_close(made, (estimate - clean).abs().square().mean(), rtol=1e-4, atol=1e-5)


def test_compressed_complex_hears_the_phase_and_compressed_does_not():
    torch.manual_seed(0)
    clean = torch.randn(2, 5, 7, dtype=torch.complex64)
    turned = clean * torch.exp(torch.tensor(1j))
    assert float(losses.compressed(estimate=turned.abs(), clean=clean.abs(), exponent=0.3)) < 1e-10
    assert float(losses.compressed_complex(estimate=turned, clean=clean, exponent=0.3)) > 0.1


def test_binary_cross_entropy_is_least_at_the_truth():
    clean = torch.tensor([[[0.2, 0.5, 0.9]]])
    largest = torch.ones(1, 1, 1)
    at_truth = losses.bce(estimate=clean, clean=clean, largest=largest)
    entropy = -(clean * clean.log() + (1 - clean) * (1 - clean).log()).mean()
    torch.testing.assert_close(at_truth, entropy)
    assert losses.bce(estimate=clean * 0.8, clean=clean, largest=largest) > at_truth


@pytest.mark.parametrize("name", ["mse", "l1", "huber", "bce", "compressed", "complex", "si_sdr", "pesq"])
def test_every_term_falls_towards_the_truth_and_has_a_finite_slope(pair, name):
    noisy, clean = pair
    noisy = clean + 0.3 * (noisy - clean)  # little noise: the noisy phase is nearly the clean one
    truth = losses.truth_from_waveforms(noisy, clean, FRAMES)
    ideal = (truth.clean_magnitudes / truth.noisy_magnitudes.clamp_min(1e-8)).clamp(0, 1)
    values = []
    for share in (0.0, 0.5, 1.0):
        gains = (share * ideal + (1 - share) * 0.3).requires_grad_()
        made = losses.estimate_from_gains(gains, truth, FRAMES, waveform=True)
        term = losses.loss_terms(made, truth, ALL)[name]
        term.backward()
        assert torch.isfinite(gains.grad).all()
        values.append(float(term.detach()))
    assert values[0] > values[1] > values[2]


@pytest.mark.parametrize("name", ["mse", "l1", "huber", "bce", "compressed", "complex", "si_sdr", "pesq"])
def test_level_does_not_matter(pair, name):
    noisy, clean = pair
    made = []
    for gain in (1.0, 0.01):
        truth = losses.truth_from_waveforms(noisy * gain, clean * gain, FRAMES)
        gains = torch.full_like(truth.noisy_magnitudes, 0.4)
        estimate = losses.estimate_from_gains(gains, truth, FRAMES, waveform=True)
        made.append(losses.loss_terms(estimate, truth, ALL)[name])
    torch.testing.assert_close(made[0], made[1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("silent", ["clean", "both"])
def test_silence_gives_finite_losses_and_slopes(pair, silent):
    noisy, clean = pair
    noisy = noisy if silent == "clean" else torch.zeros_like(noisy)
    truth = losses.truth_from_waveforms(noisy, torch.zeros_like(clean), FRAMES)
    gains = torch.full_like(truth.noisy_magnitudes, 0.5, requires_grad=True)
    terms = losses.loss_terms(losses.estimate_from_gains(gains, truth, FRAMES, waveform=True), truth, ALL)
    losses.weigh(terms, ALL).backward()
    assert all(torch.isfinite(term) for term in terms.values())
    assert torch.isfinite(gains.grad).all()


def test_terms_without_weight_are_not_computed_and_the_sum_is_weighted(pair):
    noisy, clean = pair
    truth = losses.truth_from_waveforms(noisy, clean, FRAMES)
    settings = LossSettings(mse=2.0, l1=3.0, compressed=0.0, complex=0.0, si_sdr=0.0)
    made = losses.estimate_from_gains(torch.full_like(truth.noisy_magnitudes, 0.4), truth, FRAMES, waveform=False)
    terms = losses.loss_terms(made, truth, settings)
    assert set(terms) == {"mse", "l1"}
    torch.testing.assert_close(losses.weigh(terms, settings), 2 * terms["mse"] + 3 * terms["l1"])


def test_magnitude_pairs_know_magnitude_terms_only():
    magnitudes = torch.rand(2, 5, 257)
    truth = Truth(magnitudes, magnitudes * 0.5)
    made = losses.estimate_from_gains(torch.full_like(magnitudes, 0.4), truth, FRAMES, waveform=True)
    assert made == Estimate(made.magnitudes)
    assert set(losses.loss_terms(made, truth, ALL)) == {"mse", "l1", "huber", "bce", "compressed"}


def test_magnitude_terms_are_torchs_own():
    estimate, clean = torch.rand(2, 5, 7), torch.rand(2, 5, 7)
    assert torch.equal(losses.mse(estimate=estimate, clean=clean), ((estimate - clean) ** 2).mean())
    assert torch.equal(losses.l1(estimate=estimate, clean=clean), (estimate - clean).abs().mean())
    assert torch.equal(losses.huber(estimate=4 * estimate, clean=clean), F.huber_loss(4 * estimate, clean))


def test_weight_penalty_is_the_sum_over_parameters():
    parameters = [torch.tensor([1.0, -2.0]), torch.tensor([[3.0]])]
    made = losses.weight_penalty(parameters, LossSettings(weight_l1=0.1, weight_l2=0.01))
    assert float(made) == pytest.approx(0.1 * 6 + 0.01 * 14)
    assert losses.weight_penalty(parameters, LossSettings()) == 0.0
