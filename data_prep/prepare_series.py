#!/usr/bin/env python3
"""Prepare recordings of any sensor for training: clean ones with noise, or noisy ones alone."""

from pathlib import Path

import click

from audiodae.prep.scripts import run_script
from audiodae.prep.series.prepare import SeriesPrepareSettings
from audiodae.prep.series.script import prepare_and_tell

PLACE = click.Path(path_type=Path)
SHARE = click.FloatRange(0, 1)
INNER_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--clean", type=PLACE, help="Recordings without noise, a folder or a file.")
@click.option("--noise", type=PLACE, help="Recordings of noise alone, a folder or a file.")
@click.option("--noisy", type=PLACE, help="Where there is no clean recording: noisy ones.")
@click.option("--out", type=PLACE, required=True, help="Folder to prepare into.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), required=True, help="Hz; others are resampled.")
@click.option("--columns", metavar="NAME,...", help="Of tables, by name or number.  [default: all that hold numbers]")
@click.option("--time-column", metavar="NAME|none", help="Of tables.  [default: looked for]")
@click.option("--high-pass", type=click.FloatRange(min=0), default=0.0, help="Hz; no clean recording has less.")
@click.option("--valid-share", type=INNER_SHARE, default=0.2, help="Held out for validation, where no folder says it.")
@click.option("--bad-share", type=SHARE, default=0.05, help="Share of the files that may be unreadable.")
@click.option("--seed", type=click.IntRange(min=0), default=1, help="Of the deal: same seed, same bytes.")
def prepare_series(
    clean: Path | None,
    noise: Path | None,
    noisy: Path | None,
    out: Path,
    rate: float,
    columns: str | None,
    time_column: str | None,
    high_pass: float,
    valid_share: float,
    bad_share: float,
    seed: int,
) -> None:
    """Prepare recordings of a sensor for training.

    CSV, NPY, Parquet, WFDB or EDF at any depth of folders; every column or lead of a recording is learnt from. Files
    that tell no rate are taken to have that of --rate. Gaps (empty cells, NaN) are cut out.

    \b
    --clean and --noise   The usual way: they are mixed at many levels while training. The kind of a noise is its
                          folder, or its file.
    --noisy               There is nothing but noisy recordings. Samples are then hidden from the network, which
                          learns to tell them from their neighbours: set data.series.masked_share in the recipe. That
                          takes out noise that is independent from sample to sample (the hiss of an amplifier,
                          rounding) and no other: no hum, no drift, nothing that lasts longer than a sample.

    Folders train and valid are kept as the split; else whole folders and files are dealt out, and of noise, or of a
    single recording, the end is held out.

    \b
    Examples:
      python data_prep/prepare_series.py --clean quiet --noise machine --rate 1000 --out prepared
      python data_prep/prepare_series.py --noisy sensor.csv --rate 100 --out prepared
    """  # noqa: D301 (click wants a real \b)
    if (clean is None) == (noisy is None):
        raise click.UsageError("give either --clean or --noisy")
    if noisy and noise:
        raise click.UsageError("--noise goes with --clean: nothing is added to noisy recordings")
    if clean and not noise:
        raise click.UsageError("give --noise too: nothing is learnt from clean recordings alone")
    records = clean or noisy
    assert records is not None
    if high_pass >= rate / 2:
        raise click.BadParameter(f"{high_pass:g} Hz is not below half the rate", param_hint="--high-pass")
    settings = SeriesPrepareSettings(
        records=str(records.resolve()),
        noise=str(noise.resolve()) if noise else None,
        noisy_only=noisy is not None,
        rate_hz=rate,
        high_pass_hz=high_pass,
        columns=tuple(name.strip() for name in columns.split(",")) if columns else None,
        time_column=time_column,
        valid_share=valid_share,
        seed=seed,
    )
    prepare_and_tell(settings, out, bad_share=bad_share)


if __name__ == "__main__":
    run_script(prepare_series, "prepare_series")
