import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiodae.prep.bank import Bank
from audiodae.prep.bank_building import build_bank
from audiodae.prep.rooms import (
    FARTHEST,
    LONGEST_T60,
    NEAREST,
    SPEED_OF_SOUND,
    Room,
    draw_room,
    shortest_t60,
    simulate,
    simulated_rooms,
)
from tests.prep.made_corpus import bytes_of


def decay_seconds(pcm):
    """T60 from the slope of the energy left, between -5 and -25 dB (Schroeder 1965)."""
    left = np.cumsum((pcm.astype(float) ** 2)[::-1])[::-1]
    left_db = 10 * np.log10(left / left[0])
    return 3 * (np.argmax(left_db < -25) - np.argmax(left_db < -5)) / 16_000


def room(**changes):
    plain = {"size": (6.0, 5.0, 3.0), "microphone": (2.0, 2.0, 1.5), "t60": 0.5, "tilt": 0.2, "seed": 1}
    steps = 140  # whole samples from microphone to source: 3 m
    plain["source"] = (2.0 + steps * SPEED_OF_SOUND / 16_000, 2.0, 1.5)
    return Room(**(plain | changes))


@given(index=st.integers(0, 2**40), seed=st.integers(0, 99), split=st.sampled_from(["train", "valid"]))
@settings(max_examples=200)
def test_what_is_drawn(index, seed, split):
    drawn = draw_room(seed=seed, split=split, index=index)
    size, microphone, source = (np.array(place) for place in (drawn.size, drawn.microphone, drawn.source))
    assert np.all(size[:2] >= 2) and np.all(size <= 12)
    assert np.all(microphone > 0) and np.all(microphone < size)
    assert np.all(source > 0) and np.all(source < size)
    distance = np.linalg.norm(source - microphone)
    assert NEAREST <= distance <= FARTHEST + 0.03
    assert distance * 16_000 / SPEED_OF_SOUND == pytest.approx(round(distance * 16_000 / SPEED_OF_SOUND), abs=1e-6)
    assert 0.1 <= drawn.t60 <= max(LONGEST_T60, shortest_t60(size))


def test_seeds_splits_and_numbers_give_rooms_of_their_own():
    rooms = {
        draw_room(seed=seed, split=split, index=i) for seed in (1, 2) for split in ("train", "valid") for i in (0, 1)
    }
    assert len(rooms) == 8
    assert draw_room(seed=1, split="train", index=0) in rooms


def test_the_direct_sound_is_one_whole_sample():
    response = simulate(room())
    assert response[0] == 16_384
    assert np.abs(response[1:20]).max() < 0.05 * response[0]  # a fraction of a sample would spread it


def test_the_first_reflection_comes_from_the_nearest_wall():
    """From floor and ceiling, 1.5 m away: their images lie 3 m aside, so the way is sqrt(3^2 + 3^2) instead of 3 m."""
    response = simulate(room()).astype(float)
    delay = round((np.hypot(3.0, 3.0) - 3.0) / SPEED_OF_SOUND * 16_000)
    assert abs(np.argmax(np.abs(response[20:]) > 1000) + 20 - delay) <= 3


@pytest.mark.parametrize("t60", [0.25, 0.5, 0.8])
def test_reverberation_time(t60):
    response = simulate(room(t60=t60))
    assert response.size == round(t60 * 16_000)
    assert decay_seconds(response) == pytest.approx(t60, rel=0.3)


def test_no_step_where_the_tail_takes_over():
    response = simulate(room(t60=0.8)).astype(float)
    levels_db = 10 * np.log10((response[: 16_000 * 6 // 10].reshape(-1, 480) ** 2).mean(axis=1))
    falls = -np.diff(levels_db[1:])
    assert falls.max() < 6 and falls.min() > -3


def test_high_frequencies_die_sooner():
    def late_tilt_db(tilt):
        spectrum = np.abs(np.fft.rfft(simulate(room(t60=0.8, tilt=tilt))[6000:10_000].astype(float))) ** 2
        return 10 * np.log10(spectrum[1000:].mean() / spectrum[50:300].mean())

    assert late_tilt_db(0.4) < late_tilt_db(0.05) - 10


def test_the_same_room_sounds_the_same():
    np.testing.assert_array_equal(simulate(room()), simulate(room()))
    assert not np.array_equal(simulate(room()), simulate(room(seed=2)))


def test_rooms_in_a_bank(tmp_path):
    build_bank(simulated_rooms(4, seed=3, split="train"), tmp_path / "one")
    build_bank(simulated_rooms(4, seed=3, split="train"), tmp_path / "two")
    bank = Bank.load(tmp_path / "one")
    assert len(bank) == len(bank.group_names) == 4
    assert [bank.read(number, 0, 1)[0] for number in range(4)] == [0.5] * 4
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    build_bank(simulated_rooms(4, seed=4, split="train"), tmp_path / "other")
    assert bytes_of(tmp_path / "one") != bytes_of(tmp_path / "other")
