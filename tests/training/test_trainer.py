"""Training: it learns, it resumes exactly, it survives what goes wrong."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import torch

from audiodae.errors import RecipeError, TrainingError
from audiodae.training import trainer
from audiodae.training.optimise import learning_rate
from audiodae.training.run_folder import RunFolder, read_checkpoint
from audiodae.training.sound_task import SoundTask
from audiodae.training.task import Look
from audiodae.training.trainer import train
from tests.prep.made_banks import make_banks
from tests.training.tiny import tiny_recipe, tiny_tables

ROOT = Path(__file__).parents[2]


def losses(folder):
    return {line["step"]: line["loss"] for line in RunFolder(folder).lines() if "loss" in line}


def looks(folder):
    return {line["step"]: line["valid_loss"] for line in RunFolder(folder).lines() if "valid_loss" in line}


def test_it_learns(prepared, tmp_path):
    train(tiny_recipe(prepared, run__steps=60, run__valid_every=30), tmp_path / "run")
    made = losses(tmp_path / "run")
    early, late = (sum(made[s] for s in span) / 15 for span in (range(1, 16), range(46, 61)))
    assert late < 0.85 * early


def test_a_run_leaves_everything_behind(finished):
    assert {path.name for path in finished.iterdir()} >= {
        "recipe.toml", "log.jsonl", "last.safetensors", "best.safetensors", "curves.png", "pictures"
    }  # fmt: skip
    assert list(losses(finished)) == list(range(1, 25))
    assert list(looks(finished)) == [8, 16, 24]
    _, facts = read_checkpoint(finished / "best.safetensors")
    assert facts["best_loss"] == pytest.approx(min(looks(finished).values()), abs=1e-6)
    assert not list(finished.glob(".*.part"))


def test_the_same_seed_gives_the_same_run(prepared, finished, tmp_path):
    train(tiny_recipe(prepared, run__steps=6), tmp_path / "again")
    whole = losses(finished)
    warm = {step: whole[step] for step in range(1, 7)}
    assert losses(tmp_path / "again") == pytest.approx(warm, rel=1e-6)
    train(tiny_recipe(prepared, run__steps=6, run__seed=2), tmp_path / "other")
    assert losses(tmp_path / "other")[6] != pytest.approx(warm[6], rel=1e-3)  # control


def test_workers_make_the_same_batches(prepared, finished, tmp_path):
    train(tiny_recipe(prepared, run__steps=4, data__workers=2), tmp_path / "workers")
    whole = losses(finished)
    assert losses(tmp_path / "workers") == pytest.approx({s: whole[s] for s in range(1, 5)}, rel=1e-5)


def start(recipe_path, folder, *options):
    command = [sys.executable, "-m", "audiodae", "train", str(recipe_path), "--out", str(folder), "--quiet", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_and_resumed_gives_what_an_uninterrupted_run_gives(prepared, finished, tmp_path):
    recipe, folder = tmp_path / "recipe.toml", tmp_path / "killed"
    recipe.write_bytes(msgspec.toml.encode(tiny_tables(prepared)))
    running = start(recipe, folder)
    deadline = time.monotonic() + 120
    # Late enough that there is a checkpoint, and steps beyond it that have to be taken again.
    while not (folder / "log.jsonl").exists() or len(RunFolder(folder).lines()) < 8:
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    _, facts = read_checkpoint(folder / "last.safetensors")
    assert 0 < facts["step"] < 24
    resumed = start(recipe, folder, "--resume")
    _, messages = resumed.communicate(timeout=200)
    assert resumed.returncode == 0, messages
    assert losses(folder) == pytest.approx(losses(finished), rel=1e-6)
    assert looks(folder) == pytest.approx(looks(finished), rel=1e-6)


def test_resuming_without_the_optimisers_memory_is_noticed(prepared, finished, tmp_path, monkeypatch):
    """Control: losses after a resume that forgot something are others."""
    folder = tmp_path / "forgetful"
    monkeypatch.setattr(trainer, "learning_rate", lambda step, steps, settings: learning_rate(step, 24, settings))
    train(tiny_recipe(prepared, run__steps=10), folder)
    monkeypatch.setattr("audiodae.training.run.unpack_optimiser", lambda optimiser, tensors: None)
    train(tiny_recipe(prepared), folder, resume=True)
    whole = losses(finished)
    made = losses(folder)
    assert made[10] == pytest.approx(whole[10], rel=1e-6)
    assert any(made[step] != pytest.approx(whole[step], rel=1e-4) for step in range(12, 25))


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "adamw"])
def test_every_optimiser_moves_and_resumes(prepared, tmp_path, name):
    rate = 5e-2 if name == "sgd" else 2e-3
    changes = {"optimiser__name": name, "optimiser__learning_rate": rate, "optimiser__schedule": "constant"}
    train(tiny_recipe(prepared, run__steps=6, **changes), tmp_path / "whole")
    train(tiny_recipe(prepared, run__steps=5, **changes), tmp_path / "halves")
    train(tiny_recipe(prepared, run__steps=6, **changes), tmp_path / "halves", resume=True)
    assert losses(tmp_path / "halves") == pytest.approx(losses(tmp_path / "whole"), rel=1e-5)
    assert len(set(losses(tmp_path / "whole").values())) == 6


def test_sixteen_and_thirty_two_bits_reach_the_same_loss(prepared, tmp_path):
    reached = {}
    for precision in ("32", "bf16-mixed"):
        recipe = tiny_recipe(prepared, run__steps=40, run__valid_every=40, run__precision=precision)
        train(recipe, tmp_path / precision)
        reached[precision] = looks(tmp_path / precision)[40]
    untrained = tiny_recipe(prepared, run__steps=1, run__valid_every=1, optimiser__learning_rate=0.0)
    train(untrained, tmp_path / "untrained")
    learnt = looks(tmp_path / "untrained")[1] - reached["32"]
    assert learnt > 0
    assert abs(reached["bf16-mixed"] - reached["32"]) < 0.1 * learnt


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("precision", ["32", "bf16-mixed", "16-mixed"])
def test_a_gpu_trains_too(prepared, tmp_path, precision):
    train(tiny_recipe(prepared, run__device="cuda", run__precision=precision), tmp_path / "gpu")
    assert all(math.isfinite(loss) for loss in looks(tmp_path / "gpu").values())


def test_a_loss_that_is_not_a_number_moves_nothing_and_is_counted(prepared, tmp_path, monkeypatch):
    real = trainer.weigh
    calls = iter(range(1000))
    monkeypatch.setattr(
        trainer, "weigh", lambda terms, settings: real(terms, settings) * (math.nan if next(calls) in (2, 5) else 1.0)
    )
    progress = train(tiny_recipe(prepared, run__steps=8), tmp_path / "run")
    assert progress.bad_steps == 2
    assert [step for step, loss in losses(tmp_path / "run").items() if loss is None] == [3, 6]
    tensors, _ = read_checkpoint(tmp_path / "run" / "last.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


def test_too_many_of_them_end_the_run_with_a_remedy(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "weigh", lambda terms, settings: torch.tensor(math.nan, requires_grad=True))
    with pytest.raises(TrainingError, match="lower optimiser.learning_rate"):
        train(tiny_recipe(prepared, run__max_bad_steps=3), tmp_path / "run")
    assert len(losses(tmp_path / "run")) == 3


def test_a_run_that_gets_no_better_stops_early(prepared, tmp_path):
    still = {"optimiser__name": "sgd", "optimiser__learning_rate": 0.0, "run__patience": 4, "run__valid_every": 2}
    progress = train(tiny_recipe(prepared, network__normalisation="none", **still), tmp_path / "run")
    assert progress.stopped_early
    assert progress.step == 6
    _, facts = read_checkpoint(tmp_path / "run" / "last.safetensors")
    assert facts["step"] == 6


def test_regularisation_keeps_weights_small(prepared, tmp_path):
    sizes = {}
    for weight in (0.0, 1e-3):
        folder = tmp_path / str(weight)
        train(tiny_recipe(prepared, run__steps=40, loss__weight_l1=weight), folder)
        tensors, _ = read_checkpoint(folder / "last.safetensors")
        sizes[weight] = sum(float(t.abs().sum()) for name, t in tensors.items() if name.startswith("network."))
    assert sizes[1e-3] < sizes[0.0]


def test_a_run_may_start_from_the_weights_of_another(prepared, finished, tmp_path):
    recipe = {"run__steps": 1, "run__valid_every": 1, "optimiser__learning_rate": 0.0}
    train(tiny_recipe(prepared, run__start_from=str(finished / "best.safetensors"), **recipe), tmp_path / "warm")
    train(tiny_recipe(prepared, **recipe), tmp_path / "cold")
    best = min(looks(finished).values())
    assert looks(tmp_path / "warm")[1] == pytest.approx(best, rel=0.05)  # but for what one batch does to the averages
    assert looks(tmp_path / "cold")[1] > 1.05 * best


def test_weights_started_from_are_not_needed_to_resume(prepared, finished, tmp_path):
    start = tmp_path / "start.safetensors"
    start.write_bytes((finished / "best.safetensors").read_bytes())
    train(tiny_recipe(prepared, run__steps=2, run__start_from=str(start)), tmp_path / "run")
    start.unlink()
    progress = train(tiny_recipe(prepared, run__steps=3, run__start_from=str(start)), tmp_path / "run", resume=True)
    assert progress.step == 3


@pytest.mark.parametrize(("start", "message"), [("none", "not a checkpoint"), ("best", "weights of another network")])
def test_weights_that_cannot_be_started_from_are_named(prepared, finished, tmp_path, start, message):
    recipe = tiny_recipe(prepared, network__code_width=13, run__start_from=str(finished / f"{start}.safetensors"))
    with pytest.raises(TrainingError, match=message):
        train(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_a_run_is_not_overwritten(prepared, finished):
    before = (finished / "log.jsonl").read_bytes()
    with pytest.raises(TrainingError, match="--resume"):
        train(tiny_recipe(prepared), finished)
    assert (finished / "log.jsonl").read_bytes() == before


def test_a_checkpoint_of_another_network_is_refused(prepared, finished):
    with pytest.raises(TrainingError, match="begun with network.code_width = 12, now it is 13"):
        train(tiny_recipe(prepared, network__code_width=13), finished, resume=True)


@pytest.mark.parametrize(
    "change", [{"run__seed": 7}, {"network__activation": "relu"}, {"loss__complex": 0.1}, {"optimiser__ema": 0.5}]
)
def test_a_run_is_not_resumed_as_another(prepared, finished, change):
    before = (finished / "recipe.toml").read_bytes()
    with pytest.raises(TrainingError, match=f"begun with {next(iter(change)).replace('__', '.')} = "):
        train(tiny_recipe(prepared, **change), finished, resume=True)
    assert (finished / "recipe.toml").read_bytes() == before


def test_a_run_may_be_made_longer(prepared, tmp_path):
    train(tiny_recipe(prepared, run__steps=5), tmp_path / "run")
    progress = train(tiny_recipe(prepared, run__steps=7, run__log_every=2), tmp_path / "run", resume=True)
    assert progress.step == 7
    assert RunFolder(tmp_path / "run").recipe().run.steps == 7


def test_a_slip_in_the_recipe_leaves_no_run_folder(prepared, tmp_path):
    with pytest.raises(RecipeError):
        train(tiny_recipe(tmp_path / "nowhere"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    train(tiny_recipe(prepared, run__steps=1), tmp_path / "run")  # mended, the same command runs


def test_sound_that_is_not_a_number_leaves_no_trace(prepared, tmp_path, monkeypatch):
    """Batch normalisation sees a batch before anyone knows that it is bad."""
    real = trainer.feed

    def poisoned(pairs, steps, **options):
        for step, (noisy, clean) in zip(steps, real(pairs, steps, **options), strict=False):
            yield (noisy * math.nan if len(steps) > 4 and step == 3 else noisy), clean

    monkeypatch.setattr(trainer, "feed", poisoned)
    progress = train(tiny_recipe(prepared, run__steps=8), tmp_path / "run")
    assert progress.bad_steps == 1
    assert all(math.isfinite(loss) for loss in looks(tmp_path / "run").values())
    tensors, _ = read_checkpoint(tmp_path / "run" / "last.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


def test_overflows_are_the_scalers_until_they_are_too_many(prepared, tmp_path, monkeypatch):
    """What 16-mixed does on a GPU, with the overflow made up."""
    real_set_up = trainer.set_up

    def set_up(recipe, out):
        run = real_set_up(recipe, out)
        run.scales_loss = True
        run.fabric.strategy.precision.state_dict = lambda: {"scale": 8.0}
        norms = iter([math.inf, math.inf, 1.0, 1.0, *[math.inf] * 20])
        run.fabric.clip_gradients = lambda *_, **__: torch.tensor(next(norms))
        run.optimiser.step = lambda: None
        return run

    monkeypatch.setattr(trainer, "set_up", set_up)
    with pytest.raises(TrainingError, match="overflowed 4 times in a row, the last at step 7"):
        train(tiny_recipe(prepared, run__max_bad_steps=3), tmp_path / "run")
    assert [step for step, loss in losses(tmp_path / "run").items() if loss is None] == [1, 2, 5, 6, 7]


def test_lost_weights_end_the_run(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(SoundTask, "look", lambda *_: Look(math.nan, {}, {}))
    with pytest.raises(TrainingError, match="validation loss at step 8 is not a number"):
        train(tiny_recipe(prepared), tmp_path / "run")


def test_a_run_that_stopped_early_goes_on_with_more_patience(prepared, tmp_path):
    still = {"optimiser__name": "sgd", "optimiser__learning_rate": 0.0, "run__valid_every": 2}
    recipe = {"network__normalisation": "none", "run__steps": 12, **still}
    assert train(tiny_recipe(prepared, run__patience=4, **recipe), tmp_path / "run").stopped_early
    assert train(tiny_recipe(prepared, run__patience=0, **recipe), tmp_path / "run", resume=True).step == 12


def test_resuming_nothing_is_refused(prepared, tmp_path):
    with pytest.raises(TrainingError, match="not a checkpoint"):
        train(tiny_recipe(prepared), tmp_path / "nothing", resume=True)


def test_a_missing_corpus_is_named(tmp_path):
    with pytest.raises(RecipeError, match="prepare_speech"):
        train(tiny_recipe(tmp_path / "nowhere"), tmp_path / "run")


def test_no_gpu_is_said_so(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="no GPU"):
        train(tiny_recipe(prepared, run__device="cuda"), tmp_path / "run")


def test_a_corpus_without_rooms_will_do(tmp_path):
    for split in ("train", "valid"):
        make_banks(tmp_path / "prepared" / "bank" / split, rooms=False)
    progress = train(tiny_recipe(tmp_path / "prepared", run__steps=2), tmp_path / "run")
    assert progress.step == 2


def test_the_log_is_json_lines(finished):
    for line in (finished / "log.jsonl").read_text().splitlines():
        assert json.loads(line)["step"] > 0
