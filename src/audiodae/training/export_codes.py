"""From a run of a family to one file that can be given away: weights, recipe, and a card of what it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiodae.errors import TrainingError
from audiodae.training.patch_autoencoder import MODEL, PatchAutoencoder
from audiodae.training.run_folder import RunFolder, read_checkpoint, write_checkpoint

# What a card says beside what the run knows by itself; --card gives the rest.
TOLD = {"version": "1", "licence": "MIT", "data": "", "made_by": "", "limits": ""}


def is_family_run(run_folder: Path) -> bool:
    """Whether a folder holds the run of a family."""
    return (run_folder / MODEL).is_file()


def export_codes(
    run_folder: Path, target: Path, *, metrics: Mapping[str, Any] | None = None, card: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Write the network of a run with a card inside; its name is that of the file.

    Parameters
    ----------
    target : the safetensors file to write; an old one is replaced whole
    metrics : what was measured, for the card
    card : entries of `TOLD`

    Returns
    -------
    card : as written

    Raises
    ------
    TrainingError
        The run is damaged, a card entry is not known, or the file cannot be written.
    """
    unknown = sorted({*(card or {})} - {*TOLD})
    if unknown:
        raise TrainingError(f"--card {unknown[0]}: the card of a patch autoencoder has {', '.join(TOLD)}")
    network = PatchAutoencoder.load(run_folder)
    tensors, facts = read_checkpoint(run_folder / MODEL)
    last = RunFolder(run_folder).lines()[-1]
    facts["recipe"]["corruption"]["noise"] = ""  # where it lay is nobody's business
    written = {
        "name": target.stem,
        **TOLD,
        **(card or {}),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "epochs": last["epoch"],
        "validation_error": last["valid_mse"],
        "metrics": dict(metrics or {}),
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_checkpoint(target, tensors, facts | {"card": written})
    except OSError as error:
        raise TrainingError(f"{target}: cannot be written ({error.strerror})") from error
    return written


def read_card(path: Path) -> dict[str, Any]:
    """The card inside an exported patch autoencoder, and under `recipe` how it was trained.

    Raises
    ------
    TrainingError
        The file is no patch autoencoder, or has no card: it was not exported.
    """
    _, facts = read_checkpoint(path)
    if "card" not in facts:
        raise TrainingError(f"{path}: has no card; write one with `audiodae export`")
    return {**facts["card"], "recipe": facts["recipe"]}
