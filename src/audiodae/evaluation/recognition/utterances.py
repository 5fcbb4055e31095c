"""Utterances: recordings and the words that are said in them.

Sentences lie as in LibriSpeech: sound files anywhere below a folder, and beside them text files `*.trans.txt` (or
`transcripts.txt`) with a line for each, its name without suffix and then the words::

    SPEECH/2830/3979/2830-3979-0000.flac
    SPEECH/2830/3979/2830-3979.trans.txt      2830-3979-0000 WE WANT YOU TO HELP US PUBLISH

Spoken digits are named SPEAKER_DIGIT_TAKE.flac, as for `audiodae compare`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import soundfile

from audiodae.errors import AudioFileError, CorpusError
from audiodae.prep.corpus import SPOKEN, find_sounds

TRANSCRIPTS = ("*.trans.txt", "transcripts.txt")
DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

Item = TypeVar("Item")


@dataclass(frozen=True)
class Utterance:
    """A recording and what is said in it.

    Attributes
    ----------
    name : unique within its folder
    path : the sound file
    words : in lower case
    speaker : who says them
    """

    name: str
    path: Path
    words: tuple[str, ...]
    speaker: str


def read_sentences(folder: Path) -> list[Utterance]:
    """Find sentences and their transcripts; sounds without one are passed over.

    Parameters
    ----------
    folder : as the module says; the speaker is what a name has before its first hyphen, as in LibriSpeech

    Returns
    -------
    utterances : sorted by path

    Raises
    ------
    CorpusError
        The folder holds no sounds or no transcripts of them, two sounds share a name, or a transcript is no UTF-8 text.
    """
    sounds = find_sounds(folder)
    names = [Path(sound).stem for sound in sounds]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CorpusError(f"{folder}: two sounds are named {twice[0]}; a transcript could be of either")
    words = _transcripts(folder)
    found = [
        Utterance(name, folder / sound, words[name], name.partition("-")[0])
        for name, sound in zip(names, sounds, strict=True)
        if words.get(name)
    ]
    if not found:
        raise CorpusError(
            f"{folder}: {len(sounds)} sounds, {len(words)} transcripts ({', '.join(TRANSCRIPTS)}), and none of a sound"
        )
    return found


def read_digits(folder: Path) -> list[Utterance]:
    """Find spoken digits, sorted by path.

    Raises
    ------
    CorpusError
        The folder holds no sounds, one is not named SPEAKER_DIGIT_TAKE, or all are of one speaker.
    """
    found = []
    for sound in find_sounds(folder):
        told = SPOKEN.fullmatch(Path(sound).stem)
        if told is None:
            raise CorpusError(f"{folder / sound}: digits are named SPEAKER_DIGIT_TAKE, as jackson_7_03.flac")
        found.append(Utterance(sound, folder / sound, (DIGIT_WORDS[int(told["digit"])],), told["speaker"]))
    if len({utterance.speaker for utterance in found}) < 2:
        raise CorpusError(f"{folder}: digits of one speaker; the classifier learns from others than it is tried on")
    return found


def evenly(items: Sequence[Item], count: int | None) -> list[Item]:
    """Up to `count` items, spread evenly over all; None for all."""
    if count is None or count >= len(items):
        return list(items)
    return [items[number * len(items) // count] for number in range(count)]


def no_longer_than(utterances: Sequence[Utterance], seconds: float | None) -> list[Utterance]:
    """Those of at most so many seconds, by their headers; all where seconds is None.

    Raises
    ------
    CorpusError
        None is as short as that.
    AudioFileError
        A file cannot be read.
    """
    if seconds is None:
        return list(utterances)
    short = [utterance for utterance in utterances if _seconds(utterance.path) <= seconds]
    if not short:
        raise CorpusError(f"all {len(utterances)} sentences are longer than {seconds:g} s: raise --longest")
    return short


def _seconds(path: Path) -> float:
    try:
        return float(soundfile.info(path).duration)
    except (OSError, soundfile.SoundFileError) as error:
        raise AudioFileError(f"{path}: cannot read sound ({error})") from error


def _transcripts(folder: Path) -> dict[str, tuple[str, ...]]:
    """The words by the name of the sound."""
    words: dict[str, tuple[str, ...]] = {}
    for path in sorted({path for pattern in TRANSCRIPTS for path in folder.rglob(pattern)}):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CorpusError(f"{path}: cannot read transcripts ({error})") from error
        for line in lines:
            name, _, said = line.strip().partition(" ")
            words[name] = tuple(re.sub(r"[^\w' ]", " ", said).lower().split())
    return words
