import csv
import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from audiodae.evaluation.series.page import report_html
from audiodae.evaluation.series.published import PUBLISHED
from audiodae.evaluation.series.report import (
    EcgReport,
    evaluate,
    report_csv,
    report_json,
    report_markdown,
    summary,
    tables,
)
from audiodae.evaluation.series.scoring import NOISY, Score
from audiodae.evaluation.series.tables import Table, number, to_markdown
from tests.evaluation.series.made_up import Scaled

FRAMES = ("ssd", "mad", "prd", "prd_deepfilter", "cosine")


def values(size, **more):
    return {name: size for name in FRAMES} | {f"{name}_sd": size / 2 for name in FRAMES} | more


@pytest.fixture
def report():
    """Two records, one kind, two ratios, two systems: the better system has half the error."""
    scores = []
    for system, share in ((NOISY, 1.0), ("toy", 0.5)):
        for record, size in (("a", 1.0), ("b", 3.0)):
            for snr in (6.0, -6.0):
                of_series = values(
                    share * size - snr / 100,
                    snr_gain_db=10 * (1 - share),
                    st_error_mv=share,
                    r_f1=0.9,
                    qrs_bias_percent=math.nan,
                )
                scores.append(Score("snr", f"{record}_bw_{snr:g}dB", "bw", snr, system, of_series))
            if system == "toy":
                scores.append(Score("clean", record, "", None, system, values(size, snr_out_db=25 + size)))
        scores.append(Score("beats", "bw", "bw", None, system, values(share, snr_gain_db=5 * share)))
    return EcgReport("toy", scores, 12.345)


def test_means(report):
    assert report.mean("toy", "ssd", snr_db=-6) == pytest.approx(1.06)
    assert report.mean("toy", "ssd") == pytest.approx(1)
    assert report.mean("toy", "snr_out_db", protocol="clean") == 27
    assert math.isnan(report.mean("toy", "ssd", kind="em"))


def test_a_table_reads_as_text():
    table = Table("Title", "Said.", ["system", "x"], [["a", "1.0"], ["longer", "-"]])
    assert (
        to_markdown(table)
        == """\
## Title

Said.

| system |   x |
| ------ | --: |
| a      | 1.0 |
| longer |   - |
"""
    )
    assert number(math.nan, 2) == "-" and number(-1.005, 1) == "-1.0"


def test_tables_hold_the_means(report):
    made = {table.title: table for table in tables(report)}
    assert made["By signal-to-noise ratio"].rows == [
        ["noisy input", "-6", "2.06", "2.060", "2.1", "2.060", "0.00", "0.900"],
        ["toy", "-6", "1.06", "1.060", "1.1", "1.060", "5.00", "0.900"],
        ["noisy input", "6", "1.94", "1.940", "1.9", "1.940", "0.00", "0.900"],
        ["toy", "6", "0.94", "0.940", "0.9", "0.940", "5.00", "0.900"],
    ]
    assert made["SNR gain by kind of noise"].head == ["system", "bw -6", "bw 6"]
    assert made["SNR gain by kind of noise"].rows == [["toy", "5.0", "5.0"]]
    assert made["ST level and QRS amplitude"].rows[1] == ["toy", "-6", "0.500", "-", "-", "-"]
    assert made["Clean ECG in"].rows == [["toy", "27.0", "2.000", "-", "-", "-", "-"]]
    beats = made["Single beats, as DeepFilter's protocol has them"].rows
    assert beats[1] == ["toy", "bw", "0.5 (0.2)", "0.500 (0.250)", "0.5 (0.2)", "0.5 (0.2)", "0.500 (0.250)", "2.5"]
    assert made["Published values"].rows[-1][:3] == ["DeepFilter", "Romero et al. 2021", "5.203 (7.915)"]
    assert "Heart beats found" in made
    without = EcgReport("toy", [Score("snr", "a", "bw", 0.0, "toy", values(1.0, snr_gain_db=0.0))], 1.0)
    assert tables(without)[0].head[-1] == "SNR gain, dB"
    titles = [table.title for table in tables(without)]
    assert "Heart beats found" not in titles and len(titles) == 5


def test_published_values_are_those_of_the_table():
    assert {row.method: row.means[3] for row in PUBLISHED} == {
        "FIR": 0.692, "IIR": 0.736, "FCN-DAE": 0.770, "DRNN": 0.878, "DeepFilter": 0.897,
    }  # fmt: skip


def test_markdown_begins_with_what_was_measured(report):
    text = report_markdown(report, [("gain.png", "The gain.")])
    assert text.startswith("# ECG: toy\n\n`toy` on 4 noisy series of 2 records: means. A day of one lead takes 12.3 s")
    assert "\n![The gain.](gain.png)\n" in text and summary(report) in text


def test_json_has_the_means_and_no_nan(report):
    found = json.loads(json.dumps(report_json(report), allow_nan=False))
    assert (found["model"], found["seconds_a_day"]) == ("toy", 12.345)
    assert [(row["snr_db"], row["system"]) for row in found["snr"]] == [
        (-6, NOISY), (-6, "toy"), (6, NOISY), (6, "toy"),
    ]  # fmt: skip
    assert found["snr"][1]["ssd"] == pytest.approx(1.06)
    assert found["snr"][1]["qrs_bias_percent"] is None
    assert found["clean"][0]["snr_out_db"] == 27 and found["beats"][1]["snr_gain_db"] == 2.5


def test_csv_has_a_row_for_each_score(report):
    rows = list(csv.DictReader(io.StringIO(report_csv(report))))
    assert len(rows) == len(report.scores)
    assert (rows[0]["name"], rows[0]["snr_db"], rows[0]["ssd"]) == ("a_bw_6dB", "6", "0.94")
    assert rows[0]["snr_out_db"] == "" == rows[-1]["snr_db"]


def test_the_page_needs_nothing_else(report):
    evil = EcgReport("<b>toy", [replace(score, system="<b>toy") for score in report.scores], 1.0)
    page = report_html(evil, [("gain.png", 'a "gain"', b"PNG")])
    assert "<b>toy" not in page and "&lt;b&gt;toy" in page
    assert 'src="data:image/png;base64,UE5H"' in page and "http" not in page
    assert page.count("<table>") == len(tables(report)) == page.count("</table>")
    marked = report_html(report).count('<tr class="examined">')
    assert marked == len(re.findall(r'<th scope="row">toy</th>', report_html(report))) > 4


def test_evaluate_examines_the_first_system(mixed):
    found = evaluate(mixed, lambda: {"half": Scaled(0.5), "same": Scaled()}, peaks=False)
    assert found.examined == "half" and found.seconds_a_day > 0
    assert found.systems == [NOISY, "half", "same"]
    assert found.snrs_db == [-6, 6] and found.kinds("snr") == ["bw", "em", "ma", "all"]


def test_the_python_of_the_page_runs(ecg_folders, tmp_path, monkeypatch, capsys):
    for folder, name in zip(ecg_folders, ("records", "noise"), strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[3] / "docs" / "ecg.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(code, "docs/ecg.md", "exec"), {})
    assert capsys.readouterr().out.startswith("# ECG: IIR 0.67-150 Hz")
