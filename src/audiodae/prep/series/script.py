"""What prepare_ecg.py and prepare_series.py share: prepare with bars, and tell what was made."""

from pathlib import Path

import click

from audiodae.prep.scripts import progress_bars
from audiodae.prep.series.prepare import PreparedSeries, SeriesPrepareSettings, prepare_banks


def prepare_and_tell(settings: SeriesPrepareSettings, out: Path, *, bad_share: float) -> None:
    """Prepare, with a bar for each thing on stderr; the figures go to stdout."""
    with progress_bars() as report:
        prepared = prepare_banks(settings, out, bad_share=bad_share, report=report)
    _tell(prepared, out, groups="patients" if settings.ecg else "groups")


def _tell(prepared: PreparedSeries, out: Path, *, groups: str) -> None:
    for split, figures in prepared.splits.items():
        beats = f"  {figures.beats} beats" if figures.beats else ""
        click.echo(
            f"{split:5} {figures.hours:8.2f} h  {figures.recordings} leads of {figures.patients} {groups}{beats}"
        )
        for kind, minutes in figures.noise_minutes.items():
            click.echo(f"{split:5} {minutes:8.1f} min of noise {kind}")
    if prepared.bad or prepared.too_short:
        click.echo(
            f"{len(prepared.bad)} bad recordings skipped, {len(prepared.too_short)} too short left out: "
            f"see {out / 'bad_files.txt'}",
            err=True,
        )
    click.echo(out)
