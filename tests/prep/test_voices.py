import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiodae.prep.decode import clean_estimate_db, to_pcm
from audiodae.prep.voices import Speaker, draw_speaker, speak, speak_word

SPEAKER = Speaker(
    pitch_hz=150.0,
    tract=1.0,
    tempo=1.0,
    liveliness=0.0,
    jitter=0.0,
    shimmer=0.0,
    breath_db=-60.0,
    tilt_db=4.0,
    floor_db=-70.0,
    level_dbfs=-20.0,
)


@given(seed=st.integers(0, 1000), seconds=st.floats(1.0, 3.0))
@settings(max_examples=30, deadline=None)
def test_any_voice(seed, seconds):
    rng = np.random.default_rng(seed)
    samples = speak(draw_speaker(rng), seconds, rng)
    assert samples.dtype == np.float32
    assert samples.size == round(16_000 * seconds)
    assert np.isfinite(samples).all()
    assert 0.01 < np.abs(samples).max() <= 0.91


def test_the_same_seed_says_the_same():
    first, again, other = (speak(SPEAKER, 2.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_voice_has_pauses():
    assert clean_estimate_db(to_pcm(speak(SPEAKER, 5.0, np.random.default_rng(1)))) > 35


@pytest.mark.parametrize("pitch_hz", [100.0, 150.0, 220.0])
def test_a_voice_has_the_harmonics_of_its_pitch(pitch_hz):
    """The strongest repetition of the voiced parts lies at the pitch, which falls a few semitones over a sentence."""
    speaker = Speaker(**{**vars(SPEAKER), "pitch_hz": pitch_hz})
    samples = speak(speaker, 6.0, np.random.default_rng(4)).astype(float)
    found = []
    for frame in samples[: samples.size // 800 * 800].reshape(-1, 800):
        spectrum = np.abs(np.fft.rfft(frame * np.hanning(800), 1600)) ** 2
        alike = np.fft.irfft(spectrum)[:400]
        if alike[0] > 0.1 * np.var(samples) * 300:
            lag = 50 + np.argmax(alike[50:240])
            if alike[lag] > 0.5 * alike[0]:
                found.append(16_000 / lag)
    assert len(found) > 15
    assert np.median(found) == pytest.approx(pitch_hz, rel=0.06)


def test_children_have_shorter_throats():
    speakers = [draw_speaker(np.random.default_rng(seed)) for seed in range(200)]
    low, high = [s.tract for s in speakers if s.pitch_hz < 145], [s.tract for s in speakers if s.pitch_hz > 255]
    assert len(low) > 40 and len(high) > 10
    assert max(low) < min(high)


def test_a_word_is_the_same_word_in_every_voice_and_never_quite_the_same():
    first, other = (draw_speaker(np.random.default_rng(seed)) for seed in (1, 2))
    said = speak_word(first, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(said, speak_word(first, 3, np.random.default_rng(0)))
    assert 0.1 < said.size / 16_000 < 3 and 0.001 < np.abs(said).max() < 1
    again = speak_word(first, 3, np.random.default_rng(1))
    assert said.size != again.size  # held for other times
    lengths = [
        [speak_word(speaker, word, np.random.default_rng(0)).size for word in range(10)] for speaker in (first, other)
    ]
    assert np.corrcoef(lengths)[0, 1] > 0.95  # but for the tempo of the voice
