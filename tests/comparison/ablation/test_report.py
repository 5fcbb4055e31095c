"""The tables of an ablation, from figures made up."""

from audiodae.comparison.ablation.pictures import figure
from audiodae.comparison.ablation.report import report, to_csv
from audiodae.comparison.ablation.runs import Outcome


def run(group, name, seed, si_sdr_db, loss):
    measures = {"loss": loss, "si_sdr_db": si_sdr_db, "noisy_si_sdr_db": 1.0, "pesq": 2.0, "parameters": 1_234_567}
    measures |= {"hop_ms": 0.1, "rtf": 0.004, "compressed": 0.05, "complex": 0.1}
    return {
        "group": group, "name": name, "seed": seed, "set": ["network.code=none"] if group else [], "steps": 10,
        "measures": measures, "curve": [(5, 0.5), (10, si_sdr_db)],
    }  # fmt: skip


FOUND = [
    *(run("", "base", 1, 5.0, 0.08), run("", "base", 2, 5.4, 0.07)),
    *(run("code", "none", 1, 4.0, 0.09), run("code", "dual", 1, 6.0, 0.06), run("code", "dual", 2, 6.2, 0.05)),
    run("body", "conv1d", 3, 3.0, 0.1),
]
OUTCOME = Outcome(FOUND, {"body: wild, seed 1": "not a number"})


def rows(page, title):
    lines = page.partition(f"\n## {title}\n")[2].partition("\n##")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def test_a_table_for_each_group_with_the_base_first_and_the_best_in_bold():
    titles, _, base, none, dual = rows(report(OUTCOME), "code")
    assert titles[1:4] == ["loss", "SI-SDR, dB", "to base"]
    assert base[:4] == ["base", "0.0750 ± 0.0071", "5.20 ± 0.28", "–"]
    assert none[:4] == ["none", "0.0900", "4.00", "-1.00"]  # against the base of its own seed
    assert dual[:4] == ["dual", "**0.0550 ± 0.0071**", "**6.10 ± 0.14**", "0.90 ± 0.14"]
    assert dual[-4:] == ["1,234,567", "–", "0.100 ± 0.000", "0.0040 ± 0.0000"]  # no time of a step was measured


def test_a_seed_that_the_base_lacks_has_no_difference():
    *_, conv1d = rows(report(OUTCOME), "body")
    assert conv1d[:4] == ["conv1d", "0.1000", "3.00", "–"]


def test_the_spread_of_the_base_and_what_failed_are_told():
    page = report(OUTCOME)
    assert "The 2 seeds of the base lie within 0.40 dB of each other" in page
    assert "- body: wild, seed 1: not a number" in page


def test_a_csv_line_for_each_run():
    head, first, *_, last = to_csv(OUTCOME).splitlines()
    assert head.startswith("group,row,seed,steps,noisy_si_sdr_db,loss,si_sdr_db,si_sdr_to_base_db,pesq")
    assert first.startswith(",base,1,10,1,0.08,5,,2,")
    assert last.startswith("body,conv1d,3,10,1,0.1,3,,2,") and last.endswith(",network.code=none")
    assert ",1234567," in first  # every digit


def test_the_picture_names_what_no_other_beats():
    losses, costs, curves = figure(OUTCOME).axes
    assert [text.get_text() for text in losses.texts] == ["dual"]
    assert len(costs.collections) == 4
    assert len(curves.lines) == 6
    assert figure(Outcome([], {})).axes  # nothing yet
