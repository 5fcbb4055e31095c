import msgspec
import numpy as np
import pytest

from audiodae.errors import RecipeError
from audiodae.prep.series.draws import (
    BEAT,
    SEQUENCE,
    SeriesDrawSettings,
    check_settings,
    draw_beat,
    draw_sequence,
    generator,
    stretch,
)
from tests.prep.series.made_series import make_bank

SETTINGS = SeriesDrawSettings()
COUNT = 2000


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return make_bank(tmp_path_factory.mktemp("series") / "bank")


@pytest.fixture(scope="module")
def draws(bank):
    return [draw_sequence(generator(1, "train", index, SEQUENCE), bank, SETTINGS) for index in range(COUNT)]


def share(flags):
    return np.mean(list(flags))


def test_as_often_as_the_settings_say(draws):
    assert share(d.snr_db is None for d in draws) == pytest.approx(0.08 / 3, abs=0.01)
    assert share(d.snr_db is not None and d.snr_db > 22 for d in draws) == pytest.approx(0.08 * 2 / 3, abs=0.015)
    assert share(d.gain < 0 for d in draws) == pytest.approx(0.25, abs=0.03)
    assert share(d.gap is not None for d in draws) == pytest.approx(0.05, abs=0.015)
    assert share(d.noise.powerline is not None for d in draws) == pytest.approx(0.15, abs=0.02)
    assert share(d.noise.white is not None for d in draws) == pytest.approx(0.15, abs=0.02)
    assert share(d.noise.step is not None for d in draws) == pytest.approx(0.05, abs=0.015)
    kinds = ["+".join(piece.kind for piece in d.noise.pieces) for d in draws]
    for kind, weight in zip(SETTINGS.kinds, SETTINGS.kind_weights, strict=True):
        assert share(k == kind for k in kinds) == pytest.approx(weight, abs=0.03)
    pieces = [piece for d in draws for piece in d.noise.pieces]
    assert share(all(piece.leads) for piece in pieces) == pytest.approx(0.3, abs=0.03)
    assert share(piece.backwards for piece in pieces) == pytest.approx(0.5, abs=0.03)
    assert share(piece.gain > 0 for piece in pieces) == pytest.approx(0.5, abs=0.03)


def test_within_the_ranges(bank, draws):
    gains = 20 * np.log10(np.abs([d.gain for d in draws]))
    lowest, highest = gains.min(), gains.max()
    assert -17 <= lowest < -16 and 16 < highest <= 17
    ratios = [d.snr_db for d in draws if d.snr_db is not None]
    assert -14 <= min(ratios) < -13 and 44 < max(ratios) <= 45
    assert all(0.7 <= d.speed <= 1.4 for d in draws)
    assert all(d.start + stretch(2560, d.speed) <= 20_000 for d in draws)
    pieces = [piece for d in draws for piece in d.noise.pieces]
    assert all(0.7 <= piece.speed <= 1.5 and piece.start + stretch(2560, piece.speed) <= 20_000 for piece in pieces)
    assert all(start > 0 and start + length < 2560 for start, length in (d.gap for d in draws if d.gap))


def test_a_draw_depends_on_its_numbers_alone(bank, draws):
    again = draw_sequence(generator(1, "train", 5, SEQUENCE), bank, SETTINGS)
    assert again == draws[5]
    for seed, split, index in [(2, "train", 5), (1, "valid", 5), (1, "train", 6)]:
        assert draw_sequence(generator(seed, split, index, SEQUENCE), bank, SETTINGS) != again


def test_kinds_that_the_settings_do_not_name(tmp_path):
    bank = make_bank(tmp_path / "bank", kinds=("hum", "knock"))
    kinds = {
        tuple(piece.kind for piece in draw_sequence(generator(1, "train", i, SEQUENCE), bank, SETTINGS).noise.pieces)
        for i in range(60)
    }
    assert kinds == {("hum",), ("knock",), ("hum", "knock")}
    only = msgspec.structs.replace(SETTINGS, kinds=("hum", "bw"), kind_weights=(1.0, 1.0))
    drawn = [draw_sequence(generator(1, "train", i, SEQUENCE), bank, only).noise.pieces for i in range(30)]
    assert {piece.kind for pieces in drawn for piece in pieces} == {"hum"}


def test_masked_recordings_are_left_as_they_are(bank):
    settings = msgspec.structs.replace(SETTINGS, masked_share=0.05)
    drawn = [draw_sequence(generator(1, "train", i, SEQUENCE), bank, settings) for i in range(50)]
    assert all(d.speed == 1 and d.snr_db is None and not d.noise.pieces and d.gap is None for d in drawn)
    assert len({d.mask_seed for d in drawn}) == 50


def test_beats_fit_their_frames(bank):
    drawn = [draw_beat(generator(1, "train", i, BEAT), bank, SETTINGS) for i in range(500)]
    assert all(d.length / d.speed <= 496 for d in drawn)
    assert all(0.1 <= d.ratio <= 2 for d in drawn)
    assert share(d.offset != 0 for d in drawn) == pytest.approx(0.3, abs=0.06)
    alone = share([p.kind for p in d.noise.pieces] == ["bw"] and d.noise.white is None for d in drawn)
    assert 0.5 < alone < 0.68  # half by the published protocol, some of the others by chance


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"segment_samples": 3}, "segment_samples needs to be 16 or more"),
        ({"snr_db": (9.0, 3.0)}, "the lower number first"),
        ({"noise_speed": (0.0, 1.0)}, "numbers above 0"),
        ({"gap_share": 1.5}, "every _share needs a number from 0 to 1"),
        ({"masked_share": 1.0}, "masked_share less than 1"),
        ({"kinds": ("bw",)}, "a number above 0 for each of kinds"),
        ({"kind_weights": (0.0,) * 7}, "a number above 0 for each of kinds"),
        ({"beats_per_row": 0}, "beats_per_row needs to be 1 or more"),
    ],
)
def test_settings_that_make_no_sense(changed, message):
    check_settings(SETTINGS)
    with pytest.raises(RecipeError, match=f"data.series.*{message}"):
        check_settings(msgspec.structs.replace(SETTINGS, **changed))
