"""`audiodae finetune`: a network made at home in one's own noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiodae.cli.training_bar import TrainingBar

PATH = click.Path(path_type=Path)


@click.command(
    epilog="\b\nExample:\n  audiodae finetune speech --noise my_fan_recordings --speech my_voices --out tuned"
)
@click.argument("network")
@click.option("--noise", type=PATH, required=True, help="Recordings of the noise, a folder; a minute helps already.")
@click.option("--speech", type=PATH, help="Clean speech, a folder per speaker.  [default: synthesised voices]")
@click.option("--out", type=PATH, default=Path("tuned"), show_default=True, help="Folder to make; again to go on.")
@click.option("--steps", type=click.IntRange(min=1), default=600, show_default=True, help="Of eight examples of 2 s.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=2e-4, show_default=True)
@click.option("--clips", type=click.IntRange(min=1), default=20, show_default=True, help="Of each kind, to measure on.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of every draw.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def finetune(
    network: str,
    noise: Path,
    speech: Path | None,
    out: Path,
    steps: int,
    learning_rate: float,
    clips: int,
    seed: int,
    jobs: int,
    quiet: bool,
) -> None:
    """Train NETWORK, a shipped name or a file that `audiodae export` wrote, on in a noise of your own.

    Writes OUT/NAME-tuned.onnx, and prints what was gained in that noise and what was lost elsewhere, both measured on
    recordings that were held out. Takes some ten minutes on one core. Without --speech the voices are synthesised ones:
    the noise is learnt, but real voices may suffer, so look at the second table.
    """
    from audiodae.evaluation.pairs import find_pairs
    from audiodae.evaluation.side_by_side import score_networks, side_by_side_table
    from audiodae.network import find_network
    from audiodae.training.finetune import OTHER, OWN, FineTuneSettings, fine_tune

    settings = FineTuneSettings(steps=steps, learning_rate=learning_rate, clips=clips, seed=seed)
    before: Any = find_network(network)
    with TrainingBar(steps, quiet=quiet) as report:
        tuned = fine_tune(network, out, noise=noise, speech=speech, settings=settings, jobs=jobs, report=report)
    text = ""
    for name, title in ((OWN, "In your noise"), (OTHER, "In other noises")):
        pairs = find_pairs(out / "clips" / name / "clean", out / "clips" / name / "noisy")
        found = score_networks(pairs, {"before": before, "after": tuned}, jobs=jobs if jobs > 1 else None)
        text += f"{title}, {len(pairs)} clips:\n\n{side_by_side_table(found)}\n\n"
    (out / "report.md").write_text(text, encoding="utf-8")
    click.echo(text + str(tuned))
