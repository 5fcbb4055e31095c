from pathlib import Path

import pytest

from audiodae.folders.done_list import DONE_NAME, DoneList
from audiodae.folders.plan import plan_folder


@pytest.fixture
def folders(tmp_path):
    """An input with two sounds, and an empty output."""
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for name in ("a.wav", "sub/b.wav"):
        (tmp_path / "in" / name).write_text("noisy")
    return tmp_path / "in", tmp_path / "out"


def plan(folders, *names, output="speech", overwrite=False):
    source, target = folders
    with DoneList(target, "settings") as done_list:
        sounds = list(map(Path, names or ("a.wav", "sub/b.wav")))
        return plan_folder(source, target, sounds, output=output, overwrite=overwrite, done_list=done_list)


def do(folders, *names):
    source, target = folders
    with DoneList(target, "settings") as done_list:
        for name in names:
            (target / name).parent.mkdir(exist_ok=True)
            done_list.begin(Path(name), source / name, [target / name])
            (target / name).write_text("clean")
            done_list.finish(Path(name), [target / name])


def test_the_tree_is_mirrored(folders):
    source, target = folders
    found = plan(folders)
    assert [(task.source, task.target, task.size) for task in found.tasks] == [
        (source / "a.wav", target / "a.wav", 5),
        (source / "sub" / "b.wav", target / "sub" / "b.wav", 5),
    ]
    assert (found.skipped, found.refused) == (0, {})


def test_what_is_done_is_skipped_unless_all_is_wanted(folders):
    do(folders, "a.wav")
    found = plan(folders)
    assert (found.skipped, [task.path.name for task in found.tasks]) == (1, ["b.wav"])
    assert [task.overwrite for task in plan(folders, overwrite=True).tasks] == [True, True]


def test_a_file_from_elsewhere_is_refused(folders):
    (folders[1] / "a.wav").write_text("mine")
    found = plan(folders)
    assert [*found.refused] == [Path("a.wav")] and "exists already" in found.refused[Path("a.wav")]
    assert [task.path.name for task in found.tasks] == ["b.wav"]


def test_two_sounds_for_one_output(folders):
    (folders[0] / "a.noise.wav").write_text("noisy")
    found = plan(folders, "a.noise.wav", "a.wav", output="both")
    assert [task.path.name for task in found.tasks] == ["a.noise.wav"]
    assert "is the output of a.noise.wav" in found.refused[Path("a.wav")]
    assert plan(folders, "a.noise.wav", "a.wav").refused == {}  # negative control


def test_two_sounds_for_one_output_by_a_link(folders):
    (folders[0] / "b.wav").write_text("noisy")
    (folders[1] / "sub").symlink_to(folders[1])
    assert [*plan(folders, "b.wav", "sub/b.wav", overwrite=True).refused] == [Path("sub/b.wav")]


def test_two_sounds_for_one_output_where_case_is_ignored(folders):
    (folders[0] / "A.wav").write_text("noisy")
    assert plan(folders, "A.wav", "a.wav").refused == {}
    (folders[1] / DONE_NAME.upper()).touch()  # as such a disk would show
    assert [*plan(folders, "A.wav", "a.wav").refused] == [Path("a.wav")]


@pytest.mark.parametrize("output", ["speech", "both"])
def test_an_output_never_takes_the_place_of_an_input(folders, output):
    source, target = folders
    (target / "a.wav").symlink_to(source / "a.wav")
    (target / "sub").symlink_to(source)
    (source / "b.wav").write_text("noisy")
    found = plan(folders, "a.wav", "b.wav", "sub/b.wav", output=output, overwrite=True)
    assert [*found.refused] == [Path("a.wav"), Path("sub/b.wav")]
    assert all("is an input" in text for text in found.refused.values())


def test_a_sound_that_vanished_is_for_the_cleaner_to_tell(folders):
    assert [task.size for task in plan(folders, "gone.wav").tasks] == [0]
