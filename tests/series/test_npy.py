import math
import zipfile

import numpy as np
import pytest

from audiodae.errors import SeriesFileError
from audiodae.series import SeriesOptions, clean_series, open_series
from tests.series.standin import StandIn

OPTIONS = SeriesOptions(rate=360)


def refused(path, told, **options):
    with pytest.raises(SeriesFileError, match=told) as error, open_series(path, **{"rate": 360, **options}) as reader:
        reader.read()
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("dtype", ["f8", "f4", ">f4", "f2", "i2", "u2", "i4", ">i2"])
@pytest.mark.parametrize("shape", [(5000,), (5000, 1), (5000, 3), (0,), (0, 2), (1,), (1, 1)])
def test_type_and_shape_are_kept(tmp_path, dtype, shape):
    array = (np.random.default_rng(1).normal(0, 1, shape) * 100 + 500).astype(dtype)
    np.save(tmp_path / "in.npy", array)
    done = clean_series(StandIn(0.5), tmp_path / "in.npy", tmp_path / "out.npy", options=OPTIONS)
    clean = np.load(tmp_path / "out.npy", allow_pickle=False)
    assert (clean.dtype, clean.shape) == (array.dtype, array.shape)
    half = array.astype(float) / 2
    wanted = np.rint(half) if array.dtype.kind in "iu" else half
    np.testing.assert_array_equal(clean, wanted.astype(dtype))
    assert done.clipped_values == 0


def test_whole_numbers_are_held_at_their_limits(tmp_path):
    np.save(tmp_path / "in.npy", np.array([100, -100, 30], np.int8))
    done = clean_series(StandIn(2.0), tmp_path / "in.npy", tmp_path / "out.npy", options=OPTIONS)
    assert np.load(tmp_path / "out.npy", allow_pickle=False).tolist() == [127, -128, 60]
    assert done.clipped_values == 2


def test_by_columns_and_chosen_leads(tmp_path):
    array = np.asfortranarray(np.random.default_rng(1).normal(0, 1, (5000, 3)))
    np.save(tmp_path / "in.npy", array)
    options = SeriesOptions(rate=360, columns=[3, 1])
    clean_series(StandIn(0.5), tmp_path / "in.npy", tmp_path / "out.npy", options=options)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), array * [0.5, 1, 0.5])


def test_gaps_stay(tmp_path):
    np.save(tmp_path / "in.npy", np.array([1.0, math.nan, 3.0]))
    done = clean_series(StandIn(1.0), tmp_path / "in.npy", tmp_path / "out.npy", options=OPTIONS)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), [1.0, math.nan, 3.0])
    assert done.gap_values == 1


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.zeros((2, 3, 4)), r"shape \(2, 3, 4\); need \(samples,\) or \(samples, leads\)"),
        (np.zeros((12, 5000)), "more leads than samples; save it transposed"),
        (np.zeros((1, 5000)), "more leads than samples"),
        (np.float64(1.0), r"shape \(\)"),
        (np.zeros(5, complex), "complex numbers; save its real part"),
        (np.zeros(5, bool), "holds bool; need whole numbers or floats"),
        (np.array(["a", "b"]), "holds <U1"),
        (np.zeros(5, [("a", "f4")]), "need whole numbers or floats"),
        (np.array([{}, None], object), "Python objects .* never loaded"),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_other_arrays_are_refused(tmp_path, array, told, suffix):
    path = tmp_path / f"in{suffix}"
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=True) if suffix == ".npy" else np.savez(file, x=array)
    refused(path, told)


def test_damage_is_told(tmp_path):
    path = tmp_path / "in.npy"
    np.save(path, np.zeros(1000))
    whole = path.read_bytes()
    for data, told in [
        (whole[:500], "cut short"),
        (b"", "is empty"),
        (b"time,ecg\n1,2\n", "no NPY array"),
        (whole[:20], "no NPY array"),
        (whole.replace(b"'<f8'", b"'<q8'"), "no NPY array"),
        (whole.replace(b", }", b", {"), "no NPY array"),
    ]:
        path.write_bytes(data)
        refused(path, told)


def test_npy_needs_a_rate(tmp_path):
    np.save(tmp_path / "in.npy", np.zeros(10))
    refused(tmp_path / "in.npy", "does not tell its sample rate: give --rate", rate=None)
    refused(tmp_path / "in.npy", "a rate of nan Hz", rate=math.nan)
    refused(tmp_path / "in.npy", "has no time column", time_column="t")
    refused(tmp_path / "in.npy", "no lead '2'; there are 1 'lead 1'", columns=["2"])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_keeps_what_is_no_lead(tmp_path, save):
    rng = np.random.default_rng(2)
    held = {"ecg": rng.normal(0, 1, 5000), "leads": rng.normal(0, 1, (5000, 2)).astype("f4"), "peaks": np.arange(7)}
    save(tmp_path / "in.npz", **held, fs=np.array(250), name=np.array("me"))
    with open_series(tmp_path / "in.npz", columns=["ecg", "leads"]) as reader:
        assert reader.names == ("ecg", "leads 1", "leads 2")
        assert reader.sample_rate == 250
        assert (reader.n_samples, reader.others) == (5000, ("peaks", "fs", "name"))
        np.testing.assert_array_equal(reader.read(), np.column_stack([held["ecg"], held["leads"]]))
    refused(tmp_path / "in.npz", "differ in length .*choose by --columns", rate=None)
    options = SeriesOptions(columns=["ecg", "leads"])
    clean_series(StandIn(0.5), tmp_path / "in.npz", tmp_path / "out.npz", options=options)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as out:
        assert set(out) == {"ecg", "leads", "peaks", "fs", "name"}
        np.testing.assert_array_equal(out["ecg"], held["ecg"] / 2)
        np.testing.assert_array_equal(out["leads"], held["leads"] / 2)
        assert out["leads"].dtype == np.float32
        np.testing.assert_array_equal(out["peaks"], held["peaks"])
        assert str(out["name"]) == "me"
    packed = [info.compress_type for info in zipfile.ZipFile(tmp_path / "out.npz").infolist()]
    assert set(packed) == {zipfile.ZIP_DEFLATED if save is np.savez_compressed else zipfile.ZIP_STORED}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.npz", "out.npz"]


def test_time_in_an_archive_tells_the_rate(tmp_path):
    np.savez(tmp_path / "in.npz", t=np.arange(5000) / 360, ecg=np.ones(5000))
    with open_series(tmp_path / "in.npz") as reader:
        assert (reader.names, reader.sample_rate) == (("ecg",), 360)
    refused(tmp_path / "in.npz", "tells 360 Hz, and --rate says 250", rate=250)


def test_archives_that_are_none(tmp_path):
    path = tmp_path / "in.npz"
    np.savez(path, ecg=np.ones(5000))
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    refused(path, "no NPZ archive")
    path.write_bytes(whole.replace(b"\x00\x00\x00\x00\x00\x00\xf0?", b"\x00\x00\x00\x00\x00\x00\xf8?"))
    refused(path, "array 'ecg' cannot be read .*CRC")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "nothing")
    refused(path, "holds no arrays")
