"""Sets of patches with what is known of each: images of digits, and sounds of any folder.

    IMAGES/*-images-idx3-ubyte[.gz], *-labels-idx1-ubyte[.gz]     handwritten digits, IDX format (LeCun et al. 1998)
    SOUNDS/.../SPEAKER_DIGIT_TAKE.flac                            spoken digits; labels come from the names
    SOUNDS/.../*.wav                                              any other recordings, without labels

Without a folder, images are scikit-learn's digits (8 x 8), sounds are ten made-up words in made-up voices.
"""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from audiodae.errors import AudioFileError, CorpusError
from audiodae.frames import Samples
from audiodae.prep.corpus import SPOKEN, find_sounds
from audiodae.prep.decode import SAMPLE_RATE, read_mono
from audiodae.prep.patches import Floats, PatchSettings, patches_of_sound
from audiodae.prep.voices import draw_speaker, speak_word

SETTINGS = PatchSettings()
IMAGES = "*images*idx3-ubyte*"
MADE_SPEAKERS, MADE_DIGITS, MADE_TAKES = 6, 10, 12
Labels = npt.NDArray[np.int_] | npt.NDArray[np.str_]


@dataclass(frozen=True)
class Patches:
    """Patches, and where each comes from.

    Attributes
    ----------
    clean : float32, shape (patches, rows, columns), in [0, 1]
    labels : what is known of each patch, by name (digit, speaker, take): arrays of shape (patches,)
    names : the recording or image of each patch
    waveforms : of all recordings, at settings.sample_rate; empty for images
    origin : int, shape (patches, 2): which waveform, and which of its patches
    settings : how patches are cut from waveforms; None for images
    """

    clean: Floats
    labels: dict[str, Labels]
    names: Sequence[str]
    waveforms: Sequence[Samples] = ()
    origin: npt.NDArray[np.int_] = field(default_factory=lambda: np.zeros((0, 2), int))
    settings: PatchSettings | None = None

    def __len__(self) -> int:
        return len(self.clean)

    def select(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int_] | slice) -> "Patches":
        """Some of the patches, by a mask, numbers or a slice."""
        places = np.arange(len(self))[which]
        return Patches(
            self.clean[places],
            {name: values[places] for name, values in self.labels.items()},
            [self.names[place] for place in places],
            self.waveforms,
            self.origin[places] if self.settings else self.origin,
            self.settings,
        )

    def split(self, share: float, *, seed: int) -> tuple["Patches", "Patches"]:
        """Most patches, and those of about a share of the recordings or images, one or more of them."""
        source = self.origin[:, 0] if self.settings else np.arange(len(self))
        sources = np.random.default_rng(seed).permutation(np.unique(source))
        held_out = np.isin(source, sources[: max(1, round(share * len(sources)))])
        return self.select(~held_out), self.select(held_out)


def read_patches(folder: Path | None = None, settings: PatchSettings = SETTINGS) -> Patches:
    """Read a folder, as images where it holds IDX files, as sounds otherwise; see `read_images` and `read_sounds`."""
    if folder is not None and any(folder.glob(IMAGES)):
        return read_images(folder)
    return read_sounds(folder, settings)


def read_images(folder: Path | None = None) -> Patches:
    """Read handwritten digits, grey values from 0 to 1.

    Raises
    ------
    CorpusError
        The folder holds no pair of IDX files, or they are damaged.
    """
    if folder is None:
        from sklearn.datasets import load_digits  # the extra evaluate; a folder does without

        made = load_digits()
        images, digits = made.images / 16, made.target
    else:
        images = _read_idx(_only(folder, IMAGES), dimensions=3) / 255
        digits = _read_idx(_only(folder, "*labels*idx1-ubyte*"), dimensions=1).astype(int)
        if len(images) != len(digits):
            raise CorpusError(f"{folder}: {len(images)} images, but {len(digits)} labels")
    return Patches(images.astype(np.float32), {"digit": digits}, [f"{number:05d}" for number in range(len(images))])


def read_sounds(folder: Path | None = None, settings: PatchSettings = SETTINGS) -> Patches:
    """Read recordings and cut them into patches; those named SPEAKER_DIGIT_TAKE have these as labels.

    Raises
    ------
    CorpusError
        The folder is missing, or holds no recordings or an empty one.
    AudioFileError
        A recording cannot be read.
    """
    if folder is None:
        waveforms, names = make_spoken_digits(settings.sample_rate)
    else:
        names = find_sounds(folder)
        waveforms = [read_mono(folder / name, sample_rate=settings.sample_rate) for name in names]
        empty = [name for name, samples in zip(names, waveforms, strict=True) if samples.size == 0]
        if empty:
            raise CorpusError(f"{folder / empty[0]}: no samples; take it away")
    return patches_of_waveforms(waveforms, names, settings)


def patches_of_waveforms(waveforms: Sequence[Samples], names: Sequence[str], settings: PatchSettings) -> Patches:
    """Cut waveforms into patches, with labels where every name tells them."""
    cut = [patches_of_sound(samples, settings) for samples in waveforms]
    origin = np.array([(number, place) for number, made in enumerate(cut) for place in range(len(made))])
    told = [SPOKEN.fullmatch(Path(name).stem) for name in names]
    known = [match.groupdict() for match in told if match]
    labels: dict[str, Labels] = {}
    if len(known) == len(names):
        labels["speaker"] = np.array([of["speaker"] for of in known])[origin[:, 0]]
        for key in ("digit", "take"):
            labels[key] = np.array([int(of[key]) for of in known])[origin[:, 0]]
    return Patches(np.concatenate(cut), labels, [names[of] for of in origin[:, 0]], waveforms, origin, settings)


def make_spoken_digits(sample_rate: int, *, seed: int = 1) -> tuple[list[Samples], list[str]]:
    """Ten made-up words, each said a few times by each of a few made-up voices: waveforms and names."""
    waveforms, names = [], []
    for speaker in range(MADE_SPEAKERS):
        voice = draw_speaker(np.random.default_rng([seed, 0, speaker]))
        for digit in range(MADE_DIGITS):
            for take in range(MADE_TAKES):
                samples = speak_word(voice, digit, np.random.default_rng([seed, 1, speaker, digit, take]))
                waveforms.append(soxr.resample(samples, SAMPLE_RATE, sample_rate))
                names.append(f"voice{speaker}_{digit}_{take:02d}")
    return waveforms, names


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise CorpusError(f"{folder}: {len(found)} files {pattern}; need one")
    return found[0]


def _read_idx(path: Path, *, dimensions: int) -> npt.NDArray[np.uint8]:
    """Bytes in IDX format: 0, 0, 8 for bytes, the number of dimensions, each of them as four bytes, then the values."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise AudioFileError(f"{path}: cannot be read ({error})") from error
    start = 4 + 4 * dimensions
    shape = np.frombuffer(data[4:start], ">u4").astype(int)
    if data[:4] != bytes([0, 0, 8, dimensions]) or len(data) != start + int(np.prod(shape)):
        raise CorpusError(f"{path}: no IDX file of bytes in {dimensions} dimensions, or cut short")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
