"""Series through the Denoiser: as a whole, as a stream however it is cut, with gaps, offsets and networks that fail."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiodae import Denoiser, Network, SeriesStream, SignalError, Stream
from tests import networks, series_networks

RATE = series_networks.RATE


def denoiser(model):
    return Denoiser(Network.from_bytes(model.SerializeToString(), source="test"))


SAME = denoiser(series_networks.scaled(1, offset="kept"))
HALF = denoiser(series_networks.scaled(0.5))
LATE = denoiser(series_networks.delayed(10, step=8, offset="kept"))
SMOOTHED = denoiser(series_networks.smoothed(9, step=4))
LEVEL = denoiser(series_networks.running_level(step=3))
THREE = denoiser(series_networks.delayed(7, leads=3, step=5, offset="kept"))


def series(*shape, seed=0, level=1.0):
    return np.random.default_rng(seed).normal(0, level, shape).astype(np.float32)


def streamed(stream, samples, lengths):
    """Feed a series in chunks of these lengths, over and over, and flush."""
    out, position = [stream.feed(samples[:0])], 0
    while position < len(samples):
        for length in lengths:
            out.append(stream.feed(samples[position : position + length]))
            position += length
    return np.concatenate([*out, stream.flush()])


def mean_around(samples, reach):
    """What `smoothed` gives, the slow way: less the first sample, zeros before, the last held after."""
    relative = samples.astype(np.float64) - samples[0]
    long = np.concatenate([np.zeros(reach), relative, np.full(reach, relative[-1])])
    return np.array([long[place : place + 2 * reach + 1].mean() for place in range(len(samples))])


@pytest.mark.parametrize("samples", [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 17, 18, 19, 500, 9001])
@pytest.mark.parametrize("shape", [(), (1,), (3,)])
def test_a_delay_line_gives_the_series_back(samples, shape):
    given_in = series(samples, *shape)
    for which in (SAME, LATE):
        clean = which.clean(given_in, RATE)
        assert clean.shape == given_in.shape and clean.dtype == np.float32
        np.testing.assert_allclose(clean, given_in, rtol=0, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 4, 9, 10, 1000])
def test_aligned_with_what_a_network_without_delay_would_give(samples):
    given_in = series(samples)
    np.testing.assert_allclose(SMOOTHED.clean(given_in, RATE), mean_around(given_in, 9), rtol=0, atol=1e-5)
    shifted = np.concatenate([given_in[:1], given_in[:-1]])
    if samples > 10:  # negative control: one sample off, and the difference shows
        assert np.max(np.abs(SMOOTHED.clean(shifted, RATE) - mean_around(given_in, 9))) > 0.01


@pytest.mark.parametrize("which", [LATE, SMOOTHED, LEVEL], ids=["late", "smoothed", "level"])
@pytest.mark.parametrize("samples", [0, 1, 7, 8, 9, 10, 11, 20, 900])
@pytest.mark.parametrize("chunk", [1, 3, 8, 17, 100_000])
def test_a_stream_is_the_whole(which, samples, chunk):
    given_in = series(min(samples, 400) if chunk == 1 else samples)
    whole = which.clean(given_in, RATE)
    np.testing.assert_allclose(streamed(which.stream(RATE), given_in, [chunk]), whole, rtol=0, atol=1e-5)


@given(
    lengths=st.lists(st.integers(0, 400), min_size=1, max_size=8).filter(lambda all_of: sum(all_of) > 20),
    samples=st.integers(0, 1_200),
    channels=st.integers(1, 3),
    block=st.sampled_from([1, 50, 4096]),
    gaps=st.lists(st.tuples(st.integers(0, 1_200), st.integers(1, 300)), max_size=4),
    offset=st.sampled_from([0, 1e6]),
    which=st.sampled_from([LATE, SMOOTHED, LEVEL]),
)
@settings(max_examples=40, deadline=None)
def test_any_cutting_equals_the_whole(lengths, samples, channels, block, gaps, offset, which):
    given_in = series(samples, channels).astype(np.float64) + offset
    for start, length in gaps:
        given_in[start : start + length, start % channels] = np.nan
    whole = which.clean(given_in, RATE, limit_db=30, mix=0.9)
    stream = which.stream(RATE, channels, limit_db=30, mix=0.9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audiodae.series_stream.BLOCK_SAMPLES", block)
        np.testing.assert_allclose(streamed(stream, given_in, lengths), whole, rtol=0, atol=1e-5)
    assert whole.shape == given_in.shape
    np.testing.assert_array_equal(np.isnan(whole), np.isnan(given_in))


def test_a_stream_that_forgets_differs():
    """Negative control of the tests above: begin anew in the middle, and the difference shows."""
    given_in, stream = series(2_000), SMOOTHED.stream(RATE)
    halves = [stream.feed(given_in[:1_000]), stream.flush(), stream.feed(given_in[1_000:]), stream.flush()]
    assert np.max(np.abs(np.concatenate(halves) - SMOOTHED.clean(given_in, RATE))) > 1e-3


def test_the_latency_is_true_and_enough():
    for which, delay, step in ((LATE, 10, 8), (SMOOTHED, 9, 4), (SAME, 0, 4)):
        stream = which.stream(RATE)
        assert stream.latency == delay + step - 1
        assert stream.latency_ms == pytest.approx(1000 * stream.latency / RATE)
        lags, back = [], 0
        for fed in range(1, 200):
            back += len(stream.feed(np.ones(1, np.float32)))
            lags.append(fed - back)
        assert max(lags) == stream.latency
        assert back == (199 - 199 % step) - delay


def test_what_is_held_does_not_grow(monkeypatch):
    sizes, stream = [], LATE.stream(RATE)
    run = stream._network.run
    monkeypatch.setattr(
        stream._network, "run", lambda values, state: sizes.append(values.shape[1]) or run(values, state)
    )
    for length in [100_000] * 3 + [1] * 50:
        stream.feed(np.zeros(length))
        assert stream._kept.shape[1] <= stream.latency
    assert max(sizes) <= 4096 + 8 and min(sizes) == 8


def test_flush_and_reset_begin_a_new_series():
    given_in, stream = series(800), SMOOTHED.stream(RATE)
    whole = SMOOTHED.clean(given_in, RATE)
    for _ in range(2):
        np.testing.assert_allclose(streamed(stream, given_in, [77]), whole, rtol=0, atol=1e-5)
    stream.feed(np.full(800, np.inf))
    assert stream.repaired == 800
    stream.reset()
    assert stream.repaired == 0
    np.testing.assert_allclose(streamed(stream, given_in, [77]), whole, rtol=0, atol=1e-5)
    assert len(stream.flush()) == 0


def test_leads_are_series_of_their_own():
    leads = series(1_000, 12)
    clean = SMOOTHED.clean(leads, RATE)
    for lead in range(12):
        np.testing.assert_allclose(clean[:, lead], SMOOTHED.clean(leads[:, lead], RATE), rtol=0, atol=1e-6)


@pytest.mark.parametrize("groups", [1, 2])
def test_leads_that_a_network_takes_together(groups):
    leads = series(1_001, 3 * groups)
    leads[100:120, 1] = np.nan
    np.testing.assert_allclose(THREE.clean(leads, RATE), leads, rtol=0, atol=1e-6)
    np.testing.assert_allclose(streamed(THREE.stream(RATE, 3 * groups), leads, [13]), leads, rtol=0, atol=1e-6)
    with pytest.raises(SignalError, match="4 leads; the network test takes 3 together"):
        THREE.clean(series(100, 4), RATE)


def test_gaps_stay_gaps_and_are_cleaned_around():
    whole = series(1_000)
    holed, held = whole.copy(), whole.copy()
    holed[:5] = holed[300:340] = holed[990:] = np.nan
    held[:5], held[300:340], held[990:] = whole[5], whole[299], whole[989]
    clean = SMOOTHED.clean(holed, RATE)
    gaps = np.isnan(holed)
    np.testing.assert_array_equal(np.isnan(clean), gaps)
    np.testing.assert_allclose(clean[~gaps], SMOOTHED.clean(held, RATE)[~gaps], rtol=0, atol=1e-6)
    # Negative control: what is put into a gap counts.
    held[300:340] += 5
    assert np.max(np.abs(clean[~gaps] - SMOOTHED.clean(held, RATE)[~gaps])) > 0.1


def test_a_lead_of_gaps_alone_stays_so_and_harms_no_other():
    leads = series(500, 2)
    leads[:, 1] = np.nan
    clean = SMOOTHED.clean(leads, RATE)
    assert np.isnan(clean[:, 1]).all()
    np.testing.assert_array_equal(clean[:, 0], SMOOTHED.clean(leads[:, 0], RATE))


def test_what_is_no_measurement_becomes_a_gap_and_is_counted():
    given_in = series(500, 2).astype(np.float64)
    holed = given_in.copy()
    given_in[7, 0], given_in[8, 0], given_in[9, 1], given_in[10, 1] = np.inf, -np.inf, 1e31, np.nan
    holed[7:9, 0] = holed[9:11, 1] = np.nan
    with pytest.warns(UserWarning, match="3 samples were not finite and became gaps"):
        clean = SMOOTHED.clean(given_in, RATE)
    np.testing.assert_array_equal(clean, SMOOTHED.clean(holed, RATE))
    stream = SMOOTHED.stream(RATE, 2)
    np.testing.assert_allclose(streamed(stream, given_in, [30]), clean, rtol=0, atol=1e-6)
    assert stream.repaired == 3


def test_masked_arrays_have_gaps_where_they_are_masked():
    values = np.ma.MaskedArray([1, 2, 3, 4], [False, True, False, False])
    np.testing.assert_array_equal(SAME.clean(values, RATE), [1, np.nan, 3, 4])


@pytest.mark.parametrize("offset", [2048, 10**7, 2**31 - 2000, -(2**31) + 2000])
def test_an_offset_of_whole_numbers_changes_nothing(offset):
    counts = np.rint(series(1_000, level=200)).astype(np.int32)
    without = SMOOTHED.clean(counts, RATE)
    np.testing.assert_array_equal(SMOOTHED.clean(counts + np.int32(offset), RATE), without)
    if abs(offset) > 2**24:  # negative control: float32, which the network takes, would have rounded them
        assert np.max(np.abs((counts + np.int32(offset)).astype(np.float32).astype(np.float64) - counts - offset)) > 10


def test_offsets_are_kept_where_the_card_says_so():
    given_in = series(300).astype(np.float64) + 1e9
    kept = LATE.clean(given_in, RATE)
    assert kept.dtype == np.float64
    np.testing.assert_allclose(kept, given_in, rtol=0, atol=1e-5)
    removed = denoiser(series_networks.delayed(10)).clean(given_in, RATE)
    np.testing.assert_allclose(removed, given_in - given_in[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "out"),
    [
        (np.int8, np.float32),
        (np.int16, np.float32),
        (">i2", np.float32),
        (np.uint16, np.float32),
        (np.float16, np.float32),
        (">f4", np.float32),
        (np.int32, np.float64),
        (np.uint32, np.float64),
        (np.int64, np.float64),
        (np.float64, np.float64),
        (np.longdouble, np.float64),
    ],
)
def test_numbers_of_all_types(dtype, out):
    counts = np.arange(100).astype(dtype)
    clean = LATE.clean(counts, RATE)
    assert clean.dtype == out
    np.testing.assert_array_equal(clean, np.arange(100))
    assert LATE.clean(counts, RATE, output="noise").dtype == out


def test_a_constant_is_a_constant():
    for value in (0, 5, -3e8):
        flat = np.full(500, value)
        assert not SMOOTHED.clean(flat, RATE).any()
        np.testing.assert_array_equal(LATE.clean(flat, RATE), flat)


def test_limit_and_mix():
    given_in = series(500)
    nothing = denoiser(series_networks.scaled(0))
    np.testing.assert_allclose(nothing.clean(given_in, RATE, limit_db=20), 0.1 * given_in, atol=1e-6)
    np.testing.assert_allclose(nothing.clean(given_in, RATE, limit_db=0), given_in, atol=1e-6)
    np.testing.assert_allclose(nothing.clean(given_in, RATE, mix=0.25), 0.75 * given_in, atol=1e-6)
    both = nothing.clean(given_in, RATE, mix=0.5, limit_db=20)
    np.testing.assert_allclose(both, 0.5 * given_in + 0.5 * 0.1 * given_in, atol=1e-6)
    np.testing.assert_allclose(SMOOTHED.clean(given_in, RATE, mix=0), given_in, atol=1e-6)


def test_the_noise_is_what_was_removed():
    given_in = series(500, 2)
    given_in[3:9, 1] = np.nan
    given_in[20, 0] = np.nan
    noise = SMOOTHED.clean(given_in, RATE, output="noise")
    np.testing.assert_array_equal(noise, given_in - SMOOTHED.clean(given_in, RATE))
    given_in[20, 0] = np.inf
    with pytest.warns(UserWarning, match="1 samples"):
        np.testing.assert_array_equal(SMOOTHED.clean(given_in, RATE, output="noise"), noise)


@pytest.mark.parametrize("chunk", [1, 4, 50, 10_000])
def test_where_a_network_fails_the_series_goes_through_and_the_network_starts_anew(chunk):
    """What was in its memory when that was lost goes through too, in its place; what comes after is cleaned again."""
    halves = denoiser(series_networks.fails_above(50, delay=10, step=4))
    leads = np.stack([series(1_000), series(1_000, seed=1)], axis=1)
    leads[500, 0] = 100
    stream = halves.stream(RATE, 2)
    clean = streamed(stream, leads, [chunk])
    np.testing.assert_allclose(clean[:, 1], (leads[:, 1] - leads[0, 1]) / 2, atol=1e-6)  # it hears nothing of that
    through = clean[:, 0] == leads[:, 0]
    assert through[490:504].all() and stream.bypassed == np.count_nonzero(through)
    assert np.count_nonzero(through) <= 10 + max(chunk, 4) + 10
    steps = ~(through[1:] | through[:-1])  # after the loss another first sample is taken away
    np.testing.assert_allclose(np.diff(clean[:, 0])[steps], np.diff(leads[:, 0])[steps] / 2, atol=1e-6)
    stream.reset()
    assert stream.bypassed == 0


def test_a_network_that_fails_is_not_mixed_and_a_gap_stays_a_gap():
    halves = denoiser(series_networks.fails_above(50, delay=10, step=4))
    given_in = series(100)
    given_in[40], given_in[41] = 100, np.nan
    stream = halves.stream(RATE, mix=0.5, limit_db=20)
    np.testing.assert_array_equal(streamed(stream, given_in, [100]), given_in)
    assert stream.bypassed == 99


def test_a_network_that_starts_anew_starts_at_zero():
    """Else an offset that it cannot bear would be there for good."""
    given_in = series(1_000)
    given_in[500:] += 100
    stream = denoiser(series_networks.fails_above(50, delay=10, step=4)).stream(RATE)
    clean = streamed(stream, given_in, [4])
    assert stream.bypassed == 14
    np.testing.assert_allclose(clean[504:], (given_in[504:] - given_in[504]) / 2, rtol=0, atol=1e-5)


def test_the_largest_numbers_stay_finite():
    given_in = series(300).astype(np.float64)
    given_in[100:110] = [0.9e30, -0.9e30] * 5
    for which in (LATE, SMOOTHED, LEVEL, denoiser(series_networks.fails_above(50))):
        assert np.isfinite(which.clean(given_in, RATE)).all()
        assert np.isfinite(which.clean(given_in.astype(np.float32), RATE, mix=0.5)).all()


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([True, False], "samples are bool; need numbers"),
        (np.zeros(10, complex), "complex128; need numbers"),
        (np.array(["1"]), "need numbers"),
        (np.array([None, 1]), "object; need numbers"),
        (np.zeros(10, "m8[s]"), "timedelta64.*need numbers"),
        ([[0.1], [0.2, 0.3]], "no array"),
        (np.float32(0.5), "need"),
        (np.zeros((2, 3, 4)), r"\(2, 3, 4\)"),
        (np.zeros((2, 5_000)), r"samples\.T"),
        (np.zeros((100, 0)), "0 channels"),
    ],
)
def test_samples_that_cannot_be_worked_on(samples, message):
    with pytest.raises(SignalError, match=message):
        SAME.clean(samples, RATE)


@pytest.mark.parametrize("rate", [0, 100, 249.99, 500.1, 48_000, float("nan"), float("inf"), "360", None, True])
def test_rates_that_the_network_does_not_know(rate):
    with pytest.raises(SignalError, match="sample rate"):
        SAME.clean(series(100), rate)
    with pytest.raises(SignalError, match="cleans series of 250 to 500 Hz; resample the series first"):
        SAME.stream(501)


@pytest.mark.parametrize("rate", [250, 257.3, 360.0, np.float32(400), np.int64(500)])
def test_rates_that_it_knows(rate):
    stream = SAME.stream(rate)
    assert stream.sample_rate == rate and isinstance(stream, SeriesStream)
    assert isinstance(stream.sample_rate, int) == (rate == int(rate))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"limit_db": -1}, "limit_db is -1"),
        ({"limit_db": float("nan")}, "limit_db is nan"),
        ({"mix": 1.5}, "mix is 1.5"),
        ({"output": "both"}, "output is 'both'"),
    ],
)
def test_settings_that_make_no_sense(wrong, message):
    with pytest.raises(SignalError, match=message):
        SAME.clean(series(100), RATE, **wrong)


def test_a_chunk_of_other_leads_leaves_the_stream_as_it_was():
    leads, stream = series(1_000, 2), SMOOTHED.stream(RATE, 2)
    first = stream.feed(leads[:300])
    for wrong in (series(10), series(10, 3), np.zeros((10, 2), complex)):
        with pytest.raises(SignalError):
            stream.feed(wrong)
    rest = np.concatenate([first, stream.feed(leads[300:]), stream.flush()])
    np.testing.assert_allclose(rest, SMOOTHED.clean(leads, RATE), rtol=0, atol=1e-5)


def test_each_kind_of_stream_refuses_the_other_kind_of_network():
    with pytest.raises(SignalError, match="the network test cleans series, not sound"):
        Stream(SAME.network, 16_000)
    with pytest.raises(SignalError, match="the network test cleans sound, not series"):
        SeriesStream(denoiser(networks.constant(1)).network, RATE)


def test_the_callers_array_is_left_alone():
    given_in = series(500).astype(np.float64)
    given_in[3], given_in[4] = np.inf, np.nan
    before = given_in.copy()
    with pytest.warns(UserWarning, match="1 samples"):
        LATE.clean(given_in, RATE, output="noise")
    np.testing.assert_array_equal(given_in, before)
