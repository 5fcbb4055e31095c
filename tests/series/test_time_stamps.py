from pathlib import Path

import numpy as np
import pytest

from audiodae.errors import SeriesFileError
from audiodae.series.time_stamps import RegularTime, is_count_name, is_time_name, rate_of, seconds_per_unit


def stamps(rate, count=5000, decimals=6):
    return np.round(np.arange(count) / rate, decimals), 10.0**-decimals


def hold(seconds, rate, resolution, *, cut=1000, clock=False):
    regular = RegularTime(Path("in.csv"), "t", rate, resolution, clock=clock)
    for start in range(0, len(seconds), cut):
        regular.add(seconds[start : start + cut], lambda row, start=start: f"row {start + row}")


@pytest.mark.parametrize("rate", [1.0, 12.5, 100.0, 250.0, 360.0, 1000.0, 44_100.0])
@pytest.mark.parametrize("decimals", [3, 6])
def test_the_rate_of_rounded_stamps(rate, decimals):
    seconds, resolution = stamps(rate, 50_000, decimals)
    # Of stamps that are coarser than the steps the last ones tell where in a step they are by chance only.
    assert rate_of(seconds, resolution) == (rate if resolution * rate < 40 else pytest.approx(rate, rel=1e-3))
    hold(seconds, rate, resolution)


def test_stamps_that_tell_no_rate():
    assert rate_of(np.zeros(10), 1.0) is None
    assert rate_of(np.array([0.0]), 0.1) is None
    assert rate_of(np.array([0.0, np.nan, np.nan]), 0.1) is None


@pytest.mark.parametrize("at", [1, 999, 1000, 4000])
def test_a_missing_row_is_told(at):
    seconds, resolution = stamps(360.0)
    with pytest.raises(SeriesFileError, match=rf"row {at}: 0\.00555\d* s after .* resample"):
        hold(np.delete(seconds, at), 360.0, resolution)


def test_time_that_goes_back_or_stands_or_is_missing_is_told():
    seconds, resolution = stamps(360.0)
    for change, told in [(seconds[10], "time goes backwards"), (seconds[2999], "0 s after"), (np.nan, "no time stamp")]:
        broken = seconds.copy()
        broken[3000] = change
        with pytest.raises(SeriesFileError, match=f"row 3000: {told}"):
            hold(broken, 360.0, resolution)


def test_another_rate_is_told_though_steps_are_coarse():
    seconds, resolution = stamps(1000.0, 50_000, 2)
    with pytest.raises(SeriesFileError, match="since the first"):
        hold(seconds, 1100.0, resolution)


def test_a_clock_begins_again_at_midnight():
    seconds = (86_000 + np.arange(5000) / 10) % 86_400
    hold(seconds, 10.0, 0.1, clock=True)
    with pytest.raises(SeriesFileError, match="backwards"):
        hold(seconds, 10.0, 0.1)


@pytest.mark.parametrize(
    "name", ["time", "Time (s)", "t", "t_ms", "Elapsed time", "timestamp", "seconds", "s", "DateTime"]
)
def test_names_of_time(name):
    assert is_time_name(name)


@pytest.mark.parametrize("name", ["ecg", "min", "heart_rate_s", "lead II", "MLII", "column 1", "", "status"])
def test_names_of_other_things(name):
    assert not is_time_name(name)


def test_names_that_count():
    assert all(is_count_name(name) for name in ("", "index", "sample #", "Unnamed: 0"))
    assert not is_count_name("ecg")


def test_what_a_number_counts():
    assert seconds_per_unit("t_ms", "", 0) == 1e-3
    assert seconds_per_unit("time", "ms", 0) == 1e-3
    assert seconds_per_unit("time", "", 12.0) == 1.0
    assert seconds_per_unit("timestamp", "", 1.7e12) == 1e-3
    assert seconds_per_unit("timestamp", "", 1.7e18) == 1e-9
