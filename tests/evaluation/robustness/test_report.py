import json

import pytest

from audiodae.evaluation.robustness.conditions import CLEAN, CONDITIONS, IN_NOISE, LEVELS, SHOUT
from audiodae.evaluation.robustness.measures import FIRST_100_MS, FIRST_500_MS, KEPT, LEVEL_CHANGE, OFFSETS, ONSETS
from audiodae.evaluation.robustness.report import (
    SPREAD,
    Robustness,
    card_figures,
    to_json,
    to_markdown,
    worst_tenth,
)
from audiodae.evaluation.robustness.run import Outcome


def scores(value):
    return {"pesq_wb": value, "estoi": value / 10, "si_sdr_db": value * 3}


def outcome(sentence, condition, *, noisy=None, cleaned=None, group="", values=None, curves=(), unscored=""):
    measured = {measure.name: [0.0] for measure in (KEPT, *CONDITIONS[condition].measures)} | (values or {})
    return Outcome(
        sentence, group, condition, noisy and scores(noisy), cleaned and scores(cleaned), measured, list(curves),
        unscored,
    )  # fmt: skip


def report(*outcomes):
    return Robustness("toy", "recordings", 1, outcomes)


SMALL = report(
    outcome("a", CLEAN, cleaned=4.0, values={ONSETS.name: [-1.0, -5.0], OFFSETS.name: []}, curves=[[0.0, -2.0]]),
    outcome("b", CLEAN, cleaned=3.0, values={KEPT.name: [-1.0, -9.0], ONSETS.name: [-3.0], OFFSETS.name: []}),
    outcome("a", "babble, 5 dB", noisy=1.0, cleaned=2.0),
    outcome("b", "babble, 5 dB", noisy=2.0, cleaned=1.5),
    outcome("a", SHOUT, values={FIRST_100_MS.name: [-7.0], FIRST_500_MS.name: [-4.0]}),
)


def test_markdown_is_exactly_this():
    expected = """\
Network `toy` on 2 sentences, recordings. `in` is what goes in, `out` what comes out, `worst` the mean of the worst \
tenth. `kept` is how much is left of the speech, dB, in moments of 100 ms.

| condition    | PESQ-WB in |  out | worst | ESTOI in |   out | gain, worst | SI-SDR in |  out | kept | worst |
| ------------ | ---------: | ---: | ----: | -------: | ----: | ----------: | --------: | ---: | ---: | ----: |
| clean speech |          – | 3.50 |  3.00 |        – | 0.350 |           – |         – | 10.5 | -3.3 |  -9.0 |
| babble, 5 dB |       1.50 | 1.75 |  1.50 |    0.150 | 0.175 |      -0.050 |       4.5 |  5.2 |  0.0 |   0.0 |

| condition          | measure                                     |  mean | worst |
| ------------------ | ------------------------------------------- | ----: | ----: |
| clean speech       | level change (dB)                           |  0.00 |  0.00 |
| clean speech       | first 100 ms of words against the rest (dB) | -3.00 | -5.00 |
| clean speech       | last 100 ms of words against the rest (dB)  |     – |     – |
| a shout after 10 s | first 100 ms kept (dB)                      | -7.00 | -7.00 |
| a shout after 10 s | first 500 ms kept (dB)                      | -4.00 | -4.00 |

- clean speech: nothing to do
- babble, 5 dB: up to six other voices of the set at once
- a shout after 10 s: speech at -6 dBFS after 10 s of noise at -60 dBFS
"""
    assert to_markdown(SMALL) == expected


def test_the_worst_tenth_is_on_the_bad_side_and_one_at_least():
    assert worst_tenth([3.0, 1.0, 2.0]) == 1.0
    assert worst_tenth([3.0, 1.0, 2.0], low_is_bad=False) == 3.0
    assert worst_tenth(list(range(12))) == 0.5
    assert worst_tenth([]) is None


def test_json_holds_the_figures_and_the_curves():
    figures = json.loads(json.dumps(to_json(SMALL), allow_nan=False))
    assert (figures["model"], figures["sentences"], figures["seed"]) == ("toy", 2, 1)
    assert figures["conditions"][1]["worst"]["si_sdr_db"] == 4.5
    assert figures["after_onsets"][CLEAN] == {"ms": [12.5, 37.5], "mean_db": [0.0, -2.0], "worst_db": [0.0, -2.0]}


def test_the_spread_over_the_levels_is_that_of_each_sentence():
    values = {"a": (2.0, 2.0, 3.0), "b": (1.0, 1.5, 1.2)}
    told = to_json(
        report(
            *(
                outcome(sentence, name, cleaned=value)
                for sentence, of_levels in values.items()
                for name, value in zip(LEVELS.values(), of_levels, strict=True)
            )
        )
    )
    spread = {row["measure"]: (row["mean"], row["worst"]) for row in told["measures"] if row["condition"] == SPREAD}
    assert spread["pesq_wb"] == (pytest.approx(0.75), pytest.approx(1.0))
    assert spread["si_sdr_db"] == (pytest.approx(2.25), pytest.approx(3.0))


def test_groups_have_rows_of_their_own():
    told = to_json(
        report(
            *(outcome(f"{group}/1", CLEAN, cleaned=value, group=group) for group, value in (("nl", 4.0), ("mi", 3.0))),
            outcome("nl/1", IN_NOISE, noisy=1.0, cleaned=2.0, group="nl"),
        )
    )
    assert [(row["group"], row["condition"], row["n"]) for row in told["groups"]] == [
        ("mi", CLEAN, 1), ("nl", CLEAN, 1), ("nl", IN_NOISE, 1),
    ]  # fmt: skip
    assert told["groups"][0]["cleaned"]["pesq_wb"] == 3.0


def test_what_could_not_be_scored_is_said_and_not_in_the_means():
    silent = report(outcome("a", CLEAN, cleaned=4.0), outcome("b", CLEAN, unscored="estimate is silent"))
    assert to_json(silent)["conditions"][0]["cleaned"]["pesq_wb"] == 4.0
    assert "Without a score, for what came out was silent or held no speech: 1 of clean speech." in to_markdown(silent)
    assert "Without a score" not in to_markdown(SMALL)


def test_a_card_keeps_few_rows_and_rounds():
    whole = report(
        *(outcome("a", name, noisy=1.23456, cleaned=2.34567) for name in CONDITIONS),
        outcome("b", CLEAN, cleaned=1 / 3, values={LEVEL_CHANGE.name: [-0.123456]}),
    )
    kept = card_figures(to_json(whole))
    assert "at -26 dBFS" not in {row["condition"] for row in kept["conditions"]} and len(kept["conditions"]) < 16
    assert kept["conditions"][1]["noisy"]["pesq_wb"] == 1.235
    assert len(json.dumps(kept)) < 8000
    with pytest.raises(KeyError):
        card_figures({"by_snr": []})
