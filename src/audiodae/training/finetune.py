"""Fine-tuning: a shipped network made at home in a user's own noise, in minutes on a CPU.

    OUT/prepared/    banks: the noise, held-out noise, speech, some simulated noises and rooms
    OUT/clips/       test clips of held-out speech, in the user's held-out noise (own) and in simulated ones (other)
    OUT/run/         the run folder; a stopped run goes on
    OUT/NAME.onnx    the network

The network starts from the weights in its file. Half of the noises it meets are the user's, the rest simulated ones, so
that it does not forget what it knew; whether it did is measured on the clips `other` and on clean speech.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from audiodae.errors import CorpusError
from audiodae.network import find_network
from audiodae.prep.bank import Bank
from audiodae.prep.bank_building import Source, build_bank, from_files, refuse_bad
from audiodae.prep.clips import write_clips
from audiodae.prep.corpus import KINDS, Kind, find_splits
from audiodae.prep.decode import SAMPLE_RATE, Pcm, decode
from audiodae.prep.draws import Banks, Split
from audiodae.prep.noises import simulated_noises
from audiodae.prep.rooms import simulated_rooms
from audiodae.prep.synthesis import SynthesisSettings, synthesise_corpus
from audiodae.training.export import export_run
from audiodae.training.from_onnx import read_network_file
from audiodae.training.recipe import Recipe
from audiodae.training.run_folder import RunFolder, write_checkpoint
from audiodae.training.trainer import Report, train

SPLITS: tuple[Split, ...] = ("train", "valid")
HELD_OUT = 0.2  # of each recording, where there are too few to hold out whole ones
FEWEST_SECONDS = 5.0  # of noise
REHEARSED = {"train": 36, "valid": 12}  # simulated noises, 20 s each
ROOMS = {"train": 40, "valid": 4}
VALID_EXAMPLES = 64
BAD_SHARE = 0.05

OWN, OTHER = "own", "other"  # test clips

BySplit = Mapping[Split, Sequence[Source]]


@dataclass(frozen=True)
class FineTuneSettings:
    """How long and how carefully.

    Attributes
    ----------
    steps, batch_size : of batch_size examples each
    learning_rate : its highest; a tenth of that of a training from nothing, or what was learnt is lost
    clips : test clips of each kind
    seed : of every draw
    """

    steps: int = 600
    batch_size: int = 8
    learning_rate: float = 2e-4
    clips: int = 20
    seed: int = 1


def fine_tune(
    model: str | Path | None,
    out: Path,
    *,
    noise: Path,
    speech: Path | None,
    settings: FineTuneSettings,
    jobs: int = 1,
    report: Report | None = None,
) -> Path:
    """Train a network on in a noise of one's own, or go on with what was stopped.

    Parameters
    ----------
    model : name or path of a network file made by `audiodae export`; None for the default one
    out : folder to make
    noise : recordings of it; those held out are not trained on
    speech : clean speech, a folder a speaker; None makes do with synthesised voices
    jobs : processes that decode
    report : called with each log line of the run

    Returns
    -------
    network : the file written

    Raises
    ------
    CorpusError
        There is no noise or no speech to be found, or too little.
    NetworkError, TrainingError
        The network cannot be trained on; OUT holds something else.
    """
    network, recipe = read_network_file(find_network(model))
    noises = _noises(noise, settings.seed)
    voices = _voices(speech or _synthesised(out, settings.seed), settings.seed)
    prepared = out / "prepared"
    _build_banks(prepared, voices, noises, seed=settings.seed, jobs=jobs)
    _write_clips(out / "clips", prepared, noises["valid"], settings)
    run_folder, start = out / "run", out / "start.safetensors"
    resume = RunFolder(run_folder).last.exists()
    if not resume:
        write_checkpoint(start, dict(network.state_dict()), {})
    train(_recipe(recipe, prepared, start, settings), run_folder, resume=resume, report=report)
    target = out / f"{recipe.card.name}-tuned.onnx"
    export_run(run_folder, target, card=_card(recipe))
    return target


def _recipe(recipe: Recipe, prepared: Path, start: Path, settings: FineTuneSettings) -> Recipe:
    """The network's own recipe, but for the data, the pace and the beginning."""
    change = msgspec.structs.replace
    looks = max(settings.steps // 6, 1)
    return change(
        recipe,
        data=change(recipe.data, source="mix", prepared=str(prepared.resolve()), valid_examples=VALID_EXAMPLES),
        optimiser=change(
            recipe.optimiser, learning_rate=settings.learning_rate, warmup_steps=settings.steps // 10, ema=0.99
        ),
        run=change(
            recipe.run,
            seed=settings.seed,
            steps=settings.steps,
            batch_size=settings.batch_size,
            valid_every=looks,
            save_every=looks,
            pictures_every=settings.steps,
            start_from=str(start.resolve()),
        ),
    )


def _card(recipe: Recipe) -> dict[str, str]:
    before = f"{recipe.card.name} {recipe.card.version}"
    return {
        "name": f"{recipe.card.name}-tuned",
        "data": f"{before}, then a user's own noise. {recipe.card.data}".strip(),
        "made_by": "audiodae finetune",
    }


def _synthesised(out: Path, seed: int) -> Path:
    """Voices from nothing, where there is no speech: they keep the network from taking every sound for noise."""
    corpus = out / "voices"
    synthesise_corpus(SynthesisSettings(seed=seed, noise_minutes=0.5), corpus)
    return corpus / "speech"


def _voices(root: Path, seed: int) -> BySplit:
    found = find_splits(root, "speech", seed=seed)
    if "valid" not in found:
        raise CorpusError(f"{root}: no speech for validation; it takes two speakers or more, each in a folder")
    return {split: from_files(found[split], "speech") for split in SPLITS}


def _noises(root: Path, seed: int) -> BySplit:
    """The user's noise: whole recordings held out where there are two or more, else the end of the only one."""
    found = find_splits(root, "noise", seed=seed)
    if "valid" in found:
        kept = [recording for split, some in found.items() if split != "valid" for recording in some]
        return {"train": from_files(kept, "noise"), "valid": from_files(found["valid"], "noise")}
    (only,) = found["train"]
    ends: dict[Split, tuple[float, float]] = {"train": (0.0, 1 - HELD_OUT), "valid": (1 - HELD_OUT, 1.0)}
    return {
        split: [Source(f"{only.path}#{split}", only.group, partial(_stretch, only.file, *ends[split]))]
        for split in SPLITS
    }


def _stretch(file: Path, first: float, last: float) -> Pcm:
    """A part of a recording, from and to shares of its length."""
    whole = decode(file, "noise")
    if whole.size < FEWEST_SECONDS * SAMPLE_RATE:
        raise CorpusError(f"{file}: {whole.size / SAMPLE_RATE:.1f} s of noise, too little: record {FEWEST_SECONDS:g} s")
    return np.ascontiguousarray(whole[round(first * whole.size) : round(last * whole.size)])


def _build_banks(prepared: Path, voices: BySplit, noises: BySplit, *, seed: int, jobs: int) -> None:
    """Build the banks; those that are there already are left as they are."""
    for split in SPLITS:
        rehearsed = simulated_noises(REHEARSED[split], seed=seed, split=split)
        # One kind beside the user's: kinds come equally often.
        noise = [*_one_kind(noises[split], "own"), *_one_kind(rehearsed, "simulated")]
        rooms = simulated_rooms(ROOMS[split], seed=seed, split=split)
        for kind, sources in zip(KINDS, (voices[split], noise, rooms), strict=True):
            _build(sources, prepared / "bank" / split / kind, kind, jobs)


def _one_kind(sources: Sequence[Source], group: str) -> list[Source]:
    return [replace(source, group=group) for source in sources]


def _build(sources: Sequence[Source], folder: Path, kind: Kind, jobs: int) -> None:
    left_out = build_bank(sources, folder, jobs=jobs)
    refuse_bad(left_out, kind, total=sum(source.recorded for source in sources), bad_share=BAD_SHARE)


def _write_clips(folder: Path, prepared: Path, noises: Sequence[Source], settings: FineTuneSettings) -> None:
    """Clips of held-out speech in either kind of noise; none of it is trained on."""
    others = simulated_noises(REHEARSED["valid"], seed=settings.seed, split="test")
    for name, sources in ((OWN, noises), (OTHER, others)):
        _build(sources, folder / f"{name}_noise", "noise", jobs=1)
        speech, rooms = (Bank.load(prepared / "bank" / "valid" / kind) for kind in ("speech", "rooms"))
        banks = Banks(speech, Bank.load(folder / f"{name}_noise"), rooms)
        write_clips(folder / name, banks, split="valid", seed=settings.seed, count=settings.clips)
