"""`audiodae robustness`: try a network where a test set does not look."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import click

from audiodae.cli.progress import progress_bar
from audiodae.cli.report_folder import prepare_report_folder
from audiodae.whole_file import write_whole

PATH = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  audiodae robustness test/clean --model my.onnx --out runs/my/robustness")
@click.argument("speech_dir", type=PATH, required=False)
@click.option("--model", metavar="NAME|PATH", help="Network to try.  [default: $AUDIODAE_MODEL, else speech]")
@click.option("--sentences", type=click.IntRange(min=2), default=12, show_default=True, help="How many, 5 s each.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of all that is random.")
@click.option(
    "--only", multiple=True, metavar="CONDITION", help="Condition to try, as named in the report.  [default: all]"
)
@click.option("--out", type=PATH, help="Folder for robustness.md, robustness.json and onsets.png.")
@click.option("--overwrite", is_flag=True, help="Replace a report that is in --out already.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that score.  [default: one a CPU core]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def robustness(
    speech_dir: Path | None,
    model: str | None,
    sentences: int,
    seed: int,
    only: tuple[str, ...],
    out: Path | None,
    overwrite: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Try a network on clean speech, hiss, babble, music, clicks, loud and quiet, telephones, rooms, clipping,
    whispers, children, after silence and at the onsets of words.

    SPEECH_DIR holds clean speech of any rate, at any depth; the folders at its top are groups (languages, corpora) and
    get a table of their own. Without it voices are synthesised, which say no words. Every condition is made from the
    sentences and --seed; means, and means of the worst tenth.

    `audiodae export --robustness OUT/robustness.json` keeps the figures in the card.

    Needs pip install "audiodae[train,evaluate]".
    """
    from audiodae.evaluation.robustness.conditions import CONDITIONS
    from audiodae.evaluation.robustness.report import measure_robustness, to_json, to_markdown
    from audiodae.evaluation.robustness.sentences import SYNTHESISED, read_sentences, synthesised_sentences

    if unknown := [name for name in only if name not in CONDITIONS]:
        raise click.BadParameter(f"{unknown[0]!r}; known are {', '.join(map(repr, CONDITIONS))}", param_hint="--only")
    if out is not None:
        prepare_report_folder(out, overwrite, report="robustness.md")
    started = time.perf_counter()
    found = read_sentences(speech_dir, sentences) if speech_dir else synthesised_sentences(sentences, seed=seed)
    processes = min(jobs or os.cpu_count() or 1, len(found))
    with progress_bar("trying", shown=sys.stderr.isatty()) as on_progress:
        report = measure_robustness(
            found,
            model,
            speech="recordings" if speech_dir else SYNTHESISED,
            seed=seed,
            jobs=processes if processes > 1 else None,
            conditions=tuple(dict.fromkeys(only or CONDITIONS)),
            on_progress=on_progress,
        )
    figures, tables = to_json(report), to_markdown(report)
    text = json.dumps(figures, indent=2) + "\n"
    click.echo(text if as_json else tables, nl=False)
    if out is not None:
        from audiodae.evaluation.robustness.onsets_plot import draw_onsets

        write_whole(out / "robustness.json", text.encode())
        write_whole(out / "robustness.md", tables.encode())
        draw_onsets(figures, out / "onsets.png")
    where = f"; the report is {out / 'robustness.md'}" if out is not None else ""
    click.echo(f"tried {len(found)} sentences in {time.perf_counter() - started:.1f} s{where}", err=True)
