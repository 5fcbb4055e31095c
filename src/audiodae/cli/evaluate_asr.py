"""`audiodae evaluate-asr`: word error rates of recognisers on noisy and on cleaned speech."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiodae.cli.progress import progress_bar
from audiodae.cli.report_folder import prepare_report_folder
from audiodae.errors import AudiodaeError
from audiodae.whole_file import write_whole

if TYPE_CHECKING:
    from audiodae.evaluation.recognition.measure import Task
    from audiodae.evaluation.recognition.results import Results

PATH = click.Path(path_type=Path)
NONE = "none"  # no limit, and no noise


class Numbers(click.ParamType):  # type: ignore[type-arg]  # which old releases of click do not have
    """A list of numbers with commas between; "none" among them, where a name for it is given."""

    name = "list"

    def __init__(self, none: str | None = None, *, lowest: float | None = None, highest: float | None = None) -> None:
        self._none, self._range = none, click.FloatRange(lowest, highest)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Give a tuple, each number once."""
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",")]
        return tuple(
            dict.fromkeys(None if part == self._none else self._number(part, param, ctx) for part in parts if part)
        ) or self.fail("no numbers in it", param, ctx)

    def _number(self, part: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(self._range(part, param, ctx))
        return number if math.isfinite(number) else self.fail(f"{part!r} is no finite number", param, ctx)


@click.command(
    epilog="\b\nExample:\n  audiodae evaluate-asr noise --speech LibriSpeech/test-clean --digits fsdd --out report"
)
@click.argument("noise", type=PATH)
@click.option("--speech", type=PATH, metavar="DIR", help="Sentences in the layout of LibriSpeech, in English.")
@click.option("--digits", type=PATH, metavar="DIR", help="Spoken digits, SPEAKER_DIGIT_TAKE.flac.")
@click.option("--model", metavar="NAME|PATH", help="Network to try.  [default: $AUDIODAE_MODEL, else speech]")
@click.option(
    "--snrs", type=Numbers(NONE), metavar="LIST", default="0,5,10,15,20,none", show_default=True,
    help="Signal-to-noise ratios, dB; none for no noise.",
)  # fmt: skip
@click.option(
    "--limits", type=Numbers(NONE, lowest=0), metavar="LIST", default="none,20,12,6", show_default=True,
    help="Values of --limit-db to try, each with each of --mixes.",
)  # fmt: skip
@click.option(
    "--mixes", type=Numbers(lowest=0, highest=1), metavar="LIST", default="1,0.7", show_default=True,
    help="Values of --mix to try.",
)  # fmt: skip
@click.option(
    "--general", is_flag=True, help="Try PocketSphinx with its own 130,000 words as well; takes thrice as long."
)
@click.option("--most", type=click.IntRange(min=1), metavar="N", help="Sentences, spread over all.  [default: all]")
@click.option("--most-digits", type=click.IntRange(min=1), metavar="N", help="The same of digits.  [default: all]")
@click.option(
    "--longest", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Pass over sentences of more seconds."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides which noise goes where."
)
@click.option("--out", type=PATH, help="Folder for report.md, report.json, report.png and heard.csv.")
@click.option("--overwrite", is_flag=True, help="Replace a report that is in --out already.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def evaluate_asr(
    noise: Path,
    speech: Path | None,
    digits: Path | None,
    model: str | None,
    snrs: tuple[float | None, ...],
    limits: tuple[float | None, ...],
    mixes: tuple[float, ...],
    general: bool,
    most: int | None,
    most_digits: int | None,
    longest: float | None,
    seed: int,
    out: Path | None,
    overwrite: bool,
    jobs: int,
    as_json: bool,
) -> None:
    """Tell which settings of the cleaning a speech recogniser is served best by, if by any.

    Noise from the folder NOISE is added to speech; the recognisers hear it as it came and cleaned. On sentences that
    is PocketSphinx, which brings its model of English along and here knows the words and sequences of the transcripts;
    on digits a small classifier that has learnt from clean digits of other speakers.

    Sentences lie as in LibriSpeech: sound files anywhere below DIR, and *.trans.txt or transcripts.txt with lines of a
    name without suffix and the words.

    Needs pip install "audiodae[train,evaluate]".
    """
    from audiodae.denoiser import Denoiser
    from audiodae.evaluation.recognition.measure import Plan, Setting, measure
    from audiodae.evaluation.recognition.noises import find_noises
    from audiodae.evaluation.recognition.report import to_json, to_markdown
    from audiodae.evaluation.recognition.results import Results

    if speech is None and digits is None:
        raise click.UsageError("nothing to recognise: give --speech, --digits or both")
    if out is not None:
        prepare_report_folder(out, overwrite)
    started = time.perf_counter()
    settings = tuple(Setting(limit_db, mix) for limit_db in limits for mix in mixes)
    plan = Plan(model, tuple(find_noises(noise)), snrs, settings, seed)
    card = Denoiser(model).network.card
    if card.series:
        raise AudiodaeError(f"{card.name} is a network for series: `audiodae evaluate-ecg` scores it")
    tasks, left_out = _tasks(speech, digits, most, most_digits, general=general, longest=longest)
    with progress_bar("recognising", shown=sys.stderr.isatty()) as on_progress:
        trials = measure(tasks, plan, jobs=jobs, on_progress=on_progress)
    results = Results(card.name, trials, left_out)
    click.echo(json.dumps(to_json(results), indent=2) + "\n" if as_json else to_markdown(results), nl=False)
    where = "" if out is None else _write(out, results)
    click.echo(f"heard {len(trials)} utterances in {time.perf_counter() - started:.1f} s{where}", err=True)


def _tasks(
    speech: Path | None,
    digits: Path | None,
    most: int | None,
    most_digits: int | None,
    *,
    general: bool,
    longest: float | None,
) -> tuple[dict[str, Task], dict[str, str]]:
    """The recognisers with what each is tried on, and those left out with the reason."""
    tasks, left_out = _sentences(speech, general=general, most=most, longest=longest)
    tasks |= _digits(digits, most_digits)
    if not tasks:
        raise AudiodaeError(f"nothing to try: {', '.join(left_out.values())}")
    return tasks, left_out


def _sentences(
    speech: Path | None, *, general: bool, most: int | None, longest: float | None
) -> tuple[dict[str, Task], dict[str, str]]:
    """The recognisers of sentences with what each is tried on, and those left out with the reason."""
    from audiodae.evaluation.recognition.sphinx import Sphinx
    from audiodae.evaluation.recognition.utterances import evenly, no_longer_than, read_sentences

    if speech is None:
        return {}, {}
    if importlib.util.find_spec("pocketsphinx") is None:
        return {}, {"sentences": 'pocketsphinx is missing: pip install "audiodae[evaluate]"'}
    sentences = read_sentences(speech)
    tried = tuple(evenly(no_longer_than(sentences, longest), most))
    tasks = {"sentences, known words": Sphinx(tried, tuple(sentence.words for sentence in sentences))}
    return {**tasks, **({"sentences, any words": Sphinx(tried)} if general else {})}, {}


def _digits(digits: Path | None, most: int | None) -> dict[str, Task]:
    """The recogniser of digits with what it is tried on."""
    from audiodae.evaluation.recognition.digits import Digits
    from audiodae.evaluation.recognition.utterances import evenly, read_digits

    if digits is None:
        return {}
    spoken = read_digits(digits)
    return {"digits": Digits(tuple(evenly(spoken, most)), tuple(spoken))}


def _write(out: Path, results: Results) -> str:
    """Write the report, each file complete or not at all; tell where."""
    from audiodae.evaluation.recognition.report import draw, to_csv, to_json, to_markdown
    from audiodae.plots import save

    texts = {"report.md": to_markdown(results), "report.json": json.dumps(to_json(results), indent=2) + "\n"}
    texts["heard.csv"] = to_csv(results)
    for name, text in texts.items():
        write_whole(out / name, text.encode())
    save(draw(results), out / "report.png")
    return f"; report.md, report.json, report.png and heard.csv in {out}"
