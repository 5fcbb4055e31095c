"""Training: one visible loop, with one `Progress` to save and load.

A run is a function of its recipe: batch s comes from (seed, s), the dropout of step s is seeded with (seed, s), and a
checkpoint holds all the rest. So a run killed anywhere and resumed gives, on a CPU, the same losses as one left alone.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from audiodae.errors import TrainingError
from audiodae.frames import FrameGeometry
from audiodae.plots import draw_curves
from audiodae.prep.decode import SAMPLE_RATE
from audiodae.training.autoencoder import Autoencoder, build_autoencoder
from audiodae.training.data import Share, feed, make_pairs
from audiodae.training.losses import loss_terms, weigh, weight_penalty
from audiodae.training.optimise import (
    average_weights,
    learning_rate,
    make_optimiser,
    pack_optimiser,
    unpack_optimiser,
)
from audiodae.training.pictures import draw_examples
from audiodae.training.recipe import Recipe
from audiodae.training.run_folder import RunFolder, read_checkpoint, write_checkpoint
from audiodae.training.spectra import Frames
from audiodae.training.validate import Look, clean_waveforms, estimate, truth_of, validate

PICTURED = 4  # validation examples in a picture

Report = Callable[[dict[str, Any]], None]


@dataclass
class Progress:
    """Where a run stands: everything that is neither weights nor the optimiser's memory."""

    step: int = 0
    best_loss: float = math.inf
    best_step: int = 0
    bad_steps: int = 0
    audio_seconds: float = 0.0
    train_seconds: float = 0.0
    wait_seconds: float = 0.0
    stopped_early: bool = False
    last_look: dict[str, float | None] = field(default_factory=dict)


@dataclass
class Run:
    """The parts of a run that is under way."""

    recipe: Recipe
    folder: RunFolder
    fabric: Fabric
    network: Autoencoder
    wrapped: Any
    optimiser: Any
    average: Autoencoder
    frames: Frames
    progress: Progress
    scales_loss: bool  # sixteen-bit floats: gradients may overflow by design


def train(recipe: Recipe, out: Path, *, resume: bool = False, report: Report | None = None) -> Progress:
    """Train as the recipe says and leave everything in the run folder.

    Parameters
    ----------
    recipe : the whole run; when resuming, the one kept in the folder is compared with it
    out : the run folder
    resume : go on from `last.safetensors`
    report : called with each log line

    Returns
    -------
    progress : where the run ended

    Raises
    ------
    TrainingError
        The folder holds another run, the device is missing, or losses keep coming out as not a number.
    """
    run = _set_up(recipe, out, resume=resume)
    settings, progress = recipe.run, run.progress
    if not resume:
        save_run(run)  # so that a run killed before its first checkpoint can be resumed too
    share = Share(run.fabric.global_rank, run.fabric.world_size)
    # On a GPU the recordings lie on the device and are mixed there; on a CPU another process mixes ahead.
    device = run.fabric.device
    workers = 0 if device.type == "cuda" and recipe.data.source == "mix" else recipe.data.workers
    pairs = make_pairs(recipe, split="train", batch_size=settings.batch_size, share=share, device=device)
    valid = _validation_batches(recipe, device)
    batches = feed(pairs, range(progress.step, settings.steps), workers=workers, device=device)
    while progress.step < settings.steps and not progress.stopped_early:
        started = time.perf_counter()
        noisy, clean = next(batches)
        waited = time.perf_counter()
        line = _take_step(run, noisy, clean)
        progress.step += 1
        progress.wait_seconds += waited - started
        progress.train_seconds += time.perf_counter() - started
        progress.audio_seconds += len(noisy) * share.world * recipe.data.mix.segment_seconds
        if progress.step % settings.log_every == 0:
            _log(run, line | {"wait_share": round(progress.wait_seconds / progress.train_seconds, 4)}, report)
        if progress.step % settings.valid_every == 0 or progress.step == settings.steps:
            _look(run, valid, report)
        if progress.step % settings.pictures_every == 0 or progress.step == settings.steps:
            _draw(run, valid)
        if progress.step % settings.save_every == 0 or progress.step == settings.steps or progress.stopped_early:
            save_run(run)
    return progress


def _set_up(recipe: Recipe, out: Path, *, resume: bool) -> Run:
    settings = recipe.run
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("run.device = cuda, but torch finds no GPU: use run.device = cpu")
    if settings.threads:
        torch.set_num_threads(settings.threads)
    on_gpu = settings.device != "cpu" and torch.cuda.is_available()
    precision = ("bf16-mixed" if on_gpu else "32-true") if settings.precision == "auto" else settings.precision
    fabric = Fabric(
        accelerator="cuda" if on_gpu else "cpu",
        devices=settings.devices,
        num_nodes=settings.nodes,
        precision="32-true" if precision == "32" else precision,
    )
    fabric.launch()
    folder = RunFolder(out)
    if fabric.is_global_zero and not resume:
        folder.begin(recipe)
    torch.manual_seed(settings.seed)
    network = build_autoencoder(recipe.network)
    average = copy.deepcopy(network).to(fabric.device)
    optimiser = make_optimiser(network.parameters(), recipe.optimiser)
    wrapped, wrapped_optimiser = fabric.setup(network, optimiser)
    frames = Frames(FrameGeometry.for_rate(SAMPLE_RATE), fabric.device)
    run = Run(
        recipe,
        folder,
        fabric,
        network,
        wrapped,
        wrapped_optimiser,
        average,
        frames,
        Progress(),
        precision == "16-mixed",
    )
    if resume:
        load_run(run)
    return run


