import os
from pathlib import Path

import pytest

from audiodae.errors import AudioFileError
from audiodae.folders.sounds import SOUND_SUFFIXES, find_sounds


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def names(tree):
    return [path.as_posix() for path in tree.sounds]


def test_sounds_by_their_suffix_at_any_depth(tmp_path):
    make(tmp_path, "b.wav", "a/x.FLAC", "a/b/c/y.mp3", "film.MKV", "cover.jpg", "a/notes.txt", "wav")
    tree = find_sounds(tmp_path)
    assert names(tree) == ["a/b/c/y.mp3", "a/x.FLAC", "b.wav", "film.MKV"]
    assert (tree.others, tree.unreadable) == (3, {})


def test_hidden_ones_are_passed_over(tmp_path):
    make(tmp_path, ".hidden.wav", "._from_a_mac.wav", ".git/x.wav", "seen.wav")
    tree = find_sounds(tmp_path)
    assert (names(tree), tree.others) == (["seen.wav"], 0)


@pytest.mark.parametrize(
    ("include", "found"),
    [
        (["*.mp3"], ["talks/1/b.MP3"]),
        (["*.mp3", "*.flac"], ["music/a.flac", "talks/1/b.MP3"]),
        (["talks/*"], ["talks/1/b.MP3", "talks/a.wav"]),  # but not talks/notes.txt: it is no sound
        (["A.*"], ["music/a.flac", "talks/a.wav"]),
        (["*.dat"], ["raw/c.dat"]),  # a suffix of its own makes sounds of what has it
        (["*.xyz"], []),
    ],
)
def test_include(tmp_path, include, found):
    make(tmp_path, "talks/a.wav", "talks/1/b.MP3", "talks/notes.txt", "music/a.flac", "raw/c.dat")
    tree = find_sounds(tmp_path, include=include)
    assert names(tree) == found
    assert tree.others == 5 - len(found)


def test_circles_of_links_end(tmp_path):
    make(tmp_path, "in/a/x.wav", "in/b/y.wav", "beside/z.wav")
    (tmp_path / "in" / "a" / "up").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "a" / "across").symlink_to(tmp_path / "in" / "b")  # sorted before b, and yet b is b
    (tmp_path / "in" / "out").symlink_to(tmp_path / "beside")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "beside")
    (tmp_path / "in" / "self.wav").symlink_to("self.wav")
    (tmp_path / "in" / "linked.wav").symlink_to(tmp_path / "in" / "a" / "x.wav")
    tree = find_sounds(tmp_path / "in")
    assert names(tree) == ["a/x.wav", "again/z.wav", "b/y.wav", "linked.wav", "self.wav"]


def test_outputs_are_not_taken_for_inputs(tmp_path):
    make(tmp_path, "x.wav", "out/x.wav", "old/x.wav", "old/.done", "old/sub/x.wav")
    (tmp_path / "again").symlink_to(tmp_path / "out")
    assert names(find_sounds(tmp_path, leave_out=tmp_path / "out", done_name=".done")) == ["x.wav"]
    assert len(find_sounds(tmp_path, leave_out=tmp_path / "nowhere").sounds) == 4  # negative control
    assert names(find_sounds(tmp_path / "old", done_name=".done")) == ["sub/x.wav", "x.wav"]  # asked for by name


def test_names_of_any_bytes(tmp_path):
    odd = [os.fsdecode(b"\xff\xfe.wav"), "new\nline.wav", "  .wav", "[a].wav", "-.wav"]
    make(tmp_path, *odd)
    assert sorted(find_sounds(tmp_path).sounds) == sorted(map(Path, odd))


def test_what_may_not_be_read(tmp_path):
    with pytest.raises(AudioFileError, match="name a folder of sounds"):
        find_sounds(tmp_path / "missing")
    make(tmp_path, "shut/x.wav", "y.wav")
    (tmp_path / "shut").chmod(0)
    tree = find_sounds(tmp_path)
    (tmp_path / "shut").chmod(0o700)
    if os.geteuid():  # root reads everything
        assert names(tree) == ["y.wav"] and tree.unreadable == {Path("shut"): "Permission denied"}


def test_suffixes_are_as_they_are_compared():
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SOUND_SUFFIXES)
