"""PocketSphinx, a recogniser that installs with its model of US English (Huggins-Daines et al. 2006).

With its own language model it knows 130,000 words, and noise soon leaves little right. With the words and sequences of
the transcripts alone it does what a device does that knows what may be said to it; it is faster, and tells differences
at all ratios. Both take noise away of their own accord (spectral subtraction in the features).
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from audiodae.evaluation.recognition.utterances import Utterance

SAMPLE_RATE = 16_000
# A single pass and few hypotheses: three times as fast for two words more wrong in a hundred. The mean of the features
# is that of the utterance, so that what was heard before changes nothing.
SETTINGS = {"fwdflat": False, "maxhmmpf": 3000, "maxwpf": 10, "cmn": "batch", "loglevel": "FATAL"}
DICTIONARY = "en-us/cmudict-en-us.dict"
VARIANT = re.compile(r"\(\d+\)$")  # "read(2)": another way to say a word
DISCOUNT = 0.7  # share of the probability left for sequences that the transcripts do not have

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sphinx:
    """PocketSphinx on sentences.

    Attributes
    ----------
    utterances : to be recognised
    vocabulary : sentences that a language model is made of; None for that of the package
    """

    utterances: tuple[Utterance, ...]
    vocabulary: tuple[tuple[str, ...], ...] | None = None
    sample_rate: int = SAMPLE_RATE
    lead_s: float = 0.0

    def load(self) -> "SphinxDecoder":
        """Load model and language model; ModuleNotFoundError where the package is missing."""
        from pocketsphinx import Decoder

        if self.vocabulary is None:
            return SphinxDecoder(Decoder(samprate=SAMPLE_RATE, **SETTINGS))
        with tempfile.TemporaryDirectory() as folder:  # it reads files
            files = write_language_model(self.vocabulary, Path(folder))
            return SphinxDecoder(Decoder(samprate=SAMPLE_RATE, **files, **SETTINGS))


class SphinxDecoder:
    """A loaded PocketSphinx."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder

    def recognise(self, utterance: Utterance, samples: Samples) -> tuple[str, ...]:
        """The words heard in samples at 16 kHz."""
        pcm = np.clip(np.rint(samples * 32_768), -32_768, 32_767).astype("<i2")
        self._decoder.start_utt()
        self._decoder.process_raw(pcm.tobytes(), full_utt=True)
        self._decoder.end_utt()
        heard = self._decoder.hyp()
        return tuple(heard.hypstr.split()) if heard else ()


def write_language_model(sentences: Sequence[Sequence[str]], folder: Path) -> dict[str, str]:
    """Write a model of the sequences of three words and the dictionary of the words; give Decoder's names of them.

    Words that the package cannot pronounce are left out: they will be heard wrong, noisy or not.
    """
    from pocketsphinx import get_model_path
    from pocketsphinx.lm import ArpaBoLM

    wanted = {word for sentence in sentences for word in sentence}
    lines = Path(get_model_path(DICTIONARY)).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if VARIANT.sub("", line.partition(" ")[0]) in wanted]
    known = {line.partition(" ")[0] for line in kept}
    text = "\n".join(" ".join(word for word in sentence if word in known) for sentence in sentences)
    model = ArpaBoLM(text=text, add_start=True, discount_mass=DISCOUNT)
    model.compute()
    files = {"lm": str(folder / "words.arpa"), "dict": str(folder / "words.dict")}
    model.write_file(files["lm"])
    Path(files["dict"]).write_text("\n".join(kept) + "\n", encoding="utf-8")
    return files
