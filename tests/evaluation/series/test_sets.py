"""The noisy series, held to a second implementation that is as plain as it can be."""

import pickle
import zlib
from itertools import pairwise

import numpy as np
import pytest

from audiodae.errors import CorpusError, SeriesFileError, SignalError
from audiodae.evaluation.series.mixing import at_snr, cut_beats, in_whole_frames, noise_segment
from audiodae.evaluation.series.records import EcgRecord, read_ecg, read_leads
from audiodae.evaluation.series.sets import MixedSet, StoredSet, open_set


def plain_noisy(folders, record, kind, snr_db, samples):
    """A noisy series, written down straight from the words of the protocol."""
    whole = read_ecg(folders[0] / record).reference[:samples]
    clean = whole - np.median(whole)
    pieces = []
    for one in ("bw", "em", "ma") if kind == "all" else (kind,):
        leads = read_leads(folders[1] / one)
        number = zlib.crc32(f"{record}_{one}".encode())
        start = number // 2 % (len(leads) - samples + 1)
        piece = leads[start : start + samples, number % 2]
        pieces.append(piece - np.mean(piece))
    noise = pieces[0] if kind != "all" else sum(piece / np.std(piece) for piece in pieces)
    wanted = np.var(clean) / 10 ** (snr_db / 10)
    return (clean + noise * np.sqrt(wanted / np.var(noise))).astype(np.float32)


