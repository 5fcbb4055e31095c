import numpy as np

from audiodae.prep.series.bank import SeriesBank, SeriesHeader, write_series_bank
from audiodae.prep.series.beats import FRAME_SAMPLES, in_frame, usable_beats


def test_beats_that_fit(tmp_path):
    # 86 samples at 360 Hz before each peak: the first begins before the record, the last but one is too long.
    beats = np.array([50, 300, 600, 1400, 1600])
    write_series_bank(
        tmp_path / "bank", SeriesHeader(rate_hz=360.0), clean={"a": np.zeros(1700)}, noise={}, beats={"a": beats}
    )
    assert usable_beats(SeriesBank.load(tmp_path / "bank")) == ((0, 214, 300), (0, 1314, 200))


def test_a_frame():
    beat = np.linspace(2, 4, 100).astype(np.float32)
    frame = in_frame(beat)
    assert frame.shape == (FRAME_SAMPLES,) and frame.dtype == np.float32
    assert not frame[:16].any() and not frame[116:].any()
    assert np.allclose(frame[16:116], beat - 3)
