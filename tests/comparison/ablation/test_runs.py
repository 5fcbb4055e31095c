"""The runs of an ablation: all judged alike, never done twice, taken up where they stood, small when done."""

import json

import pytest

from audiodae.comparison.ablation import runs
from audiodae.comparison.ablation.judge import Judge
from audiodae.comparison.ablation.runs import Stopwatch, carry_out, make
from audiodae.comparison.ablation.settings import load_ablation
from audiodae.errors import TrainingError
from audiodae.training import trainer
from audiodae.training.losses import si_sdr
from tests.comparison.ablation.small import write_ablation
from tests.prep.made_banks import make_prepared


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="module")
def trials(prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    return load_ablation(write_ablation(folder, prepared), ["seeds=[1]", "base_seeds=[1]"], prepared=prepared)[:3]


def quiet(trials, out, done=None):
    notes = [] if done is None else done
    return carry_out(trials, out, on_progress=lambda *_: None, on_done=lambda _, name: notes.append(name))


@pytest.fixture(scope="module", autouse=True)
def no_pictures():
    """Tests of the trainer look at them; drawing takes longer than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "_draw", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def finished(trials, tmp_path_factory):
    """All of them, in one go."""
    out = tmp_path_factory.mktemp("whole")
    return out, quiet(trials, out)


def test_every_run_leaves_measures_and_little_else(finished, trials):
    out, outcome = finished
    assert [(of["group"], of["name"]) for of in outcome.found] == [(t.group, t.name) for t in trials]
    assert outcome.failed == {}
    for of, trial in zip(outcome.found, trials, strict=True):
        measured = {"loss", "si_sdr_db", "noisy_si_sdr_db", "pesq", "compressed", "complex"}
        assert {*of["measures"]} == measured | {"parameters", "hop_ms", "rtf", "step_seconds"}
        assert all(value > 0 for name, value in of["measures"].items() if "si_sdr" not in name)
        left = {path.name for path in (out / "runs" / trial.folder).iterdir()}
        assert left == {"result.json", "network.onnx", "recipe.toml", "log.jsonl"}


def test_all_are_judged_on_the_examples_of_the_base(finished):
    base, none, dry = finished[1].found
    assert {of["measures"]["noisy_si_sdr_db"] for of in (base, none, dry)} == {base["measures"]["noisy_si_sdr_db"]}
    assert base["measures"]["parameters"] > none["measures"]["parameters"]
    assert [step for step, _ in none["curve"]] == [3, 6]
    assert dry["curve"] == []  # its own validation examples have no rooms: its curve says nothing beside the others


def test_the_loss_is_that_of_the_default_recipe(finished):
    measures = finished[1].found[0]["measures"]
    wanted = measures["compressed"] + 0.5 * measures["complex"]
    # SI-SDR is the mean over batches as well: one batch here.
    assert measures["loss"] == pytest.approx(wanted - 0.002 * measures["si_sdr_db"], abs=1e-4)


def test_the_noisy_figure_is_that_of_the_validation_examples(trials, finished):
    judge = Judge(trials[0].recipe)
    ((noisy, clean),) = judge._batches
    wanted = -float(si_sdr(estimate=noisy, clean=clean))
    assert finished[1].found[0]["measures"]["noisy_si_sdr_db"] == pytest.approx(wanted)


def test_what_is_done_is_not_done_again(finished, trials, monkeypatch):
    monkeypatch.setattr(runs, "train", None)  # would be called in vain
    done = []
    assert quiet(trials, finished[0], done) == finished[1]
    assert done == []


def test_a_half_done_run_goes_on_and_finds_the_same(finished, trials, tmp_path):
    def killed(line):
        if line["step"] == 4:
            raise KeyboardInterrupt

    folder = tmp_path / "runs" / trials[0].folder
    with pytest.raises(KeyboardInterrupt):
        trainer.train(trials[0].recipe, folder, report=killed)
    assert (folder / "last.safetensors").exists() and not (folder / "result.json").exists()
    steps = []
    found = make(trials[0], tmp_path, Judge(trials[0].recipe), report=steps.append)
    assert steps[0] == 3  # saved every two steps: one was in vain
    quality = ("loss", "si_sdr_db", "pesq")
    wanted = finished[1].found[0]["measures"]
    assert [found["measures"][name] for name in quality] == pytest.approx([wanted[name] for name in quality], abs=1e-6)


def test_a_run_that_fails_is_told_and_stops_no_other(finished, trials, tmp_path, monkeypatch):
    def fails_first(trial, *arguments, **settings):
        if trial is trials[0]:
            raise TrainingError("losses are no numbers")
        path = tmp_path / "runs" / trial.folder
        path.mkdir(parents=True)
        return json.loads((finished[0] / "runs" / trial.folder / "result.json").read_text())

    monkeypatch.setattr(runs, "make", fails_first)
    done = []
    outcome = quiet(trials[:2], tmp_path, done)
    assert outcome.failed == {"base, seed 1": "losses are no numbers"}
    assert [of["name"] for of in outcome.found] == ["none"]
    assert done == ["base, seed 1", "code: none, seed 1"]


def test_a_look_is_no_step(monkeypatch):
    clock = iter([0.0, 1.0, 2.0, 12.0, 13.0])
    monkeypatch.setattr(runs.time, "process_time", lambda: next(clock))
    watch = Stopwatch()
    assert watch.seconds is None
    for step in (10, 20, 30, 40, 50):  # a look between 30 and 40
        watch.take({"step": step, "loss": 0.1})
        watch.take({"step": step, "valid_loss": 0.1})
    assert watch.seconds == pytest.approx(0.1)
