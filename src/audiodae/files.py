"""Sound files and pipes cleaned in blocks: a file is a stream with an end. Memory does not grow with its length."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, get_args

import numpy as np

from audiodae.audio import (
    AudioFormat,
    PathName,
    SoundReader,
    SoundWriter,
    encode,
    open_reader,
    open_writer,
    output_format,
    refuse_unwritable,
)
from audiodae.denoiser import Denoiser, repair
from audiodae.errors import AudiodaeError, AudioFileError, SignalError
from audiodae.frames import Samples
from audiodae.levels import LevelMeter, Levels
from audiodae.live_stream import LiveStream
from audiodae.pipes import WavPipeWriter, is_pipe, open_stdin
from audiodae.wav_stream import stream_format

if TYPE_CHECKING:
    from audiodae.plots import Cleaning

BLOCK_VALUES = 2**17  # samples of all channels read at once: eight seconds of mono at 16 kHz

Channels = Literal["linked", "independent"]
Output = Literal["speech", "noise", "both"]


@dataclass(frozen=True)
class CleanOptions:
    """How to clean files.

    Attributes
    ----------
    limit_db : float or None, no frequency is made quieter by more than this many dB
    mix : float, share of the cleaned sound, 0 to 1; the rest is the original
    channels : "linked", the same gains for all channels, or "independent"
    output : "speech"; "noise", what was removed, so that speech + noise = input sample by sample; or "both", the noise
        as NAME.noise.EXT beside the speech
    subtype : str or None, the coding of the output as libsndfile names it, e.g. "PCM_24"; None keeps the input's
    strict : bool, refuse samples that are not finite instead of making them silence
    overwrite : bool, replace what exists; the input itself may be named

    Raises
    ------
    SignalError
        Channels or output is none of the words.
    """

    limit_db: float | None = None
    mix: float = 1.0
    channels: Channels = "linked"
    output: Output = "speech"
    subtype: str | None = None
    strict: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name, words in (("channels", get_args(Channels)), ("output", get_args(Output))):
            if getattr(self, name) not in words:
                raise SignalError(f"{name} is {getattr(self, name)!r}; need one of {', '.join(words)}")


DEFAULTS = CleanOptions()


@dataclass(frozen=True)
class CleanedFile(Levels):
    """What happened to a file; beside it the levels of `audiodae.levels.Levels`.

    Attributes
    ----------
    source, target : Path; the noise of output "both" lies at `noise_path(target)`
    sample_rate : int, Hz
    channels : int
    audio_seconds : float, length of the sound
    rtf : float, real-time factor: processing time, reading and writing included, / length
    repaired_samples : int, samples that were not finite and became silence
    clipped_samples : int, samples beyond what the file's coding can hold, held at full scale
    missing_samples : int, samples that the source's header promised and the damaged file did not hold
    model : str, name of the network
    """

    source: Path
    target: Path
    sample_rate: int
    channels: int
    audio_seconds: float
    rtf: float
    repaired_samples: int
    clipped_samples: int
    missing_samples: int
    model: str

    def as_json(self) -> dict[str, object]:
        """Give all of it as JSON has it; "input" and "output" are the paths."""
        told = {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(self).items()}
        del told["source"], told["target"]
        return {"input": str(self.source), "output": str(self.target), **told}


def clean_file(
    denoiser: Denoiser,
    source: PathName,
    target: PathName,
    *,
    options: CleanOptions = DEFAULTS,
    plot: PathName | None = None,
    on_progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> CleanedFile:
    """Clean a sound file: same rate, channels, coding, length and tags; target appears complete or not at all.

    Parameters
    ----------
    source, target : paths, or "-" for standard input and output; target's suffix may ask for another container
    plot : PNG to draw spectrograms and levels in, before and after; of no samples there is no picture
    on_progress : called with the samples done and in all (None where a pipe does not say)

    Raises
    ------
    AudiodaeError
        A picture is wanted and matplotlib is not installed.
    AudioFileError
        Source cannot be read, or target or plot not be written, exists, or is the source itself.
    SignalError
        The settings make no sense, or strict met a sample that is not finite.
    """
    picture = _begin_picture(source, plot, options) if plot else None
    started = time.perf_counter()
    with _open_source(source) as reader:
        audio_format = reader.format
        stream = _open_stream(denoiser, reader, options)
        meter = LevelMeter(audio_format.sample_rate, audio_format.channels)
        done = 0
        with _Outputs(reader, target, options) as outputs:
            for noisy, speech in _in_step(stream, reader.blocks(max(1, BLOCK_VALUES // audio_format.channels))):
                if options.strict and stream.repaired:
                    found = f"{stream.repaired} samples or more are not finite (NaN, infinite or beyond 1e10)"
                    raise SignalError(f"{reader.path}: {found}; they become silence where strict is not asked for")
                outputs.write(noisy, speech)
                meter.add(noisy, speech)
                done += len(noisy)
                if picture:
                    picture.add(noisy, speech, audio_format.sample_rate)
                on_progress(done, reader.n_expected)
    took = time.perf_counter() - started
    if picture and plot and done:
        _save_picture(picture, plot)
    seconds = done / audio_format.sample_rate
    return CleanedFile(
        **asdict(meter.levels()),
        source=Path(source),
        target=Path(target),
        sample_rate=audio_format.sample_rate,
        channels=audio_format.channels,
        audio_seconds=seconds,
        rtf=took / seconds if seconds else 0.0,
        repaired_samples=stream.repaired,
        clipped_samples=outputs.clipped,
        missing_samples=max((reader.n_samples or 0) - done, 0),
        model=denoiser.network.card.name,
    )


def refuse_target(source: PathName, target: PathName, *, overwrite: bool) -> None:
    """Refuse to write over a file unasked, above all over the source (even by another name), or where no file can be.

    Raises
    ------
    AudioFileError
        Target must not be written.
    """
    source, target = Path(source), Path(target)
    refuse_unwritable(target)
    if not target.exists() or overwrite:
        return
    if source.exists() and os.path.samefile(source, target):
        raise AudioFileError(f"{target}: is the input itself; name another output, or replace it by --overwrite")
    raise AudioFileError(f"{target}: exists already; name another output or give --overwrite")


def noise_path(target: PathName) -> Path:
    """Name the file of the noise that lies beside target where both are asked for: NAME.noise.EXT."""
    target = Path(target)
    return target.with_name(f"{target.stem}.noise{target.suffix}")


def targets(target: PathName, output: Output) -> dict[Output, PathName]:
    """Tell which files appear for an output, the one that appears last first: where it is, all are.

    Raises
    ------
    AudioFileError
        Both were asked for, and there is but one pipe.
    """
    if output != "both":
        return {output: target}
    if is_pipe(target):
        raise AudioFileError("speech and noise cannot both go to standard output; name a file")
    return {"speech": target, "noise": noise_path(target)}


class _Outputs:
    """What a cleaning writes: the speech, the noise, or both, each complete or not at all.

    Attributes
    ----------
    clipped : int, samples so far that lay beyond full scale and were held at it
    """

    def __init__(self, reader: SoundReader, target: PathName, options: CleanOptions) -> None:
        paths = targets(target, options.output)
        for path in paths.values():
            if not is_pipe(path):
                refuse_target(reader.path, path, overwrite=options.overwrite)
        self._format = _format_for(reader.format, target, options.subtype)
        self._writers = {what: self._writer(path, reader) for what, path in paths.items()}
        self._stack = ExitStack()

    @property
    def clipped(self) -> int:
        return sum(writer.clipped for writer in self._writers.values())

    def __enter__(self) -> Self:
        with ExitStack() as stack:  # closes the first where the second cannot be opened
            for writer in self._writers.values():
                stack.enter_context(writer)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _writer(self, path: PathName, reader: SoundReader) -> SoundWriter:
        if is_pipe(path):
            return WavPipeWriter(self._format, _n_coming(reader))
        picture = reader.path if reader.path.exists() else None  # WAV from a pipe is no file, and has none
        return open_writer(path, self._format, reader.tags, source=picture, n_samples=_n_coming(reader))

    def write(self, noisy: Samples, speech: Samples) -> None:
        for what, writer in self._writers.items():
            # What is removed is taken from the speech as the file will hold it, so that they add up to the last bit.
            writer.write(speech if what == "speech" else noisy - as_written(speech, self._format.coding))


def as_written(samples: Samples, coding: str) -> Samples:
    """Give what is read back of samples written in a coding."""
    encoded, _ = encode(samples, coding)
    read: Samples = np.asarray(encoded if encoded.dtype == np.float32 else encoded * 2.0**-31, np.float32)
    return read


def _n_coming(reader: SoundReader) -> int | None:
    """Give how many samples will come, of a file that was cut short too; None where only its end tells."""
    if reader.n_samples is None or reader.n_expected is None:
        return None
    return min(reader.n_samples, reader.n_expected)


def _open_source(source: PathName) -> AbstractContextManager[SoundReader]:
    return open_stdin() if is_pipe(source) else open_reader(source)


def _format_for(source: AudioFormat, target: PathName, subtype: str | None) -> AudioFormat:
    if is_pipe(target):
        return stream_format(output_format(source, "-.wav", subtype))
    return output_format(source, target, subtype)


def _open_stream(denoiser: Denoiser, reader: SoundReader, options: CleanOptions) -> LiveStream:
    """Begin the sound of a file; what is wrong with it is told with the file's name."""
    card = denoiser.network.card
    if card.series:
        raise SignalError(f"{reader.path}: is sound, and the network {card.name} cleans series; take one for sound")
    try:
        return denoiser.stream(
            reader.format.sample_rate,
            reader.format.channels,
            limit_db=options.limit_db,
            mix=options.mix,
            linked=options.channels == "linked",
        )
    except SignalError as error:
        raise SignalError(f"{reader.path}: {error}") from None


def _begin_picture(source: PathName, plot: PathName, options: CleanOptions) -> "Cleaning":
    refuse_target(source, plot, overwrite=options.overwrite)
    try:
        from audiodae.plots import Cleaning
    except ModuleNotFoundError as error:
        raise AudiodaeError(f'a picture needs {error.name}: pip install "audiodae[plot]"') from error
    return Cleaning()


def _save_picture(picture: "Cleaning", plot: PathName) -> None:
    try:
        picture.save(Path(plot))
    except OSError as error:
        raise AudioFileError(f"{plot}: cannot be written ({error.strerror or error})") from None


def _in_step(stream: LiveStream, blocks: Iterable[Samples]) -> Iterator[tuple[Samples, Samples]]:
    """Yield the samples before and after cleaning, the same ones of both."""
    waiting = np.zeros((0, stream.channels), np.float32)
    for block in blocks:
        speech = stream.feed(block)
        waiting = np.concatenate([waiting, repair(block)[0]])
        yield waiting[: len(speech)], speech
        waiting = waiting[len(speech) :]
    yield waiting, stream.flush().reshape(waiting.shape)  # one channel that was never fed would come out flat
