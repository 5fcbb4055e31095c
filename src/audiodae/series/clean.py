"""A series cleaned from file to file, part by part: memory does not grow with its length."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from audiodae.denoiser import Denoiser
from audiodae.errors import AudiodaeError, SeriesFileError, SignalError
from audiodae.files import refuse_target
from audiodae.live_stream import LiveStream
from audiodae.series.formats import files_of, noise_path, open_series, open_writer, target_path
from audiodae.series.reading import Columns, Floats, PathName, SeriesPart, SeriesReader
from audiodae.series.writing import SeriesWriter, cannot_write

if TYPE_CHECKING:
    from audiodae.series_plots import SeriesPicture

BLOCK_VALUES = 2**17  # samples of all leads at once

Output = Literal["speech", "noise", "both"]


@dataclass(frozen=True)
class SeriesOptions:
    """How to clean a series.

    Attributes
    ----------
    rate, columns, time_column : as for `open_series`
    limit_db : float or None, what is removed is made smaller by this many dB
    mix : float, share of the cleaned series, 0 to 1; the rest is the original
    output : "speech", the cleaned series; "noise", what was removed, so that both add up to the input; or "both", the
        noise as NAME.noise.EXT beside the cleaned one
    strict : bool, refuse gaps instead of keeping them
    overwrite : bool, replace what exists; the input itself may be named

    Raises
    ------
    SignalError
        Output is none of the words.
    """

    rate: float | None = None
    columns: Columns | None = None
    time_column: str | int | None = None
    limit_db: float | None = None
    mix: float = 1.0
    output: Output = "speech"
    strict: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.output not in get_args(Output):
            raise SignalError(f"output is {self.output!r}; need one of {', '.join(get_args(Output))}")


DEFAULTS = SeriesOptions()


@dataclass(frozen=True)
class CleanedSeries:
    """What happened to a series.

    Attributes
    ----------
    source, target : Path; what was removed lies at `formats.noise_path(target)` for output "both"
    leads : str, names of what was cleaned
    kept : str, names of the columns that were kept as they are
    sample_rate : float, Hz
    samples : int, of one lead
    seconds : float, length
    rtf : float, real-time factor: processing time, reading and writing included, / length
    gap_values : int, values of all leads that were gaps, and are
    repaired_values : int, values that were infinite or absurdly large, and are gaps now
    bypassed_values : int, values that the network gave no number for, and are as they were
    clipped_values : int, values beyond what the file can hold, held at its limits
    flat_leads : str, names of leads that never change
    removed_rms : float for each lead, root mean square of what was removed, in the lead's unit
    model : str, name of the network
    """

    source: Path
    target: Path
    leads: tuple[str, ...]
    kept: tuple[str, ...]
    sample_rate: float
    samples: int
    seconds: float
    rtf: float
    gap_values: int
    repaired_values: int
    bypassed_values: int
    clipped_values: int
    flat_leads: tuple[str, ...]
    removed_rms: tuple[float, ...]
    model: str

    def as_json(self) -> dict[str, object]:
        """Give all of it as JSON has it; "input" and "output" are the paths."""
        told = {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(self).items()}
        del told["source"], told["target"]
        told["removed_rms"] = [float(f"{one:.6g}") for one in self.removed_rms]
        return {"input": str(self.source), "output": str(self.target), **told}


def clean_series(
    denoiser: Denoiser,
    source: PathName,
    target: PathName,
    *,
    options: SeriesOptions = DEFAULTS,
    plot: PathName | None = None,
    on_progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> CleanedSeries:
    """Clean a series: same rate, length, gaps, units and number format; target appears complete or not at all.

    Parameters
    ----------
    denoiser : of a network for samples
    source : a file that `open_series` opens
    target : its suffix may ask for another kind; other columns, annotations and the like stay where it is the same
    plot : PNG to draw the series in: before, after, and what was removed
    on_progress : called with the samples done and in all (None where the file does not say)

    Raises
    ------
    AudiodaeError
        A picture is wanted and matplotlib is not installed; or an extra is missing.
    SeriesFileError
        Source cannot be read, its time stamps are irregular, or strict met a gap.
    AudioFileError
        Target or plot cannot be written, exists, or is the source itself.
    SignalError
        The network is one for sound, or does not take this rate or these settings.
    """
    refuse_other_kinds(denoiser)
    picture_of = _find_picture(source, plot, overwrite=options.overwrite) if plot else None
    started = time.perf_counter()
    with _open(source, options) as reader:
        paths = refuse_targets(reader, target, options)
        stream = _open_stream(denoiser, reader, options)
        meter = _Meter(reader.names)
        picture = picture_of(reader.names, reader.units, reader.sample_rate) if picture_of else None
        with ExitStack() as stack:
            writers = {what: stack.enter_context(open_writer(path, reader)) for what, path in paths.items()}
            for part, clean in _in_step(stream, reader, max(1, BLOCK_VALUES // len(reader.names))):
                if options.strict:
                    _refuse_gaps(reader, part, meter.samples)
                write_outputs(writers, part, clean)
                meter.add(part.values, clean)
                if picture:
                    picture.add(part.values, clean)
                on_progress(meter.samples, reader.n_samples)
    took = time.perf_counter() - started
    if picture and plot and meter.samples:
        _save_picture(picture, plot)
    seconds = meter.samples / reader.sample_rate
    return CleanedSeries(
        source=Path(source),
        target=next(iter(paths.values())),
        leads=reader.names,
        kept=reader.others,
        sample_rate=reader.sample_rate,
        samples=meter.samples,
        seconds=seconds,
        rtf=took / seconds if seconds else 0.0,
        gap_values=meter.gaps,
        repaired_values=meter.repaired,
        bypassed_values=stream.bypassed,
        clipped_values=sum(writer.clipped for writer in writers.values()),
        flat_leads=meter.flat(),
        removed_rms=meter.removed_rms(),
        model=denoiser.network.card.name,
    )


def refuse_other_kinds(denoiser: Denoiser) -> None:
    """Refuse a network for sound.

    Raises
    ------
    SignalError
        The network cleans sound.
    """
    card = denoiser.network.card
    if card.series is None:
        raise SignalError(f"the network {card.name} cleans sound, not series; name one for series, as --model ecg")


def refuse_targets(reader: SeriesReader, target: PathName, options: SeriesOptions) -> dict[Output, Path]:
    """Tell which files appear, the one that appears last first.

    Raises
    ------
    AudioFileError
        One of them must not be written.
    """
    path = target_path(target, reader)
    if options.output == "both":
        paths: dict[Output, Path] = {"speech": path, "noise": noise_path(path)}
    else:
        paths = {options.output: path}
    for one in paths.values():
        for file in files_of(one):
            refuse_target(reader.path, file, overwrite=options.overwrite)
    return paths


def write_outputs(writers: dict[Output, SeriesWriter], part: SeriesPart, clean: Floats) -> None:
    """Write the cleaned series and what was removed."""
    if "speech" in writers:
        writers["speech"].write(part, clean)
    if "noise" in writers:
        # What is removed is taken from what is written, so that the two files add up.
        left = writers["speech"].as_written(clean) if "speech" in writers else clean
        writers["noise"].write(part, part.values - left)


def _open(source: PathName, options: SeriesOptions) -> SeriesReader:
    return open_series(source, rate=options.rate, columns=options.columns, time_column=options.time_column)


def _open_stream(denoiser: Denoiser, reader: SeriesReader, options: SeriesOptions) -> LiveStream:
    try:
        return denoiser.stream(reader.sample_rate, len(reader.names), limit_db=options.limit_db, mix=options.mix)
    except SignalError as error:
        raise SignalError(f"{reader.path}: {error}") from None


def _in_step(stream: LiveStream, reader: SeriesReader, length: int) -> Iterator[tuple[SeriesPart, Floats]]:
    """Yield parts with their cleaned values."""
    waiting: deque[SeriesPart] = deque()
    ready = np.zeros((0, len(reader.names)))
    for part in reader.parts(length):
        waiting.append(part)
        ready = np.concatenate([ready, stream.feed(part.values).reshape(-1, ready.shape[1])])
        while waiting and len(ready) >= len(waiting[0].values):
            part = waiting.popleft()
            yield part, ready[: len(part.values)]
            ready = ready[len(part.values) :]
    ready = np.concatenate([ready, stream.flush().reshape(-1, ready.shape[1])])
    for part in waiting:
        yield part, ready[: len(part.values)]
        ready = ready[len(part.values) :]


class _Meter:
    """Counts what is told of a series at the end."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.samples = self.gaps = self.repaired = 0
        self._names = names
        self._lowest, self._highest = np.full(len(names), np.inf), np.full(len(names), -np.inf)
        self._removed, self._judged = np.zeros(len(names)), np.zeros(len(names))

    def add(self, values: Floats, clean: Floats) -> None:
        self.samples += len(values)
        gaps = np.isnan(values)
        self.gaps += int(np.count_nonzero(gaps))
        self.repaired += int(np.count_nonzero(np.isnan(clean) & ~gaps))
        self._lowest = np.fmin(self._lowest, np.fmin.reduce(values, axis=0, initial=np.inf))
        self._highest = np.fmax(self._highest, np.fmax.reduce(values, axis=0, initial=-np.inf))
        finite = np.isfinite(clean)
        removed = np.where(finite, values - clean, 0.0)
        self._removed += np.sum(removed * removed, axis=0)
        self._judged += finite.sum(axis=0)

    def flat(self) -> tuple[str, ...]:
        """Name the leads that hold one number, or none."""
        flat = self._lowest >= self._highest
        return tuple(name for name, one in zip(self._names, flat, strict=True) if one and self.samples > 1)

    def removed_rms(self) -> tuple[float, ...]:
        return tuple(np.sqrt(self._removed / np.maximum(self._judged, 1)).tolist())


def _refuse_gaps(reader: SeriesReader, part: SeriesPart, done: int) -> None:
    wrong = np.argwhere(~np.isfinite(part.values))
    if len(wrong):
        sample, lead = wrong[0].tolist()
        raise SeriesFileError(
            f"{reader.path}: sample {done + sample + 1} of {reader.names[lead]!r} is a gap, or infinite; without "
            "--strict gaps are kept"
        )


def _find_picture(source: PathName, plot: PathName, *, overwrite: bool) -> "type[SeriesPicture]":
    refuse_target(source, plot, overwrite=overwrite)
    try:
        from audiodae.series_plots import SeriesPicture
    except ModuleNotFoundError as error:
        raise AudiodaeError(f'a picture needs {error.name}: pip install "audiodae[plot]"') from error
    return SeriesPicture


def _save_picture(picture: "SeriesPicture", plot: PathName) -> None:
    try:
        picture.save(Path(plot))
    except OSError as error:
        raise cannot_write(Path(plot), error) from None
