"""Word error rates from trials, with intervals, and the setting that serves best.

A word error rate is the errors of all utterances over their words. Intervals are of 95 %, by drawing whole utterances
anew (bootstrap, percentiles); those of a difference draw both sides together, for they are of the same noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audiodae.evaluation.recognition.measure import Setting, Trial

DRAWS = 2000
INTERVAL = (2.5, 97.5)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """A word error rate and its interval, all shares of the words."""

    wer: float
    low: float
    high: float


@dataclass(frozen=True)
class Results:
    """Trials of a measurement; every task has every ratio and setting.

    Attributes
    ----------
    model : name of the network
    trials : in any order
    left_out : why, by task
    """

    model: str
    trials: Sequence[Trial]
    left_out: dict[str, str]

    @property
    def tasks(self) -> list[str]:
        """Names, in order."""
        return list(dict.fromkeys(trial.task for trial in self.trials))

    @property
    def snrs_db(self) -> list[float | None]:
        """Ratios, rising; None, no noise, last."""
        found = {trial.snr_db for trial in self.trials}
        return [*sorted(snr for snr in found if snr is not None), *([None] if None in found else [])]

    @property
    def settings(self) -> list[Setting]:
        """What was tried, in order."""
        return list(dict.fromkeys(trial.setting for trial in self.trials if trial.setting is not None))

    def count(self, task: str) -> tuple[int, int, int]:
        """Utterances, words and speakers of a task."""
        said = {trial.utterance for trial in self.trials if trial.task == task}
        return len(said), sum(len(one.words) for one in said), len({one.speaker for one in said})

    def rate(self, task: str, snr_db: float | None, setting: Setting | None) -> Rate:
        """The word error rate at one ratio with one setting; None for the sound as it came."""
        errors, words = self._errors(task, [snr_db], setting)
        return _rate(errors, words)

    def gain(self, task: str, snrs_db: Sequence[float | None], setting: Setting) -> Rate:
        """The word error rate with a setting less that of the sound as it came: below 0 where cleaning helps."""
        after, words = self._errors(task, snrs_db, setting)
        before, _ = self._errors(task, snrs_db, None)
        return _rate(after - before, words)

    def mean(self, task: str, setting: Setting | None) -> float:
        """The mean of the rates over all ratios and the speech without noise."""
        errors, words = self._errors(task, self.snrs_db, setting)
        return float(np.mean(errors.sum(axis=1) / words.sum(axis=1)))

    def best(self, task: str) -> Setting:
        """The setting with the lowest mean."""
        return min(self.settings, key=lambda setting: self.mean(task, setting))

    def best_of_all(self) -> Setting:
        """The setting with the lowest mean over the tasks, each as a share of its mean for the sound as it came."""
        return min(self.settings, key=self.relative)

    def relative(self, setting: Setting) -> float:
        """The mean with a setting over that of the sound as it came, mean over the tasks."""
        return float(np.mean([self.mean(task, setting) / max(self.mean(task, None), 1e-9) for task in self.tasks]))

    def verdict(self, task: str, snr_db: float | None, setting: Setting) -> str:
        """Whether cleaning helps, harms or cannot be told to do either."""
        gain = self.gain(task, [snr_db], setting)
        return "helps" if gain.high < 0 else "harms" if gain.low > 0 else "no clear difference"

    def _errors(self, task: str, snrs_db: Sequence[float | None], setting: Setting | None) -> tuple[Floats, Floats]:
        """Errors and words of each utterance, sorted by name: shape (ratios, utterances)."""
        rows = [
            sorted(
                (trial.utterance.name, trial.errors, len(trial.utterance.words))
                for trial in self.trials
                if (trial.task, trial.snr_db, trial.setting) == (task, snr_db, setting)
            )
            for snr_db in snrs_db
        ]
        values = np.array([[row[1:] for row in of_ratio] for of_ratio in rows], np.float64)
        return values[..., 0], values[..., 1]


def _rate(errors: Floats, words: Floats) -> Rate:
    """Errors over words; ratios are pooled, and an utterance is drawn with all of them."""
    errors, words = errors.sum(axis=0), words.sum(axis=0)
    draws = np.random.default_rng(0).integers(len(words), size=(DRAWS, len(words)))
    low, high = np.percentile(errors[draws].sum(axis=1) / words[draws].sum(axis=1), INTERVAL)
    return Rate(float(errors.sum() / words.sum()), float(low), float(high))
