#!/usr/bin/env python3
"""Prepare records of an ECG and noise for training: real ones, or made up where there are none."""

from pathlib import Path

import click

from audiodae.prep.scripts import run_script
from audiodae.prep.series.prepare import ECG_HIGH_PASS_HZ, ECG_RATE_HZ, SeriesPrepareSettings
from audiodae.prep.series.script import prepare_and_tell

PLACE = click.Path(path_type=Path)
SHARE = click.FloatRange(0, 1)
INNER_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
COUNT = click.IntRange(min=0)
PATIENTS_WITHOUT_RECORDS, NOISES_WITHOUT_NOISE = 40, 12


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--records", type=PLACE, help="Records of an ECG.  [default: made up]")
@click.option("--noise", type=PLACE, help="Recordings of noise, such as bw, em and ma.  [default: made up]")
@click.option("--out", type=PLACE, required=True, help="Folder to prepare into.")
@click.option("--rate", type=click.FloatRange(min=50), default=ECG_RATE_HZ, help="Hz; other rates are resampled.")
@click.option("--patients", type=PLACE, help="CSV with columns record and patient.  [default: a record, a patient]")
@click.option("--valid-share", type=INNER_SHARE, default=0.2, help="Held out for validation, where no folder says it.")
@click.option("--all-leads", is_flag=True, help="Learn from every lead of a record, not only the first.")
@click.option("--synthetic-patients", type=COUNT, help="Patients to make up.  [default: 40 without --records, else 0]")
@click.option("--minutes", type=click.FloatRange(min=0.5), default=5.0, help="Of each patient made up.")
@click.option("--synthetic-noises", type=COUNT, help="Of each kind, 5 min each.  [default: 12 without --noise, else 0]")
@click.option("--bad-share", type=SHARE, default=0.05, help="Share of the files that may be unreadable.")
@click.option("--seed", type=COUNT, default=1, help="Of all that is drawn: same seed, same bytes.")
def prepare_ecg(
    records: Path | None,
    noise: Path | None,
    out: Path,
    rate: float,
    patients: Path | None,
    valid_share: float,
    all_leads: bool,
    synthetic_patients: int | None,
    minutes: float,
    synthetic_noises: int | None,
    bad_share: float,
    seed: int,
) -> None:
    """Prepare records of an ECG and noise for training.

    Records are WFDB (.hea, with beats from .atr), EDF, CSV, NPY or Parquet. The reference to learn is a record without
    what lies below 0.5 Hz. Folders train and valid in --records are kept as the split, and what lies beside them is
    left alone; else whole patients are dealt out: a patient is a folder, or a record that lies in none, or what
    --patients says (in the MIT-BIH Arrhythmia Database records 201 and 202 are one patient).

    The kind of a noise is its record's name, or its folder's. Folders train and valid (or train_noise and valid_noise)
    are kept; else the end of each recording is held out.

    Without records, ECGs are made up by the dynamical model of McSharry et al.; without noise, baseline wander (bw),
    electrode motion (em) and muscle artefact (ma) are: enough to see that everything works. The same settings give the
    same bytes.

    \b
    Examples:
      python data_prep/prepare_ecg.py --records mitdb --noise nstdb --out prepared
      python data_prep/prepare_ecg.py --out prepared
    """  # noqa: D301 (click wants a real \b)
    if synthetic_patients is None:
        synthetic_patients = 0 if records else PATIENTS_WITHOUT_RECORDS
    if synthetic_noises is None:
        synthetic_noises = 0 if noise else NOISES_WITHOUT_NOISE
    if not (records or synthetic_patients) or not (noise or synthetic_noises):
        raise click.UsageError("nothing to learn from: give --records and --noise, or let some be made up")
    settings = SeriesPrepareSettings(
        records=str(records.resolve()) if records else None,
        noise=str(noise.resolve()) if noise else None,
        ecg=True,
        rate_hz=rate,
        high_pass_hz=ECG_HIGH_PASS_HZ,
        all_leads=all_leads,
        patients=str(patients.resolve()) if patients else None,
        valid_share=valid_share,
        seed=seed,
        synthetic_patients=synthetic_patients,
        synthetic_minutes=minutes,
        synthetic_noises=synthetic_noises,
    )
    prepare_and_tell(settings, out, bad_share=bad_share)


if __name__ == "__main__":
    run_script(prepare_ecg, "prepare_ecg")
