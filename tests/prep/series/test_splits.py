from pathlib import Path

import pytest

from audiodae.errors import CorpusError
from audiodae.prep.series.splits import read_patients, split_by_patient, split_noise


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def names(sources):
    return [source.name for source in sources]


def test_folders_are_kept_and_what_lies_beside_them_left_alone(tmp_path):
    root = touch(tmp_path, "train/101.hea", "valid/116.hea", "test/100.hea", "train_noise/bw.hea", "list.csv")
    splits = split_by_patient(root, valid_share=0.5, seed=1)
    assert {split: names(sources) for split, sources in splits.items()} == {"train": ["101"], "valid": ["116"]}


def test_patients_are_dealt_out_whole(tmp_path):
    root = touch(tmp_path, *(f"p{patient}/{day}.csv" for patient in range(10) for day in range(3)), "alone.csv")
    splits = split_by_patient(root, valid_share=0.2, seed=1)
    train, valid = ({source.group for source in splits[split]} for split in ("train", "valid"))
    assert len(valid) == 2 and not train & valid and train | valid == {*(f"p{n}" for n in range(10)), "alone"}
    assert sum(len(sources) for sources in splits.values()) == 31
    assert splits == split_by_patient(root, valid_share=0.2, seed=1)
    assert any(splits != split_by_patient(root, valid_share=0.2, seed=seed) for seed in range(2, 5))


def test_a_table_says_who_is_who(tmp_path):
    root = touch(tmp_path / "records", *(f"{record}.hea" for record in (100, 201, 202, 203)))
    table = tmp_path / "patients.csv"
    table.write_text("record,age,patient\n100,20,a\n201,30,b\n202,30,b\n203,40,c\n")
    for seed in range(8):
        splits = split_by_patient(root, valid_share=0.34, seed=seed, patients=read_patients(table))
        held = {source.group for source in splits["valid"]}
        assert len(held) == 1 and not held & {source.group for source in splits["train"]}
        assert ({"201", "202"} <= {*names(splits["train"])}) or names(splits["valid"]) == ["201", "202"]
    with pytest.raises(CorpusError, match="record '100' is not in the table"):
        split_by_patient(root, valid_share=0.3, seed=1, patients={"201": "b"})


def test_folders_must_not_share_a_patient(tmp_path):
    root = touch(tmp_path, "train/201.hea", "valid/202.hea")
    split_by_patient(root, valid_share=0.2, seed=1)
    with pytest.raises(CorpusError, match="patient 'b' is in train and in valid"):
        split_by_patient(root, valid_share=0.2, seed=1, patients={"201": "b", "202": "b"})


def test_one_recording_is_cut_in_time(tmp_path):
    touch(tmp_path, "sensor.csv")
    for root in (tmp_path, tmp_path / "sensor.csv"):
        splits = split_by_patient(root, valid_share=0.25, seed=1)
        assert [(split, source.name, source.span) for split, (source,) in splits.items()] == [
            ("train", "sensor.csv", (0.0, 0.75)),
            ("valid", "sensor.csv", (0.75, 1.0)),
        ]


def test_every_kind_of_noise_is_in_both_splits(tmp_path):
    cut = split_noise(touch(tmp_path / "a", "bw.hea", "em.hea", "old+new/x/1.csv"), valid_share=0.2)
    for split, span in (("train", (0.0, 0.8)), ("valid", (0.8, 1.0))):
        assert [(s.group, s.span) for s in cut[split]] == [("bw", span), ("em", span), ("old_new.x", span)]
    given = split_noise(touch(tmp_path / "b", "train/bw.hea", "valid/bw.hea"), valid_share=0.2)
    assert [(source.group, source.span) for source in given["valid"]] == [("bw", (0.0, 1.0))]
    beside = touch(tmp_path / "c", "train/101.hea", "valid/116.hea", "train_noise/bw.hea", "valid_noise/em.hea")
    assert {s: names(some) for s, some in split_noise(beside, valid_share=0.2).items()} == {
        "train": ["bw"],
        "valid": ["em"],
    }


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["train/1.csv"], "a folder train, but none for valid"),
        (["dev/1.csv"], "a folder valid, but none for train"),
        (["train/1.csv", "val/2.csv", "valid/3.csv"], "'val' and 'valid' are both for valid"),
        (["p/1.csv", "p/2.csv"], "all records are of patient 'p'"),
        (["train/1.csv", "valid/notes.md"], "no recordings"),
    ],
)
def test_what_cannot_be_split(tmp_path, files, message):
    with pytest.raises(CorpusError, match=message):
        split_by_patient(touch(tmp_path, *files), valid_share=0.2, seed=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "need a first line with the columns record and patient"),
        ("name,who\n1,2\n", "need a first line with the columns record and patient"),
        ("record,patient\n1,a\n1,b\n", "record '1' is of patient 'a' and of 'b'"),
    ],
)
def test_a_table_that_does_not_do(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(CorpusError, match=message):
        read_patients(tmp_path / "t.csv")
    with pytest.raises(CorpusError, match="no table of patients"):
        read_patients(Path(tmp_path / "nothing.csv"))