def plain_beats(folders, kind):
    """Beats, clean and noisy, one after the other."""
    bw, em = (read_leads(folders[1] / one)[:, 1] for one in ("bw", "em"))
    noise = bw if kind == "bw" else bw / np.std(bw) + em / np.std(em)
    scale = np.random.RandomState(1234).randint(20, 200, 1000) / 100
    clean, noisy = [], []
    for record in ("7a", "8b"):
        signal, beats = read_ecg(folders[0] / record).reference, read_ecg(folders[0] / record).beats
        edges = [beat - 86 for beat in beats if beat >= 86]
        for start, end in pairwise(edges):
            if end - start > 496:
                continue
            frame = np.zeros(512)
            frame[16 : 16 + end - start] = signal[start:end] - (signal[start] + signal[end - 1]) / 2
            number = len(clean) % (len(noise) // 512)
            piece = noise[512 * number : 512 * number + 512]
            share = scale[len(clean)] * (frame.max() - frame.min()) / (piece.max() - piece.min())
            clean.append(frame)
            noisy.append(frame + share * piece)
    return np.array(clean, np.float32), np.array(noisy, np.float32)


def test_conditions_are_all_that_there_is(mixed):
    names = [condition.name for condition in mixed.conditions()]
    kinds = ("bw", "em", "ma", "all")
    assert names == [f"{r}_{kind}_{snr}dB" for r in ("7a", "8b") for kind in kinds for snr in (-6, 6)]


def test_noisy_series_are_those_of_the_protocol(mixed, ecg_folders):
    for condition in mixed.conditions():
        plain = plain_noisy(ecg_folders, condition.record, condition.kind, condition.snr_db, 3600)
        assert np.allclose(mixed.noisy(condition), plain, rtol=0, atol=1e-6), condition.name
    assert not np.allclose(plain, plain_noisy(ecg_folders, "8b", "all", 5, 3600), rtol=0, atol=1e-6)


def test_beats_are_those_of_the_protocol(mixed, ecg_folders):
    assert mixed.beat_kinds() == ["bw", "bwem"]
    for kind in mixed.beat_kinds():
        clean, noisy = plain_beats(ecg_folders, kind)
        frames = mixed.beats(kind)
        assert np.allclose(frames.clean, clean, rtol=0, atol=1e-6)
        assert np.allclose(frames.noisy, noisy, rtol=0, atol=1e-5)
    assert len(clean) > 20 and not np.allclose(noisy, plain_beats(ecg_folders, "bw")[1], rtol=0, atol=1e-5)


def test_the_reference_has_its_beats(mixed):
    clean = mixed.clean("7a")
    assert clean.samples.dtype == np.float32 and clean.samples.shape == (3600,)
    assert abs(np.median(clean.samples)) < 1e-6
    assert clean.r_peaks.max() < 3600 and len(clean.r_peaks) >= 10


def test_the_ratio_is_the_one_asked_for():
    rng = np.random.default_rng(0)
    clean, noise = rng.standard_normal(5000), 7 * rng.standard_normal(5000) + 3
    added = at_snr(clean, noise, -4.5) - clean
    assert 10 * np.log10(clean.var() / added.var()) == pytest.approx(-4.5)


def test_noise_that_is_too_short_or_no_noise(ecg_folders, tmp_path):
    with pytest.raises(SignalError, match=r"noise for x: 1 s, 2 s needed: take --seconds 1"):
        noise_segment(np.zeros((360, 2)), "x", 720)
    with pytest.raises(SignalError, match="need a frame of 512 or more"):
        MixedSet(*ecg_folders, seconds=1).clean("7a")


def test_beats_that_do_not_fit_are_left_out():
    record = EcgRecord(np.arange(3000.0), np.array([50, 100, 300, 301, 900, 1396, 1892]))
    frames = cut_beats(record)  # from 100: 200 samples, one (too short), 599 (too long), 496, 496
    assert len(frames) == 3
    assert frames[0][:16].tolist() == [0] * 16 and frames[0][16] == -frames[0][215] and frames[0][216] == 0
    assert frames[1][-1] == -frames[1][16] != 0
    assert cut_beats(EcgRecord(np.arange(3000.0), np.array([], int))).shape == (0, 512)


def test_frames_of_a_long_series():
    assert in_whole_frames(np.arange(1100.0)).tolist() == np.arange(1024.0).reshape(2, 512).tolist()
    assert in_whole_frames(np.ones((3, 100))).shape == (3, 100)


def store(test_set, folder):
    """Write a set as a folder of arrays."""
    for part in ("snr/clean", "snr/noisy", "snr/rpeaks", "beats/clean", "beats/noisy"):
        (folder / part).mkdir(parents=True)
    for condition in test_set.conditions():
        clean = test_set.clean(condition.record)
        np.save(folder / f"snr/clean/{condition.record}.npy", clean.samples)
        np.save(folder / f"snr/rpeaks/{condition.record}.npy", clean.r_peaks)
        np.save(folder / f"snr/noisy/{condition.name}.npy", test_set.noisy(condition))
    for kind in test_set.beat_kinds():
        frames = test_set.beats(kind)
        np.save(folder / f"beats/clean/{kind}.npy", frames.clean)
        np.save(folder / f"beats/noisy/{kind}.npy", frames.noisy)
    return folder


def test_a_stored_set_is_the_same(mixed, tmp_path):
    stored = open_set(store(mixed, tmp_path), None)
    assert isinstance(stored, StoredSet)
    assert set(stored.conditions()) == set(mixed.conditions())
    condition = stored.conditions()[3]
    assert np.array_equal(stored.noisy(condition), mixed.noisy(condition))
    assert np.array_equal(stored.clean("8b").r_peaks, mixed.clean("8b").r_peaks)
    assert stored.beat_kinds() == mixed.beat_kinds()
    assert np.array_equal(stored.beats("bwem").noisy, mixed.beats("bwem").noisy)


def test_a_set_goes_to_another_process(mixed):
    assert pickle.loads(pickle.dumps(mixed)) == mixed


def test_what_is_wrong_with_a_stored_set(mixed, tmp_path):
    with pytest.raises(CorpusError, match="name a folder of noise beside the records"):
        open_set(tmp_path, None)
    folder = store(mixed, tmp_path / "set")
    np.save(folder / "snr/noisy/7a_bw_6dB.npy", np.array([1.0, np.nan]))
    stored = StoredSet(folder)
    condition = next(c for c in stored.conditions() if c.name == "7a_bw_6dB")
    with pytest.raises(SignalError, match="need finite floats in 1 dimension"):
        stored.noisy(condition)
    (folder / "snr/clean/7a.npy").write_bytes(b"no array")
    with pytest.raises(SeriesFileError, match="7a.npy: cannot read the array"):
        stored.clean("7a")
    np.save(folder / "snr/noisy/odd.npy", np.zeros(3))
    with pytest.raises(CorpusError, match="RECORD_KIND_NdB"):
        stored.conditions()