def _take_step(run: Run, noisy: Tensor, clean: Tensor) -> dict[str, Any]:
    """One step: forward, backward, clip, move, average. A loss that is not a number moves nothing and is counted."""
    recipe, progress = run.recipe, run.progress
    torch.manual_seed(recipe.run.seed * 1_000_003 + progress.step)  # dropout
    rate = learning_rate(progress.step, recipe.run.steps, recipe.optimiser)
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    run.wrapped.train()
    truth = truth_of(noisy, clean, run.frames)
    state = torch.zeros(len(noisy), run.network.state_size, device=noisy.device)
    made = estimate(run.wrapped, truth, state, run.frames, waveform=recipe.loss.si_sdr > 0)
    terms = loss_terms(made, truth, recipe.loss)
    loss = weigh(terms, recipe.loss) + weight_penalty(list(run.network.parameters()), recipe.loss)
    if not bool(torch.isfinite(loss)):
        return _count_bad_step(run)
    run.optimiser.zero_grad()
    run.fabric.backward(loss)
    norm = run.fabric.clip_gradients(
        run.wrapped, run.optimiser, max_norm=recipe.optimiser.gradient_clip, error_if_nonfinite=False
    )
    if norm is not None and not bool(torch.isfinite(norm)):
        if not run.scales_loss:
            return _count_bad_step(run)
        run.optimiser.step()  # moves nothing, but lets the scaler lower its scale: an overflow is how it finds its way
        return {"loss": round(float(loss.detach()), 6), "overflow": True}
    run.optimiser.step()
    average_weights(run.average.state_dict(), run.network.state_dict(), progress.step, recipe.optimiser.ema)
    values = {name: round(float(term.detach()), 6) for name, term in terms.items()}
    return {"loss": round(float(loss.detach()), 6), **values, "learning_rate": rate}


def _count_bad_step(run: Run) -> dict[str, Any]:
    run.progress.bad_steps += 1
    if run.progress.bad_steps > run.recipe.run.max_bad_steps:
        raise TrainingError(
            f"{run.progress.bad_steps} steps whose loss or gradient was not a number, the last at step "
            f"{run.progress.step}: lower optimiser.learning_rate or optimiser.gradient_clip, then --resume"
        )
    return {"loss": None, "bad_steps": run.progress.bad_steps}


def _validation_batches(recipe: Recipe, device: torch.device) -> list[tuple[Tensor, Tensor]]:
    size = min(recipe.run.batch_size, recipe.data.valid_examples)
    pairs = make_pairs(recipe, split="valid", batch_size=size, share=Share(), device=device)
    return list(feed(pairs, range(max(recipe.data.valid_examples // size, 1)), workers=0, device=device))


def _look(run: Run, valid: list[tuple[Tensor, Tensor]], report: Report | None) -> None:
    """Judge the averaged weights; keep the best; stop if nothing got better for long."""
    progress, settings = run.progress, run.recipe.run
    look: Look = validate(run.average, valid, run.frames, run.recipe.loss)
    progress.last_look = {"valid_loss": look.loss, "valid_si_sdr_db": look.si_sdr_db}
    if look.loss < progress.best_loss:
        progress.best_loss, progress.best_step = look.loss, progress.step
        if run.fabric.is_global_zero:
            write_checkpoint(run.folder.best, run.average.state_dict(), asdict(progress))
    progress.stopped_early = 0 < settings.patience <= progress.step - progress.best_step
    line: dict[str, Any] = {
        "valid_loss": round(look.loss, 6),
        "valid_si_sdr_db": look.si_sdr_db,
        "noisy_si_sdr_db": look.noisy_si_sdr_db,
        **{f"valid_{name}": round(value, 6) for name, value in look.terms.items()},
        "audio_hours": round(progress.audio_seconds / 3600, 3),
        "minutes": round(progress.train_seconds / 60, 2),
        "bad_steps": progress.bad_steps,
    }
    _log(run, line, report)


def _draw(run: Run, valid: list[tuple[Tensor, Tensor]]) -> None:
    """Bring the pictures in the run folder up to date: spectrograms of validation examples, and the curves."""
    noisy, clean = valid[0]
    if not run.fabric.is_global_zero:
        return
    draw_curves(run.folder.lines(), run.folder.curves)
    if noisy.ndim == 2:  # waveforms; shards hold none
        made = clean_waveforms(run.average, noisy[:PICTURED], run.frames)
        draw_examples(run.folder.picture(run.progress.step), noisy=noisy, estimate=made, clean=clean)


def _log(run: Run, line: dict[str, Any], report: Report | None) -> None:
    if run.fabric.is_global_zero:
        whole = {"step": run.progress.step, **line}
        run.folder.append(whole)
        if report is not None:
            report(whole)


def save_run(run: Run) -> None:
    """Write everything that is needed to go on to `last.safetensors`."""
    if not run.fabric.is_global_zero:
        return
    tensors = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in run.average.state_dict().items()}
    tensors |= pack_optimiser(run.optimiser)
    write_checkpoint(run.folder.last, tensors, asdict(run.progress))


def load_run(run: Run) -> None:
    """Take up a run where `save_run` left it.

    Raises
    ------
    TrainingError
        There is no checkpoint, or it belongs to a network of other sizes.
    """
    tensors, facts = read_checkpoint(run.folder.last)
    try:
        for name, module in (("network", run.network), ("average", run.average)):
            own = {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
            module.load_state_dict(own)
        unpack_optimiser(run.optimiser, tensors)
    except (RuntimeError, ValueError, KeyError) as error:
        raise TrainingError(f"{run.folder.last}: does not fit this recipe ({error})") from error
    run.progress = Progress(**facts)
    if run.fabric.is_global_zero:
        run.folder.forget_after(run.progress.step)
