import math
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread

from audiodae import plots
from audiodae.errors import SignalError
from audiodae.frames import FrameGeometry, analyse
from tests.evaluation.made_up import RATE, hiss, voice


def images(figure):
    return [image for axes in figure.axes for image in axes.images]


@pytest.fixture(scope="module")
def pair():
    clean = voice()
    return clean + hiss(clean.size, 0.02), clean


def test_both_panels_share_colours_and_axes(pair):
    noisy, cleaned = pair
    figure = plots.spectrogram_figure([{"before": noisy, "after": 0.01 * cleaned}], RATE)
    before, after = images(figure)
    assert before.get_clim() == after.get_clim()
    assert before.get_extent() == after.get_extent() == [0, 2, 0, 8]
    assert [axes.get_xlabel() for axes in figure.axes[:2]] == ["time (s)", "time (s)"]
    assert figure.axes[0].get_ylabel() == "frequency (kHz)"
    assert figure.axes[-1].get_ylabel() == "level (dBFS)"
    assert [axes.get_title() for axes in figure.axes[:2]] == ["before", "after"]


def test_one_scale_is_the_pictures_own_doing(pair):
    """Negative control: drawn apart, a sound 40 dB lower gets other limits."""
    noisy, cleaned = pair
    (loud,) = images(plots.spectrogram_figure([{"before": noisy}], RATE))
    (quiet,) = images(plots.spectrogram_figure([{"after": 0.01 * cleaned}], RATE))
    assert loud.get_clim() != quiet.get_clim()


def test_full_scale_sine_reads_0_dbfs():
    sine = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    levels = plots.levels_dbfs(sine, FrameGeometry.for_rate(RATE))
    assert levels[5:-5].max() == pytest.approx(0, abs=0.01)
    assert levels[20].argmax() == 32  # 1000 Hz / 31.25 Hz


@pytest.mark.parametrize("rate", [8000, 48000])
def test_extent_follows_the_rate(rate):
    (image,) = images(plots.spectrogram_figure([{"sound": hiss(rate, 0.1)}], rate))
    assert image.get_extent() == [0, 1, 0, rate / 2000]


@pytest.mark.parametrize("columns", [10_000, 40, 7, 1])
def test_long_sounds_average_to_few_columns(columns, monkeypatch):
    monkeypatch.setattr(plots, "COLUMNS", columns)
    sound = hiss(RATE * 3 + 17, 0.1)
    geometry = FrameGeometry.for_rate(RATE)
    levels = plots.levels_dbfs(sound, geometry)
    power = np.abs(analyse(sound[None].astype(np.float32), geometry)[0]) ** 2
    each = math.ceil(len(power) / columns)
    slow = [10 * np.log10(power[start : start + each].mean(axis=0)) for start in range(0, len(power), each)]
    assert levels == pytest.approx(np.array(slow), abs=1e-3)
    assert len(levels) <= columns


def test_stereo_averages_power():
    sound = hiss(RATE, 0.1)
    geometry = FrameGeometry.for_rate(RATE)
    stereo = plots.levels_dbfs(np.stack([sound, 0 * sound], axis=1), geometry)
    assert stereo == pytest.approx(plots.levels_dbfs(sound, geometry) - 10 * np.log10(2), abs=1e-3)


def test_silence_draws_and_nothing_is_refused():
    (image,) = images(plots.spectrogram_figure([{"silence": np.zeros(1000)}], RATE))
    assert np.isfinite(image.get_array()).all()
    with pytest.raises(SignalError, match="no samples"):
        plots.spectrogram_figure([{"nothing": np.zeros(0)}], RATE)


def test_grid_of_rows(pair, tmp_path):
    noisy, cleaned = pair
    figure = plots.spectrogram_figure([{"noisy": noisy, "cleaned": cleaned, "clean": cleaned}] * 2, RATE)
    assert len(images(figure)) == 6
    assert len({image.get_clim() for image in images(figure)}) == 1


def test_png_is_written_whole(pair, tmp_path):
    path = tmp_path / "new" / "before_after.png"
    plots.draw_before_after(path, noisy=pair[0], cleaned=pair[1], sample_rate=RATE)
    height, width, _ = imread(path).shape
    assert width > height > 200
    assert [file.name for file in path.parent.iterdir()] == ["before_after.png"]


@pytest.mark.parametrize("columns", [10_000, 50, 7])
def test_a_map_of_unknown_length_stays_small(columns, monkeypatch):
    monkeypatch.setattr(plots, "COLUMNS", columns)
    geometry = FrameGeometry.for_rate(RATE)
    sound = hiss(RATE * 3 + 17, 0.1).astype(np.float32)
    level_map = plots.LevelMap(geometry, 1)
    for start in range(0, len(sound), 999):
        level_map.feed(sound[None, start : start + 999])
    levels = level_map.levels()
    power = np.abs(analyse(sound[None], geometry)[0]) ** 2
    each = 1
    while math.ceil(len(power) / each) > columns:
        each *= 2
    slow = [10 * np.log10(power[start : start + each].mean(axis=0)) for start in range(0, len(power), each)]
    assert levels == pytest.approx(np.array(slow), abs=1e-3)


def test_the_picture_of_a_cleaning(tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "COLUMNS", 40)
    picture = plots.Cleaning()
    with pytest.raises(SignalError, match="no samples"):
        picture.save(tmp_path / "nothing.png")
    sound = np.stack([hiss(RATE, 0.1), hiss(RATE, 0.1)], axis=1).astype(np.float32)
    for _ in range(3):
        picture.add(sound, 0.1 * sound, RATE)
    picture.save(tmp_path / "picture.png")
    assert imread(tmp_path / "picture.png").shape[:2] == (720, 1320)


def test_levels_over_time_are_those_of_the_samples():
    geometry = FrameGeometry.for_rate(RATE)
    levels = plots._whole_level(plots.levels_dbfs(hiss(RATE, 0.1), geometry), geometry)
    assert np.median(levels) == pytest.approx(-20, abs=0.3)


def test_curves_hold_what_the_log_holds(tmp_path):
    log = [
        {"step": 0, "loss": 1.0, "event": "start"},
        {"step": 10, "loss": float("nan")},
        {"step": 20, "loss": 0.5, "valid_loss": 0.6, "valid_si_sdr_db": 3.0, "learning_rate": 1e-3},
        {"message": "no step"},
    ]
    losses, ratios, *_ = plots.curves_figure(log).axes
    assert {line.get_label(): len(line.get_xdata()) for line in losses.lines} == {"loss": 3, "valid_loss": 1}
    assert {line.get_label(): list(line.get_ydata()) for line in ratios.lines} == {"valid_si_sdr_db": [3.0]}
    assert (losses.get_ylabel(), ratios.get_ylabel(), ratios.get_xlabel()) == ("loss", "ratio (dB)", "step")
    plots.draw_curves(log, tmp_path / "curves.png")
    plots.draw_curves([], tmp_path / "empty.png")
    assert imread(tmp_path / "curves.png").ndim == imread(tmp_path / "empty.png").ndim == 3


def test_drawing_needs_no_torch_pyplot_or_metrics():
    program = (
        "import sys, audiodae.plots\n"
        "print(sorted({'torch', 'matplotlib.pyplot', 'pesq', 'pystoi', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
