"""Mixing: each step against its definition, and the whole against the manner in which it is asked for."""

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from audiodae.prep import mixing
from audiodae.prep.bank import Bank, Entry
from audiodae.prep.draws import EQUALISER_HZ, Banks, DrawSettings, Piece, draw_example
from audiodae.prep.resident import ResidentBank
from tests.prep.made_banks import make_banks

LENGTH = 8000
SETTINGS = DrawSettings(segment_seconds=LENGTH / 16_000)
FLAT = (0.0,) * len(EQUALISER_HZ)


@pytest.fixture(scope="module")
def banks(tmp_path_factory):
    return make_banks(tmp_path_factory.mktemp("banks"))


def draw(banks, indices, settings=SETTINGS):
    return [draw_example(seed=1, split="train", index=i, banks=banks, settings=settings) for i in indices]


def noise(seed, rows=2):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((rows, LENGTH)).astype(np.float32)) * 0.1


def rms(sound):
    return sound.square().mean(dim=1).sqrt()


@given(st.lists(st.floats(-20, 60), min_size=2, max_size=2))
def test_the_ratio_asked_for_is_the_ratio_met(snr_db):
    speech, unwanted = noise(0), noise(1)
    noisy = mixing.mix_at_snr(speech, unwanted, snr_db=torch.tensor(snr_db))
    met = 20 * torch.log10(rms(speech) / rms(noisy - speech))
    torch.testing.assert_close(met, torch.tensor(snr_db), atol=0.05, rtol=0.002)


def test_another_ratio_is_noticed():
    """Control."""
    speech, unwanted = noise(0), noise(1)
    noisy = mixing.mix_at_snr(speech, unwanted, snr_db=torch.tensor([5.0, 5.0]))
    assert abs(float(20 * torch.log10(rms(speech) / rms(noisy - speech))[0]) - 8.0) > 2


@pytest.mark.parametrize("silent", ["speech", "noise"])
def test_silence_has_no_ratio_and_is_left_as_it_is(silent):
    speech, unwanted = noise(0), noise(1)
    (speech if silent == "speech" else unwanted)[0] = 0
    noisy = mixing.mix_at_snr(speech, unwanted, snr_db=torch.tensor([0.0, 0.0]))
    assert torch.isfinite(noisy).all()
    torch.testing.assert_close(noisy[0], (speech + unwanted)[0])


def test_a_room_is_a_convolution_and_its_early_part_ends_in_time():
    sound, room = noise(0, 1), torch.zeros(1, 3000)
    room[0, 0], room[0, 400], room[0, 2000] = 1.0, 0.5, 0.25
    flat = mixing.curves([FLAT], [None], mixing._n_fft(LENGTH))
    reverberant, early = mixing.place(sound, room, curve=flat, early_ms=50.0)
    whole = fftconvolve(sound[0].numpy(), room[0].numpy())[:LENGTH]
    np.testing.assert_allclose(reverberant[0].numpy(), whole, atol=1e-5)
    np.testing.assert_allclose(
        early[0].numpy(), fftconvolve(sound[0].numpy(), room[0, :800].numpy())[:LENGTH], atol=1e-5
    )
    assert not np.allclose(early[0].numpy(), whole, atol=1e-3)


@pytest.mark.parametrize(("frequency", "expected_db"), [(250.0, 6.0), (1000.0, -3.0), (500.0, 0.0)])
def test_an_equaliser_gives_each_knot_its_gain(frequency, expected_db):
    knots = [0.0, 0.0, 6.0, 0.0, -3.0, 0.0, 0.0, 0.0]
    tone = torch.sin(2 * torch.pi * frequency * torch.arange(LENGTH) / 16_000)[None]
    curve = mixing.curves([knots], [None], mixing._n_fft(LENGTH))
    placed, _ = mixing.place(tone, None, curve=curve)
    middle = slice(2000, 6000)
    assert float(20 * torch.log10(rms(placed[:, middle]) / rms(tone[:, middle]))) == pytest.approx(expected_db, abs=0.2)


