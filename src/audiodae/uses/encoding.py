"""The encoder as a feature extractor: recordings in, codes out, kept in one .npz file.

::

    codes        float32 (patches, code_width)
    recording    int (patches,)        which of `names` a patch is of
    seconds      float32 (patches,)    where in the recording it begins
    names        str (recordings,)
    network      str                   fingerprint of the weights: codes of two networks do not compare
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from audiodae.errors import AudiodaeError, CorpusError
from audiodae.frames import Samples
from audiodae.prep.patches import Floats
from audiodae.training import codes as network_codes
from audiodae.training.patch_autoencoder import PatchAutoencoder
from audiodae.whole_file import write_whole


@dataclass(frozen=True)
class Codes:
    """Codes of some recordings; the fields are those of the file."""

    codes: Floats
    recording: npt.NDArray[np.int64]
    seconds: Floats
    names: npt.NDArray[np.str_]
    network: str

    def of_recordings(self) -> Floats:
        """One code a recording: the mean over its patches, shape (recordings, code_width)."""
        counts = np.bincount(self.recording, minlength=len(self.names))
        total = np.zeros((len(self.names), self.codes.shape[1]), np.float64)
        np.add.at(total, self.recording, self.codes)
        return (total / counts[:, None]).astype(np.float32)


def encode_recordings(network: PatchAutoencoder, recordings: Iterable[tuple[str, Samples]]) -> Codes:
    """Encode named recordings, shape (samples,) each, at the network's rate.

    Raises
    ------
    CorpusError
        There are none.
    """
    settings = network.recipe.patches
    names, made = [], []
    for name, samples in recordings:
        names.append(name)
        made.append(network_codes.encode_sound(network, samples))
    if not names:
        raise CorpusError("no recordings to encode")
    length = settings.frames * settings.geometry.hop_length / settings.sample_rate
    starts = [np.arange(len(of), dtype=np.float32) * np.float32(length) for of in made]
    counts = [len(of) for of in made]
    recording = np.repeat(np.arange(len(names), dtype=np.int64), counts)
    return Codes(np.concatenate(made), recording, np.concatenate(starts), np.array(names), fingerprint(network))


def write_codes(path: Path, codes: Codes) -> None:
    """Write codes to an .npz file, complete or not at all."""
    held = io.BytesIO()
    arrays = {name: np.asarray(value) for name, value in vars(codes).items()}
    np.savez_compressed(held, allow_pickle=False, **arrays)
    write_whole(path, held.getvalue())


def read_codes(path: Path) -> Codes:
    """Give back what `write_codes` wrote.

    Raises
    ------
    AudiodaeError
        The file is missing, damaged or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            codes = Codes(held["codes"], held["recording"], held["seconds"], held["names"], str(held["network"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise AudiodaeError(f"{path}: no codes that `audiodae encode` wrote ({error})") from None
    if codes.codes.ndim != 2 or len(codes.codes) != len(codes.recording):
        raise AudiodaeError(f"{path}: damaged: {codes.codes.shape} codes of {len(codes.recording)} patches")
    return codes


def fingerprint(network: PatchAutoencoder) -> str:
    """Sixteen hexadecimal digits that differ where the weights do."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
