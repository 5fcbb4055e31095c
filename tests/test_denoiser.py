from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiodae import Denoiser, Network, SignalError
from audiodae.frames import FrameGeometry, analyse, synthesise
from tests import networks


def denoiser(model):
    return Denoiser(Network.from_bytes(model.SerializeToString(), source="test"))


UNIT = denoiser(networks.constant(1))
HALF = denoiser(networks.constant(0.5))
SMOOTHING = denoiser(networks.smoothing())
RECURRENT = denoiser(networks.recurrent())
AHEAD = denoiser(networks.late(3))


def noise(*shape, seed=0, level=0.1):
    return np.random.default_rng(seed).normal(0, level, shape).astype(np.float32)


def streamed(stream, sound, lengths):
    """Feed a sound in chunks of these lengths, over and over, and flush."""
    out, position = [stream.feed(sound[:0])], 0
    while position < len(sound):
        for length in lengths:
            out.append(stream.feed(sound[position : position + length]))
            position += length
    return np.concatenate([*out, stream.flush()])


@pytest.mark.parametrize("rate", [4_000, 8_000, 11_025, 16_000, 44_100, 48_000, 384_000])
@pytest.mark.parametrize("shape", [(9_001,), (9_001, 1), (9_001, 3)])
def test_gains_of_one_give_the_sound_back(rate, shape):
    sound = noise(*shape)
    clean = UNIT.clean(sound, rate)
    assert clean.shape == sound.shape and clean.dtype == np.float32
    np.testing.assert_allclose(clean, sound, atol=1e-6)
    np.testing.assert_allclose(HALF.clean(sound, rate), sound / 2, atol=1e-6)


def test_equal_to_the_parts_put_together_by_hand():
    sound = noise(5_000)
    geometry = FrameGeometry.for_rate(16_000)
    spectrum = analyse(sound[np.newaxis], geometry)
    network = SMOOTHING.network
    gains, _ = network.run(np.abs(spectrum), network.initial_state(1))
    by_hand = synthesise(spectrum * gains, geometry, 5_000)[0]
    np.testing.assert_allclose(SMOOTHING.clean(sound, 16_000), by_hand, atol=1e-6)
    assert np.max(np.abs(by_hand - sound)) > 0.01  # negative control: the gains do something


@pytest.mark.parametrize("which", [SMOOTHING, RECURRENT, AHEAD], ids=["smoothing", "recurrent", "ahead"])
@pytest.mark.parametrize("samples", [0, 1, 255, 256, 257, 511, 512, 513, 20_000])
@pytest.mark.parametrize("chunk", [1, 17, 255, 256, 257, 100_000])
def test_stream_equals_file(which, samples, chunk):
    if chunk == 1:
        samples = min(samples, 600)
    sound = noise(samples)
    np.testing.assert_allclose(
        streamed(which.stream(16_000), sound, [chunk]), which.clean(sound, 16_000), rtol=0, atol=1e-5
    )


def test_gains_that_come_late_meet_the_frames_they_belong_to():
    sound = noise(20_000)
    sound[:8_000] *= 0.01
    geometry = FrameGeometry.for_rate(16_000)
    spectrum = analyse(sound[np.newaxis], geometry)
    at_once = synthesise(spectrum * (np.abs(spectrum) / (np.abs(spectrum) + 0.01)), geometry, len(sound))[0]
    late = AHEAD.clean(sound, 16_000)
    np.testing.assert_allclose(late, at_once, rtol=0, atol=1e-6)
    forgotten = denoiser(networks.late(3, told=0)).clean(sound, 16_000)  # control: a card that does not say so
    assert np.max(np.abs(forgotten - at_once)) > 0.01


@pytest.mark.parametrize("chunk", [1, 160, 256, 700])
def test_a_stream_that_looks_ahead_lags_by_its_latency_and_no_more(chunk):
    stream, sound = AHEAD.stream(16_000), noise(6_000)
    assert stream.latency == 512 + 3 * 256 and stream.latency_ms == AHEAD.network.card.latency_ms == 80.0
    given = lag = 0
    for fed in range(0, len(sound), chunk):
        given += len(stream.feed(sound[fed : fed + chunk]))
        lag = max(lag, min(fed + chunk, len(sound)) - given)
    assert stream.latency - chunk - 256 <= lag <= stream.latency
    assert given + len(stream.flush()) == len(sound)


