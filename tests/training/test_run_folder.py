"""The run folder: whole files only, nothing pickled, a log that survives a kill."""

import pickle

import pytest
import torch

from audiodae.errors import TrainingError
from audiodae.training.recipe import Recipe
from audiodae.training.run_folder import RunFolder, read_checkpoint, write_checkpoint


def test_a_checkpoint_comes_back(tmp_path):
    tensors = {"a": torch.randn(3, 4), "b": torch.tensor(7), "c": torch.randn(4, 3).T}
    write_checkpoint(tmp_path / "c.safetensors", tensors, {"step": 3, "loss": None})
    read, facts = read_checkpoint(tmp_path / "c.safetensors")
    assert facts == {"step": 3, "loss": None}
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def damage_text(path):
    path.write_text("these are not weights")


def damage_pickle(path):
    path.write_bytes(pickle.dumps({"a": 1}))


def damage_missing(path):
    path.unlink()


@pytest.mark.parametrize("damage", [damage_cut, damage_text, damage_pickle, damage_missing])
def test_what_is_no_checkpoint_is_refused(tmp_path, damage):
    path = tmp_path / "c.safetensors"
    write_checkpoint(path, {"a": torch.randn(30)}, {})
    damage(path)
    with pytest.raises(TrainingError, match=r"c\.safetensors: not a checkpoint"):
        read_checkpoint(path)


def test_the_log_leaves_out_a_line_cut_short_and_forgets_what_will_be_done_again(tmp_path):
    folder = RunFolder(tmp_path)
    for step in range(1, 6):
        folder.append({"step": step})
    with folder.log.open("a") as file:
        file.write('{"step": 6, "lo')
    assert [line["step"] for line in folder.lines()] == [1, 2, 3, 4, 5]
    folder.forget_after(3)
    assert [line["step"] for line in folder.lines()] == [1, 2, 3]


def test_the_recipe_is_kept_as_run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.begin(Recipe())
    assert folder.recipe() == Recipe()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        RunFolder(tmp_path / "file" / "run").begin(Recipe())
