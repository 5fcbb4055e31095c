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


def is_clean(made):
    return made.snr_db > SETTINGS.snr_db[1]


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
    assert share(is_clean, voiced) == pytest.approx(SETTINGS.clean_share, abs=0.02)
    assert share(lambda d: d.room is not None, [d for d in draws if not is_clean(d)]) == pytest.approx(
        SETTINGS.room_share, abs=0.035
    )
    assert not any(d.room is not None for d in draws if is_clean(d))
    assert share(lambda d: bool(d.babble)) == pytest.approx(SETTINGS.babble_share, abs=0.02)
    assert share(lambda d: d.synthetic is not None) == pytest.approx(SETTINGS.synthetic_share, abs=0.02)
    limited = [d.band_hz for d in draws if d.band_hz is not None]
    assert len(limited) / len(draws) == pytest.approx(SETTINGS.band_limit_share, abs=0.025)
    assert share(lambda band: band[0] > 0, limited) == pytest.approx(0.5, abs=0.1)
    assert share(lambda d: d.noise_step is not None) == pytest.approx(SETTINGS.noise_step_share, abs=0.02)
    assert share(lambda d: d.speech[0].at > 0, voiced) == pytest.approx(SETTINGS.lead_share, abs=0.03)
    assert share(lambda d: d.clip_share > 0) == pytest.approx(SETTINGS.clip_share, abs=0.015)


def test_ranges_are_kept_and_filled(banks):
    draws = draw(banks, 1000)
    snr = [d.snr_db for d in draws if not is_clean(d)]
    assert SETTINGS.snr_db[0] <= min(snr) < SETTINGS.snr_db[0] + 1
    assert SETTINGS.snr_db[1] - 1 < max(snr) <= SETTINGS.snr_db[1]
    nearly = [d.snr_db for d in draws if d.speech and is_clean(d)]
    assert SETTINGS.clean_snr_db[0] < min(nearly) < 25 < 55 < max(nearly) <= SETTINGS.clean_snr_db[1]
    assert {d.speech[0].speed for d in draws if d.speech} == {0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2}
    assert {p.speed for d in draws for p in d.noise} == {round(0.05 * k, 2) for k in range(14, 29)}
    later = 20 * np.log10([p.gain for d in draws for p in d.speech[1:]])
    assert -SETTINGS.loudness_db <= later.min() < 0 < later.max() <= SETTINGS.loudness_db
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
            # Sentences end at their end: at most a sample that the resampler looks ahead comes from elsewhere.
            assert piece.offset + int(piece.length * piece.speed) <= banks.speech.lengths[piece.recording]
        for piece in (*made.noise, *made.babble):
            assert piece.length == length


def test_an_example_has_one_speaker(banks):
    for made in draw(banks, 200):
        assert len({int(banks.speech.groups[p.recording]) for p in made.speech}) <= 1
        assert len({p.speed for p in made.speech}) <= 1  # or they would not sound like one
        assert all(a.at + a.length < b.at for a, b in itertools.pairwise(made.speech))


def test_speakers_come_as_the_root_of_what_they_say_and_their_recordings_as_their_length(banks):
    firsts = [d.speech[0].recording for d in draw(banks, 3000) if d.speech]
    lengths, groups = banks.speech.lengths, banks.speech.groups
    met = np.bincount(firsts, minlength=len(banks.speech)) / len(firsts)
    spoken = np.bincount(groups, weights=lengths)
    expected = np.sqrt(spoken) / np.sqrt(spoken).sum()
    np.testing.assert_allclose(np.bincount(groups, weights=met), expected, atol=0.04)
    np.testing.assert_allclose(met, expected[groups] * lengths / spoken[groups], atol=0.04)


def test_no_rooms_means_none_drawn(tmp_path):
    banks = make_banks(tmp_path, rooms=False)
    assert all(made.room is None for made in draw(banks, 100))
