import csv
import io
import json

import pytest

from audiodae.evaluation.pairs import Pair, find_pairs
from audiodae.evaluation.report import Report, evaluate, to_csv, to_json, to_markdown
from audiodae.evaluation.scoring import FileScore


def score(name, system, snr_db, value):
    pair = Pair(name, None, None, snr_db, {} if snr_db is None else {"file": name, "snr_db": str(snr_db), "noise": "n"})
    return FileScore(pair, system, {"pesq_wb": value, "stoi": value / 10, "estoi": value / 20, "si_sdr_db": value * 2})


def report_at(snrs):
    systems = {"noisy": 1.0, "cleaned": 2.0, "clean in": 4.0}
    scores = [
        score(f"{index}", system, snr_db, value + index)
        for index, snr_db in enumerate(snrs)
        for system, value in systems.items()
    ]
    return Report("toy", scores, 0.00714)


def test_markdown_is_exactly_this():
    expected = """\
Network `toy` on 3 files: means.

| SNR (dB) | system  | files | PESQ-WB |   STOI |  ESTOI | SI-SDR (dB) |
| -------: | ------- | ----: | ------: | -----: | -----: | ----------: |
|       -5 | noisy   |     1 |   2.000 | 0.2000 | 0.1000 |        4.00 |
|       -5 | cleaned |     1 |   3.000 | 0.3000 | 0.1500 |        6.00 |
|       10 | noisy   |     2 |   2.000 | 0.2000 | 0.1000 |        4.00 |
|       10 | cleaned |     2 |   3.000 | 0.3000 | 0.1500 |        6.00 |
|      all | noisy   |     3 |   2.000 | 0.2000 | 0.1000 |        4.00 |
|      all | cleaned |     3 |   3.000 | 0.3000 | 0.1500 |        6.00 |

Cleaned over noisy: SI-SDR +2.00 dB, PESQ-WB +1.000, STOI +0.1000, ESTOI +0.0500.
Clean speech in: SI-SDR 10.00 dB, PESQ-WB 5.000.
Real-time factor, one thread, median over files: 0.0071.
"""
    assert to_markdown(report_at([10.0, -5.0, 10.0])) == expected


def test_without_conditions_there_is_one_mean():
    report = report_at([None, None])
    assert report.by_snr() == []
    assert [(mean.system, mean.n_files) for mean in report.over_all()] == [
        ("noisy", 2),
        ("cleaned", 2),
        ("clean in", 2),
    ]
    assert "|      all | cleaned |" in to_markdown(report)


def test_many_ratios_are_grouped_to_5_db():
    drawn = [-5.2, -1.0, 1.9, 2.4, 2.6, 4.0, 7.4, 7.6, 11.0, 12.4, 12.6]
    levels = {mean.snr_db: mean.n_files for mean in report_at(drawn).by_snr()}
    assert levels == {-5: 1, 0: 3, 5: 3, 10: 3, 15: 1}
    kept = {mean.snr_db for mean in report_at(drawn[:10]).by_snr()}
    assert kept == set(drawn[:10])


def test_csv_has_a_row_for_each_file_and_system():
    rows = list(csv.DictReader(io.StringIO(to_csv(report_at([10.0, -5.0])))))
    assert len(rows) == 6
    assert rows[3] == {
        "file": "1",
        "system": "noisy",
        "snr_db": "-5.0",
        "noise": "n",
        "pesq_wb": "2.000000",
        "stoi": "0.200000",
        "estoi": "0.100000",
        "si_sdr_db": "4.000000",
    }


def test_json_holds_the_means():
    means = json.loads(json.dumps(to_json(report_at([10.0, -5.0]))))
    assert (means["model"], means["n_files"], means["real_time_factor"]) == ("toy", 2, 0.00714)
    assert means["by_snr"][0] == {
        "snr_db": -5.0, "system": "noisy", "n_files": 1,
        "pesq_wb": 2.0, "stoi": 0.2, "estoi": 0.1, "si_sdr_db": 4.0,
    }  # fmt: skip
    assert means["over_all"][-1]["system"] == "clean in" and means["over_all"][-1]["snr_db"] is None


def test_evaluate_scores_cleans_and_counts(pair_folders, gate):
    seen = []
    report = evaluate(
        find_pairs(*pair_folders), gate, oracle=False, on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(1, 2), (2, 2)]
    assert {score.system for score in report.scores} == {"noisy", "cleaned", "clean in"}
    assert report.model == "gate" and report.real_time_factor > 0
    assert [mean.snr_db for mean in report.by_snr()] == [pytest.approx(0), 0, 10, 10]
