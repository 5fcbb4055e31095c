"""The networks that come with audiodae: small, documented, and worth having."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiodae import Denoiser
from audiodae.network import DEFAULT_MODEL, Network, find_network, shipped_networks
from audiodae.prep.series.ecg import Patient, synthetic_ecg
from audiodae.prep.series.ecg_noises import baseline_wander, electrode_motion, muscle_artefact
from tests import networks

DEMO = Path(__file__).parents[1] / "demo"
SHIPPED = sorted(shipped_networks())
FOR_SERIES = [name for name, path in shipped_networks().items() if Network.load(path).card.kind == "samples"]
FOR_SOUND = sorted(set(SHIPPED) - set(FOR_SERIES))


def si_sdr(estimate, clean):
    """Scale-invariant SDR, dB; a second implementation, so that the light half is tested without the evaluation."""
    estimate, clean = estimate - estimate.mean(), clean - clean.mean()
    target = clean * (estimate @ clean) / (clean @ clean)
    return 10 * np.log10((target @ target) / ((estimate - target) @ (estimate - target)))


@pytest.fixture(scope="module")
def sample():
    noisy, rate = soundfile.read(DEMO / "sample_noisy.flac", dtype="float32")
    clean, _ = soundfile.read(DEMO / "sample_clean.flac", dtype="float32")
    return noisy, clean, rate


@pytest.fixture(scope="module", params=FOR_SOUND)
def name(request):
    return request.param


def test_the_default_network_is_shipped():
    assert DEFAULT_MODEL in SHIPPED
    assert find_network() == find_network(DEFAULT_MODEL)


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_small_and_says_what_it_is(name):
    path = find_network(name)
    assert path.stat().st_size < 8_000_000
    card = Network.load(path).card
    assert card.name == name
    for key in ("licence", "data", "limits", "hardware", "steps", "seed", "metrics", "recipe", "audio_hours"):
        assert card[key], key
    page = resources.files("audiodae").joinpath(f"models/{name}.md").read_text(encoding="utf-8")
    assert card.version in page
    assert card["licence"] in page


def test_it_takes_out_noise(name, sample):
    noisy, clean, rate = sample
    cleaned = Denoiser(name).clean(noisy, rate)
    gain = si_sdr(cleaned, clean) - si_sdr(noisy, clean)
    assert gain > 4
    # Control: a network that does nothing gains nothing.
    same = Denoiser(Network(networks.constant(1.0).SerializeToString())).clean(noisy, rate)
    assert abs(si_sdr(same, clean) - si_sdr(noisy, clean)) < 0.01


def test_it_leaves_clean_speech_alone(name, sample):
    _, clean, rate = sample
    # Of real speech 20 dB and more is kept; the sample's synthesised voice, unlike any it has heard, fares worse.
    assert si_sdr(Denoiser(name).clean(clean, rate), clean) > 11


@pytest.mark.parametrize("level", [0.03, 0.3])
def test_a_quiet_talker_is_cleaned_as_well(name, sample, level):
    noisy, clean, rate = sample
    cleaned = Denoiser(name).clean(noisy * level, rate)
    assert si_sdr(cleaned, clean) - si_sdr(noisy, clean) > 3.5


def test_silence_stays_silent_and_loud_sound_stays_finite(name):
    denoiser = Denoiser(name)
    assert not denoiser.clean(np.zeros(16_000, np.float32), 16_000).any()
    loud = np.random.default_rng(0).uniform(-50, 50, 16_000).astype(np.float32)
    assert np.isfinite(denoiser.clean(loud, 16_000)).all()


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_other_rates_and_stereo_will_do(name, rate):
    noise = 0.1 * np.random.default_rng(0).standard_normal((2 * rate, 2)).astype(np.float32)
    cleaned = Denoiser(name).clean(noise, rate)
    assert cleaned.shape == noise.shape
    # Half a second in, it has heard that this is noise.
    assert cleaned[rate // 2 :].std() < 0.5 * noise[rate // 2 :].std()


@pytest.mark.parametrize("chunk", [1000, 333])
def test_a_stream_is_the_file(name, sample, chunk):
    noisy, _, rate = sample
    denoiser = Denoiser(name)
    stream = denoiser.stream(rate)
    pieces = [stream.feed(noisy[start : start + chunk]) for start in range(0, len(noisy), chunk)]
    np.testing.assert_allclose(np.concatenate([*pieces, stream.flush()]), denoiser.clean(noisy, rate), atol=1e-5)


@pytest.fixture(scope="module")
def heart():
    """A minute of a made-up ECG in mV at 360 Hz, and three noises as loud."""
    rng = np.random.default_rng(0)
    clean, _ = synthetic_ecg(Patient(millivolts=1.4), 60.0, 360.0, rng)
    clean = clean - np.median(clean)
    noises = [make(len(clean), 360.0, rng) for make in (baseline_wander, electrode_motion, muscle_artefact)]
    return clean, [noise * clean.std() / noise.std() for noise in noises]


def snr(estimate, clean):
    return 10 * np.log10((clean**2).sum() / ((estimate - clean) ** 2).sum())


@pytest.mark.parametrize("name", FOR_SERIES)
def test_it_takes_noise_out_of_an_ecg(name, heart):
    clean, noises = heart
    denoiser = Denoiser(name)
    for noise, least in zip(noises, (10, 5, 6), strict=True):
        noisy = clean + noise
        assert snr(denoiser.clean(noisy, 360), clean) - snr(noisy, clean) > least
    assert snr(denoiser.clean(clean, 360), clean) > 15  # a made-up heart, unlike any it has seen
    volts, offset = denoiser.clean(1e-3 * (clean + noises[0]), 360), denoiser.clean(clean + noises[0] + 500, 360)
    np.testing.assert_allclose(1e3 * volts, denoiser.clean(clean + noises[0], 360), atol=1e-3)
    np.testing.assert_allclose(offset, denoiser.clean(clean + noises[0], 360), atol=1e-3)


@pytest.mark.parametrize("name", FOR_SERIES)
@pytest.mark.parametrize("rate", [250, 500])
def test_an_ecg_of_another_rate_will_do(name, rate):
    rng = np.random.default_rng(1)
    clean, _ = synthetic_ecg(Patient(millivolts=1.4), 40.0, float(rate), rng)
    clean = clean - np.median(clean)
    noise = muscle_artefact(len(clean), float(rate), rng) + 2 * baseline_wander(len(clean), float(rate), rng)
    noisy = clean + noise * clean.std() / noise.std()
    assert snr(Denoiser(name).clean(noisy, rate), clean) - snr(noisy, clean) > 6


@pytest.mark.parametrize("name", FOR_SERIES)
def test_a_stream_of_twelve_leads_is_the_file(name):
    leads = np.random.default_rng(2).normal(0, 0.1, (3000, 12)).cumsum(axis=0)
    leads[500:600, 3] = np.nan
    denoiser = Denoiser(name)
    stream, whole = denoiser.stream(360, 12), denoiser.clean(leads, 360)
    pieces = [stream.feed(leads[start : start + 77]) for start in range(0, len(leads), 77)]
    np.testing.assert_allclose(np.concatenate([*pieces, stream.flush()]), whole, atol=1e-5)
    assert whole.shape == leads.shape
    assert np.array_equal(np.isnan(whole), np.isnan(leads))
