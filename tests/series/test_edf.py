import datetime

import numpy as np
import pytest

from audiodae.errors import SeriesFileError
from audiodae.series import SeriesOptions, clean_series, open_series
from tests.series.standin import StandIn

edfio = pytest.importorskip("edfio")

RATE, SECONDS = 256, 21
SIGNALS = np.random.default_rng(6).normal(0, 100, (2, RATE * SECONDS))


@pytest.fixture
def recording(tmp_path):
    """Write an EDF or BDF of two EEG leads, a slow one and annotations; give its path."""

    def write(suffix=".edf"):
        kind, signal = (edfio.Edf, edfio.EdfSignal) if suffix == ".edf" else (edfio.Bdf, edfio.BdfSignal)
        leads = [
            signal(data, RATE, label=label, physical_dimension="uV", physical_range=(-600, 500))
            for data, label in zip(SIGNALS, ("EEG Fp1", "EEG Fp2"), strict=True)
        ]
        slow = signal(np.arange(float(SECONDS)), 1, label="SpO2", physical_dimension="%")
        notes = [edfio.EdfAnnotation(3.5, None, "blink"), edfio.EdfAnnotation(10, 2, "seizure")]
        made = kind(
            [leads[0], slow, leads[1]],
            patient=edfio.Patient(code="P1", sex="F"),
            recording=edfio.Recording(startdate=datetime.date(2024, 2, 3)),
            annotations=notes,
        )
        made.write(tmp_path / f"in{suffix}")
        return tmp_path / f"in{suffix}"

    return write


def read(path):
    return (edfio.read_edf if path.suffix == ".edf" else edfio.read_bdf)(path)


def refused(path, told, **options):
    with pytest.raises(SeriesFileError, match=told) as error, open_series(path, **options) as reader:
        reader.read()
    assert str(error.value).startswith(str(path))


CHOSEN = SeriesOptions(columns=["EEG Fp2", "EEG Fp1"])


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
@pytest.mark.parametrize("length", [1, 1000, 10**6])
def test_what_is_read_is_what_edfio_reads(recording, suffix, length):
    path = recording(suffix)
    with open_series(path, columns=CHOSEN.columns) as reader:
        assert (reader.names, reader.units) == (("EEG Fp2", "EEG Fp1"), ("uV", "uV"))
        assert (reader.sample_rate, reader.n_samples) == (RATE, RATE * SECONDS)
        assert reader.others[0] == "SpO2"
        values = np.concatenate([part.values for part in reader.parts(length)])
    whole = read(path)
    np.testing.assert_allclose(values, np.stack([whole.get_signal(name).data for name in CHOSEN.columns], axis=1))


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_only_the_leads_change(recording, tmp_path, suffix):
    path, target = recording(suffix), tmp_path / f"out{suffix}"
    done = clean_series(StandIn(0.5), path, target, options=CHOSEN)
    before, after = read(path), read(target)
    assert done.samples == RATE * SECONDS
    assert path.read_bytes()[: before.bytes_in_header_record] == target.read_bytes()[: after.bytes_in_header_record]
    assert before.annotations == after.annotations
    np.testing.assert_array_equal(before.get_signal("SpO2").digital, after.get_signal("SpO2").digital)
    for name in CHOSEN.columns:
        step = 1100 / (2**16 if suffix == ".edf" else 2**24)
        np.testing.assert_allclose(after.get_signal(name).data, before.get_signal(name).data / 2, atol=step)


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_nothing_changes_where_nothing_is_removed(recording, tmp_path, suffix):
    path, target = recording(suffix), tmp_path / f"out{suffix}"
    clean_series(StandIn(1.0), path, target, options=CHOSEN)
    assert target.read_bytes() == path.read_bytes()


def test_what_is_beyond_the_range_is_held(recording, tmp_path):
    done = clean_series(StandIn(20.0), recording(), tmp_path / "out.edf", options=CHOSEN)
    data = read(tmp_path / "out.edf").get_signal("EEG Fp1").data
    assert (data.min(), data.max()) == pytest.approx((-600, 500))
    assert done.clipped_values > 1000


def test_what_was_removed_adds_up(recording, tmp_path):
    path = recording()
    clean_series(StandIn(0.3), path, tmp_path / "out.edf", options=SeriesOptions(columns=["1"], output="both"))
    parts = [read(tmp_path / name).get_signal("EEG Fp1").data for name in ("out.edf", "out.noise.edf")]
    np.testing.assert_allclose(sum(parts), read(path).get_signal("EEG Fp1").data, atol=0.6 * 1100 / 2**16)


def test_several_rates_need_a_choice(recording):
    refused(recording(), r"several rates \(EEG Fp1 256, SpO2 1, EEG Fp2 256 Hz\); choose by --columns")


def test_bad_recordings(recording, tmp_path):
    path = recording()
    whole = path.read_bytes()
    chosen = {"columns": ["EEG Fp1"]}
    for data, told in [
        (whole[:-5000], "says 21 records and holds"),
        (whole[:300], "its header is damaged"),
        (b"time,ecg\n1,2\n", "no EDF or BDF"),
        (whole[:252] + b"0   " + whole[256:], "0 signals; need 1 to"),
        (whole[:244] + b"0       " + whole[252:], "records of 0.0 s"),
        (whole[:236] + b"x       " + whole[244:], "its header is damaged"),
    ]:
        path.write_bytes(data)
        refused(path, told, **chosen)
    path.write_bytes(whole)
    refused(path, "its header tells 256 Hz, and --rate says 360", rate=360, **chosen)
    with pytest.raises(SeriesFileError, match=r"name it \.edf"):
        clean_series(StandIn(), path, tmp_path / "out.bdf", options=CHOSEN)


def test_a_recording_that_was_never_finished(recording, tmp_path):
    path = recording()
    whole = path.read_bytes()
    path.write_bytes(whole[:236] + b"-1      " + whole[244:-300])
    with open_series(path, columns=["1"]) as reader:
        assert reader.n_samples == RATE * (SECONDS - 1)
    clean_series(StandIn(1.0), path, tmp_path / "out.edf", options=CHOSEN)
    assert (tmp_path / "out.edf").read_bytes() == path.read_bytes()


def test_interruptions_are_refused(recording):
    path = recording()
    whole = path.read_bytes()
    interrupted = whole.replace(b"EDF+C", b"EDF+D", 1)
    assert interrupted != whole
    path.write_bytes(interrupted)
    with open_series(path, columns=["1"]) as reader:  # it says there are, and there are none
        assert reader.n_samples == RATE * SECONDS
    broken = interrupted.replace(b"+12\x14\x14", b"+99\x14\x14", 1)
    assert broken != interrupted
    path.write_bytes(broken)
    refused(path, "a recording with interruptions .the first 12 s after its beginning", columns=["1"])
