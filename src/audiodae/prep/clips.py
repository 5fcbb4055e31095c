"""Test clips: pairs of sound files at known signal-to-noise ratios, to listen to and to score.

    OUT/test/clean/000.flac, OUT/test/noisy/000.flac     16 kHz, 16 bits, 4 to 6 s
    OUT/test/conditions.csv                              file, snr_db, seconds, speech, noise

A clip is one speaker and one recorded noise, without rooms, equalisers or clipping, so that the ratio is the only thing
that differs from clip to clip. It goes round -5, 0, 5, 10, 15 dB, taken over the whole clip.
"""

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import soundfile

from audiodae.prep.decode import SAMPLE_RATE, to_pcm
from audiodae.prep.draws import Banks, DrawSettings, Split, draw_example
from audiodae.prep.examples import ManifestLine, manifest_line, mix_one

SNRS_DB = (-5.0, 0.0, 5.0, 10.0, 15.0)
SHORTEST_SECONDS, LONGEST_SECONDS = 4.0, 6.0
FIRST_INDEX = 2**40  # far from the examples in shards, which count from 0
PLAIN = DrawSettings(
    level_dbfs=(-35.0, -15.0),
    clean_share=0.0,
    noise_only_share=0.0,
    second_noise_share=0.0,
    babble_share=0.0,
    synthetic_share=0.0,
    speed=(1.0, 1.0),
    noise_speed=(1.0, 1.0),
    lead_share=0.0,
    loudness_db=0.0,
    noise_step_share=0.0,
    room_share=0.0,
    equaliser_db=0.0,
    band_limit_share=0.0,
    clip_share=0.0,
)
Progress = Callable[[int, int], None]  # clips done, of how many
COLUMNS = ("file", "snr_db", "seconds", "speech", "noise")


def write_clips(
    folder: Path, banks: Banks, *, split: Split, seed: int, count: int, progress: Progress = lambda done, total: None
) -> None:
    """Write test clips from the recordings of a split; a folder that is there is complete and left as it is."""
    if folder.exists():
        return
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    for side in ("clean", "noisy"):
        (part / side).mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    rows = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    rows.writeheader()
    for number in range(count):
        line = draw_clip(number, banks, split=split, seed=seed)
        name = f"{number:03d}.flac"
        noisy, clean = mix_one(line.draw, banks, length=line.length, early_ms=line.early_ms)
        for side, samples in (("clean", clean), ("noisy", noisy)):
            soundfile.write(part / side / name, to_pcm(samples), SAMPLE_RATE, subtype="PCM_16")
        rows.writerow(conditions(line, name))
        progress(number + 1, count)
    (part / "conditions.csv").write_text(table.getvalue(), encoding="utf-8", newline="")
    part.rename(folder)


def draw_clip(number: int, banks: Banks, *, split: Split, seed: int) -> ManifestLine:
    """Settle test clip `number`: its length and everything in it."""
    rng = np.random.default_rng([seed, FIRST_INDEX + number])
    snr_db = SNRS_DB[number % len(SNRS_DB)]
    seconds = float(rng.uniform(SHORTEST_SECONDS, LONGEST_SECONDS))
    settings = msgspec.structs.replace(PLAIN, segment_seconds=seconds, snr_db=(snr_db, snr_db))
    draw = draw_example(seed=seed, split=split, index=FIRST_INDEX + number, banks=banks, settings=settings)
    return manifest_line(draw, banks, seed=seed, length=settings.segment_samples, early_ms=settings.early_ms)


def conditions(line: ManifestLine, name: str) -> dict[str, str]:
    """The row of conditions.csv of a clip."""
    return {
        "file": name,
        "snr_db": f"{line.draw.snr_db:g}",
        "seconds": f"{line.length / SAMPLE_RATE:.2f}",
        "speech": " + ".join(dict.fromkeys(line.speech)),
        "noise": " + ".join(line.noise),
    }
