"""Fine-tuning: another network afterwards, from the one that was given, in the noise that was given."""

import json

import numpy as np
import pytest

from audiodae import Denoiser
from audiodae.errors import CorpusError, TrainingError
from audiodae.network import Network
from audiodae.prep.bank import Bank, read_entries
from audiodae.training import finetune
from audiodae.training.export import export_run
from audiodae.training.finetune import FineTuneSettings, fine_tune
from audiodae.training.run_folder import RunFolder
from tests.prep.made_corpus import bytes_of, make_noise, make_speech, write_sound

FEW = FineTuneSettings(steps=12, batch_size=2, clips=2)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(finetune, "REHEARSED", {"train": 3, "valid": 2})
    monkeypatch.setattr(finetune, "ROOMS", {"train": 1, "valid": 1})
    monkeypatch.setattr(finetune, "VALID_EXAMPLES", 4)


@pytest.fixture(scope="module")
def model(finished, tmp_path_factory):
    target = tmp_path_factory.mktemp("models") / "tiny.onnx"
    export_run(finished, target)
    return target


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpus")
    make_speech(root / "speech")
    make_noise(root / "noise")
    return root


def test_another_network_comes_out(model, corpus, tmp_path):
    told = []
    out = tmp_path / "tuned"
    tuned = fine_tune(model, out, noise=corpus / "noise", speech=corpus / "speech", settings=FEW, report=told.append)
    before, after = Network.load(model), Network.load(tuned)
    assert after.card.name == f"{before.card.name}-tuned"
    assert after.card["made_by"] == "audiodae finetune"
    assert after.state_size == before.state_size
    sound = (0.1 * np.random.default_rng(1).standard_normal(16_000)).astype(np.float32)
    assert not np.array_equal(Denoiser(model).clean(sound, 16_000), Denoiser(tuned).clean(sound, 16_000))
    assert told[-1]["step"] == FEW.steps
    for name in ("own", "other"):
        assert len(list((out / "clips" / name / "noisy").iterdir())) == FEW.clips

    again = bytes_of(out)
    fine_tune(model, out, noise=corpus / "noise", speech=corpus / "speech", settings=FEW)
    assert bytes_of(out) == again  # it was finished: nothing is done twice


def test_it_starts_from_the_network_given(model, corpus, tmp_path):
    """With a rate of next to nothing the network stays what it was, to the last bit of a gain; others would show."""
    still = FineTuneSettings(steps=2, batch_size=2, clips=1, learning_rate=1e-12)
    tuned = fine_tune(model, tmp_path, noise=corpus / "noise", speech=corpus / "speech", settings=still)
    sound = (0.1 * np.random.default_rng(1).standard_normal(16_000)).astype(np.float32)
    before, after = (Denoiser(file).clean(sound, 16_000) for file in (model, tuned))
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_a_single_recording_is_held_out_by_its_end(model, corpus, tmp_path):
    ramp = np.linspace(0.1, 0.5, 16_000 * 10)
    write_sound(tmp_path / "noise" / "fan.wav", ramp)
    fine_tune(model, tmp_path / "out", noise=tmp_path / "noise", speech=corpus / "speech", settings=FEW)
    levels = {}
    for split in ("train", "valid"):
        bank = Bank.load(tmp_path / "out" / "prepared" / "bank" / split / "noise")
        (own,) = [n for n, path in enumerate(bank.paths) if path.startswith("fan.wav")]
        levels[split] = bank.read(own, 0, int(bank.lengths[own]))
    assert len(levels["train"]) == 16_000 * 8
    assert len(levels["valid"]) == 16_000 * 2
    assert levels["train"].max() <= levels["valid"].min()


def test_noise_of_ones_own_comes_as_often_as_all_the_rest(model, corpus, tmp_path):
    fine_tune(model, tmp_path, noise=corpus / "noise", speech=corpus / "speech", settings=FEW)
    entries = read_entries(tmp_path / "prepared" / "bank" / "train" / "noise" / "index.jsonl")
    assert {entry.group for entry in entries} == {"own", "simulated"}
    assert RunFolder(tmp_path / "run").recipe().optimiser.learning_rate == FEW.learning_rate


def test_without_speech_voices_are_made_up(model, corpus, tmp_path, monkeypatch):
    made = []

    def few_voices(settings, out, **_):
        made.append(settings)
        make_speech(out / "speech")

    monkeypatch.setattr(finetune, "synthesise_corpus", few_voices)
    tuned = fine_tune(model, tmp_path / "out", noise=corpus / "noise", speech=None, settings=FEW)
    assert len(made) == 1
    assert json.loads(json.dumps(dict(Network.load(tuned).card.entries)))["recipe"]["run"]["steps"] == FEW.steps


def test_what_cannot_be_used_is_refused(model, corpus, tmp_path):
    write_sound(tmp_path / "short" / "fan.wav", 0.1 * np.ones(16_000))
    write_sound(tmp_path / "one" / "me" / "a.wav", 0.1 * np.ones(16_000))
    write_sound(tmp_path / "one" / "me" / "b.wav", 0.1 * np.ones(16_000))
    for noise, speech, message in (
        (tmp_path / "none", corpus / "speech", "no such folder"),
        (tmp_path / "short", corpus / "speech", "1.0 s of noise, too little"),
        (corpus / "noise", tmp_path / "one", "one speaker"),
    ):
        with pytest.raises(CorpusError, match=message):
            fine_tune(model, tmp_path / "out", noise=noise, speech=speech, settings=FEW)


def test_a_run_of_other_settings_is_refused(model, corpus, tmp_path):
    fine_tune(model, tmp_path, noise=corpus / "noise", speech=corpus / "speech", settings=FEW)
    other = FineTuneSettings(steps=12, batch_size=2, clips=2, learning_rate=1e-3)
    with pytest.raises(TrainingError, match=r"optimiser\.learning_rate"):
        fine_tune(model, tmp_path, noise=corpus / "noise", speech=corpus / "speech", settings=other)
