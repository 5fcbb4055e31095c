"""How a sound file keeps its sound, and what of it a file of another kind can keep.

Names are libsndfile's: a container is "WAV", "FLAC", "OGG", ..., a coding what it calls a subtype: "PCM_16", "VORBIS".
Containers that only ffmpeg knows are named by their usual suffix: "M4A", "MKV", ...
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from audiodae.errors import AudioFileError

PathName = str | os.PathLike[str]

# Whole numbers of this many bits. They are rounded here: soundfile would cut off instead, and turn the -0.0000001 of
# a sum that should be zero into a step.
PCM_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
PCM_BITS |= {"ALAC_16": 16, "ALAC_20": 20, "ALAC_24": 24, "ALAC_32": 32, "FLAC_16": 16, "FLAC_24": 24}
# Codings that take floats as they come, beyond full scale too.
FLOAT_CODINGS = frozenset({"FLOAT", "DOUBLE"})
LOSSY_CODINGS = frozenset({"VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"})
LOSSY_CODINGS |= {"AAC", "AC3", "EAC3", "WMAV1", "WMAV2"}
SUFFIXES = {"OPUS": "OGG", "OGA": "OGG", "WAVE": "WAV", "BWF": "WAV", "RIFX": "WAV", "AIF": "AIFF", "AIFC": "AIFF"}
SUFFIXES |= {"SND": "AU", "M4B": "M4A", "M4V": "MP4", "3GP": "MP4"}


# Suffixes that promise what is not written: another sound under such a name would be a trap.
UNWRITTEN = frozenset(
    {"AAC", "AC3", "AMR", "APE", "DSF", "EAC3", "FLV", "MPC", "MPEG", "MPG", "MP2", "SPX", "TS", "TTA"}
)
UNWRITTEN |= {"PCM", "RAW", "WMA", "WMV", "WV"}


@dataclass(frozen=True)
class AudioFormat:
    """How a sound file keeps its sound.

    Attributes
    ----------
    container : str, as libsndfile names it: "WAV", "FLAC", "OGG", ...; else a key of FFMPEG_CONTAINERS
    coding : str, what libsndfile calls the subtype: "PCM_16", "FLOAT", "VORBIS", ...
    endian : str, "FILE" for the container's own
    sample_rate : int, Hz
    channels : int
    """

    container: str
    coding: str
    endian: str
    sample_rate: int
    channels: int


@dataclass(frozen=True)
class FfmpegContainer:
    """What ffmpeg writes under a suffix.

    Attributes
    ----------
    muxer : str, ffmpeg's name for the container
    codings : tuple of str, what it may hold, the usual one first
    pictures : str, "video" where pictures that move go along, "cover" where those that stand do, else ""
    """

    muxer: str
    codings: tuple[str, ...]
    pictures: str = ""


# Only what comes back in step, sample by sample: AAC outside MP4, AC-3 and MP3 outside MP4 and what ffmpeg makes of WMA
# come back late or short, for their containers cannot say how long the coder took to begin.
_FILM = ("AAC", "ALAC_16", "ALAC_24", "MPEG_LAYER_III", "AC3", "EAC3")
_MATROSKA = ("VORBIS", "OPUS", "FLAC_16", "FLAC_24", "FLOAT", "ALAC_16", "ALAC_24")
FFMPEG_CONTAINERS = {
    "M4A": FfmpegContainer("ipod", ("AAC", "ALAC_16", "ALAC_24"), "cover"),
    "MP4": FfmpegContainer("mp4", _FILM, "video"),
    "MOV": FfmpegContainer("mov", (*_FILM, "PCM_16", "PCM_24", "PCM_32", "FLOAT"), "video"),
    "MKV": FfmpegContainer("matroska", _MATROSKA, "video"),
    "MKA": FfmpegContainer("matroska", _MATROSKA, "cover"),
    "WEBM": FfmpegContainer("webm", ("VORBIS", "OPUS"), "video"),
    "AVI": FfmpegContainer("avi", ("PCM_16",), "video"),
}
OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


def output_format(source: AudioFormat, path: PathName, subtype: str | None = None) -> AudioFormat:
    """Choose how to write path: as the source, unless its name asks for another container or subtype for a coding.

    In another container the coding stays where that has it, else it is the nearest that loses nothing, else the
    container's usual one.

    Raises
    ------
    AudioFileError
        The container that the name asks for cannot be written, or does not have the subtype.
    """
    suffix = Path(path).suffix[1:].upper()
    container = SUFFIXES.get(suffix, suffix)
    if container in UNWRITTEN:
        raise AudioFileError(f"{path}: {container} cannot be written; name another format, e.g. .wav or .m4a")
    if not codings_of(container) or container == _plain(source.container):
        chosen = source
    else:
        coding = "OPUS" if suffix == "OPUS" else _closest_coding(source.coding, container)
        chosen = AudioFormat(container, coding, "FILE", source.sample_rate, source.channels)
    if subtype is not None:
        chosen = replace(chosen, coding=subtype.upper().replace("-", "_"))
    has = codings_of(chosen.container)
    if not has or chosen.container == "SD2":  # SD2 keeps its rate in a second file
        raise AudioFileError(f"{path}: {chosen.container} cannot be written; name another format, e.g. .wav or .m4a")
    if subtype is not None and chosen.coding not in has:
        raise AudioFileError(f"{path}: {chosen.container} has no subtype {subtype}; it has {', '.join(has)}")
    if chosen.coding not in has:  # read by ffmpeg, and not written in step with the input
        chosen = replace(chosen, coding=_closest_coding(chosen.coding, chosen.container))
    if chosen.coding == "OPUS" and chosen.sample_rate not in OPUS_RATES:
        raise AudioFileError(
            f"{path}: Opus holds 8, 12, 16, 24 or 48 kHz, not {chosen.sample_rate} Hz; name another format, e.g. .ogg"
        )
    return chosen


def codings_of(container: str) -> tuple[str, ...]:
    """Give the codings with which a container can be written; none for one that cannot be, or needs more to be read."""
    if container in FFMPEG_CONTAINERS:
        return FFMPEG_CONTAINERS[container].codings
    if container not in soundfile.available_formats() or container == "RAW":
        return ()
    return tuple(name for name in soundfile.available_subtypes(container) if soundfile.check_format(container, name))


def _closest_coding(coding: str, container: str) -> str:
    """Keep a lossless coding where the container has it, or one like it; else give the container's usual coding."""
    has = codings_of(container)
    # A lossy stream inside WAV is legal and surprises every program that reads it.
    if coding in LOSSY_CODINGS and container in FFMPEG_CONTAINERS and coding in has:
        return coding
    if coding in PCM_BITS or coding in FLOAT_CODINGS:
        bits = PCM_BITS.get(coding, 32)
        names = [coding, f"PCM_{bits}", f"FLAC_{bits}", f"ALAC_{bits}"]
        if bits > 24:  # more than most lossless coders take
            names += ["PCM_24", "FLAC_24", "ALAC_24"]
        for name in names:
            if name in has and not (coding in FLOAT_CODINGS and name == "PCM_32"):
                return name
    if container in FFMPEG_CONTAINERS:
        return has[0]
    usual: str = soundfile.default_subtype(container)
    return usual


def _plain(container: str) -> str:
    """Give the name that a file's suffix would have: three containers of libsndfile call themselves .wav."""
    return "WAV" if container in ("WAVEX", "RF64") else container


def encode(
    samples: npt.NDArray[np.float32], coding: str
) -> tuple[npt.NDArray[np.float32] | npt.NDArray[np.int32], int]:
    """Make samples fit a coding: held at full scale where it has one, never wrapped round.

    Parameters
    ----------
    samples : float32, any shape
    coding : str, as in AudioFormat

    Returns
    -------
    encoded : int32 with the coding's bits uppermost where it is one of whole numbers, else float32
    clipped : int, samples that lay beyond full scale
    """
    if coding in FLOAT_CODINGS | LOSSY_CODINGS:
        return samples, 0
    clipped = int(np.count_nonzero(np.abs(samples) > 1))
    if coding not in PCM_BITS:
        return np.clip(samples, -1, 1), clipped
    full_scale = 2.0 ** (PCM_BITS[coding] - 1)
    whole = np.clip(np.rint(samples * np.float64(full_scale)), -full_scale, full_scale - 1)
    return whole.astype(np.int32) << (32 - PCM_BITS[coding]), clipped
