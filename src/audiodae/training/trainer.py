"""Training: one visible loop over the steps of a run.

A run is a function of its recipe: batch s comes from (seed, s), the dropout of step s is seeded with (seed, s), and a
checkpoint holds all the rest. So a run killed anywhere and resumed gives, on a CPU, the same losses as one left alone.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audiodae.errors import TrainingError
from audiodae.plots import draw_curves
from audiodae.training.data import Share, feed, make_pairs
from audiodae.training.losses import weigh, weight_penalty
from audiodae.training.optimise import average_weights, learning_rate
from audiodae.training.recipe import Recipe
from audiodae.training.run import Progress, Run, begin, save, set_up, take_up
from audiodae.training.run_folder import write_checkpoint
from audiodae.training.task import Batch

Report = Callable[[dict[str, Any]], None]


def train(recipe: Recipe, out: Path, *, resume: bool = False, report: Report | None = None) -> Progress:
    """Train as the recipe says and leave everything in the run folder.

    Parameters
    ----------
    recipe : the whole run; to resume one it must be the recipe it was begun with, but for its length and its machine
    out : the run folder
    resume : go on from `last.safetensors`
    report : called with each log line

    Returns
    -------
    progress : where the run ended

    Raises
    ------
    RecipeError, ShardError
        The prepared folder is missing or does not fit.
    TrainingError
        The folder holds another run, the device is missing, or losses keep coming out as not a number.
    """
    run = set_up(recipe, out)
    settings, device = recipe.run, run.fabric.device
    # On a GPU the recordings lie on the device and are mixed there; on a CPU another process mixes ahead.
    workers = recipe.data.workers if device.type == "cpu" and recipe.data.source != "shards" else 0
    pairs = make_pairs(recipe, split="train", batch_size=settings.batch_size, share=run.share, device=device)
    valid = _validation_batches(recipe, device)
    if resume:
        take_up(run)
    else:
        begin(run)
    progress = run.progress
    batches = feed(pairs, range(progress.step, settings.steps), workers=workers, device=device)
    while progress.step < settings.steps and not progress.stopped_early:
        started = time.perf_counter()
        batch = next(batches)
        if device.type == "cuda":
            torch.cuda.synchronize(device)  # it mixes while we go on; that time is no training
        waited = time.perf_counter()
        line = _take_step(run, batch)
        progress.step += 1
        progress.wait_seconds += waited - started
        progress.train_seconds += time.perf_counter() - started
        progress.audio_seconds += run.task.seconds(batch) * run.share.world
        if progress.step % settings.log_every == 0:
            _log(run, line | {"wait_share": round(progress.wait_seconds / progress.train_seconds, 4)}, report)
        if progress.step % settings.valid_every == 0 or progress.step == settings.steps:
            _look(run, valid, report)
        if progress.step % settings.pictures_every == 0 or progress.step == settings.steps:
            _draw(run, valid)
        if progress.step % settings.save_every == 0 or progress.step == settings.steps or progress.stopped_early:
            save(run)
    return progress


def _take_step(run: Run, batch: Batch) -> dict[str, Any]:
    """One step: forward, backward, clip, move, average. A loss that is not a number moves nothing and is counted."""
    recipe, progress = run.recipe, run.progress
    torch.manual_seed(recipe.run.seed * 1_000_003 + progress.step)  # dropout
    rate = learning_rate(progress.step, recipe.run.steps, recipe.optimiser)
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    run.wrapped.train()
    # Batch normalisation takes note of a batch while it looks at it, before anyone knows that the batch is bad.
    noted = [buffer.clone() for buffer in run.network.buffers()]
    terms = run.task.terms(run.wrapped, run.network.initial_state(len(batch[0])), batch)
    loss = weigh(terms, recipe.loss) + weight_penalty(list(run.network.parameters()), recipe.loss)
    if not _finite_everywhere(run, loss):
        return _skip(run, noted)
    run.optimiser.zero_grad()
    run.fabric.backward(loss)
    norm = run.fabric.clip_gradients(
        run.wrapped, run.optimiser, max_norm=recipe.optimiser.gradient_clip, error_if_nonfinite=False
    )
    if not bool(torch.isfinite(torch.as_tensor(norm))):
        return _overflow(run, noted) if run.scales_loss else _skip(run, noted)
    run.optimiser.step()
    progress.overflows = 0
    average_weights(run.average.state_dict(), run.network.state_dict(), progress.step, recipe.optimiser.ema)
    values = {name: round(float(term.detach()), 6) for name, term in terms.items()}
    return {"loss": round(float(loss.detach()), 6), **values, "learning_rate": rate}


def _finite_everywhere(run: Run, loss: Tensor) -> bool:
    """Whether the loss is a number in every process: one that skipped a step alone would leave the others waiting."""
    finite = torch.isfinite(loss.detach()).float()
    if run.share.world > 1:
        return bool(run.fabric.all_reduce(finite, reduce_op="min"))
    return bool(finite)


def _skip(run: Run, noted: list[Tensor]) -> dict[str, Any]:
    """Leave a step out, as if its batch had never been."""
    _restore(run, noted)
    run.progress.bad_steps += 1
    if run.progress.bad_steps > run.recipe.run.max_bad_steps:
        raise TrainingError(
            f"{run.progress.bad_steps} steps whose loss or gradient was not a number, the last at step "
            f"{run.progress.step}: lower optimiser.learning_rate or optimiser.gradient_clip, then --resume"
        )
    return {"loss": None, "bad_steps": run.progress.bad_steps}


def _overflow(run: Run, noted: list[Tensor]) -> dict[str, Any]:
    """Let the scaler of 16-mixed lower its scale: some overflows are how it finds its way, many in a row are not."""
    _restore(run, noted)
    run.optimiser.step()  # moves nothing
    run.progress.overflows += 1
    if run.progress.overflows > run.recipe.run.max_bad_steps:
        raise TrainingError(
            f"gradients overflowed {run.progress.overflows} times in a row, the last at step {run.progress.step}: "
            "use run.precision = bf16-mixed or 32, then --resume"
        )
    return {"loss": None, "overflows": run.progress.overflows}


@torch.no_grad()
def _restore(run: Run, noted: list[Tensor]) -> None:
    for buffer, before in zip(run.network.buffers(), noted, strict=True):
        buffer.copy_(before)


def _validation_batches(recipe: Recipe, device: torch.device) -> list[Batch]:
    size = min(recipe.run.batch_size, recipe.data.valid_examples)
    pairs = make_pairs(recipe, split="valid", batch_size=size, share=Share(), device=device)
    return list(feed(pairs, range(max(recipe.data.valid_examples // size, 1)), workers=0, device=device))


def _look(run: Run, valid: list[Batch], report: Report | None) -> None:
    """Judge the averaged weights; keep the best; stop if nothing got better for long."""
    progress, settings = run.progress, run.recipe.run
    look = run.task.look(run.average, valid)
    loss = look.loss
    if run.share.world > 1:
        # Each process averages its own batch statistics: the first one's judgement holds for all.
        loss = float(run.fabric.broadcast(torch.tensor(loss, dtype=torch.float64)))
    if math.isnan(loss):
        raise TrainingError(
            f"the validation loss at step {progress.step} is not a number: the weights are lost; begin anew"
        )
    after = {f"valid_{name}": value for name, value in look.figures.items() if not name.startswith("noisy")}
    progress.last_look = {"valid_loss": loss, **after}
    if loss < progress.best_loss:
        progress.best_loss, progress.best_step = loss, progress.step
        if run.fabric.is_global_zero:
            write_checkpoint(run.folder.best, run.average.state_dict(), asdict(progress))
    progress.stopped_early = 0 < settings.patience <= progress.step - progress.best_step
    line: dict[str, Any] = {
        "valid_loss": round(loss, 6),
        **after,
        **{name: value for name, value in look.figures.items() if name.startswith("noisy")},
        **{f"valid_{name}": round(value, 6) for name, value in look.terms.items()},
        "audio_hours": round(progress.audio_seconds / 3600, 3),
        "minutes": round(progress.train_seconds / 60, 2),
        "bad_steps": progress.bad_steps,
    }
    _log(run, line, report)


def _draw(run: Run, valid: list[Batch]) -> None:
    """Bring the pictures in the run folder up to date: spectrograms of validation examples, and the curves."""
    if run.fabric.is_global_zero:
        draw_curves(run.folder.lines(), run.folder.curves)
        run.task.draw(run.folder.picture(run.progress.step), run.average, valid[0])


def _log(run: Run, line: dict[str, Any], report: Report | None) -> None:
    if run.fabric.is_global_zero:
        whole = {"step": run.progress.step, **line}
        run.folder.append(whole)
        if report is not None:
            report(whole)
