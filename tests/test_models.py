"""The networks that come with audiodae: small, documented, and worth having."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiodae import Denoiser
from audiodae.network import DEFAULT_MODEL, Network, find_network, shipped_networks
from tests import networks

DEMO = Path(__file__).parents[1] / "demo"
SHIPPED = sorted(shipped_networks())


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


@pytest.fixture(scope="module", params=SHIPPED)
def name(request):
    return request.param


def test_the_default_network_is_shipped():
    assert DEFAULT_MODEL in SHIPPED
    assert find_network() == find_network(DEFAULT_MODEL)


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
