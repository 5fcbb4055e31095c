"""`audiodae anomaly`: how odd a sound is, as a whole and frame by frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiodae.cli.options import codes_model_option, json_option, warn
from audiodae.errors import AudiodaeError, one_line

if TYPE_CHECKING:
    from audiodae.uses.anomaly import Score, Usual

PATH = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae anomaly today --reference usual --plot odd.png")
@click.argument("source", metavar="IN", type=PATH)
@click.option("--reference", type=PATH, help="Folder of recordings known to be usual.")
@click.option("--plot", type=PATH, help="PNG with the errors over time, of the oddest ten recordings.")
@codes_model_option
@json_option
def anomaly(source: Path, reference: Path | None, plot: Path | None, model: str | None, as_json: bool) -> None:
    """Tell how badly a network gives the sound file IN back, or all below the folder IN, the oddest first.

    The error is in dB, of the levels of the bands: that of the recording, and where its worst frame lies. With
    --reference, also by how many standard deviations it lies above the usual, and which share of the frames lies above
    what 99 % of the usual ones stay under. --json gives every frame.

    Needs pip install "audiodae[train,evaluate]".
    """
    from audiodae.uses.anomaly import learn_usual, score_recording
    from audiodae.uses.recordings import load_network, read_recordings

    if plot is not None and plot.suffix.lower() != ".png":
        raise click.UsageError(f"{plot}: name a file that ends in .png")
    if reference is not None and not reference.is_dir():
        raise AudiodaeError(f"{reference}: no such folder")
    network = load_network(model)
    scores = [score_recording(network, *named) for named in read_recordings(source, network, warn=warn)]
    usual = None
    if reference is not None:
        known = read_recordings(reference, network, warn=warn)
        usual = learn_usual(score_recording(network, *named) for named in known)
    scores.sort(key=lambda score: score.error_db, reverse=True)
    if plot is not None:
        from audiodae.plots import save
        from audiodae.uses.anomaly_plot import errors_figure

        save(errors_figure(scores[:10], usual), plot)
    if as_json:
        click.echo(json.dumps([_as_json(score, usual) for score in scores]))
        return
    for score in scores:
        click.echo(_line(score, usual))


def _line(score: Score, usual: Usual | None) -> str:
    text = f"{score.error_db:6.2f} dB"
    if usual is not None:
        text += f"  {usual.deviations(score):+7.1f} sd  {100 * usual.odd_share(score):5.1f} % odd frames"
    worst = float(score.frames_db.max())
    return f"{text}  worst {worst:.1f} dB at {score.worst_seconds:.2f} s  {one_line(score.name)}"


def _as_json(score: Score, usual: Usual | None) -> dict[str, Any]:
    found: dict[str, Any] = {"recording": score.name, "error_db": score.error_db, "worst_seconds": score.worst_seconds}
    if usual is not None:
        found |= {"deviations": usual.deviations(score), "odd_share": usual.odd_share(score)}
    return {**found, "frame_seconds": score.frame_seconds, "frames_db": [round(float(db), 3) for db in score.frames_db]}
