"""A run that is under way: its parts, where it stands, and how both are stored and taken up again."""

import copy
import math
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from audiodae.errors import TrainingError
from audiodae.frames import FrameGeometry
from audiodae.prep.decode import SAMPLE_RATE
from audiodae.training.autoencoder import Autoencoder, build_network
from audiodae.training.data import Share
from audiodae.training.growth import begin_with
from audiodae.training.optimise import make_optimiser, pack_optimiser, unpack_optimiser
from audiodae.training.recipe import Recipe, RunSettings
from audiodae.training.recipe_file import differences
from audiodae.training.run_folder import RunFolder, read_checkpoint, write_checkpoint
from audiodae.training.series_task import SeriesTask
from audiodae.training.sound_task import SoundTask
from audiodae.training.spectra import Frames
from audiodae.training.task import Task
from audiodae.training.wave import WaveAutoencoder

# What may be another when a run is resumed: how long, how often, on what. All else would make it another run.
MAY_CHANGE = (
    *("run.steps", "run.patience", "run.max_bad_steps", "run.valid_every", "run.save_every", "run.log_every"),
    *("run.pictures_every", "run.device", "run.precision", "run.threads", "run.devices", "run.nodes"),
    *("data.workers", "data.prepared", "card."),
)


@dataclass
class Progress:
    """Where a run stands: everything that is neither weights nor the optimiser's memory."""

    step: int = 0
    best_loss: float = math.inf
    best_step: int = 0
    bad_steps: int = 0
    overflows: int = 0  # in a row
    audio_seconds: float = 0.0
    train_seconds: float = 0.0
    wait_seconds: float = 0.0
    stopped_early: bool = False
    hardware: str = ""
    last_look: dict[str, float | None] = field(default_factory=dict)
    scaler: dict[str, float] = field(default_factory=dict)  # of 16-mixed: how gradients are kept in range


@dataclass
class Run:
    """The parts of a run.

    Attributes
    ----------
    network, wrapped : the weights that move, bare and as Fabric runs them
    average : the running average of the weights, which is what is judged and shipped
    scales_loss : 16-mixed, where gradients may overflow by design
    """

    recipe: Recipe
    folder: RunFolder
    fabric: Fabric
    network: Autoencoder | WaveAutoencoder
    wrapped: Any
    optimiser: Any
    average: Autoencoder | WaveAutoencoder
    task: Task
    progress: Progress
    scales_loss: bool

    @property
    def share(self) -> Share:
        """The part of each batch that this process makes."""
        return Share(self.fabric.global_rank, self.fabric.world_size)


def set_up(recipe: Recipe, out: Path) -> Run:
    """Build the parts of a run on its device; nothing is written.

    Raises
    ------
    TrainingError
        The device is missing.
    """
    settings = recipe.run
    fabric, precision = _launch(settings)
    torch.manual_seed(settings.seed)
    network = build_network(recipe.network)
    average = copy.deepcopy(network).to(fabric.device)
    wrapped, optimiser = fabric.setup(
        network, make_optimiser((p for p in network.parameters() if p.requires_grad), recipe.optimiser)
    )
    return Run(
        recipe=recipe,
        folder=RunFolder(out),
        fabric=fabric,
        network=network,
        wrapped=wrapped,
        optimiser=optimiser,
        average=average,
        task=_task(recipe, fabric.device),
        progress=Progress(hardware=_hardware(fabric)),
        scales_loss=precision == "16-mixed",
    )


def _task(recipe: Recipe, device: torch.device) -> Task:
    if recipe.network.body == "wave":
        return SeriesTask(recipe.network.wave, recipe.loss)
    return SoundTask(Frames(FrameGeometry.for_rate(SAMPLE_RATE), device), recipe.loss)


def begin(run: Run) -> None:
    """Make the run folder, with the recipe and a first checkpoint: a run killed at once can be resumed too.

    Raises
    ------
    TrainingError
        The folder holds a run or cannot be written; the weights to start from are missing or of another network.
    """
    if run.recipe.run.start_from:
        _start_from(Path(run.recipe.run.start_from), run)
    if run.fabric.is_global_zero:
        run.folder.begin(run.recipe)
    save(run)


def save(run: Run) -> None:
    """Write everything that is needed to go on to `last.safetensors`."""
    if not run.fabric.is_global_zero:
        return
    if run.scales_loss:
        run.progress.scaler = dict(run.fabric.strategy.precision.state_dict())
    tensors = {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in run.average.state_dict().items()}
    tensors |= pack_optimiser(run.optimiser)
    write_checkpoint(run.folder.last, tensors, asdict(run.progress))


def take_up(run: Run) -> None:
    """Go on where `save` left a run.

    Raises
    ------
    TrainingError
        There is no checkpoint, or the run was begun with another recipe; the message names the key.
    """
    tensors, facts = read_checkpoint(run.folder.last)
    _refuse_another(run)
    try:
        for name, module in (("network", run.network), ("average", run.average)):
            module.load_state_dict(_part(tensors, name))
        unpack_optimiser(run.optimiser, tensors)
        run.progress = Progress(**facts | {"hardware": run.progress.hardware})  # it may go on elsewhere
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{run.folder.last}: does not fit this recipe ({error})") from error
    run.progress.stopped_early = False  # patience may be another now; the next look decides anew
    if run.scales_loss and run.progress.scaler:
        run.fabric.strategy.precision.load_state_dict(run.progress.scaler)
    if run.fabric.is_global_zero:
        run.folder.keep_recipe(run.recipe)
        run.folder.forget_after(run.progress.step)


def _refuse_another(run: Run) -> None:
    for key, before, now in differences(run.folder.recipe(), run.recipe):
        if not key.startswith(MAY_CHANGE):
            raise TrainingError(
                f"{run.folder.folder}: was begun with {key} = {before}, now it is {now}; "
                "resume with the recipe as it was, or choose another --out"
            )


def _launch(settings: RunSettings) -> tuple[Fabric, str]:
    """Start Fabric where the recipe says; give it and the precision that was chosen."""
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("run.device = cuda, but torch finds no GPU: use run.device = cpu")
    if settings.threads:
        torch.set_num_threads(settings.threads)
    on_gpu = settings.device != "cpu" and torch.cuda.is_available()
    if on_gpu and settings.devices > torch.cuda.device_count():
        raise TrainingError(f"run.devices = {settings.devices}, but torch finds {torch.cuda.device_count()} GPUs")
    precision = ("bf16-mixed" if on_gpu else "32") if settings.precision == "auto" else settings.precision
    fabric = Fabric(
        accelerator="cuda" if on_gpu else "cpu",
        devices=settings.devices,
        num_nodes=settings.nodes,
        precision="32-true" if precision == "32" else precision,
    )
    fabric.launch()
    return fabric, precision


def _start_from(path: Path, run: Run) -> None:
    tensors, _ = read_checkpoint(path)
    try:
        for module in (run.network, run.average):
            begin_with(module, tensors)
    except RuntimeError as error:
        raise TrainingError(f"run.start_from = {path}: weights of another network ({error})") from error


def _hardware(fabric: Fabric) -> str:
    on = torch.cuda.get_device_name() if fabric.device.type == "cuda" else f"CPU ({platform.machine()})"
    threads = torch.get_num_threads()
    each = f", {threads} thread{'s' * (threads > 1)}" if fabric.device.type == "cpu" else ""
    return f"{fabric.world_size} x {on}{each}"


def _part(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
