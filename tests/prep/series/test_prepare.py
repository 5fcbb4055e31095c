import msgspec
import numpy as np
import pytest

from audiodae.errors import CorpusError, ShardError
from audiodae.prep.series.bank import SeriesBank, bank_path
from audiodae.prep.series.draws import SeriesDrawSettings
from audiodae.prep.series.mixing import series_batch
from audiodae.prep.series.prepare import SeriesPrepareSettings, prepare_banks
from tests.prep.series.made_recordings import write_noise, write_record


@pytest.fixture
def ecg(tmp_path):
    for number in range(5):
        write_record(tmp_path / "records", f"10{number}", seed=number, leads=2)
    write_noise(tmp_path / "noise", "bw", seed=1)
    write_noise(tmp_path / "noise", "em", seed=2)
    folders = {"records": str(tmp_path / "records"), "noise": str(tmp_path / "noise")}
    return SeriesPrepareSettings(**folders, ecg=True, high_pass_hz=0.5, all_leads=False)


def banks(out):
    return [SeriesBank.load(bank_path(out, split)) for split in ("train", "valid")]


def test_records_and_noise(ecg, tmp_path):
    told = []
    prepared = prepare_banks(ecg, tmp_path / "out", report=lambda *what: told.append(what))
    train, valid = banks(tmp_path / "out")
    assert len(train.clean) == 4 and len(valid.clean) == 1 and not {*train.clean} & {*valid.clean}
    assert train.header.rate_hz == 360 and train.header.unit == "mV" and not train.header.noisy_only
    assert all(len(beats) > 10 for beats in train.beats)
    assert {kind: len(some[0].leads) for kind, some in train.noise.items()} == {"bw": 2, "em": 2}
    # Noise is cut in time, four fifths and one.
    assert train.noise["bw"][0].length == 24 * 360 and valid.noise["bw"][0].length == 6 * 360
    figures = prepared.splits["train"]
    assert (figures.recordings, figures.patients) == (4, 4) and figures.hours == pytest.approx(48 / 3600)
    assert figures.noise_minutes == {"bw": pytest.approx(0.4), "em": pytest.approx(0.4)}
    assert prepared.bad == [] and prepared.too_short == []
    assert ("reading train", 4, 4) in told and ("reading valid noise", 2, 2) in told
    batch = series_batch(1, "train", 0, 2, train, SeriesDrawSettings(segment_samples=1000))
    assert np.isfinite(batch.noisy).all()


def test_every_lead(ecg, tmp_path):
    prepare_banks(msgspec.structs.replace(ecg, all_leads=True), tmp_path / "out")
    _, valid = banks(tmp_path / "out")
    assert [name[-2:] for name in valid.clean] == [":1", ":2"]
    assert np.array_equal(*valid.beats)
    # The second lead has twice the first one's pulses.
    assert np.allclose(valid.read(1, 0, 4000), 2 * valid.read(0, 0, 4000), atol=0.15)


def test_the_same_settings_give_the_same_bytes(ecg, tmp_path):
    for out in ("one", "two", "two"):
        prepare_banks(ecg, tmp_path / out)
    for split in ("train", "valid"):
        assert bank_path(tmp_path / "one", split).read_bytes() == bank_path(tmp_path / "two", split).read_bytes()
    with pytest.raises(ShardError, match="was begun with seed = 1, now it is 2"):
        prepare_banks(msgspec.structs.replace(ecg, seed=2), tmp_path / "one")


def test_from_nothing(tmp_path):
    settings = SeriesPrepareSettings(
        ecg=True, high_pass_hz=0.5, synthetic_patients=3, synthetic_minutes=0.5, synthetic_noises=1
    )
    prepared = prepare_banks(settings, tmp_path / "out")
    train, valid = banks(tmp_path / "out")
    assert len(train.clean) == 3 and len(valid.clean) == 1 and set(train.noise) == {"bw", "em", "ma"}
    assert prepared.splits["train"].beats > 60 and train.header.unit == "mV"
    assert not np.array_equal(train.read(0, 0, 1000), valid.read(0, 0, 1000))
    assert series_batch(1, "valid", 3, 2, valid, SeriesDrawSettings()).noisy.shape[0] in (2, 8)


def test_a_sensor_with_noisy_recordings_alone(tmp_path):
    values = np.random.default_rng(1).standard_normal(8000)
    (tmp_path / "sensor.csv").write_text("\n".join(["x", *(f"{v:.5f}" for v in values)]) + "\n")
    settings = SeriesPrepareSettings(records=str(tmp_path / "sensor.csv"), noisy_only=True, rate_hz=50.0)
    prepare_banks(settings, tmp_path / "out")
    train, valid = banks(tmp_path / "out")
    assert train.header.noisy_only and train.noise == {} and train.lengths.tolist() == [6400]
    assert np.allclose(valid.read(0, 0, 1600), values[6400:], atol=1e-5)


def test_noisy_recordings_keep_their_rate(tmp_path):
    write_record(tmp_path, "100", rate=250)
    settings = SeriesPrepareSettings(records=str(tmp_path / "100.hea"), noisy_only=True, rate_hz=360.0)
    with pytest.raises(CorpusError, match="give --rate 250"):
        prepare_banks(settings, tmp_path / "out")


def test_bad_recordings_are_skipped_up_to_a_share(ecg, tmp_path):
    (tmp_path / "records" / "junk.csv").write_bytes(b"\x00\xff" * 50)
    write_record(tmp_path / "records", "short", seconds=2)
    with pytest.raises(CorpusError, match=r"1 of \d recordings cannot be read, the first .*junk\.csv"):
        prepare_banks(ecg, tmp_path / "strict", bad_share=0.0)
    prepared = prepare_banks(msgspec.structs.replace(ecg, valid_share=0.45), tmp_path / "out", bad_share=0.6)
    assert [path.name for path, _ in prepared.bad] == ["junk.csv"]
    assert [path.name for path in prepared.too_short] == ["short.hea"]
    lines = (tmp_path / "out" / "bad_files.txt").read_text().splitlines()
    assert "junk.csv\tbad: " in lines[0] and lines[1].endswith("short.hea\tleft out: too short")


def test_nothing_long_enough(tmp_path):
    write_record(tmp_path / "records", "100", seconds=2)
    write_record(tmp_path / "records", "101", seconds=2)
    write_noise(tmp_path / "noise", "bw")
    settings = SeriesPrepareSettings(records=str(tmp_path / "records"), noise=str(tmp_path / "noise"))
    with pytest.raises(CorpusError, match="no stretch of 1000 samples without a gap for train"):
        prepare_banks(settings, tmp_path / "out")