def test_a_band_limit_leaves_nothing_above_it():
    curve = mixing.curves([FLAT], [(300.0, 3400.0)], mixing._n_fft(LENGTH))
    placed, _ = mixing.place(noise(0, 1), None, curve=curve)
    power = torch.fft.rfft(placed[0] * torch.hann_window(LENGTH)).abs().square()

    def mean_db(low_hz, high_hz):
        return float(10 * torch.log10(power[LENGTH * low_hz // 16_000 : LENGTH * high_hz // 16_000].mean()))

    assert mean_db(400, 3300) - mean_db(3800, 8000) > 50
    assert 18 < mean_db(400, 3300) - mean_db(100, 150) < 44  # an octave and more below: 24 dB an octave
    assert mean_db(400, 3300) - mean_db(20, 40) > 50


def test_a_band_without_a_lowest_frequency_reaches_down():
    whole, limited = (mixing.curves([FLAT], [band], 4096)[0] for band in (None, (0.0, 3400.0)))
    torch.testing.assert_close(limited[:800], whole[:800])


@pytest.mark.parametrize("speed", [0.7, 0.85, 1.2, 1.4])
def test_speed_moves_pitch_and_time_together(tmp_path, speed):
    seconds = np.arange(32_000) / 16_000
    pcm = np.round(8000 * np.sin(2 * np.pi * 1000 * seconds)).astype(np.int16)
    bank = Bank(tmp_path, pcm, [Entry(path="tone", group="tone", start=0, length=pcm.size)])
    sound = mixing._lay([[Piece(0, 0, 100, LENGTH - 100, 0.5, speed)]], bank, LENGTH)[0]
    assert (sound[:100] == 0).all()
    middle = sound[1000:7400] * torch.hann_window(6400)
    assert int(torch.fft.rfft(middle).abs().argmax()) * 2.5 == pytest.approx(1000 * speed, abs=2.5)
    assert float(sound[1000:7400].abs().max()) == pytest.approx(0.5 * 8000 / 32768, rel=0.01)


def test_noise_gets_louder_where_the_draw_says(banks):
    settings = DrawSettings(segment_seconds=0.5, noise_only_share=1.0, babble_share=0.0, clip_share=0.0)
    plain = [msgspec.structs.replace(d, noise_step=None) for d in draw(banks, range(4), settings)]
    stepped = [msgspec.structs.replace(d, noise_step=(0.25, 12.0)) for d in plain]
    before, after = (mixing._all_noise(d, banks, LENGTH) for d in (plain, stepped))
    torch.testing.assert_close(after[:, :2000], before[:, :2000])
    torch.testing.assert_close(after[:, 2000:], before[:, 2000:] * 10 ** (12 / 20))


def test_the_level_is_met_unless_peaks_forbid():
    noisy, clean = noise(0), noise(1)
    made, target = mixing.at_level(noisy, clean, level_dbfs=torch.tensor([-40.0, 10.0]))
    assert float(20 * torch.log10(rms(made)[0])) == pytest.approx(-40, abs=0.01)
    assert float(made[1].abs().max()) == pytest.approx(0.99, abs=1e-4)
    torch.testing.assert_close(target / clean, (made / noisy)[:, :1].expand_as(clean), rtol=1e-4, atol=1e-6)


def test_clipping_takes_the_share_it_is_given():
    sound = noise(0)
    made = mixing.clip_peaks(sound, [0.02, 0.0])
    assert float((made[0].abs() >= made[0].abs().max() - 1e-7).float().mean()) == pytest.approx(0.02, abs=0.002)
    torch.testing.assert_close(made[1], sound[1])


@pytest.mark.parametrize("slope", [-2.0, -1.0, 0.0, 1.0])
def test_coloured_noise_has_its_slope(slope):
    made = mixing.coloured_noise((slope, 5), 160_000).numpy()
    power = np.abs(np.fft.rfft(made)) ** 2
    frequency = np.fft.rfftfreq(160_000, 1 / 16_000)
    octaves = [power[(frequency >= f) & (frequency < 2 * f)].mean() for f in (100, 200, 400, 800, 1600, 3200)]
    fitted = np.polyfit(np.arange(6), np.log2(octaves), 1)[0]
    assert fitted == pytest.approx(slope, abs=0.15)
    assert made.std() == pytest.approx(1.0, abs=0.01)


def test_a_batch_is_finite_within_full_scale_and_not_silent(banks):
    noisy, clean = mixing.mix(draw(banks, range(64)), banks, length=LENGTH)
    assert noisy.shape == clean.shape == (64, LENGTH)
    assert torch.isfinite(noisy).all()
    assert noisy.abs().max() <= 1
    assert (rms(noisy) > 1e-4).all()


def test_an_example_is_the_same_alone_and_in_a_batch(banks):
    together, together_clean = mixing.mix(draw(banks, range(8)), banks, length=LENGTH)
    for index in range(8):
        alone, alone_clean = mixing.mix(draw(banks, [index]), banks, length=LENGTH)
        torch.testing.assert_close(alone[0], together[index], atol=1e-6, rtol=1e-4)
        torch.testing.assert_close(alone_clean[0], together_clean[index], atol=1e-6, rtol=1e-4)
    assert not torch.allclose(together[0], together[1], atol=1e-3)  # control


def test_clean_examples_have_as_little_noise_as_they_are_drawn_with(banks):
    settings = DrawSettings(
        segment_seconds=0.5,
        clean_share=1.0,
        clean_snr_db=(40.0, 60.0),
        noise_only_share=0.0,
        room_share=0.0,
        clip_share=0.0,
        lead_share=0.0,
    )
    noisy, clean = mixing.mix(draw(banks, range(16), settings), banks, length=LENGTH)
    heard = rms(clean) > 1e-4
    assert (20 * torch.log10(rms(clean) / rms(noisy - clean)))[heard].min() > 39


def test_noise_only_examples_have_a_silent_target(banks):
    settings = DrawSettings(segment_seconds=0.5, noise_only_share=1.0)
    noisy, clean = mixing.mix(draw(banks, range(4), settings), banks, length=LENGTH)
    assert clean.abs().max() < 1e-6
    assert rms(noisy).min() > 1e-4


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_banks_in_a_devices_memory_give_the_same_examples(banks, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    resident = Banks(*(ResidentBank(bank, torch.device(device)) for bank in (banks.speech, banks.noise, banks.rooms)))
    draws = draw(banks, range(16))
    for here, there in zip(
        mixing.mix(draws, banks, length=LENGTH), mixing.mix(draws, resident, length=LENGTH), strict=True
    ):
        torch.testing.assert_close(there.cpu(), here, atol=1e-5, rtol=1e-3)
