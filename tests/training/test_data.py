"""Batches: numbered, exact, from banks or from shards; each process makes its own part."""

import pytest
import torch

from audiodae.errors import RecipeError, ShardError
from audiodae.frames import FrameGeometry
from audiodae.prep.draws import SPLITS
from audiodae.prep.shards import FORMAT, Shard, ShardHeader, shard_path, write_shard
from audiodae.training.data import ShardPairs, Share, feed, make_pairs
from audiodae.training.run_folder import RunFolder
from audiodae.training.trainer import train
from tests.training.tiny import tiny_recipe

CPU = torch.device("cpu")
EXAMPLES = 10
MAGNITUDES_ONLY = {"loss__complex": 0.0, "loss__si_sdr": 0.0, "data__source": "shards"}


def write_shards(folder, *, n_fft=512, examples=EXAMPLES):
    """Shards whose noisy magnitudes are the example's number, so that batches can be recognised."""
    for split in ("train", "valid"):
        for number in range(2):
            header = ShardHeader(FORMAT, 16_000, n_fft, n_fft // 2, 1, split, number)
            numbers = torch.arange(examples // 2) + number * (examples // 2) + 1.0
            noisy = numbers[:, None, None].expand(-1, 12, n_fft // 2 + 1).half().contiguous() / 100
            write_shard(shard_path(folder, split, number), Shard(header, noisy, noisy / 2))
    return folder


@pytest.fixture
def shards(tmp_path):
    return write_shards(tmp_path / "prepared")


def numbers(batch):
    return [round(float(value) * 100) for value in batch[0][:, 0, 0]]


def test_an_epoch_goes_once_through_all_examples_in_an_order_of_its_own(shards):
    pairs = ShardPairs(shards, split="train", seed=1, batch_size=2, share=Share())
    epochs = [[n for step in range(e * 5, e * 5 + 5) for n in numbers(pairs[step])] for e in range(3)]
    assert all(sorted(epoch) == list(range(1, EXAMPLES + 1)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    again = ShardPairs(shards, split="train", seed=1, batch_size=2, share=Share())
    assert numbers(again[7]) == numbers(pairs[7])


def test_processes_share_an_epoch_without_overlap(shards):
    both = [ShardPairs(shards, split="train", seed=1, batch_size=1, share=Share(rank, 2)) for rank in range(2)]
    met = [n for step in range(5) for pairs in both for n in numbers(pairs[step])]
    assert sorted(met) == list(range(1, EXAMPLES + 1))


def test_mixed_batches_of_two_processes_are_the_batch_of_one(prepared):
    recipe = tiny_recipe(prepared)
    whole = make_pairs(recipe, split="train", batch_size=4, share=Share(), device=CPU)
    halves = [make_pairs(recipe, split="train", batch_size=2, share=Share(rank, 2), device=CPU) for rank in range(2)]
    noisy = torch.cat([half[3][0] for half in halves])
    torch.testing.assert_close(noisy, whole[3][0], atol=1e-6, rtol=1e-4)
    assert not torch.allclose(whole[4][0], whole[3][0], atol=1e-3)  # control


def test_training_may_have_a_share_of_the_recordings_and_validation_has_all(prepared):
    recipe = tiny_recipe(prepared, data__speech_share=0.5, data__noise_share=0.25)
    pairs = {split: make_pairs(recipe, split=split, batch_size=4, share=Share(), device=CPU) for split in SPLITS[:2]}
    banks = [pairs[split].banks for split in SPLITS[:2]]
    assert [[len(bank) for bank in (of.speech, of.noise, of.rooms)] for of in banks] == [[3, 1, 2], [6, 4, 2]]
    whole = make_pairs(tiny_recipe(prepared), split="valid", batch_size=4, share=Share(), device=CPU)
    assert torch.equal(pairs["valid"][0][0], whole[0][0])


def test_feeding_keeps_the_order(prepared):
    pairs = make_pairs(tiny_recipe(prepared), split="train", batch_size=2, share=Share(), device=CPU)
    fed = [noisy for noisy, _ in feed(pairs, [5, 2, 9], workers=0, device=CPU)]
    assert all(torch.equal(noisy, pairs[step][0]) for noisy, step in zip(fed, (5, 2, 9), strict=True))


def test_a_run_trains_from_shards(shards, tmp_path):
    train(tiny_recipe(shards, run__steps=8, **MAGNITUDES_ONLY), tmp_path / "run")
    lines = RunFolder(tmp_path / "run").lines()
    assert [line["valid_si_sdr_db"] for line in lines if "valid_loss" in line] == [None]
    assert set(lines[0]) >= {"loss", "compressed"}
    assert "complex" not in lines[0]


def test_shards_of_other_frames_are_refused(tmp_path):
    prepared = write_shards(tmp_path / "prepared", n_fft=FrameGeometry.for_rate(16_000, 20.0).n_fft)
    with pytest.raises(ShardError, match=r"00000\.safetensors: made with frames of 320 samples"):
        train(tiny_recipe(prepared, **MAGNITUDES_ONLY), tmp_path / "run")


def test_no_shards_and_too_few_are_named(tmp_path, shards):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ShardError, match="no train shards"):
        make_pairs(
            tiny_recipe(tmp_path / "empty", **MAGNITUDES_ONLY), split="train", batch_size=4, share=Share(), device=CPU
        )
    with pytest.raises(ShardError, match=r"do not fill a batch of 11; prepare more --hours"):
        ShardPairs(shards, split="train", seed=1, batch_size=11, share=Share())


def test_few_validation_examples_will_do(tmp_path):
    prepared = write_shards(tmp_path / "prepared", examples=4)
    recipe = tiny_recipe(prepared, run__batch_size=8, **MAGNITUDES_ONLY)
    pairs = make_pairs(recipe, split="valid", batch_size=8, share=Share(), device=CPU)
    assert len(pairs[0][0]) == 4


def test_losses_that_need_a_phase_are_refused_for_shards(shards):
    with pytest.raises(RecipeError, match=r"data\.source = mix"):
        tiny_recipe(shards, data__source="shards")


def test_banks_that_are_missing_are_named(tmp_path):
    (tmp_path / "prepared").mkdir()
    with pytest.raises(ShardError, match="prepare_speech"):
        make_pairs(tiny_recipe(tmp_path / "prepared"), split="train", batch_size=4, share=Share(), device=CPU)
