"""Made-up material for the tests of recognisers: tones for words, a recogniser that counts what it was given."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from audiodae.evaluation.recognition.utterances import Utterance

RATE = 8_000
QUIET = 0.02


@dataclass(frozen=True)
class Ears:
    """A recogniser that hears all words where the lead-free samples are quiet in their last quarter, else none."""

    utterances: tuple[Utterance, ...]
    sample_rate: int = RATE
    lead_s: float = 0.1

    def load(self):
        return self

    def recognise(self, utterance, samples):
        assert len(samples) == RATE
        rest = samples[-RATE // 4 :]
        return utterance.words if np.sqrt(np.mean(rest**2)) < QUIET else ()


def tone(pitch_hz, seconds=1.0, rate=RATE):
    """A tone that is silent in its last quarter."""
    time = np.arange(round(seconds * rate)) / rate
    return np.where(time < 0.75 * seconds, 0.3 * np.sin(2 * np.pi * pitch_hz * time), 0)


def write_sentences(folder: Path) -> Path:
    """Three sounds in the layout of LibriSpeech, one of them without a transcript."""
    chapter = folder / "17" / "3"
    chapter.mkdir(parents=True)
    for number in range(3):
        soundfile.write(chapter / f"17-3-000{number}.flac", tone(200 + 100 * number), RATE)
    (chapter / "17-3.trans.txt").write_text("17-3-0000 IT'S COLD, TODAY\n17-3-0001 GO HOME\n17-3-0009 NOBODY\n")
    return folder


def write_digits(folder: Path, speakers=("ada", "ben", "cy")) -> Path:
    """Three digits, each a pair of tones, twice by each speaker at a pitch of their own."""
    folder.mkdir(parents=True)
    for place, speaker in enumerate(speakers):
        for digit in (0, 3, 7):
            for take in range(2):
                first = tone(300 + 200 * digit + 10 * place, 0.3)
                sound = np.concatenate([first, tone(2500 - 200 * digit + 10 * take, 0.3)])
                soundfile.write(folder / f"{speaker}_{digit}_0{take}.flac", sound, RATE)
    return folder


def write_noise(folder: Path, kinds=("hiss", "hum")) -> Path:
    """Two seconds of each kind."""
    for number, kind in enumerate(kinds):
        (folder / kind).mkdir(parents=True)
        noise = np.random.default_rng(number).normal(0, 0.1, 2 * RATE)
        soundfile.write(folder / kind / "a.flac", noise, RATE)
    return folder
