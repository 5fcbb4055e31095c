"""Draws: the same for the same seed, as varied as the settings say."""

import itertools

import msgspec
import numpy as np
import pytest

from audiodae.prep.draws import Draw, DrawSettings, draw_example
from tests.prep.made_banks import make_banks

SETTINGS = DrawSettings()


@pytest.fixture(scope="module")
def banks(tmp_path_factory):
    return make_banks(tmp_path_factory.mktemp("banks"))


def draw(banks, count=400, seed=1, settings=SETTINGS, split="train"):
    return [draw_example(seed=seed, split=split, index=i, banks=banks, settings=settings) for i in range(count)]


def test_a_draw_depends_on_seed_split_and_index_alone(banks):
    first = draw(banks, 5)
    assert draw(banks, 5)[::-1] == first[::-1]
    assert draw_example(seed=1, split="train", index=3, banks=banks, settings=SETTINGS) == first[3]
    assert draw(banks, 5, seed=2) != first
    assert [d.snr_db for d in draw(banks, 5, split="valid")] != [d.snr_db for d in first]


def test_a_draw_survives_json(banks):
    for made in draw(banks, 50):
        assert msgspec.json.decode(msgspec.json.encode(made), type=Draw) == made


def test_shares_are_met(banks):
    draws = draw(banks, 2000)
    voiced = [d for d in draws if d.speech]

    def share(kept, of=draws):
        return sum(map(kept, of)) / len(of)

    assert share(lambda d: not d.speech) == pytest.approx(SETTINGS.noise_only_share, abs=0.015)
    assert share(lambda d: d.snr_db >= 40, voiced) == pytest.approx(SETTINGS.clean_share, abs=0.02)
    assert share(lambda d: d.room is not None, [d for d in draws if d.snr_db < 40]) == pytest.approx(
        SETTINGS.room_share, abs=0.035
    )
    assert not any(d.room is not None for d in draws if d.snr_db >= 40)
    assert share(lambda d: bool(d.babble)) == pytest.approx(SETTINGS.babble_share, abs=0.02)
    assert share(lambda d: d.synthetic is not None) == pytest.approx(SETTINGS.synthetic_share, abs=0.02)
    assert share(lambda d: d.band_limit_hz is not None) == pytest.approx(SETTINGS.band_limit_share, abs=0.025)
    assert share(lambda d: d.clip_share > 0) == pytest.approx(SETTINGS.clip_share, abs=0.015)


def test_ranges_are_kept_and_filled(banks):
    draws = draw(banks, 1000)
    snr = [d.snr_db for d in draws if d.snr_db < 40]
    assert SETTINGS.snr_db[0] <= min(snr) < SETTINGS.snr_db[0] + 1
    assert SETTINGS.snr_db[1] - 1 < max(snr) <= SETTINGS.snr_db[1]
    levels = [d.level_dbfs for d in draws]
    assert SETTINGS.level_dbfs[0] <= min(levels) < max(levels) <= SETTINGS.level_dbfs[1]
    curves = np.array([d.speech_curve_db for d in draws])
    assert np.abs(curves).max() <= SETTINGS.equaliser_db
    assert curves.std() > 1


def test_every_example_has_noise_and_pieces_lie_within(banks):
    length = SETTINGS.segment_samples
    for made in draw(banks, 500):
        assert made.noise or made.babble or made.synthetic is not None
        for piece in made.speech:
            assert 0 <= piece.at < piece.at + piece.length <= length
            assert piece.offset + piece.length <= banks.speech.lengths[piece.recording]
        for piece in (*made.noise, *made.babble):
            assert piece.length == length


def test_an_example_has_one_speaker(banks):
    for made in draw(banks, 200):
        assert len({int(banks.speech.groups[p.recording]) for p in made.speech}) <= 1
        assert all(a.at + a.length < b.at for a, b in itertools.pairwise(made.speech))


def test_long_recordings_come_in_proportion(banks):
    firsts = [d.speech[0].recording for d in draw(banks, 3000) if d.speech]
    met = np.bincount(firsts, minlength=len(banks.speech)) / len(firsts)
    np.testing.assert_allclose(met, banks.speech.lengths / banks.speech.lengths.sum(), atol=0.04)


def test_no_rooms_means_none_drawn(tmp_path):
    banks = make_banks(tmp_path, rooms=False)
    assert all(made.room is None for made in draw(banks, 100))
