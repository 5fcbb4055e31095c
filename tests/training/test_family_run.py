"""A run of a family: what it leaves, that it can be made again, and that stages really freeze and unfreeze."""

import copy
import json

import numpy as np
import pytest
import torch

from audiodae.errors import TrainingError
from audiodae.prep.patch_sets import Patches
from audiodae.training.families import load_family_recipe
from audiodae.training.family_run import Corrupted, fit, pretrain, train_family
from audiodae.training.patch_autoencoder import PatchAutoencoder
from tests.training.patch_recipes import SHAPE, made_patches, made_sounds, small

TRAIN, VALID = made_patches(65), made_patches(20, seed=1)  # 65: one more than four batches


def weights(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def moved(before, after, prefix):
    """Which tensors of a part are no longer what they were; counters and statistics of batches among them."""
    return {name for name in before if name.startswith(prefix) and not torch.equal(before[name], after[name])}


def names(network, prefix):
    return {name for name, _ in network.named_parameters() if name.startswith(prefix)}


@pytest.mark.parametrize("number", [0, 1, 3])
@pytest.mark.parametrize("name", ["stacked", "stacked-residual"])
def test_pre_training_moves_one_stage_and_no_other(name, number):
    recipe = small(name, "run.pretrain_epochs=1")
    network = PatchAutoencoder.build(recipe, SHAPE)
    before, lines = weights(network), []
    pretrain(network, number, Corrupted(TRAIN, recipe, seed=1, versions=1), lines.append)
    after = weights(network)
    for other in range(len(network.stages)):
        if other != number:
            assert moved(before, after, f"stages.{other}.") == set()
    assert moved(before, after, f"stages.{number}.") >= names(network, f"stages.{number}.")
    assert all(parameter.requires_grad for parameter in network.parameters())  # unfrozen again
    assert [line["stage"] for line in lines] == [number]


def test_fine_tuning_moves_all():
    recipe = small("stacked")
    network = PatchAutoencoder.build(recipe, SHAPE)
    before = weights(network)
    fit(network, *(Corrupted(patches, recipe, seed=1, versions=1) for patches in (TRAIN, VALID)), lambda line: None)
    assert moved(before, weights(network), "") >= names(network, "")


def test_a_stage_learns_to_give_back_what_it_is_given():
    recipe = small("stacked", "run.pretrain_epochs=25")
    network = PatchAutoencoder.build(recipe, SHAPE)
    data, lines = Corrupted(TRAIN, recipe, seed=1, versions=1), []
    pretrain(network, 0, data, lambda line: None)
    first = copy.deepcopy(network.stages[0])
    pretrain(network, 1, data, lines.append)
    assert lines[-1]["stage_loss"] < 0.5 * lines[0]["stage_loss"]
    with torch.no_grad():
        given = first.encode(data.clean)
        made = network.stages[1].eval().decode(network.stages[1].encode(given))
    assert float((made - given).square().sum(dim=1).mean()) == pytest.approx(lines[-1]["stage_loss"], rel=0.3)


def test_all_is_told_in_order():
    run = train_family(small("stacked", "run.epochs=3"), TRAIN, VALID)
    assert [line.get("stage") for line in run.history] == [0, 0, 1, 1, 2, 2, 3, 3, None, None, None]
    steps = [line["step"] for line in run.history]
    assert steps == [5 * n for n in range(1, 12)]


def test_the_same_seed_gives_the_same_weights_and_another_others():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (
        weights(
            train_family(small("denoising-variational", "body.dropout=0.1", f"run.seed={seed}"), TRAIN, VALID).network
        )
        for seed in (3, 3, 4)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert torch.equal(torch.random.get_rng_state(), before)  # no business of the caller's


def test_the_run_folder_holds_all(tmp_path):
    told = []
    recipe = small("denoising-gaussian", "run.epochs=3")
    run = train_family(recipe, TRAIN, VALID, out=tmp_path / "run", report=told.append)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "curves.png", "log.jsonl", "model.safetensors", "recipe.toml",
    ]  # fmt: skip
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert log == told == run.history
    assert log[-1].keys() == {"epoch", "step", "loss", "error", "valid_loss", "valid_mse"}
    assert load_family_recipe(tmp_path / "run" / "recipe.toml") == recipe
    patches = torch.from_numpy(VALID.clean)
    with torch.no_grad():
        assert torch.equal(PatchAutoencoder.load(tmp_path / "run")(patches), run.network(patches))
    with pytest.raises(TrainingError, match="holds a run"):
        train_family(recipe, TRAIN, VALID, out=tmp_path / "run")


def test_the_log_says_what_was_minimised():
    run = train_family(small("sparse", "code.width=20"), TRAIN, VALID)
    last = run.history[-1]
    assert last["loss"] == pytest.approx(last["error"] + last["sparsity"], rel=1e-5)
    with torch.no_grad():
        made = run.network(torch.from_numpy(VALID.clean)).numpy()
    assert last["valid_mse"] == pytest.approx(np.square(made - VALID.clean).mean(), rel=1e-4)


def test_noise_is_made_anew_but_not_for_the_validation():
    recipe = small("denoising-gaussian", "run.epochs=2", "optimiser.learning_rate=1e-12", "body.batch_norm=false")
    first, second = train_family(recipe, TRAIN, VALID).history
    assert first["valid_loss"] == pytest.approx(second["valid_loss"], rel=1e-6)
    assert first["error"] != second["error"]


def test_mixed_noise_takes_its_versions_in_turn():
    sounds = made_sounds(8)
    data = Corrupted(sounds, small("denoising-mixed", "corruption.noise=white"), seed=1, versions=3)
    seen = [data.batch(torch.arange(8))[0] for _ in range(20)]
    different = {batch[0].numpy().tobytes() for batch in seen}
    assert len(different) == 3
    assert all(torch.equal(data.batch(torch.tensor([2, 5]))[1], data.clean[[2, 5]]) for _ in range(3))


def test_too_few_patches_are_named():
    one = Patches(TRAIN.clean[:1], {}, ["0"])
    with pytest.raises(TrainingError, match="1 patches to train on"):
        train_family(small("undercomplete"), one, VALID)


def test_a_loss_that_is_no_number_is_named():
    with pytest.raises(TrainingError, match=r"lower optimiser\.learning_rate"):
        train_family(small("undercomplete", "optimiser.learning_rate=1e30", "body.output=linear"), TRAIN, VALID)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        train_family(small("undercomplete"), TRAIN, VALID, out=tmp_path / "file" / "run")
