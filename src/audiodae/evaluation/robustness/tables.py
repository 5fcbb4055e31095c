"""The tables of a report on robustness, of its JSON: for the terminal, robustness.md and the page of a card alike."""

from collections.abc import Mapping
from typing import Any

from audiodae.markdown_table import markdown_table

HEAD = (
    *("condition", "PESQ-WB in", "out", "worst", "ESTOI in", "out", "gain, worst"),
    *("SI-SDR in", "out", "kept", "worst"),
)


def means_tables(figures: Mapping[str, Any]) -> str:
    """The tables, and a line above them that says how to read them.

    Parameters
    ----------
    figures : of `report.to_json`, or those of them that a card keeps
    """
    named = f"Network `{figures['model']}` on" if "model" in figures else "On"
    sections = [
        f"{named} {figures['sentences']} sentences, {figures['speech']}. `in` is what goes in, `out` what comes out, "
        "`worst` the mean of the worst tenth. `kept` is how much is left of the speech, dB, in moments of 100 ms.",
        markdown_table([HEAD, *([row["condition"], *_scores(row)] for row in figures["conditions"])]),
    ]
    if figures["measures"]:
        rows = [
            [row["condition"], _named(row["measure"]), _number(row["mean"], 2), _number(row["worst"], 2)]
            for row in figures["measures"]
        ]
        sections.append(markdown_table([["condition", "measure", "mean", "worst"], *rows], texts=range(2)))
    if figures["groups"]:
        by_group = [[row["group"], row["condition"], str(row["n"]), *_scores(row)] for row in figures["groups"]]
        sections.append(markdown_table([["group", "condition", "n", *HEAD[1:]], *by_group], texts=range(2)))
    unscored = [f"{row['unscored']} of {row['condition']}" for row in figures["conditions"] if row["unscored"]]
    if unscored:
        sections.append(f"Without a score, for what came out was silent or held no speech: {', '.join(unscored)}.")
    return "\n\n".join(sections)


def _scores(row: Mapping[str, Any]) -> list[str]:
    noisy, cleaned, worst = row["noisy"], row["cleaned"], row["worst"]
    return [
        *(_number(each["pesq_wb"], 2) for each in (noisy, cleaned, worst)),
        *(_number(scores["estoi"], 3) for scores in (noisy, cleaned)),
        _number(row["estoi_gain_worst"], 3, sign=True),
        *(_number(scores["si_sdr_db"], 1) for scores in (noisy, cleaned)),
        _number(row["kept_db"], 1),
        _number(row["kept_worst_db"], 1),
    ]


def _named(measure: str) -> str:
    return {"pesq_wb": "PESQ-WB", "estoi": "ESTOI", "si_sdr_db": "SI-SDR (dB)"}.get(measure, measure)


def _number(value: float | None, decimals: int, *, sign: bool = False) -> str:
    if value is None:
        return "–"
    text = format(value, f"{'+' if sign else ''}.{decimals}f")
    return text.replace("-", "", 1) if float(text) == 0 else text
