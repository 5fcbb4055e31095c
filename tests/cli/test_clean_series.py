import json
import re

import numpy as np
import pytest

from tests import networks, series_networks
from tests.cli.process import assert_refused, audiodae, here, with_model


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A network for series that halves, some samples later."""
    path = tmp_path_factory.mktemp("network") / "half.onnx"
    path.write_bytes(series_networks.delayed(100, 0.5, step=8).SerializeToString())
    return path


@pytest.fixture
def table(tmp_path):
    """Ten seconds of a lead and its time and notes."""
    path = tmp_path / "in.csv"
    values = np.random.default_rng(10).normal(0, 1, 3600)
    values -= values[0]
    text = "time,ecg,note\n" + "".join(f"{n / 360:.6f},{value:.3f},x\n" for n, value in enumerate(values.tolist()))
    path.write_text(text.replace(f"{values[1000]:.3f}", ""))
    return path


def test_a_series_is_cleaned(table, half, tmp_path):
    done = audiodae("clean", table, tmp_path / "out.csv", "--model", half)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(
        rf"{re.escape(str(tmp_path))}/out\.csv: 10\.00 s at 360 Hz, rtf \d\.\d{{4}}; cleaned ecg; kept time, note; "
        r"1 values are gaps, 0 clipped\n",
        done.stdout,
    )
    before, after = (np.genfromtxt(path, delimiter=",", skip_header=1)[:, 1] for path in (table, tmp_path / "out.csv"))
    np.testing.assert_allclose(after, before / 2, atol=0.51e-3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_every_option_at_once(table, half, tmp_path):
    options = ["--rate", "360", "--columns", "ecg", "--time-column", "1", "--mix", "0.5", "--limit-db", "20"]
    more = ["--output", "both", "--plot", tmp_path / "out.png", "--json", "--model", half]
    done = here("clean", table, tmp_path / "out.csv", *options, *more, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["leads"], told["samples"], told["gap_values"], told["model"]) == (["ecg"], 3600, 1, "test")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    before, after = (np.genfromtxt(path, delimiter=",", skip_header=1)[:, 1] for path in (table, tmp_path / "out.csv"))
    np.testing.assert_allclose(after, before * (1 - 0.5 * 0.9 * 0.5), atol=0.51e-3)
    assert (tmp_path / "out.noise.csv").exists()


def test_a_series_needs_a_network_for_series(table, tmp_path):
    done = here("clean", table, tmp_path / "out.csv", cwd=tmp_path)
    assert_refused(done, f"{table}: is a series, and needs a network for series: give --model")
    sound = tmp_path / "sound.onnx"
    sound.write_bytes(networks.constant(0.5).SerializeToString())
    done = here("clean", table, tmp_path / "out.csv", "--model", sound, cwd=tmp_path)
    assert_refused(done, "cleans sound, not series")
    assert not (tmp_path / "out.csv").exists()


def test_the_network_may_come_from_the_environment(table, half, tmp_path):
    assert audiodae("clean", table, tmp_path / "out.csv", "--quiet", env=with_model(half)).stdout == ""
    assert (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--subtype", "PCM_16"], "--subtype is for sound"),
        (["--sandbox"], "--sandbox is for sound"),
        (["--jobs", "2"], "--jobs is for folders"),
        (["--plot", "x.pdf"], "the picture is a PNG"),
        (["--rate", "0"], "--rate"),
    ],
)
def test_options_that_make_no_sense(table, half, tmp_path, options, told):
    done = here("clean", table, tmp_path / "out.csv", "--model", half, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.parametrize("option", ["--rate", "--columns", "--time-column"])
def test_options_of_series_are_refused_for_sound(tmp_path, option):
    done = here("clean", "noisy.wav", "clean.wav", option, "1", cwd=tmp_path)
    assert done.returncode == 2
    assert f"{option} is for series" in done.stderr


def test_what_is_wrong_is_told_in_a_line(table, half, tmp_path):
    def refused(*pieces, **options):
        given = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]
        done = here("clean", table, tmp_path / "out.csv", "--model", half, *given, cwd=tmp_path)
        assert_refused(done, str(table), *pieces)

    refused("its time column tells 360 Hz, and --rate says 500", rate="500")
    refused("no column 'v9'; there are 1 'time', 2 'ecg', 3 'note'", columns="v9")
    refused("100 Hz", "250 to 500 Hz", "resample", rate="100", columns="ecg", time_column="none")
    table.write_text("ecg\n1\ntwo\n")
    refused("line 3, column 'ecg': 'two' is no number", rate="360", columns="ecg")
    done = here("clean", table, "-", "--model", half, cwd=tmp_path)
    assert done.returncode == 2
    assert not (tmp_path / "out.csv").exists()


def test_warnings(half, tmp_path):
    np.save(tmp_path / "in.npy", np.array([[1, 0, 5], [1, np.inf, 6]] * 10, np.float32))
    done = here("clean", "in.npy", "out.npy", "--rate", "360", "--model", half, cwd=tmp_path)
    assert done.returncode == 0
    assert "10 values were infinite or beyond 1e30 and became gaps" in done.stderr
    assert "never changes: lead 1" in done.stderr


def test_no_samples_make_no_picture(half, tmp_path):
    np.save(tmp_path / "in.npy", np.zeros(0))
    done = here("clean", "in.npy", "out.npy", "--rate", "360", "--plot", "p.png", "--model", half, cwd=tmp_path)
    assert done.returncode == 0
    assert "no samples, so no picture" in done.stderr
    assert not (tmp_path / "p.png").exists()


def test_a_record_is_cleaned_in_silence(half, tmp_path):
    wfdb = pytest.importorskip("wfdb")
    signal = np.random.default_rng(11).normal(0, 0.3, (3600, 1))
    wfdb.wrsamp(
        "100", 360, ["mV"], ["MLII"], signal, fmt=["212"], adc_gain=[200], baseline=[0], write_dir=str(tmp_path)
    )
    done = audiodae("clean", "100", "200", "--model", half, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "200.hea: 10.00 s at 360 Hz" in done.stdout
