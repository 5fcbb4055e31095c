import msgspec
import numpy as np
import pytest
from scipy.signal import periodogram

from audiodae.errors import RecipeError
from audiodae.prep.series.beats import usable_beats
from audiodae.prep.series.draws import BeatDraw, NoiseDraw, NoisePiece, SequenceDraw, SeriesDrawSettings
from audiodae.prep.series.mixing import (
    draw_series,
    mask,
    mix_beat,
    mix_noise,
    mix_sequence,
    series_batch,
    turn_phase,
)
from tests.prep.series.made_series import RATE, make_bank

SETTINGS = SeriesDrawSettings(segment_samples=1200)
PIECE = NoisePiece("em", 0, 100, 1.0, (0.0, 1.0), False, 1.0)
PLAIN = SequenceDraw(recording=1, start=50, speed=1.0, gain=1.0, snr_db=6.0, noise=NoiseDraw((PIECE,)))


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return make_bank(tmp_path_factory.mktemp("series") / "bank")


def changed(**settings):
    return msgspec.structs.replace(SETTINGS, **settings)


def test_the_ratio_that_was_drawn(bank):
    for snr_db in (-12.0, 0.0, 12.0):
        made = mix_sequence(msgspec.structs.replace(PLAIN, snr_db=snr_db), bank, SETTINGS)
        noise = made.noisy - made.clean
        assert 10 * np.log10(made.clean.var() / noise.var()) == pytest.approx(snr_db, abs=1e-3)
        assert np.median(made.clean) == pytest.approx(0, abs=1e-3)
        assert made.weights.min() == 1
        assert np.corrcoef(noise, bank.read_noise(bank.noise["em"][0], 1, 100, 1200))[0, 1] > 0.9999


def test_the_clean_side_is_the_recording(bank):
    made = mix_sequence(msgspec.structs.replace(PLAIN, gain=-3.0, snr_db=None), bank, SETTINGS)
    recording = bank.read(1, 50, 1200)
    assert np.allclose(made.clean, -3 * (recording - np.partition(recording, 600)[600]), atol=1e-6)
    assert np.array_equal(made.noisy, made.clean)


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.37])
def test_speed_is_that_of_straight_lines(bank, speed):
    made = mix_sequence(msgspec.structs.replace(PLAIN, speed=speed, snr_db=None), bank, SETTINGS)
    recording = bank.read(1, 0, 20_000)
    slow = np.interp(50 + np.arange(1200) * speed, np.arange(20_000), recording)
    assert np.allclose(np.diff(made.clean), np.diff(slow), atol=1e-5)


def test_leads_turned_round_and_upside_down(bank):
    both = NoisePiece("em", 0, 0, 1.0, (2.0, -3.0), True, -0.5)
    noise = mix_noise(NoiseDraw((both,)), bank, 500, centred=False)
    leads = [bank.read_noise(bank.noise["em"][0], lead, 0, 500) for lead in (0, 1)]
    mixed = (2 * leads[0] - 3 * leads[1])[::-1]
    assert np.allclose(noise, -0.5 * mixed / mixed.std(), rtol=1e-4, atol=1e-4)
    assert abs(noise.mean()) > 0.1  # its own offset stays
    centred = mix_noise(NoiseDraw((both,)), bank, 500, centred=True)
    assert centred.mean() == pytest.approx(0, abs=1e-5) and centred.std() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("degrees", [30, 75, -75, 180])
def test_a_turned_phase(degrees):
    angle, times = np.radians(degrees), np.arange(2000) / 360
    # As many whole turns as meet their mirror image without a bend.
    wave = np.cos(2 * np.pi * 9 * times * 360 / 2000 + 0.0).astype(np.float32)
    turned = turn_phase(wave, angle)
    middle = slice(200, -200)
    wanted = np.cos(2 * np.pi * 9 * times * 360 / 2000 + angle)
    np.testing.assert_allclose(turned[middle], wanted[middle], atol=0.05)
    assert turn_phase(wave + 3, angle).mean() == pytest.approx(3 + turned.mean(), abs=1e-4)


def test_the_clean_side_is_turned_before_noise_comes(bank):
    turned = mix_sequence(msgspec.structs.replace(PLAIN, turn=1.0), bank, SETTINGS)
    plain = mix_sequence(PLAIN, bank, SETTINGS)
    assert np.corrcoef(turned.clean, plain.clean)[0, 1] < 0.8
    assert 10 * np.log10(turned.clean.var() / (turned.noisy - turned.clean).var()) == pytest.approx(6, abs=1e-3)


