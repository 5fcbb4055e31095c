"""`audiodae export`: from a run folder to one network file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from audiodae.errors import TrainingError


@click.command(epilog="\b\nExample:\n  audiodae export runs/speech speech.onnx")
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--metrics", type=click.Path(path_type=Path), help="A JSON file of figures to keep in the card.")
@click.option("--robustness", type=click.Path(path_type=Path), help="robustness.json of `audiodae robustness`, too.")
@click.option("--card", "entries", multiple=True, metavar="KEY=TEXT", help="What the card says: data=..., limits=...")
@click.option("--overwrite", is_flag=True, help="Replace MODEL where it exists.")
def export(
    run_folder: Path,
    model: Path,
    metrics: Path | None,
    robustness: Path | None,
    entries: tuple[str, ...],
    overwrite: bool,
) -> None:
    """Write the best weights of RUN_FOLDER to MODEL, an ONNX file with its card inside.

    The file is run beside torch, whole and in pieces, before it is written.

    Of the run of a family, MODEL is a safetensors file that encode, search, anomaly and augment take.
    """
    from audiodae.training.export import export_run
    from audiodae.training.export_codes import export_codes, is_family_run

    if model.exists() and not overwrite:
        raise TrainingError(f"{model}: exists already; name another output or give --overwrite")
    if robustness is not None and is_family_run(run_folder):
        raise click.UsageError("--robustness is of networks that clean sound, and this is the run of a family")
    figures = _figures(metrics, robustness)
    said = dict(_split(entry) for entry in entries)
    if is_family_run(run_folder):
        export_codes(run_folder, model, metrics=figures, card=said)
    else:
        card = export_run(run_folder, model, metrics=figures, card=said)
        click.echo(f"torch and onnxruntime agree to {card['largest_difference']:.1e} of a gain")
    click.echo(f"{model}: {model.stat().st_size / 1e6:.1f} MB")


def _read(path: Path) -> dict[str, Any]:
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(figures, dict):
        raise TrainingError(f"{path}: holds {type(figures).__name__}; need a JSON object of figures")
    return figures


def _figures(metrics: Path | None, robustness: Path | None) -> dict[str, Any] | None:
    """What was measured, for the card: a report as it is, and beside it the rows that a card keeps of robustness."""
    figures = None if metrics is None else _read(metrics)
    if robustness is None:
        return figures
    from audiodae.evaluation.robustness.report import card_figures

    try:
        return (figures or {}) | {"robustness": card_figures(_read(robustness))}
    except (KeyError, TypeError) as error:
        raise TrainingError(f"{robustness}: is no report of `audiodae robustness` ({error!r})") from error


def _split(entry: str) -> tuple[str, str]:
    key, equals, text = entry.partition("=")
    if not equals or not key:
        raise click.UsageError(f"--card {entry}: write it as KEY=TEXT, say data='my recordings'")
    return key, text
