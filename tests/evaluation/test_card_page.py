"""The page of a network says what its card says; the pages of those shipped are fresh."""

import json
from importlib import resources

import pytest

from audiodae.evaluation.card_page import card_page
from audiodae.network import Network, shipped_networks
from tests import networks
from tests.markdown import unpadded


def mean(snr_db, system, value):
    return {
        "snr_db": snr_db,
        "system": system,
        "n_files": 2,
        "pesq_wb": value,
        "stoi": 0.5,
        "estoi": 0.25,
        "si_sdr_db": 9.0,
    }


REPORT = {
    "n_files": 2,
    "real_time_factor": 0.0051,
    "by_snr": [mean(0, "noisy", 1.25), mean(0, "cleaned", 2.0)],
    "over_all": [mean(None, "noisy", 1.25), mean(None, "cleaned", 2.0), mean(None, "clean in", 4.125)],
}


def test_it_tells_what_the_card_tells():
    told = networks.card(
        licence="MIT", data="my kitchen", made_by="make it", limits="no trains", audio_hours=3.5, steps=7000, seed=1,
        hardware="a CPU", metrics=REPORT,
    )  # fmt: skip
    page = unpadded(card_page(Network(networks.constant(1.0, card_text=json.dumps(told)).SerializeToString())))
    for part in ("my kitchen", "make it", "no trains", "3.5 hours", "step 7,000", "a CPU", "MIT", "0.0051"):
        assert part in page
    assert "| 0 | cleaned | 2.00 | 0.500 | 0.250 | 9.0 |" in page
    assert "SI-SDR 9.0 dB, PESQ-WB 4.12 out" in page


def test_robustness_is_a_section_of_its_own():
    scores = {"pesq_wb": 2.0, "estoi": 0.5, "si_sdr_db": 9.0}
    row = {
        "condition": "clicks", "noisy": scores, "cleaned": scores, "worst": {"pesq_wb": 1.5}, "estoi_gain_worst": 0.01,
        "kept_db": -0.5, "kept_worst_db": -2.0, "unscored": 0,
    }  # fmt: skip
    robust = {"speech": "recordings", "sentences": 12, "seed": 1, "conditions": [row], "measures": [], "groups": []}
    told = networks.card(
        data="d", made_by="m", limits="no trains", audio_hours=3.5, steps=7000, hardware="a CPU",
        metrics=REPORT | {"robustness": robust},
    )  # fmt: skip
    page = card_page(Network(networks.constant(1.0, card_text=json.dumps(told)).SerializeToString()))
    assert page.index("## How good it is") < page.index("## How robust it is") < page.index("## What it does not do")
    assert "On 12 sentences, recordings." in page and "| clicks    |       2.00 | 2.00 |  1.50 |" in page


@pytest.mark.parametrize("name", sorted(shipped_networks()))
def test_the_pages_of_shipped_networks_are_fresh(name):
    page = resources.files("audiodae").joinpath(f"models/{name}.md").read_text(encoding="utf-8")
    assert page == card_page(Network.load(shipped_networks()[name])), "made again by `make docs`"