@given(
    lengths=st.lists(st.integers(0, 2_000), min_size=1, max_size=8).filter(any),
    samples=st.integers(0, 8_000),
    rate=st.sampled_from([4_000, 8_000, 11_025, 16_000, 44_100]),
    channels=st.integers(1, 3),
    linked=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_any_chunking_equals_the_whole(lengths, samples, rate, channels, linked):
    sound = noise(samples, channels)
    stream = RECURRENT.stream(rate, channels, linked=linked, limit_db=20, mix=0.9)
    whole = RECURRENT.clean(sound, rate, limit_db=20, mix=0.9, channels="linked" if linked else "independent")
    np.testing.assert_allclose(streamed(stream, sound, lengths), whole, rtol=0, atol=1e-5)


def test_a_stream_that_forgets_differs():
    """Negative control of the tests above: begin anew in the middle, and the difference shows."""
    sound, stream = noise(20_000), RECURRENT.stream(16_000)
    halves = [stream.feed(sound[:10_240]), stream.flush(), stream.feed(sound[10_240:]), stream.flush()]
    assert np.max(np.abs(np.concatenate(halves) - RECURRENT.clean(sound, 16_000))) > 1e-3


def test_blocks_within_do_not_show(monkeypatch):
    sound = noise(30_000, 2)
    whole = RECURRENT.clean(sound, 16_000)
    for limit, value in (("BLOCK_FRAMES", 3), ("BLOCK_VALUES", 100)):
        monkeypatch.setattr(f"audiodae.denoiser.{limit}", value)
        np.testing.assert_allclose(RECURRENT.clean(sound, 16_000), whole, rtol=0, atol=1e-5)


def test_many_channels_at_a_high_rate_need_no_more_memory_than_few(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "audiodae.denoiser.Synthesiser.feed",
        lambda self, spectrum: seen.append(spectrum.size) or np.zeros((len(spectrum), 0), np.float32),
    )
    UNIT.stream(384_000, 64).feed(np.zeros((100_000, 64), np.float32))
    assert max(seen) < 3 * 2**21


def test_latency_is_enough_for_a_callback_of_any_size():
    for chunk in (1, 100, 255, 256, 257, 511, 512, 1000):
        stream = UNIT.stream(16_000)
        fed = given_back = 0
        for _ in range(3000 // chunk + 5):
            fed += chunk
            given_back += len(stream.feed(np.zeros(chunk, np.float32)))
            assert fed - stream.latency <= given_back <= fed
    assert (stream.latency, stream.latency_ms) == (512, 32.0)


def test_delayed_by_latency_the_stream_is_the_whole():
    sound, stream = noise(20_000), SMOOTHING.stream(16_000)
    played = np.zeros(stream.latency, np.float32)
    heard = []
    for start in range(0, 20_000, 160):
        played = np.concatenate([played, stream.feed(sound[start : start + 160])])
        heard.append(played[:160])
        played = played[160:]
    heard = np.concatenate(heard)
    whole = SMOOTHING.clean(sound, 16_000)
    np.testing.assert_allclose(heard[stream.latency :], whole[: -stream.latency], rtol=0, atol=1e-5)


def test_flush_and_reset_begin_a_new_sound():
    sound, stream = noise(3_000), RECURRENT.stream(16_000)
    whole = RECURRENT.clean(sound, 16_000)
    for _ in range(2):
        np.testing.assert_allclose(streamed(stream, sound, [700]), whole, rtol=0, atol=1e-5)
    stream.feed(sound)
    stream.reset()
    np.testing.assert_allclose(streamed(stream, sound, [700]), whole, rtol=0, atol=1e-5)
    assert len(stream.flush()) == 0


def test_linked_channels_keep_the_image():
    left = noise(16_000)
    stereo = np.stack([left, 0.25 * left], axis=1)
    clean = RECURRENT.clean(stereo, 16_000)
    np.testing.assert_allclose(clean[:, 1], 0.25 * clean[:, 0], atol=1e-6)
    apart = RECURRENT.clean(stereo, 16_000, channels="independent")
    assert np.max(np.abs(apart[:, 1] - 0.25 * apart[:, 0])) > 1e-4  # negative control


def test_linked_channels_show_the_network_their_root_mean_square():
    sound, silence = noise(5_000), np.zeros(5_000, np.float32)
    geometry, network = FrameGeometry.for_rate(16_000), SMOOTHING.network
    spectrum = analyse(sound[np.newaxis], geometry)
    gains, _ = network.run(np.abs(spectrum) / np.float32(np.sqrt(2)), network.initial_state(1))
    by_hand = synthesise(spectrum * gains, geometry, 5_000)[0]
    for stereo, heard in (([sound, silence], 0), ([silence, sound], 1)):
        clean = SMOOTHING.clean(np.stack(stereo, axis=1), 16_000)
        np.testing.assert_allclose(clean[:, heard], by_hand, atol=1e-6)
    assert np.max(np.abs(by_hand - SMOOTHING.clean(sound, 16_000))) > 1e-3  # negative control


def test_independent_channels_are_sounds_of_their_own():
    stereo = noise(16_000, 2)
    apart = RECURRENT.clean(stereo, 16_000, channels="independent")
    for channel in (0, 1):
        np.testing.assert_allclose(apart[:, channel], RECURRENT.clean(stereo[:, channel], 16_000), atol=1e-6)


def test_equal_channels_linked_are_as_mono():
    mono = noise(16_000)
    clean = RECURRENT.clean(np.stack([mono] * 3, axis=1), 16_000)
    np.testing.assert_allclose(clean[:, 2], RECURRENT.clean(mono, 16_000), atol=1e-5)


def test_limit_and_mix():
    sound = noise(5_000)
    np.testing.assert_allclose(denoiser(networks.constant(0)).clean(sound, 16_000, limit_db=20), 0.1 * sound, atol=1e-6)
    np.testing.assert_allclose(HALF.clean(sound, 16_000, limit_db=0), sound, atol=1e-6)
    np.testing.assert_allclose(HALF.clean(sound, 16_000, limit_db=40), sound / 2, atol=1e-6)
    np.testing.assert_allclose(HALF.clean(sound, 16_000, mix=0), sound, atol=1e-6)
    blend = 0.3 * RECURRENT.clean(sound, 16_000) + 0.7 * sound
    np.testing.assert_allclose(RECURRENT.clean(sound, 16_000, mix=0.3), blend, atol=1e-6)


def test_above_the_network_the_gain_of_the_upper_quarter_goes_on():
    rate, steps = 48_000, np.ones(networks.BINS, np.float32)
    steps[:192], steps[192:] = 0.2, 0.6  # 192 bins are 6 kHz
    model = networks.constant(1)
    model.graph.initializer[1].CopyFrom(networks.numpy_helper.from_array(steps, "gain"))
    times = np.arange(rate) / rate
    for hz, gain in ((1_000, 0.2), (7_000, 0.6), (12_000, 0.6), (23_000, 0.6)):
        sine = np.sin(2 * np.pi * hz * times).astype(np.float32)
        clean = denoiser(model).clean(sine, rate)
        np.testing.assert_allclose(clean[2000:-2000], gain * sine[2000:-2000], atol=1e-3)


def test_above_8_khz_sibilants_survive_and_noise_falls_with_the_noise_below():
    rate = 48_000
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.002, 3 * rate).astype(np.float32)
    sound[rate : 2 * rate] += rng.normal(0, 0.3, rate).astype(np.float32)  # a long s, as wide as the band
    geometry = FrameGeometry.for_rate(rate)
    before, after = (
        np.square(np.abs(analyse(samples[None], geometry)[0]))
        for samples in (sound, denoiser(networks.smoothing()).clean(sound, rate))
    )
    just_below, above = slice(round(6_000 / 31.25), 256), slice(260, round(20_000 / 31.25))
    sibilant, pause = slice(70, 120), slice(5, 60)  # frames

    def change_db(frames, bins):
        return 10 * np.log10(after[frames, bins].sum() / before[frames, bins].sum())

    assert change_db(sibilant, above) > -6
    assert change_db(pause, above) < -30
    for frames in (sibilant, pause):
        assert change_db(frames, above) == pytest.approx(change_db(frames, just_below), abs=2)


def test_the_noise_is_what_was_removed():
    sound = noise(5_000, 2)
    np.testing.assert_array_equal(
        RECURRENT.clean(sound, 16_000, output="noise"), sound - RECURRENT.clean(sound, 16_000)
    )
    damaged = sound.copy()
    damaged[3] = np.nan
    with pytest.warns(UserWarning, match="2 samples"):
        assert np.isfinite(RECURRENT.clean(damaged, 16_000, output="noise")).all()
    with pytest.raises(SignalError, match="output is 'both'"):
        RECURRENT.clean(sound, 16_000, output="both")


def test_what_is_not_finite_becomes_silence_and_is_counted():
    sound = noise(5_000, 2)
    damaged, silenced = sound.copy(), sound.copy()
    damaged[100:110, 0], damaged[7, 1], damaged[4_999, 1], damaged[8, 1] = np.nan, np.inf, -np.inf, 1e20
    silenced[100:110, 0] = silenced[7, 1] = silenced[4_999, 1] = silenced[8, 1] = 0
    stream = RECURRENT.stream(16_000, 2)
    np.testing.assert_array_equal(
        streamed(stream, damaged, [999]), streamed(RECURRENT.stream(16_000, 2), silenced, [999])
    )
    assert stream.repaired == 13
    with pytest.warns(UserWarning, match="13 samples"):
        assert np.isfinite(RECURRENT.clean(damaged, 16_000)).all()
    stream.reset()
    assert stream.repaired == 0


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ">f4"])
def test_other_floats_are_taken(dtype):
    sound = noise(3_000).astype(dtype)
    np.testing.assert_allclose(UNIT.clean(sound, 16_000), sound.astype(np.float32), atol=1e-6)


