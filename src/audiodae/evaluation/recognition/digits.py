"""A small recogniser of spoken digits: cepstral coefficients and their changes over five parts, logistic regression.

It learns from clean digits of all speakers but the one whose digits it is tried on. Where a digit begins and ends is
told; half a second of noise comes before it, so that a denoiser has heard some.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt

from audiodae.evaluation.recognition.utterances import Utterance, evenly
from audiodae.prep.decode import read_mono

SAMPLE_RATE = 8_000
LEAD_S = 0.5
N_MFCC, N_MELS, N_FFT, HOP = 13, 40, 256, 80  # 32 ms, every 10 ms
PARTS = 5
FEWEST_FRAMES = 10
MOST_TRAINING = 1000  # digits that each classifier learns from

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Digits:
    """The classifier on spoken digits.

    Attributes
    ----------
    utterances : to be recognised
    known : all digits there are; it learns from those of other speakers
    """

    utterances: tuple[Utterance, ...]
    known: tuple[Utterance, ...]
    sample_rate: int = SAMPLE_RATE
    lead_s: float = LEAD_S

    def load(self) -> "DigitClassifier":
        """Learn, once for each speaker who is tried."""
        needed = {utterance.speaker for utterance in self.utterances}
        chosen = {speaker: self._others(speaker) for speaker in sorted(needed)}
        features = {
            digit.name: digit_features(read_mono(digit.path, sample_rate=SAMPLE_RATE))
            for digit in {digit.name: digit for digits in chosen.values() for digit in digits}.values()
        }
        return DigitClassifier({speaker: _learn(digits, features) for speaker, digits in chosen.items()})

    def _others(self, speaker: str) -> list[Utterance]:
        return evenly([digit for digit in self.known if digit.speaker != speaker], MOST_TRAINING)


class DigitClassifier:
    """A classifier for each speaker, who is unknown to it."""

    def __init__(self, of_speaker: Mapping[str, Any]) -> None:
        self._of_speaker = of_speaker

    def recognise(self, utterance: Utterance, samples: Samples) -> tuple[str, ...]:
        """The digit heard in samples at 8 kHz, one word."""
        return (str(self._of_speaker[utterance.speaker].predict(digit_features(samples)[None])[0]),)


def digit_features(samples: Samples) -> Floats:
    """Cepstral coefficients (MFCC) and their differences in time, averaged over five equal parts: shape (130,)."""
    padded = np.pad(samples, (0, max(FEWEST_FRAMES * HOP - len(samples), 0)))
    mel = librosa.feature.melspectrogram(y=padded, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS)
    # Relative to the loudest, so that the level tells nothing.
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel, ref=np.max, top_db=60.0), n_mfcc=N_MFCC)
    both = np.concatenate([mfcc, librosa.feature.delta(mfcc)])  # (26, frames)
    return np.concatenate([part.mean(axis=1) for part in np.array_split(both, PARTS, axis=1)]).astype(np.float64)


def _learn(digits: list[Utterance], features: Mapping[str, Floats]) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    return classifier.fit(np.stack([features[digit.name] for digit in digits]), [digit.words[0] for digit in digits])
