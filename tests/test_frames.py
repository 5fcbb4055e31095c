import itertools

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audiodae.errors import SignalError
from audiodae.frames import Analyser, FrameGeometry, Synthesiser, analyse, synthesise

RATES = [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000]


def noise(samples, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (channels, samples)).astype(np.float32)


def pieces(total, lengths):
    """Cut a sound into chunks of these lengths, over and over."""
    bounds, position = [0], 0
    while position < total:
        for length in lengths:
            position = min(position + length, total)
            bounds.append(position)
    return itertools.pairwise(bounds)


@pytest.mark.parametrize("rate", RATES)
def test_synthesis_undoes_analysis(rate):
    geometry = FrameGeometry.for_rate(rate)
    sound = noise(rate // 2 + 7, channels=2)
    back = synthesise(analyse(sound, geometry), geometry, sound.shape[1])
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, sound, atol=1e-6)
    # Negative control: a frame left out is heard.
    spectrum = analyse(sound, geometry)
    spectrum[:, 5] = 0
    assert np.max(np.abs(synthesise(spectrum, geometry, sound.shape[1]) - sound)) > 0.1


@pytest.mark.parametrize("samples", [0, 1, 2, 255, 256, 257, 511, 512, 513, 5000])
def test_every_length_comes_back(samples):
    geometry = FrameGeometry.for_rate(16_000)
    sound = noise(samples)
    spectrum = analyse(sound, geometry)
    assert spectrum.shape == (1, geometry.n_frames(samples), 257)
    np.testing.assert_allclose(synthesise(spectrum, geometry, samples), sound, atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_equal_to_torch(rate):
    geometry = FrameGeometry.for_rate(rate)
    sound = noise(40 * geometry.hop_length, channels=2)
    theirs = torch.stft(
        torch.from_numpy(sound),
        geometry.n_fft,
        geometry.hop_length,
        window=torch.from_numpy(geometry.window),
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    theirs = theirs.transpose(1, 2).numpy() * geometry.scale  # (channels, frames, bins)
    ours = analyse(sound, geometry)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert np.max(np.abs(ours[:, :-1] - theirs[:, 1:])) > 0.01  # negative control: a frame off


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_equal_to_scipy(rate):
    geometry = FrameGeometry.for_rate(rate)
    sound = noise(40 * geometry.hop_length + 3)
    transform = scipy.signal.ShortTimeFFT(
        geometry.window.astype(np.float64), geometry.hop_length, rate, fft_mode="onesided", phase_shift=None
    )
    # Their slice p is centred on sample p hops, as our frame p is; ours end where the sound does.
    n_frames = geometry.n_frames(sound.shape[1])
    theirs = transform.stft(sound[0].astype(np.float64), p0=0, p1=n_frames).T * geometry.scale
    ours = analyse(sound, geometry)[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert np.max(np.abs(ours[:-1] - theirs[1:])) > 0.01  # negative control: a frame off


@given(
    lengths=st.lists(st.integers(0, 700), min_size=1, max_size=6).filter(any),
    samples=st.integers(0, 3000),
    rate=st.sampled_from([4_000, 8_000, 11_025, 16_000]),
)
@settings(max_examples=60, deadline=None)
def test_any_chunking_equals_one_call(lengths, samples, rate):
    geometry = FrameGeometry.for_rate(rate)
    sound = noise(samples, channels=2)
    analyser, synthesiser = Analyser(geometry, 2), Synthesiser(geometry, 2)
    spectra = [analyser.feed(sound[:, start:end]) for start, end in pieces(samples, lengths)] + [analyser.flush()]
    np.testing.assert_allclose(np.concatenate(spectra, axis=1), analyse(sound, geometry), atol=1e-6)
    back = np.concatenate([synthesiser.feed(spectrum) for spectrum in spectra], axis=1)[:, :samples]
    np.testing.assert_allclose(back, sound, atol=1e-6)


def test_a_lost_sample_between_chunks_is_seen():
    """Negative control of the test above."""
    geometry, sound = FrameGeometry.for_rate(16_000), noise(3000)
    analyser = Analyser(geometry, 1)
    spectra = [analyser.feed(sound[:, :1000]), analyser.feed(sound[:, 1001:]), analyser.flush()]
    whole = analyse(sound, geometry)
    broken = np.concatenate(spectra, axis=1)
    assert np.max(np.abs(broken[:, : whole.shape[1]] - whole[:, : broken.shape[1]])) > 1e-3


def test_flush_and_reset_begin_a_new_sound():
    geometry, sound = FrameGeometry.for_rate(16_000), noise(1000)
    analyser, synthesiser = Analyser(geometry, 1), Synthesiser(geometry, 1)
    first = np.concatenate([analyser.feed(sound), analyser.flush()], axis=1)
    again = np.concatenate([analyser.feed(sound), analyser.flush()], axis=1)
    np.testing.assert_array_equal(first, again)
    once = synthesiser.feed(first)
    assert synthesiser.feed(first).shape[1] > once.shape[1]  # without reset the first frame completes a hop
    synthesiser.reset()
    np.testing.assert_array_equal(synthesiser.feed(first), once)


@pytest.mark.parametrize("rate", RATES)
def test_a_full_scale_sine_reads_one_at_every_rate(rate):
    geometry = FrameGeometry.for_rate(rate)
    bin_number = 32  # near 1 kHz, in the middle of a bin
    hz = bin_number * geometry.bin_hz
    sine = np.sin(2 * np.pi * hz * np.arange(rate) / rate).astype(np.float32)[np.newaxis]
    assert np.abs(analyse(sine, geometry))[0, 10, bin_number] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("rate", [*RATES, 4_000, 384_000])
def test_bins_lie_31_25_hz_apart(rate):
    geometry = FrameGeometry.for_rate(rate)
    assert geometry.n_fft % 2 == 0 and geometry.n_bins == geometry.hop_length + 1
    assert geometry.bin_hz == pytest.approx(31.25, rel=3e-3)
    assert 1000 * geometry.n_fft / rate == pytest.approx(32, rel=3e-3)


@pytest.mark.parametrize("rate", [0, -16_000, 3_999, 384_001, 16_000.5])
def test_rates_beyond_reach(rate):
    with pytest.raises(SignalError, match="sample rate"):
        FrameGeometry.for_rate(rate)


def test_a_window_of_no_length():
    with pytest.raises(SignalError, match="holds"):
        FrameGeometry.for_rate(4_000, window_ms=0.1)


def test_a_spectrum_of_another_length():
    geometry = FrameGeometry.for_rate(16_000)
    with pytest.raises(SignalError, match="make"):
        synthesise(analyse(noise(1000), geometry), geometry, 5000)
