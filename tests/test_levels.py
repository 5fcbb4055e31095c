import numpy as np
import pytest

from audiodae import levels


def test_sine():
    sine = np.sin(2 * np.pi * np.arange(16000) / 16).astype(np.float32)
    assert levels.rms(sine) == pytest.approx(1 / np.sqrt(2), abs=1e-6)
    assert levels.peak(-0.5 * sine) == pytest.approx(0.5)
    assert levels.to_db(levels.rms(sine)) == pytest.approx(-3.0103, abs=1e-4)


def test_nothing_and_silence():
    assert levels.rms(np.zeros(0)) == levels.peak(np.zeros(0)) == levels.rms(np.zeros(5)) == 0
    assert levels.to_db(0) == -np.inf
    assert levels.from_db(-np.inf) == 0


def test_long_quiet_sounds_keep_their_level():
    # In float32 the squares of a million samples would lose the last of them.
    assert levels.rms(np.full(1_000_000, 1e-4, np.float32)) == pytest.approx(1e-4, rel=1e-6)


@pytest.mark.parametrize("level_db", [-120.0, -6.0, 0.0, 20.0])
def test_to_db_undoes_from_db(level_db):
    assert levels.to_db(levels.from_db(level_db)) == pytest.approx(level_db)
