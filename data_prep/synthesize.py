#!/usr/bin/env python3
"""Make a small corpus of voices and noises from nothing, for trying out and for tests."""

from pathlib import Path

import click

from audiodae.prep.scripts import progress_bars, run_script
from audiodae.prep.synthesis import SynthesisSettings, synthesise_corpus


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to make, new or empty.")
@click.option("--speakers", type=click.IntRange(min=3), default=24, help="Voices, each in one split.")
@click.option("--speech-minutes", type=click.FloatRange(min=0.1), default=10.0, help="Speech of all voices together.")
@click.option("--noise-minutes", type=click.FloatRange(min=0.1), default=6.0, help="Noise of all kinds together.")
@click.option("--seed", type=click.IntRange(min=0), default=1, help="Same seed, same bytes.")
def synthesize(out: Path, speakers: int, speech_minutes: float, noise_minutes: float, seed: int) -> None:
    """Make a corpus from nothing: OUT/speech/SPLIT/VOICE and OUT/noise/SPLIT/KIND, 16 kHz WAV.

    The voices have the harmonics, formants and pauses of speech, but no words: enough to see that everything works,
    too little for a network that cleans real speech well.

    \b
    Example:
      python data_prep/synthesize.py --out corpus
    """  # noqa: D301 (click wants a real \b)
    settings = SynthesisSettings(
        speakers=speakers, speech_minutes=speech_minutes, noise_minutes=noise_minutes, seed=seed
    )
    with progress_bars() as report:
        paths = synthesise_corpus(settings, out, progress=lambda done, total: report("making files", done, total))
    click.echo(f"{len(paths)} files in {out}")


if __name__ == "__main__":
    run_script(synthesize, "synthesize")