def test_float64_beyond_float32_is_repaired():
    stream = UNIT.stream(16_000)
    stream.feed(np.array([1e300, 0.5]))
    assert stream.repaired == 1


def test_the_loudest_sound_stays_finite():
    assert np.isfinite(RECURRENT.clean(noise(9_000, level=1e9), 16_000)).all()


def test_silence_stays_silence():
    assert not RECURRENT.clean(np.zeros(9_000, np.float32), 16_000).any()


@pytest.mark.parametrize("gain", [np.nan, np.inf, -np.inf, 1e7, -1e30])
def test_a_network_that_gives_no_gains_lets_the_sound_through(gain):
    broken = HALF.stream(16_000)
    broken._network = _Broken(HALF.network, gain)
    sound = noise(5_000)
    np.testing.assert_allclose(streamed(broken, sound, [160]), sound, atol=1e-6)
    assert broken.bypassed == FrameGeometry.for_rate(16_000).n_frames(5_000)


class _Broken:
    """A network whose gains and memory are lost."""

    def __init__(self, network, gain):
        self.n_bins, self.initial_state, self.gain = network.n_bins, network.initial_state, gain

    def run(self, magnitudes, state):
        assert np.isfinite(state).all()
        return np.full_like(magnitudes, self.gain), np.full_like(state, np.inf)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(100, np.int16), "samples / 32768"),
        (np.zeros(100, np.int32), "samples / 2147483648"),
        (np.zeros(100, np.uint8), "uint8; need float"),
        ([1, 2, 3], "int64; need float"),
        (np.zeros(100, bool), "bool; need float"),
        (np.zeros(100, np.complex64), "complex64"),
        (np.array(["a"]), "need float"),
        ([[0.1], [0.2, 0.3]], "no array"),
        (np.float32(0.5), "need"),
        (np.zeros((2, 3, 4), np.float32), r"\(2, 3, 4\)"),
        (np.zeros((2, 48_000), np.float32), r"samples\.T"),
        (np.zeros((100, 0), np.float32), "0 channels"),
    ],
)
def test_samples_that_cannot_be_worked_on(samples, message):
    with pytest.raises(SignalError, match=message):
        UNIT.clean(samples, 16_000)