def test_powerline_white_and_step(bank):
    quiet = NoisePiece("em", 0, 0, 1.0, (0.0, 1.0), False, 1.0)
    plain = mix_noise(NoiseDraw((quiet,)), bank, 3600, centred=False)
    hum = mix_noise(NoiseDraw((quiet,), powerline=(50.0, 0.5, 0.25)), bank, 3600, centred=False) - plain
    frequency, power = periodogram(hum, RATE)
    assert frequency[np.argmax(power)] == pytest.approx(50, abs=0.1)
    assert np.abs(hum).max() == pytest.approx(0.5, abs=0.01)
    white = mix_noise(NoiseDraw((quiet,), white=(0.2, 9)), bank, 3600, centred=False) - plain
    assert white.std() == pytest.approx(0.2, rel=0.05)
    assert abs(np.corrcoef(white[1:], white[:-1])[0, 1]) < 0.05
    step = mix_noise(NoiseDraw((quiet,), step=(0.5, 3.0)), bank, 3600, centred=False) - plain
    assert np.allclose(step[:1800], 0, atol=1e-5) and np.allclose(step[1800:], 3, rtol=1e-3)


def test_a_gap_is_held_and_not_judged(bank):
    made = mix_sequence(msgspec.structs.replace(PLAIN, gap=(300, 80)), bank, SETTINGS)
    assert (made.noisy[299:380] == made.noisy[299]).all() and made.noisy[380] != made.noisy[299]
    assert not made.weights[300:380].any() and made.weights.sum() == 1200 - 80


def test_a_beat_as_published(bank):
    recording, start, length = usable_beats(bank)[3]
    draw = BeatDraw(recording, start, length, 1.0, 1.0, NoiseDraw((PIECE,)), offset=0.0, ratio=1.5)
    made = mix_beat(draw, bank)
    assert made.clean.shape == made.noisy.shape == made.weights.shape == (512,)
    assert not made.clean[:16].any() and not made.clean[16 + length :].any()
    beat = bank.read(recording, start, length)
    assert np.allclose(made.clean[16 : 16 + length], beat - (beat[0] + beat[-1]) / 2, atol=1e-6)
    assert np.ptp(made.noisy - made.clean) == pytest.approx(1.5 * np.ptp(made.clean), rel=1e-4)
    far = mix_beat(msgspec.structs.replace(draw, offset=3.0), bank)
    assert (far.noisy - far.clean).mean() > (far.noisy - far.clean).std()


def test_an_example_depends_on_its_numbers_alone(bank):
    one, again = (draw_series(3, "train", 7, bank, SETTINGS) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert all(side.dtype == np.float32 and np.isfinite(side).all() for side in one)
    for other in [(4, "train", 7), (3, "valid", 7), (3, "train", 8)]:
        assert not np.array_equal(draw_series(*other, bank, SETTINGS).noisy, one.noisy)


def test_batches_are_of_sequences_or_of_beats(bank):
    shapes = [series_batch(1, "train", step, 2, bank, SETTINGS).noisy.shape for step in range(40)]
    assert set(shapes) == {(2, 1200), (8, 512)}
    assert 0.15 < np.mean([shape == (8, 512) for shape in shapes]) < 0.5
    sequences = changed(beats_share=0.0)
    batch = series_batch(1, "train", 4, 2, bank, sequences)
    assert np.array_equal(batch.clean[1], draw_series(1, "train", 9, bank, sequences).clean)


def test_without_beats_every_batch_is_of_sequences(tmp_path):
    bank = make_bank(tmp_path / "bank", with_beats=False)
    assert series_batch(1, "train", 0, 2, bank, changed(beats_share=1.0)).noisy.shape == (2, 1200)


def test_a_recording_shorter_than_an_example(tmp_path):
    bank = make_bank(tmp_path / "bank", samples=900)
    batch = series_batch(1, "train", 0, 4, bank, changed(beats_share=0.0))
    assert batch.noisy.shape == (4, 1200) and np.isfinite(batch.noisy).all()


def test_masking_hides_samples_behind_neighbours():
    noisy = np.random.default_rng(1).standard_normal(10_000).astype(np.float32)
    masked, weights = mask(noisy, 0.1, 5)
    hidden = weights == 1
    assert hidden.mean() == pytest.approx(0.1, abs=0.02) and set(np.unique(weights)) == {0, 1}
    assert np.array_equal(masked[~hidden], noisy[~hidden])
    assert (masked[hidden] != noisy[hidden]).all()
    places = [np.flatnonzero(noisy == value)[0] for value in masked[hidden]]
    away = np.abs(np.array(places) - np.flatnonzero(hidden))
    assert away.min() == 1 and away.max() == 5
    assert mask(noisy[:8], 0.0001, 5)[1].sum() == 1  # never nothing to judge


def test_noisy_recordings_are_masked_or_refused(tmp_path):
    bank = make_bank(tmp_path / "bank", kinds=(), noisy_only=True)
    with pytest.raises(RecipeError, match="noisy recordings only; set masked_share above 0"):
        series_batch(1, "train", 0, 2, bank, SETTINGS)
    batch = series_batch(1, "train", 0, 2, bank, changed(masked_share=0.05))
    assert batch.weights.mean() == pytest.approx(0.05, abs=0.02)
    unjudged = batch.weights == 0
    assert np.array_equal(batch.noisy[unjudged], batch.clean[unjudged])
    assert not np.array_equal(batch.noisy, batch.clean)


def test_a_bank_without_noise_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="holds no noise to mix; prepare with --noise"):
        draw_series(1, "train", 0, make_bank(tmp_path / "bank", kinds=()), SETTINGS)
