"""Sound files cleaned in blocks: a file is a stream with an end. Memory does not grow with its length."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audiodae.audio import AudioReader, AudioWriter, PathName, output_format, refuse_unwritable
from audiodae.denoiser import Denoiser
from audiodae.errors import AudioFileError, SignalError

BLOCK_VALUES = 2**17  # samples of all channels read at once: eight seconds of mono at 16 kHz


@dataclass(frozen=True)
class CleanedFile:
    """What happened to a file.

    Attributes
    ----------
    source, target : Path
    audio_seconds : float, length of the sound
    rtf : float, real-time factor: processing time, reading and writing included, / length
    repaired_samples : int, samples that were not finite and became silence
    clipped_samples : int, samples beyond what the file's coding can hold, held at full scale
    missing_samples : int, samples that the source's header promised and the damaged file did not hold
    """

    source: Path
    target: Path
    audio_seconds: float
    rtf: float
    repaired_samples: int
    clipped_samples: int
    missing_samples: int


def clean_file(
    denoiser: Denoiser,
    source: PathName,
    target: PathName,
    *,
    limit_db: float | None = None,
    mix: float = 1.0,
    channels: Literal["linked", "independent"] = "linked",
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> CleanedFile:
    """Clean a sound file: same rate, channels, coding, length and tags; target appears complete or not at all.

    Parameters
    ----------
    source, target : paths; target's suffix may ask for another container
    limit_db, mix, channels : as in `Denoiser.clean`
    overwrite : replace target where it exists; never the source
    on_progress : called with the samples done and in all

    Raises
    ------
    AudioFileError
        Source cannot be read, or target not be written, exists, or is the source itself.
    SignalError
        The settings make no sense.
    """
    started = time.perf_counter()
    with AudioReader(source) as reader:
        refuse_target(reader.path, Path(target), overwrite=overwrite)
        rate, n_channels = reader.format.sample_rate, reader.format.channels
        try:
            stream = denoiser.stream(rate, n_channels, limit_db=limit_db, mix=mix, linked=channels == "linked")
        except SignalError as error:
            raise SignalError(f"{source}: {error}") from None
        done = 0
        with AudioWriter(target, output_format(reader.format, target), reader.tags) as writer:
            for block in reader.blocks(max(1, BLOCK_VALUES // n_channels)):
                writer.write(stream.feed(block))
                done += len(block)
                on_progress(done, reader.n_samples)
            if done:
                writer.write(stream.flush())
    seconds = done / rate
    return CleanedFile(
        source=reader.path,
        target=writer.path,
        audio_seconds=seconds,
        rtf=(time.perf_counter() - started) / seconds if seconds else 0.0,
        repaired_samples=stream.repaired,
        clipped_samples=writer.clipped,
        missing_samples=max(reader.n_samples - done, 0),
    )


def refuse_target(source: Path, target: Path, *, overwrite: bool) -> None:
    """Refuse to write over the source (even by another name), over a file unasked, or where no file can be.

    Raises
    ------
    AudioFileError
        Target must not be written.
    """
    if target.exists() and os.path.samefile(source, target):
        raise AudioFileError(f"{target}: is the input itself; name another output")
    refuse_unwritable(target)
    if target.exists() and not overwrite:
        raise AudioFileError(f"{target}: exists already; name another output or give --overwrite")
