"""audiodae: takes noise out of sound.

>>> from audiodae import Denoiser                          # doctest: +SKIP
>>> clean = Denoiser().clean(noisy, sample_rate=48000)     # doctest: +SKIP
"""

from audiodae.denoiser import Denoiser, Stream
from audiodae.errors import AudiodaeError, AudioFileError, NetworkError, SignalError
from audiodae.network import Network
from audiodae.presets import PRESETS
from audiodae.series_stream import SeriesStream

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "AudioFileError",
    "AudiodaeError",
    "Denoiser",
    "Network",
    "NetworkError",
    "SeriesStream",
    "SignalError",
    "Stream",
]
