"""The best that gains on magnitudes can do: the clean magnitude with the noisy phase.

A network that changes only magnitudes cannot pass it, so a table shows it as the upper end of the scale.
"""

import numpy as np
import numpy.typing as npt

from audiodae import frames
from audiodae.errors import SignalError


def oracle_estimate(
    *, noisy: npt.NDArray[np.floating], clean: npt.NDArray[np.floating], sample_rate: int
) -> frames.Samples:
    """Put the clean magnitude on the noisy phase, in the frames that networks see.

    Parameters
    ----------
    noisy, clean : float, shape (samples,)
    sample_rate : int, Hz

    Returns
    -------
    estimate : float32, shape (samples,)

    Raises
    ------
    SignalError
        Lengths differ, or the rate is out of range.
    """
    if noisy.shape != clean.shape or noisy.ndim != 1:
        raise SignalError(f"noisy has shape {noisy.shape}, clean {clean.shape}: need one shape (samples,)")
    geometry = frames.FrameGeometry.for_rate(sample_rate)
    noisy_spectrum = frames.analyse(noisy[None].astype(np.float32), geometry)
    clean_spectrum = frames.analyse(clean[None].astype(np.float32), geometry)
    spectrum = np.abs(clean_spectrum) * np.exp(1j * np.angle(noisy_spectrum))
    estimate: frames.Samples = frames.synthesise(spectrum.astype(np.complex64), geometry, noisy.size)[0]
    return estimate
