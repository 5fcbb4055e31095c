import numpy as np
import pytest

from audiodae.errors import SignalError
from audiodae.series_plots import COLUMNS, DETAIL_S, Detail, Envelope, SeriesPicture

PNG = b"\x89PNG"


def fed(envelope, values, cut):
    for start in range(0, len(values), cut):
        envelope.add(values[start : start + cut])
    return envelope.lines()


@pytest.mark.parametrize("count", [1, 1999, 2000, 2001, 12_345, 64_000])
@pytest.mark.parametrize("cut", [1000, 777, 10**6])
def test_an_envelope_holds_the_extremes(count, cut):
    values = np.random.default_rng(8).normal(0, 1, (count, 2))
    values[count // 2 : count // 2 + 5, 1] = np.nan
    envelope = Envelope(2)
    middles, low, high = fed(envelope, values, cut)
    width = envelope.samples_per_column
    assert len(low) == len(high) == len(middles) <= COLUMNS
    for column in range(len(low)):
        piece = values[column * width : (column + 1) * width]
        assert np.array_equal(low[column], np.fmin.reduce(piece), equal_nan=True)
        assert np.array_equal(high[column], np.fmax.reduce(piece), equal_nan=True)
        assert middles[column] == column * width + (width - 1) / 2


def test_the_detail_is_where_most_was_removed():
    before, after = np.zeros((10_000, 1)), np.zeros((10_000, 1))
    before[6300, 0], before[100, 0], before[2000, 0] = 5.0, 4.0, np.nan
    detail = Detail(1000, 1)
    for start in range(0, 10_000, 333):
        detail.add(before[start : start + 333], after[start : start + 333])
    start, piece, _ = detail.piece()
    assert (start, len(piece), piece[300, 0]) == (6000, 1000, 5.0)


@pytest.mark.parametrize(("count", "panels"), [(1, 1), (1500, 1), (20_000, 2)])
def test_a_picture_has_three_rows_a_lead(tmp_path, count, panels):
    picture = SeriesPicture(["MLII", "V5"], ["mV", ""], 360.0)
    before = np.random.default_rng(9).normal(0, 1, (count, 2))
    before[: count // 3, 0] = np.nan
    before[-1, 1] = np.inf
    for start in range(0, count, 4096):
        picture.add(before[start : start + 4096], before[start : start + 4096] / 2)
    figure = picture.figure()
    assert len(figure.axes) == 2 * 3 * panels
    assert figure.axes[0].get_ylabel() == "MLII\nbefore (mV)"
    if panels == 2:
        left, right = figure.axes[1].get_xlim()
        assert right - left == pytest.approx(DETAIL_S, rel=0.01)
    picture.save(tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(PNG)


def test_very_many_leads_are_not_all_drawn():
    picture = SeriesPicture([str(number) for number in range(40)], [""] * 40, 100.0)
    picture.add(np.zeros((10, 40)), np.zeros((10, 40)))
    assert len(picture.figure().axes) == 36


def test_nothing_is_no_picture(tmp_path):
    with pytest.raises(SignalError, match="no samples"):
        SeriesPicture(["a"], [""], 100.0).save(tmp_path / "out.png")
