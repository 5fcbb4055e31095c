"""A whole small comparison: planned, carried out, stopped and gone on with, and reported."""

import json
import re
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from audiodae.comparison import runs
from audiodae.comparison.report import write_report
from tests.comparison.small import place
from tests.markdown import unpadded

MEASURES = {
    *("error_clean", "error_noisy", "gain_db", "gain_db@0.25", "input_error@0.5", "auc_burst", "auc_unseen"),
    *("probe_digit_clean", "probe_digit_noisy", "precision_clean", "precision_noisy", "neighbours_noisy"),
    *("sensitivity", "sparsity", "moment_mean", "moment_std", "parameters", "train_seconds", "microseconds"),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    here = place(tmp_path_factory.mktemp("comparison"))
    told = []
    return here, runs.carry_out(here, jobs=1, on_progress=lambda done, total: told.append((done, total))), told


def test_the_plan_has_every_family_and_seed_once(tmp_path):
    planned = runs.plan(place(tmp_path))
    assert len(planned) == len({run.path(tmp_path) for run in planned})
    named = {(run.subject, run.method, run.seed) for run in planned if run.held_out is None}
    for seed in (1, 2):
        assert {("spoken", "denoising-mixed", seed), ("handwritten", "variational", seed)} <= named
    assert ("handwritten", "denoising-mixed", 1) not in named  # noise is not mixed into images
    assert ("spoken", "log-mel-parts", 1) in named and ("spoken", "log-mel-parts", 2) not in named
    held = {run.held_out for run in planned if run.method == "undercomplete" and run.held_out}
    assert len(held) == 6


def test_every_run_is_measured(done):
    _, found, told = done
    by_name = {(of["run"]["subject"], of["run"]["method"]): of for of in found if of["run"]["held_out"] is None}
    network = by_name["handwritten", "denoising-gaussian"]
    assert set(network["measures"]) >= MEASURES
    assert network["recipe"]["corruption"]["kind"] == "gaussian" and network["history"][-1]["epoch"] == 1
    assert "probe_speaker_clean" in by_name["spoken", "undercomplete"]["measures"]
    assert "error_clean" not in by_name["handwritten", "raw"]["measures"]
    assert all(np.isfinite(value) for of in found for value in of["measures"].values())
    assert told[0] == (0, len(found)) and told[-1] == (len(found), len(found))


def test_a_stopped_comparison_goes_on(done, monkeypatch):
    here, found, _ = done
    lost = runs.Run("handwritten", "variational", 2).path(here.out)
    before = json.loads(lost.read_text())
    lost.write_text('{"half')
    made = []
    monkeypatch.setattr(runs, "make", lambda place, run, make=runs.make: (made.append(run), make(place, run)))
    runs.carry_out(here, jobs=1, on_progress=lambda *_: None)
    assert [(run.method, run.seed) for run in made] == [("variational", 2)]
    after = json.loads(lost.read_text())
    for name in ("error_clean", "probe_digit_noisy", "auc_unseen"):
        assert after["measures"][name] == before["measures"][name]


def test_other_numbers_make_the_runs_anew(done):
    here, _, _ = done
    other = msgspec.structs.replace(here.settings.handwritten, overrides=("run.epochs=2",))
    changed = replace(here, settings=msgspec.structs.replace(here.settings, handwritten=other))
    run = runs.Run("handwritten", "undercomplete", 1)
    assert runs._found(here, run) is not None and runs._found(changed, run) is None


def test_the_report_stands_by_itself(done):
    here, found, _ = done
    markdown, page = (path.read_text() for path in write_report(here, found))
    for family in ("undercomplete", "denoising-mixed", "variational"):
        assert f"| {family} |" in unpadded(markdown) and f'<th scope="row">{family}</th>' in page
    assert "log-mel, five parts" in page and "±" in page and "class=best" in page
    for image in re.findall(r"\]\((figures/[^)]+)\)", markdown):
        assert (here.out / image).read_bytes()[:4] == b"\x89PNG"
    assert page.count("data:image/png;base64,") == markdown.count("](figures/")
    assert not re.search(r'(src|href)="(?!data:|#)', page) and "<script" not in page
    for anchor in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{anchor}"' in page
