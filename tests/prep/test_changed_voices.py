"""Changed voices: what was asked for is what comes out, as measured on it, and the same every time."""

import pickle
from functools import partial

import numpy as np
import pytest

from audiodae.prep.bank_building import Source
from audiodae.prep.changed_voices import Change, change_voice, changed_voices, draw_change
from audiodae.prep.decode import FULL_SCALE, SAMPLE_RATE
from audiodae.prep.voices import draw_speaker, speak

pyworld = pytest.importorskip("pyworld", reason="pyworld is in the extra [train]")

AS_IT_WAS = Change(150.0, melody=1.0, formants=1.0, tempo=1.0, tilt_db=0.0, whispers=False)


def sentence(number=0, seconds=2.0):
    rng = np.random.default_rng(number)
    return speak(draw_speaker(rng), seconds, rng).astype(np.float64)


def pcm(number):
    return np.round(sentence(number) * FULL_SCALE).astype(np.int16)


def pitch_of(sound):
    pitch, _ = pyworld.harvest(sound, SAMPLE_RATE, f0_floor=50, f0_ceil=900)
    return pitch[pitch > 0]


def centroid_hz(sound):
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float((power * np.fft.rfftfreq(sound.size, 1 / SAMPLE_RATE)).sum() / power.sum())


def changed(sound, tempo=1.0, **how):
    return change_voice(sound, Change(**{**vars(AS_IT_WAS), **how}), tempo=tempo)


@pytest.mark.parametrize("hz", [90.0, 200.0, 400.0])
def test_the_mean_of_its_pitch_is_moved(hz):
    # The median: a detector of pitch goes astray by an octave now and then.
    assert np.median(pitch_of(changed(sentence(), mean_pitch_hz=hz))) == pytest.approx(hz, rel=0.15)


def test_its_melody_is_flattened_and_stretched():
    def spread(melody):
        low, high = np.percentile(np.log2(pitch_of(changed(sentence(), melody=melody))), [20, 80])
        return high - low

    assert 1.4 * spread(0.2) < spread(1.0) < spread(2.0) / 1.4


def test_formants_and_tilt_move_the_spectrum():
    plain = centroid_hz(changed(sentence()))
    assert centroid_hz(changed(sentence(), formants=1.25)) > 1.1 * plain
    assert (
        centroid_hz(changed(sentence(), tilt_db=3.0))
        > 1.1 * plain
        > 1.1 * centroid_hz(changed(sentence(), tilt_db=-2.0))
    )


@pytest.mark.parametrize("tempo", [0.7, 1.0, 1.8])
def test_its_tempo_is_its_length_and_its_level_stays(tempo):
    before = sentence()
    after = changed(before, tempo=tempo)
    assert after.size == pytest.approx(tempo * before.size, rel=0.02)
    assert np.std(after) == pytest.approx(np.std(before), rel=0.01)
    assert np.log2(pitch_of(after)).mean() == pytest.approx(np.log2(150), abs=0.15)


def test_a_whisper_has_no_pitch():
    def voiced(sound):
        return np.mean(pyworld.harvest(sound, SAMPLE_RATE)[0] > 0)

    assert voiced(changed(sentence(), whispers=True)) < 0.4 * voiced(changed(sentence()))


def test_silence_stays_silence():
    assert np.abs(changed(np.zeros(SAMPLE_RATE))).max() < 1e-6


def speech(speakers=5, recordings=3):
    return [
        Source(f"train/corpus/{s}/{r}.wav", f"corpus/{s}", partial(pcm, 10 * s + r))
        for s in range(speakers)
        for r in range(recordings)
    ]


def test_each_new_speaker_is_one_of_those_there_under_another_name():
    made = changed_voices(speech(), 3, seed=1)
    assert len({source.group for source in made}) == 3 and len(made) == 9
    assert {source.group.removeprefix("changed/") for source in made} <= {source.group for source in speech()}
    assert all(source.path == f"changed/{source.path.removeprefix('changed/')}" for source in made)
    assert not any(source.recorded for source in made)
    assert len({source.group for source in changed_voices(speech(), 50, seed=1)}) == 5
    assert changed_voices(speech(), 0, seed=1) == []


def test_the_same_seed_makes_the_same_bytes_in_any_process():
    sources = [changed_voices(speech(), 2, seed=seed) for seed in (1, 1, 2)]
    assert [s.path for s in sources[0]] == [s.path for s in sources[1]]
    once, again = sources[0][0].make(), pickle.loads(pickle.dumps(sources[1][0].make))()
    np.testing.assert_array_equal(once, again)
    assert [s.path for s in sources[0]] != [s.path for s in sources[2]]
    assert once.dtype == np.int16 and np.abs(once.astype(int)).max() < FULL_SCALE


def test_a_speaker_with_hours_is_not_heard_again_and_again():
    assert len(changed_voices(speech(1, 30), 1, seed=1)) == 20


def test_voices_are_drawn_from_deep_to_high():
    rng = np.random.default_rng(0)
    drawn = [draw_change(rng) for _ in range(200)]
    assert min(c.mean_pitch_hz for c in drawn) < 100 and max(c.mean_pitch_hz for c in drawn) > 450
    assert 0.05 < np.mean([c.whispers for c in drawn]) < 0.2
