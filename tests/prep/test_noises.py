import numpy as np
import pytest

from audiodae.prep.noises import NOISES, make_noise, simulated_noises


def rms(samples):
    return np.sqrt(np.mean(samples**2))


def powers(samples):
    """Power in the octaves from 62.5 Hz to 8 kHz, dB."""
    power, hz = np.abs(np.fft.rfft(samples)) ** 2, np.fft.rfftfreq(samples.size, 1 / 16_000)
    edges = 62.5 * 2.0 ** np.arange(8)
    return 10 * np.log10([power[(hz >= low) & (hz < 2 * low)].sum() for low in edges[:-1]])


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("seconds", [1.0, 2.3])
def test_every_noise(kind, seconds):
    samples = make_noise(kind, seconds, np.random.default_rng(1))
    assert samples.dtype == np.float32
    assert samples.size == round(16_000 * seconds)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 0.91
    assert 20 * np.log10(rms(samples)) < -14
    np.testing.assert_array_equal(samples, make_noise(kind, seconds, np.random.default_rng(1)))
    assert not np.array_equal(samples, make_noise(kind, seconds, np.random.default_rng(2)))


def test_kinds_have_the_spectra_they_are_named_for():
    hiss, pink, rumble = (
        powers(make_noise(kind, 4.0, np.random.default_rng(3))) for kind in ("hiss", "pink", "rumble")
    )
    assert np.ptp(pink) < 8  # as much in each octave
    assert 8 < hiss[-1] - hiss[0] < 28  # twice as much in each octave, leaning up to 9 dB to either side
    assert rumble[0] - rumble[-1] > 15


def test_hum_stands_on_the_mains():
    samples = make_noise("hum", 4.0, np.random.default_rng(5))
    strongest = np.argmax(np.abs(np.fft.rfft(samples))) / 4.0
    assert min(strongest % 50, strongest % 60) == pytest.approx(0, abs=0.3)


def test_a_crowd_never_falls_silent():
    samples = make_noise("babble", 4.0, np.random.default_rng(6))
    assert min(rms(part) for part in samples.reshape(-1, 8000)) > 0.2 * rms(samples)


def test_simulated_noises_go_round_the_kinds_and_are_the_same_again():
    few = simulated_noises(14, seed=3, split="train")
    assert [source.group for source in few[:2]] == ["simulated/hiss", "simulated/pink"]
    assert {source.group for source in few} == {f"simulated/{kind}" for kind in NOISES if kind != "babble"}
    assert len({source.path for source in few}) == 14
    assert not any(source.recorded for source in few)
    made = few[0].make()
    assert made.dtype == np.int16
    assert made.size == 20 * 16_000
    np.testing.assert_array_equal(made, simulated_noises(1, seed=3, split="train")[0].make())
    for other in (few[12], *simulated_noises(1, seed=3, split="valid"), *simulated_noises(1, seed=4, split="train")):
        assert other.group == few[0].group  # the same kind, another noise
        assert not np.array_equal(other.make(), made)
