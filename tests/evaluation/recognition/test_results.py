import dataclasses
import json
from pathlib import Path

import pytest

from audiodae.evaluation.recognition.measure import Setting, Trial
from audiodae.evaluation.recognition.report import draw, to_csv, to_json, to_markdown
from audiodae.evaluation.recognition.results import Results
from audiodae.evaluation.recognition.utterances import Utterance
from tests.markdown import unpadded

FULL, GENTLE = Setting(None, 1.0), Setting(6.0, 1.0)
# Errors in each of thirty utterances of four words: by ratio and setting.
ERRORS = {
    (0.0, None): 3, (0.0, FULL): 1, (0.0, GENTLE): 2,
    (20.0, None): 1, (20.0, FULL): 2, (20.0, GENTLE): 1,
    (None, None): 0, (None, FULL): 1, (None, GENTLE): 0,
}  # fmt: skip


def trials(task, errors):
    said = [Utterance(f"u{n:02d}", Path(f"u{n}.wav"), ("a", "b", "c", "d"), f"s{n % 3}") for n in range(30)]
    return [
        Trial(
            task, one, snr, setting, ("a",), count + (number % 2 if (task, snr, setting) == ("one", 20, GENTLE) else 0)
        )
        for (snr, setting), count in errors.items()
        for number, one in enumerate(said)
    ]


@pytest.fixture(scope="module")
def results():
    # For the second recogniser what came is best, and there are half as many words wrong.
    left = {key: 1 if key[1] is None else 2 for key in ERRORS}
    return Results("net", [*reversed(trials("one", ERRORS)), *trials("two", left)], {"three": "no such package"})


def test_rates_are_errors_over_words(results):
    assert results.rate("one", 0.0, None).wer == 0.75
    assert results.rate("one", 20.0, GENTLE).wer == pytest.approx(0.375)
    rate = results.rate("one", 20.0, GENTLE)
    assert rate.low < 0.36 < 0.375 < 0.39 < rate.high
    assert results.mean("one", None) == pytest.approx((0.75 + 0.25 + 0) / 3)
    assert results.snrs_db == [0.0, 20.0, None] and results.count("one") == (30, 120, 3)


def test_the_best_setting(results):
    assert results.best("one") == GENTLE  # 0.5, 0.375, 0 against 0.25, 0.5, 0.25
    assert results.best_of_all() == GENTLE
    assert results.relative(GENTLE) == pytest.approx((0.875 + 2) / 2)


def test_verdicts_follow_the_interval_of_the_difference(results):
    assert results.verdict("one", 0.0, FULL) == "helps"
    assert results.verdict("one", None, FULL) == "harms"
    assert results.verdict("one", None, GENTLE) == "no clear difference"
    gain = results.gain("one", [20.0], GENTLE)
    assert gain.wer == pytest.approx(0.125) and gain.low > 0


def test_both_sides_of_a_difference_are_drawn_together():
    said = [Utterance(f"u{n:02d}", Path("u.wav"), ("a",) * 8, "s") for n in range(30)]
    found = [Trial("one", one, 0.0, None, (), n % 7) for n, one in enumerate(said)]
    found += [Trial("one", one, 0.0, FULL, (), n % 7 + 1) for n, one in enumerate(said)]
    results = Results("net", found, {})
    rate, gain = results.rate("one", 0.0, FULL), results.gain("one", [0.0], FULL)
    assert rate.high - rate.low > 0.1  # utterances differ, but all lose alike
    assert (gain.wer, gain.low, gain.high) == (0.125, 0.125, 0.125)


def test_the_page_says_where_cleaning_harms(results):
    page = unpadded(to_markdown(results))
    assert "- one: 30 utterances, 120 words, 3 speakers. Best: **limit 6 dB**, 33.3 to 29.2 % in the mean" in page
    assert "- two: 30 utterances, 120 words, 3 speakers. Best left **uncleaned**: 25.0 %, and 50.0 %" in page
    assert "shares of its own errors: **uncleaned** (+44 % with limit 6 dB)." in page
    assert "- Left out: three (no such package)." in page
    assert "| noisy | 75.0 | **25.0** | **0.0** | 33.3 |" in page
    assert "| no limit | **25.0** | 50.0 | 25.0 | 33.3 |" in page
    assert "- at 0 dB: -25.0 (-25.0 to -25.0), helps" in page
    assert "- without noise: +25.0 (+25.0 to +25.0), harms" in page  # of two


def test_the_page_of_a_cleaning_that_helps(results):
    helped = [trial for trial in results.trials if trial.task == "one"]
    again = [dataclasses.replace(trial, task="again") for trial in helped]
    assert "shares of its own errors: **limit 6 dB** (-12 %)." in to_markdown(Results("net", [*helped, *again], {}))


def test_programs_read_the_same(results, tmp_path):
    told = json.loads(json.dumps(to_json(results)))
    assert told["best_of_all"] == told["tasks"]["one"]["best"] == {"limit_db": 6.0, "mix": 1.0}
    assert told["tasks"]["one"]["rates"][0] == {"snr_db": 0.0, "setting": None, "wer": 0.75, "low": 0.75, "high": 0.75}
    rows = to_csv(results).splitlines()
    assert rows[0].startswith("recogniser,utterance,snr_db,cleaned") and len(rows) == 1 + 2 * 9 * 30
    assert "two,u00,0.0,no,,,1,a b c d,a" in rows
    draw(results).savefig(tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
