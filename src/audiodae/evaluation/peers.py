"""Other denoisers that install from the package index, each behind the same call: a row in one table.

A peer takes and gives float32 of shape (samples,) at its own rate. Its output is used as it comes, but for the delay,
which `measured_delay` finds on clean speech; so a peer is judged by its sound and not by its bookkeeping.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Clean = Callable[[Samples], Samples]

LONGEST_DELAY_SECONDS = 0.1


@dataclass(frozen=True)
class Peer:
    """A denoiser of others.

    Attributes
    ----------
    package : as pip knows it
    module : as Python imports it
    sample_rate : int, Hz, that it works at
    load : gives the function that cleans a whole sound; whatever it raises means that it cannot be used here
    """

    package: str
    module: str
    sample_rate: int
    load: Callable[[], Clean]

    @property
    def installed(self) -> bool:
        """Whether its package is there; its model may still have to be downloaded."""
        return find_spec(self.module) is not None


def measured_delay(estimate: Samples, clean: Samples, sample_rate: int) -> int:
    """By how many samples an estimate lags behind the clean sound, by the peak of their correlation; 0 or more."""
    n_fft = 2 * clean.size
    correlation = np.fft.irfft(np.fft.rfft(estimate, n_fft) * np.conj(np.fft.rfft(clean, n_fft)))
    return int(np.argmax(correlation[: round(LONGEST_DELAY_SECONDS * sample_rate)]))


def _noisereduce(*, stationary: bool) -> Callable[[], Clean]:
    def load() -> Clean:
        from noisereduce import reduce_noise

        return lambda noisy: np.asarray(reduce_noise(y=noisy, sr=16_000, stationary=stationary), np.float32)

    return load


def _rnnoise() -> Clean:
    from pyrnnoise import rnnoise

    def clean(noisy: Samples) -> Samples:
        state = rnnoise.create()
        try:
            frames = [rnnoise.process_mono_frame(state, frame)[0] for frame in _frames(noisy, 480)]
        finally:
            rnnoise.destroy(state)
        return np.concatenate(frames)[: noisy.size].astype(np.float32) / np.float32(32_768)

    return clean


def _webrtc() -> Clean:
    from webrtc_noise_gain import AudioProcessor

    def clean(noisy: Samples) -> Samples:
        processor = AudioProcessor(0, 3)  # no gain control, moderate to strong suppression
        frames = [processor.Process10ms(frame.tobytes()).audio for frame in _frames(noisy, 160)]
        return np.frombuffer(b"".join(frames), np.int16)[: noisy.size].astype(np.float32) / np.float32(32_768)

    return clean


def _speexdsp() -> Clean:
    from speexdsp_ns import NoiseSuppression

    def clean(noisy: Samples) -> Samples:
        suppression = NoiseSuppression.create(160, 16_000)
        frames = [suppression.process(frame.tobytes()) for frame in _frames(noisy, 160)]
        return np.frombuffer(b"".join(frames), np.int16)[: noisy.size].astype(np.float32) / np.float32(32_768)

    return clean


def _deepfilternet() -> Clean:
    import torch
    from df.enhance import enhance, init_df

    model, state, _ = init_df(log_level="ERROR", log_file=None)
    return lambda noisy: np.asarray(enhance(model, state, torch.from_numpy(noisy[None]))[0], np.float32)


def _dpdfnet() -> Clean:
    import dpdfnet

    return lambda noisy: np.asarray(dpdfnet.enhance(noisy, 16_000), np.float32)


PEERS: dict[str, Peer] = {
    "noisereduce": Peer("noisereduce", "noisereduce", 16_000, _noisereduce(stationary=False)),
    "noisereduce, stationary": Peer("noisereduce", "noisereduce", 16_000, _noisereduce(stationary=True)),
    "speexdsp": Peer("speexdsp-ns", "speexdsp_ns", 16_000, _speexdsp),
    "webrtc": Peer("webrtc-noise-gain", "webrtc_noise_gain", 16_000, _webrtc),
    "rnnoise": Peer("pyrnnoise", "pyrnnoise", 48_000, _rnnoise),
    "dpdfnet": Peer("dpdfnet", "dpdfnet", 16_000, _dpdfnet),
    "deepfilternet": Peer("deepfilternet", "df", 48_000, _deepfilternet),
}


def _frames(samples: Samples, length: int) -> npt.NDArray[np.int16]:
    """16-bit frames, shape (frames, length), the last filled up with silence."""
    whole = np.pad(samples, (0, -samples.size % length))
    return np.clip(np.rint(whole * 32_768), -32_768, 32_767).astype(np.int16).reshape(-1, length)
