from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiodae.errors import CorpusError
from audiodae.prep.corpus import Recording, _deal, find_sounds, find_splits, refuse_shared_speakers


def touch(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def paths(splits):
    return {split: [recording.path for recording in some] for split, some in splits.items()}


def test_split_folders_are_kept(tmp_path):
    root = touch(tmp_path, "train/a/1.wav", "train/a/2.opus", "valid/b/1.flac", "test/c/x.MP3", "train/a/notes.txt")
    splits = find_splits(root, "speech", seed=1)
    assert paths(splits) == {
        "train": ["train/a/1.wav", "train/a/2.opus"],
        "valid": ["valid/b/1.flac"],
        "test": ["test/c/x.MP3"],
    }
    assert splits["valid"] == [Recording(root, "valid/b/1.flac", "b")]
    assert splits["valid"][0].file == root / "valid/b/1.flac"


@pytest.mark.parametrize("name", ["valid", "val", "dev", "Valid"])
def test_other_names_of_valid(tmp_path, name):
    splits = find_splits(touch(tmp_path, "train/a/1.wav", f"{name}/b/1.wav"), "speech", seed=1)
    assert set(splits) == {"train", "valid"}


def test_a_speaker_in_two_splits_is_refused(tmp_path):
    root = touch(tmp_path, "train/corpus/ann/1.wav", "valid/corpus/ann/2.wav")
    with pytest.raises(CorpusError, match="'corpus/ann' is in train and in valid"):
        find_splits(root, "speech", seed=1)


def test_a_kind_of_noise_may_be_in_two_splits(tmp_path):
    assert set(find_splits(touch(tmp_path, "train/rain/1.wav", "valid/rain/1.wav"), "noise", seed=1)) == {
        "train",
        "valid",
    }


def test_speakers_of_one_name_in_two_corpora_are_two(tmp_path):
    assert set(find_splits(touch(tmp_path, "train/a/01/1.wav", "valid/b/01/1.wav"), "speech", seed=1)) == {
        "train",
        "valid",
    }


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "no recordings"),
        (["a/readme.txt"], "no recordings"),
        (["train/a/1.wav", "extra/b/1.wav"], "'extra' lies beside 'train'"),
        (["valid/a/1.wav"], "no recordings under train"),
        (["1.wav", "2.wav"], "count as one speaker"),
    ],
)
def test_unusable_corpora(tmp_path, files, message):
    with pytest.raises(CorpusError, match=message):
        find_splits(touch(tmp_path, *files), "speech", seed=1)


def test_missing_folder(tmp_path):
    with pytest.raises(CorpusError, match="no such folder"):
        find_sounds(tmp_path / "nowhere")


def test_speech_without_folders_for_speakers_counts_each_file_as_one(tmp_path):
    splits = find_splits(touch(tmp_path, "train/p1_1.wav", "train/p1_2.wav", "valid/p2_1.wav"), "speech", seed=1)
    assert [recording.group for recording in splits["train"]] == ["p1_1", "p1_2"]
    with pytest.raises(CorpusError, match="speaker 'p2_1' is in train and in valid"):
        find_splits(touch(tmp_path, "train/p2_1.flac"), "speech", seed=1)


def test_hidden_files_are_passed_over(tmp_path):
    assert find_sounds(touch(tmp_path, "a/1.wav", "a/._1.wav", ".trash/2.wav")) == ["a/1.wav"]


def speakers(root, **options):
    """Who is in which split."""
    return {split: {r.group for r in some} for split, some in find_splits(root, "speech", seed=1, **options).items()}


def tree(first, second, each=2):
    """Paths of folders within folders, each with recordings; the folders below have names of their own."""
    return [f"a{a}/b{a}_{b}/{file}.wav" for a in range(first) for b in range(second) for file in range(each)]


@pytest.mark.parametrize("count", [2, 3, 5, 9, 10, 40])
def test_folders_at_the_top_are_dealt_out_whole(tmp_path, count):
    """A speaker's sessions stay together; whole corpora do too, which parts no speaker either."""
    dealt = speakers(touch(tmp_path, *tree(count, 3)))
    assert sum(map(len, dealt.values())) == len(set().union(*dealt.values())) == count
    assert set().union(*dealt.values()) == {f"a{n}" for n in range(count)}


def test_a_folder_that_holds_all_is_no_speaker(tmp_path):
    root = touch(tmp_path, "loose.wav", *(f"wav/{path}" for path in tree(4, 3)))
    assert set().union(*speakers(root).values()) == {".", *(f"wav/a{n}" for n in range(4))}


def test_the_depth_of_speakers_can_be_said(tmp_path):
    root = touch(tmp_path, *tree(2, 6), "a0/loose.wav")
    dealt = speakers(root, speaker_depth=2)
    assert set().union(*dealt.values()) == {"a0", *(f"a{a}/b{a}_{b}" for a in range(2) for b in range(6))}
    assert set(dealt) == {"train", "valid", "test"}
    with pytest.raises(CorpusError, match="count as one speaker"):
        speakers(touch(tmp_path / "one", "wav/a/1.wav", "wav/b/1.wav"), speaker_depth=1)