@pytest.mark.parametrize("rate", [0, 3_999, 400_000, 16_000.5, float("nan"), float("inf"), "16000", None])
def test_rates_that_cannot_be_worked_at(rate):
    with pytest.raises(SignalError, match="sample rate"):
        UNIT.clean(noise(100), rate)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"limit_db": -1}, "limit_db is -1"),
        ({"limit_db": float("nan")}, "limit_db is nan"),
        ({"limit_db": float("inf")}, "limit_db is inf"),
        ({"mix": 1.5}, "mix is 1.5"),
        ({"mix": float("nan")}, "mix is nan"),
        ({"channels": "both"}, "channels is 'both'"),
    ],
)
def test_settings_that_make_no_sense(wrong, message):
    with pytest.raises(SignalError, match=message):
        UNIT.clean(noise(100), 16_000, **wrong)


def test_a_chunk_of_other_channels_leaves_the_stream_as_it_was():
    sound, stream = noise(5_000, 2), RECURRENT.stream(16_000, 2)
    first = stream.feed(sound[:2_000])
    for wrong in (noise(100), noise(100, 3), noise(100, 1)):
        with pytest.raises(SignalError, match="2 channels"):
            stream.feed(wrong)
    rest = np.concatenate([first, stream.feed(sound[2_000:]), stream.flush()])
    np.testing.assert_allclose(rest, RECURRENT.clean(sound, 16_000), rtol=0, atol=1e-5)


def test_by_path(tmp_path):
    path = tmp_path / "half.onnx"
    path.write_bytes(networks.constant(0.5).SerializeToString())
    np.testing.assert_allclose(Denoiser(path).clean(noise(100), 16_000), noise(100) / 2, atol=1e-6)
    np.testing.assert_allclose(Denoiser(str(path), threads=2).clean(noise(100), 16_000), noise(100) / 2, atol=1e-6)


def test_threads_may_share_a_denoiser():
    sounds = [noise(30_000, seed=seed) for seed in range(8)]
    wanted = [RECURRENT.clean(sound, 16_000) for sound in sounds]
    with ThreadPoolExecutor(4) as pool:
        for clean, expected in zip(pool.map(lambda sound: RECURRENT.clean(sound, 16_000), sounds), wanted, strict=True):
            np.testing.assert_allclose(clean, expected, atol=1e-6)


def test_the_callers_array_is_left_alone():
    sound = noise(5_000)
    before = sound.copy()
    HALF.clean(sound, 16_000)
    np.testing.assert_array_equal(sound, before)
