"""The folder of a report on ECG: report.md, report.html, report.json, scores.csv and pictures."""

import json
from pathlib import Path

from audiodae.evaluation.series.page import report_html
from audiodae.evaluation.series.pictures import pictures
from audiodae.evaluation.series.report import EcgReport, report_csv, report_json, report_markdown
from audiodae.evaluation.series.scoring import Cleaner
from audiodae.evaluation.series.sets import EcgSet
from audiodae.whole_file import write_whole


def write_report(out: Path, report: EcgReport, test_set: EcgSet, cleaner: Cleaner) -> None:
    """Write everything into a folder that is there; each file is written whole or not at all.

    Parameters
    ----------
    report : of the set
    test_set, cleaner : what the pictures are drawn from
    """
    drawn = pictures(test_set, cleaner, report)
    for name, _, png in drawn:
        write_whole(out / name, png)
    for name, text in {
        "report.md": report_markdown(report, [(name, said) for name, said, _ in drawn]),
        "report.html": report_html(report, drawn),
        "report.json": json.dumps(report_json(report), indent=2) + "\n",
        "scores.csv": report_csv(report),
    }.items():
        write_whole(out / name, text.encode())
