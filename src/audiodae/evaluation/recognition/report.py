"""The report on recognisers: Markdown, JSON, CSV and a picture."""

import csv
import io
from collections.abc import Sequence

from matplotlib.figure import Figure

from audiodae.evaluation.recognition.measure import Setting
from audiodae.evaluation.recognition.results import Rate, Results
from audiodae.markdown_table import markdown_table

DPI = 120


def to_markdown(results: Results) -> str:
    """What was tried on what, the best settings, and for each recogniser its rates and what cleaning does to them."""
    lines = [f"Network `{results.model}`: word error rates, %, of what came (noisy) and of what was cleaned.", ""]
    lines += [_sentence(results, task) for task in results.tasks]
    if len(results.tasks) > 1:
        lines.append(_best_of_all(results))
    lines += [f"- Left out: {task} ({why})." for task, why in results.left_out.items()]
    for task in results.tasks:
        lines += ["", f"## {task}", "", _rates(results, task), "", *_verdicts(results, task)]
    return "\n".join(lines) + "\n"


def to_json(results: Results) -> dict[str, object]:
    """Every rate with its interval as plain values, shares of the words."""
    return {
        "model": results.model,
        "left_out": results.left_out,
        "best_of_all": _plain(results.best_of_all()),
        "tasks": {
            task: {
                **dict(zip(("utterances", "words", "speakers"), results.count(task), strict=True)),
                "best": _plain(results.best(task)),
                "rates": [
                    {"snr_db": snr_db, "setting": _plain(setting), **vars(results.rate(task, snr_db, setting))}
                    for snr_db in results.snrs_db
                    for setting in (None, *results.settings)
                ],
            }
            for task in results.tasks
        },
    }


def to_csv(results: Results) -> str:
    """A row for each utterance, ratio and setting: what was said and what was heard."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["recogniser", "utterance", "snr_db", "cleaned", "limit_db", "mix", "errors", "said", "heard"])
    for trial in results.trials:
        chosen = ("no", "", "") if trial.setting is None else ("yes", trial.setting.limit_db, trial.setting.mix)
        said, heard = " ".join(trial.utterance.words), " ".join(trial.heard)
        rows.writerow([trial.task, trial.utterance.name, trial.snr_db, *chosen, trial.errors, said, heard])
    return table.getvalue()


def draw(results: Results) -> Figure:
    """Word error rate over the ratio, a panel for each recogniser; the band is the interval of what came."""
    figure = Figure(figsize=(4.4 * len(results.tasks), 4.2), dpi=DPI, layout="constrained")
    places = range(len(results.snrs_db))
    for axes, task in zip(figure.subplots(1, len(results.tasks), squeeze=False)[0], results.tasks, strict=True):
        came = [results.rate(task, snr_db, None) for snr_db in results.snrs_db]
        axes.plot(places, _percent(came), "s-", color="0.4", label="noisy")
        axes.fill_between(
            places, [100 * rate.low for rate in came], [100 * rate.high for rate in came], color="0.4", alpha=0.15
        )
        best = results.best(task)
        for setting in results.settings:
            rates = _percent([results.rate(task, snr_db, setting) for snr_db in results.snrs_db])
            if setting == best:
                axes.plot(places, rates, "o-", color="C0", linewidth=2.2, label=f"{setting} (best)", zorder=3)
            else:
                axes.plot(places, rates, ".--", linewidth=1, label=str(setting))
        axes.set(title=task, xlabel="SNR in (dB)", ylabel="word error rate (%)", ylim=(0, None))
        axes.set_xticks(places, [_ratio(snr_db) for snr_db in results.snrs_db])
        axes.grid(alpha=0.3)
        axes.legend(fontsize="x-small")
    return figure


def _sentence(results: Results, task: str) -> str:
    utterances, words, speakers = results.count(task)
    best = results.best(task)
    before, after = 100 * results.mean(task, None), 100 * results.mean(task, best)
    told = f"- {task}: {utterances} utterances, {words} words, {speakers} speakers. "
    if after < before:
        return f"{told}Best: **{best}**, {before:.1f} to {after:.1f} % in the mean of all ratios."
    return f"{told}Best left **uncleaned**: {before:.1f} %, and {after:.1f} % with {best}, in the mean of all ratios."


def _best_of_all(results: Results) -> str:
    best = results.best_of_all()
    change = 100 * (results.relative(best) - 1)
    if change < 0:
        return f"- Best for all, each in shares of its own errors: **{best}** ({change:+.0f} %)."
    return f"- Best for all, each in shares of its own errors: **uncleaned** ({change:+.0f} % with {best})."


def _rates(results: Results, task: str) -> str:
    """A row for each setting; the lowest of each column in bold."""
    rows: list[Setting | None] = [None, *results.settings]
    columns = [[results.rate(task, snr_db, setting).wer for setting in rows] for snr_db in results.snrs_db]
    columns.append([results.mean(task, setting) for setting in rows])
    table = [["", *map(_ratio, results.snrs_db), "mean"]]
    for number, setting in enumerate(rows):
        cells = (_bold(f"{100 * column[number]:.1f}", column[number] == min(column)) for column in columns)
        table.append(["noisy" if setting is None else str(setting), *cells])
    return markdown_table(table)


def _verdicts(results: Results, task: str) -> list[str]:
    """What the best setting does at each ratio, with the interval of the difference."""
    best = results.best(task)
    lines = [f"What {best} does, in points of %, with an interval of 95 % (utterances drawn anew):", ""]
    for snr_db in results.snrs_db:
        gain = results.gain(task, [snr_db], best)
        where = "without noise" if snr_db is None else f"at {snr_db:g} dB"
        interval = f"{100 * gain.wer:+.1f} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
        lines.append(f"- {where}: {interval}, {results.verdict(task, snr_db, best)}")
    return lines


def _percent(rates: Sequence[Rate]) -> list[float]:
    return [100 * rate.wer for rate in rates]


def _ratio(snr_db: float | None) -> str:
    return "no noise" if snr_db is None else f"{snr_db:g} dB"


def _bold(text: str, wanted: bool) -> str:
    return f"**{text}**" if wanted else text


def _plain(setting: Setting | None) -> dict[str, float | None] | None:
    return None if setting is None else {"limit_db": setting.limit_db, "mix": setting.mix}
