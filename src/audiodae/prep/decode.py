"""From a sound file of any rate and channel count to mono samples at 16 kHz, and what is wrong with it.

Of several channels the first is taken: the mean of a stereo pair or a microphone array is a comb filter, and a response
of a room must not be averaged over places.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from audiodae.audio import AudioReader
from audiodae.errors import SignalError
from audiodae.frames import HIGHEST_RATE, LOWEST_RATE
from audiodae.prep.corpus import Kind

SAMPLE_RATE = 16_000
FULL_SCALE = 32_768  # one in 16-bit samples
DIRECT_PEAK = 0.5  # of full scale: reflections that add up may pass the direct sound by 6 dB
BLOCK_SAMPLES = 1 << 21  # of all channels together: 8 MB, whatever rate a header states
LOUDNESS_FRAME = SAMPLE_RATE // 50  # 20 ms

Samples = npt.NDArray[np.float32]
Pcm = npt.NDArray[np.int16]


def decode(path: Path, kind: Kind) -> Pcm:
    """Read a recording as a bank keeps it; the response of a room begins at its direct sound.

    Parameters
    ----------
    path : a file that libsndfile reads
    kind : "rooms" aligns and scales a response, the others keep their level

    Returns
    -------
    pcm : int16, shape (samples,), 16 kHz; clipped where the file passes full scale

    Raises
    ------
    AudioFileError
        The file cannot be read.
    SignalError
        It is empty, silent, holds NaN or infinity, or states a rate that sound does not have.
    """
    samples = read_mono(path)
    if samples.size == 0:
        raise SignalError("empty")
    if not np.isfinite(samples).all():
        raise SignalError("holds NaN or infinity")
    if kind == "rooms":
        samples = align_response(samples)
    pcm = to_pcm(samples)
    if not pcm.any():
        raise SignalError("silent")
    return pcm


def read_mono(path: Path, *, sample_rate: int = SAMPLE_RATE) -> Samples:
    """The first channel of a sound file at a rate, read in blocks, so that an hour in stereo does not fill the memory.

    Raises
    ------
    AudioFileError
        The file cannot be read.
    SignalError
        It states a rate outside 4 kHz to 384 kHz: a damaged header, which resampling would turn into gigabytes.
    """
    with AudioReader(path) as reader:
        rate, channels = reader.format.sample_rate, reader.format.channels
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise SignalError(f"states a rate of {rate} Hz; taken is {LOWEST_RATE} to {HIGHEST_RATE} Hz")
        mono = [block[:, 0].copy() for block in reader.blocks(max(1, BLOCK_SAMPLES // channels))]
    if rate != sample_rate:
        mono = _resample(mono, rate, sample_rate)
    return np.concatenate(mono) if mono else np.zeros(0, np.float32)


def align_response(samples: Samples) -> Samples:
    """Cut what lies before the highest peak of a room's response, and scale and turn that peak to plus one half."""
    direct = int(np.argmax(np.abs(samples)))
    highest = samples[direct]
    return samples[direct:] * np.float32(DIRECT_PEAK / highest) if highest else samples


def to_pcm(samples: Samples) -> Pcm:
    """Round to 16 bits; what lies beyond full scale is clipped, never wrapped."""
    return np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE + 1, FULL_SCALE - 1).astype(np.int16)


def clean_estimate_db(pcm: Pcm) -> float:
    """How far a recording's speech stands above its own background, dB.

    The 95th minus the 8th percentile of the levels of 20 ms frames: a good recording has 40 and more, a poor one under
    25. Recordings shorter than ten frames tell nothing and read infinity.
    """
    n_frames = pcm.size // LOUDNESS_FRAME
    if n_frames < 10:
        return float("inf")
    frames = pcm[: n_frames * LOUDNESS_FRAME].reshape(n_frames, LOUDNESS_FRAME).astype(np.float64)
    # A floor of a tenth of a bit: frames of digital silence have a level too.
    levels_db = 10 * np.log10(np.mean(frames**2, axis=1) + 0.01)
    high, low = np.percentile(levels_db, [95, 8])
    return float(high - low)


def _resample(blocks: list[Samples], rate: int, to: int) -> list[Samples]:
    stream = soxr.ResampleStream(rate, to, num_channels=1, dtype="float32")
    resampled = [stream.resample_chunk(block) for block in blocks]
    return [*resampled, stream.resample_chunk(np.zeros(0, np.float32), last=True)]
