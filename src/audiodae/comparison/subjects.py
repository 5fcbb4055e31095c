"""The two kinds of digits that families are compared on: split, and corrupted for the test.

Spoken digits are split by take, the first fifth of the takes for the test and the next few for validation; or one
speaker is held out for the test. Images are split in order: 80 % to train, 5 % to validate, 15 % to test. The noise of
the test is the same for every family and seed.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from audiodae.comparison.settings import SubjectName, SubjectSettings
from audiodae.errors import CorpusError
from audiodae.prep.noisy_patches import noisy_patches
from audiodae.prep.patch_sets import Patches, read_images, read_sounds
from audiodae.prep.patches import Floats, PatchSettings, patches_of_sound

TEST_SEED = 1_000_003  # far from the seeds of trainings
BURST_SHARE = 0.2  # of a patch


@dataclass(frozen=True)
class Subject:
    """One kind of digits, split.

    Attributes
    ----------
    name : spoken or handwritten
    train, valid, test : patches with their labels; networks learn from train, probes from train and valid
    settings : SubjectSettings
    """

    name: SubjectName
    train: Patches
    valid: Patches
    test: Patches
    settings: SubjectSettings

    @cached_property
    def noisy(self) -> dict[float, Floats]:
        """The test patches at each level of noise."""
        return {level: self._corrupted(level) for level in self.settings.levels}

    def _corrupted(self, level: float) -> Floats:
        """Gaussian noise on images, clipped; white noise at a signal-to-noise ratio in dB on recordings."""
        if self.name == "spoken":
            return np.asarray(noisy_patches(self.test, [], snr_db=(level, level), seed=TEST_SEED)[0])
        rng = np.random.default_rng(TEST_SEED)
        noisy = self.test.clean + level * rng.standard_normal(self.test.clean.shape)
        return np.asarray(np.clip(noisy, 0, 1), np.float32)

    @property
    def at_level(self) -> Floats:
        """The test patches at the level that stands in the tables."""
        return self.noisy[self.settings.level]

    @cached_property
    def with_bursts(self) -> Floats:
        """The test patches with a burst of noise in a fifth of each, at a random place."""
        rng = np.random.default_rng(TEST_SEED)
        if self.name == "handwritten":
            return np.stack([_burst_on_image(image, rng) for image in self.test.clean])
        waveforms = list(self.test.waveforms)
        for number in np.unique(self.test.origin[:, 0]):
            waveforms[number] = _burst_on_sound(waveforms[number], rng)
        assert self.test.settings is not None
        cut = {n: patches_of_sound(waveforms[n], self.test.settings) for n in np.unique(self.test.origin[:, 0])}
        return np.stack([cut[number][place] for number, place in self.test.origin])

    def without(self, digit: int) -> "Subject":
        """The same with a digit in the test only."""
        kept = [part.select(part.labels["digit"] != digit) for part in (self.train, self.valid)]
        return replace(self, train=kept[0], valid=kept[1])


def read_digits(name: SubjectName, folder: Path | None, settings: PatchSettings) -> Patches:
    """Read one kind of digits.

    Parameters
    ----------
    folder : of recordings SPEAKER_DIGIT_TAKE or of IDX images; None for those made up, or scikit-learn's

    Raises
    ------
    CorpusError
        The folder's recordings do not tell speaker, digit and take by their names.
    """
    patches = read_images(folder) if name == "handwritten" else read_sounds(folder, settings)
    if "digit" not in patches.labels:
        raise CorpusError(f"{folder}: need recordings named SPEAKER_DIGIT_TAKE, such as anna_7_03.wav")
    return patches


def split(name: SubjectName, patches: Patches, settings: SubjectSettings, *, held_out: str | None = None) -> Subject:
    """Split one kind of digits.

    Parameters
    ----------
    held_out : the speaker that makes the test; None splits by take

    Raises
    ------
    CorpusError
        They are too few.
    """
    places = _split_images(len(patches)) if name == "handwritten" else _split_sounds(patches, held_out)
    if min(map(len, places)) == 0:
        raise CorpusError(f"{name} digits: {len(patches)} patches are too few to train, validate and test")
    train, valid, test = places
    rng = np.random.default_rng(TEST_SEED)
    if len(train) > settings.train_most:
        train = np.sort(rng.permutation(train)[: settings.train_most])
    return Subject(name, patches.select(train), patches.select(valid), patches.select(test), settings)


def speakers(subject: Subject) -> list[str]:
    """Who speaks, in order; none of images."""
    return sorted({str(name) for name in subject.train.labels.get("speaker", ())})


Places = npt.NDArray[np.int_]


def _split_images(count: int) -> tuple[Places, Places, Places]:
    train, valid = round(0.8 * count), round(0.85 * count)
    places = np.arange(count)
    return places[:train], places[train:valid], places[valid:]


def _split_sounds(patches: Patches, held_out: str | None) -> tuple[Places, Places, Places]:
    order = np.searchsorted(np.unique(patches.labels["take"]), patches.labels["take"])
    n_takes = int(order.max()) + 1
    n_test, n_valid = round(n_takes / 5), max(1, n_takes // 12)
    test, valid = order < n_test, (order >= n_test) & (order < n_test + n_valid)
    if held_out is not None:
        test = patches.labels["speaker"] == held_out
        valid &= ~test
    return np.flatnonzero(~test & ~valid), np.flatnonzero(valid), np.flatnonzero(test)


def _burst_on_image(image: Floats, rng: np.random.Generator) -> Floats:
    """Uniform noise on a square with a fifth of the area."""
    sizes = [max(1, round(size * BURST_SHARE**0.5)) for size in image.shape]
    top, left = (int(rng.integers(whole - size + 1)) for whole, size in zip(image.shape, sizes, strict=True))
    burst = image.copy()
    burst[top : top + sizes[0], left : left + sizes[1]] = rng.random(sizes)
    return burst


def _burst_on_sound(samples: Floats, rng: np.random.Generator) -> Floats:
    """White noise as loud as the recording, over a fifth of it."""
    length = max(1, round(samples.size * BURST_SHARE))
    start = int(rng.integers(samples.size - length + 1))
    burst = samples.copy()
    burst[start : start + length] += (np.std(samples) * rng.standard_normal(length)).astype(np.float32)
    return burst
