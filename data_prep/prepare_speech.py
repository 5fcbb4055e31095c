#!/usr/bin/env python3
"""Prepare a corpus of speech and noise for training: banks, pairs of magnitudes, a manifest and test clips."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiodae.prep.scripts import progress_bars, run_script

if TYPE_CHECKING:
    from audiodae.prep.prepare import Prepared

FOLDER = click.Path(path_type=Path)
SHARE = click.FloatRange(0, 1)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--speech", type=FOLDER, required=True, help="Clean speech, a folder per speaker.")
@click.option("--noise", type=FOLDER, required=True, help="Noise, a folder per kind.")
@click.option("--rir", type=FOLDER, help="Room impulse responses.  [default: simulated rooms only]")
@click.option("--out", type=FOLDER, required=True, help="Folder to prepare into; run again to go on.")
@click.option("--hours", type=click.FloatRange(min=0), default=0.0, help="Pairs to write; 0: mix while training.")
@click.option("--snr-db", type=(float, float), default=(-8.0, 20.0), metavar="LOW HIGH", help="Signal-to-noise ratios.")
@click.option("--segment-seconds", type=click.FloatRange(min=0.1), default=2.0, help="Length of a pair.")
@click.option("--phase", is_flag=True, help="Keep the phase of the noisy side too.")
@click.option("--simulated-rooms", type=click.IntRange(min=0), default=200, help="Rooms to make up.")
@click.option(
    "--simulated-noises", type=click.IntRange(min=0), default=0, help="Recordings of noise to make up, 20 s each."
)
@click.option(
    "--changed-voices", type=click.IntRange(min=0), default=0, help="Speakers to make up of those there, for training."
)
@click.option(
    "--speaker-depth",
    type=click.IntRange(min=1),
    help="Which folder is the speaker, 1: the first below --speech, or below its train.  [default: guess, see above]",
)
@click.option("--min-clean-db", type=float, help="Leave out speech that stands less above its own background.")
@click.option("--test-clips", type=click.IntRange(min=0), default=50, help="Pairs of test files to write.")
@click.option("--bad-share", type=SHARE, default=0.05, help="Share of each kind that may be unreadable.")
@click.option("--seed", type=click.IntRange(min=0), default=1, help="Of every draw: same seed, same bytes.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, help="Processes that share the work.")
def prepare_speech(
    speech: Path,
    noise: Path,
    rir: Path | None,
    out: Path,
    hours: float,
    snr_db: tuple[float, float],
    segment_seconds: float,
    phase: bool,
    simulated_rooms: int,
    simulated_noises: int,
    changed_voices: int,
    speaker_depth: int | None,
    min_clean_db: float | None,
    test_clips: int,
    bad_share: float,
    seed: int,
    jobs: int,
) -> None:
    """Prepare speech and noise for training.

    Recordings are WAV, FLAC, OGG, Opus or MP3 of any rate; of several channels the first is taken. Folders train,
    valid and test at the top of a corpus are kept as its splits; otherwise whole speakers, and single recordings of
    noise, are dealt out. The same seed gives the same bytes for any number of jobs. A run that was interrupted goes on
    where it stopped when the same command is given again.

    Speakers in folders of folders: where they are dealt out, the first level of folders (below one that holds all) is
    taken for the speakers, so that none is in two splits; where splits are given, the first level of ten folders or
    more, else the folder of the recording. --speaker-depth says it where that is wrong, e.g. 2 for CORPUS/SPEAKER.

    \b
    Example:
      python data_prep/prepare_speech.py --speech voices --noise noises --out data --hours 10 --jobs 8
    """  # noqa: D301 (click wants a real \b)
    # Imported here, for every process that decodes recordings runs this file's top and would load torch for nothing.
    from audiodae.prep.draws import DrawSettings
    from audiodae.prep.prepare import prepare
    from audiodae.prep.settings import PrepareSettings

    if snr_db[0] > snr_db[1]:
        raise click.BadParameter(
            f"{snr_db[0]:g} is above {snr_db[1]:g}: give the lower one first", param_hint="--snr-db"
        )
    settings = PrepareSettings(
        speech=str(speech.resolve()),
        noise=str(noise.resolve()),
        rir=str(rir.resolve()) if rir else None,
        hours=hours,
        seed=seed,
        speaker_depth=speaker_depth,
        min_clean_db=min_clean_db,
        simulated_rooms=simulated_rooms,
        simulated_noises=simulated_noises,
        changed_voices=changed_voices,
        test_clips=test_clips,
        phase=phase,
        mix=DrawSettings(segment_seconds=segment_seconds, snr_db=snr_db),
    )
    with progress_bars() as report:
        prepared = prepare(settings, out, jobs=jobs, bad_share=bad_share, report=report)
    _tell(prepared, out)


def _tell(prepared: "Prepared", out: Path) -> None:
    for (split, kind), hours in prepared.hours.items():
        speakers = f"  {prepared.speakers[split]} speakers" if kind == "speech" else ""
        click.echo(f"{split:5} {kind:6} {hours:8.2f} h{speakers}")
    for split, examples in prepared.examples.items():
        if examples:
            click.echo(f"{split:5} pairs  {examples:8}")
    left_out = [entry for entries in prepared.left_out.values() for entry in entries]
    bad = sum(entry.bad for entry in left_out)
    if left_out:
        noisy = len(left_out) - bad
        click.echo(f"{bad} bad recordings skipped, {noisy} too noisy left out: see {out / 'bad_files.txt'}", err=True)
    if prepared.shared_folders:
        click.echo(
            f"folders of speech in two splits, such as {prepared.shared_folders[0]}, are taken for corpora: "
            "if they are speakers, start again with --speaker-depth 1",
            err=True,
        )
    if prepared.clips_from != "test":
        click.echo("no test recordings in both corpora: the test clips are made from valid", err=True)
    click.echo(out)


if __name__ == "__main__":
    run_script(prepare_speech, "prepare_speech")