def test_dealt_librispeech_beside_another_corpus_keeps_its_speakers(tmp_path):
    books = [f"librispeech/{n}/{c}/{n}-{c}-0001.flac" for n in range(20) for c in range(2)]
    dealt = speakers(touch(tmp_path, *books, "kathleen/kathleen/1.wav", "kathleen/kathleen/2.wav"))
    assert set().union(*dealt.values()) == {"kathleen/kathleen", *(f"librispeech/{n}" for n in range(20))}


def test_given_splits_of_corpora_side_by_side_are_kept(tmp_path):
    train = [f"train/librispeech/{n}/x.opus" for n in range(12)]
    root = touch(tmp_path, *train, "train/kathleen/kathleen/x.opus", "valid/librispeech/90/x.opus")
    assert speakers(root)["valid"] == {"librispeech/90"}
    assert speakers(root)["train"] == {"kathleen/kathleen", *(f"librispeech/{n}" for n in range(12))}


@pytest.mark.parametrize("above", ["", "voxceleb/"])
def test_sessions_of_a_speaker_in_two_given_splits_are_refused(tmp_path, above):
    train = [f"train/{above}id{n}/session{n}/1.wav" for n in range(12)]
    root = touch(tmp_path, *train, f"valid/{above}id3/other/1.wav", f"valid/{above}id99/other/1.wav")
    with pytest.raises(CorpusError, match=f"speaker '{above}id3' is in train and in valid.*--speaker-depth"):
        find_splits(root, "speech", seed=1)


def test_few_speakers_with_sessions_are_refused_when_the_depth_is_said(tmp_path):
    root = touch(tmp_path, "train/ann/monday/1.wav", "train/bob/monday/1.wav", "valid/ann/friday/1.wav")
    assert speakers(root)["valid"] == {"ann/friday"}  # as CORPUS/SPEAKER would be
    with pytest.raises(CorpusError, match="speaker 'ann' is in train and in valid"):
        speakers(root, speaker_depth=1)


def test_a_speakers_folder_takes_in_what_lies_below(tmp_path):
    root = touch(tmp_path, "train/ann/1.wav", "valid/ann/friday/2.wav")
    with pytest.raises(CorpusError, match="speaker 'ann' is in train and in valid"):
        speakers(root)


def test_the_depth_of_speakers_is_nothing_to_noise(tmp_path):
    root = touch(tmp_path, *tree(3, 4))
    assert find_splits(root, "noise", seed=1, speaker_depth=1) == find_splits(root, "noise", seed=1)


def test_librispeech_chapters_are_one_speaker(tmp_path):
    root = touch(
        tmp_path, "train/19/198/19-198-0001.flac", "train/19/227/19-227-0001.flac", "valid/26/495/26-495-0001.flac"
    )
    splits = find_splits(root, "speech", seed=1)
    assert [recording.group for recording in splits["train"]] == ["19", "19"]


def test_another_chapter_of_a_speaker_in_valid_is_refused(tmp_path):
    root = touch(tmp_path, "train/19/198/19-198-0001.flac", "valid/19/227/19-227-0001.flac")
    with pytest.raises(CorpusError, match="speaker '19'"):
        find_splits(root, "speech", seed=1)


@given(
    files=st.lists(st.integers(1, 5), min_size=2, max_size=30),
    kind=st.sampled_from(["speech", "noise", "rooms"]),
    seed=st.integers(0, 9),
)
def test_dealing_out(files, kind, seed):
    recordings = [
        Recording(Path("root"), f"group{group:02d}/{file}.wav", f"group{group:02d}")
        for group, count in enumerate(files)
        for file in range(count)
    ]
    splits = _deal(recordings, kind, Path("root"), seed)
    assert sorted(r.path for some in splits.values() for r in some) == sorted(r.path for r in recordings)
    assert splits == _deal(recordings, kind, Path("root"), seed)
    assert "train" in splits
    if kind == "speech":
        refuse_shared_speakers(splits, Path("root"))
        assert "valid" in splits
    if kind == "noise" and max(files) >= 3:
        assert {"train", "valid", "test"} == set(splits)


def test_the_check_for_shared_speakers_sees_one():
    splits = {"train": [Recording(Path(), "a/1.wav", "a")], "test": [Recording(Path(), "a/2.wav", "a")]}
    with pytest.raises(CorpusError, match="speaker 'a' is in train and in test"):
        refuse_shared_speakers(splits, Path())


def test_another_seed_deals_otherwise(tmp_path):
    root = touch(tmp_path, *(f"speaker{n}/1.wav" for n in range(20)))
    assert paths(find_splits(root, "speech", seed=1)) != paths(find_splits(root, "speech", seed=2))


def test_noise_of_many_kinds_with_one_recording_each_is_held_out_too(tmp_path):
    root = touch(tmp_path, *(f"kind{n}/1.wav" for n in range(10)))
    assert {"train", "valid", "test"} == set(find_splits(root, "noise", seed=1))
