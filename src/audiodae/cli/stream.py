"""`audiodae stream`: raw samples through a pipe, cleaned as they come."""

import os
import sys
from collections.abc import Iterator

import click
import numpy as np

from audiodae.audio import encode
from audiodae.cli.options import cleaning_options, quiet_option, refuse_preset
from audiodae.denoiser import Denoiser
from audiodae.frames import Samples

FULL_SCALE = 32_768  # of s16le
DTYPES = {"s16le": "<i2", "f32le": "<f4"}
READ_BYTES = 65_536


@click.command(
    epilog="\b\nExample:\n  ffmpeg -i talk.mp4 -f s16le -ar 48000 -ac 1 - | audiodae stream --rate 48000 > clean.s16"
)
@click.option(
    "--rate",
    type=int,
    required=True,
    metavar="HZ",
    help="Sample rate, 4000 to 384000; of a series as its network says.",
)
@click.option("--channels", type=click.IntRange(min=1), default=1, show_default=True, help="Channels, interleaved.")
@click.option(
    "--format",
    "sample_format",
    type=click.Choice(list(DTYPES)),
    default="s16le",
    show_default=True,
    help="16-bit integers or 32-bit floats, little-endian.",
)
@cleaning_options
@quiet_option
def stream(
    rate: int,
    channels: int,
    sample_format: str,
    model: str | None,
    limit_db: float | None,
    mix: float,
    quiet: bool,
) -> None:
    """Clean raw samples from standard input to standard output, as they come.

    As many samples come out as go in, at most one window (32 ms; with speech-hq 96 ms) later; the last of them when
    the input ends. With a network for series (see audiodae info) they are the samples of a series, and its leads the
    channels.
    """
    for end, name in ((sys.stdin, "standard input"), (sys.stdout, "standard output")):
        if end.isatty():
            raise click.UsageError(f"{name} is a terminal; audiodae stream takes and gives raw samples: use a pipe")
    denoiser = Denoiser(model)
    if denoiser.network.card.series:
        refuse_preset(f"the network {denoiser.network.card.name} cleans series")
    live = denoiser.stream(rate, channels, limit_db=limit_db, mix=mix)
    counts = {"samples": 0, "clipped": 0}
    for chunk in _chunks(sample_format, channels):
        counts["samples"] += len(chunk)
        counts["clipped"] += _write(live.feed(chunk), sample_format)
    counts["clipped"] += _write(live.flush(), sample_format)
    if live.repaired:
        click.echo(
            f"audiodae: warning: {live.repaired} samples were not finite and became {live.REPAIRED_INTO}", err=True
        )
    if not quiet:
        click.echo(f"{counts['samples'] / rate:.2f} s, {counts['clipped']} samples clipped", err=True)


def _chunks(sample_format: str, channels: int) -> Iterator[Samples]:
    """Yield what has come in, shape (samples, channels), as soon as it has."""
    dtype = DTYPES[sample_format]
    size = np.dtype(dtype).itemsize * channels
    rest = b""
    while data := os.read(sys.stdin.fileno(), READ_BYTES):
        data = rest + data
        whole = len(data) - len(data) % size
        rest = data[whole:]
        samples = np.frombuffer(data[:whole], dtype).reshape(-1, channels).astype(np.float32)
        # Floats may be no numbers, and are left alone: numpy would tell on stderr that it multiplied them.
        yield samples / np.float32(FULL_SCALE) if sample_format == "s16le" else samples
    if rest:
        click.echo(f"audiodae: warning: {len(rest)} bytes at the end make no whole sample", err=True)


def _write(samples: Samples, sample_format: str) -> int:
    """Write all samples at once, unbuffered; give the number clipped."""
    if sample_format == "f32le":
        data, clipped = samples.astype("<f4").tobytes(), 0
    else:
        encoded, clipped = encode(samples, "PCM_16")
        data = (encoded.astype(np.int32) >> 16).astype("<i2").tobytes()
    view = memoryview(data)
    while view:
        view = view[os.write(sys.stdout.fileno(), view) :]
    return clipped
