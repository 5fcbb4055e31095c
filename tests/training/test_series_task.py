"""Training on series: the loss, a run, its export."""

import numpy as np
import pytest
import torch

from audiodae.denoiser import Denoiser
from audiodae.errors import RecipeError
from audiodae.network import Network
from audiodae.prep.series.bank import SeriesBank, bank_path
from audiodae.prep.series.mixing import series_batch
from audiodae.training.autoencoder import build_network
from audiodae.training.data import Share, make_pairs
from audiodae.training.export import TOLERANCE, export_run, largest_difference, load_network, to_onnx
from audiodae.training.recipe import LossSettings
from audiodae.training.recipe_file import decode_recipe
from audiodae.training.run_folder import RunFolder, read_checkpoint
from audiodae.training.series_task import clean_series, series_terms, snr_db
from audiodae.training.trainer import train
from audiodae.training.wave import WaveAutoencoder
from tests.training.made_series import make_series, series_recipe


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_series(tmp_path_factory.mktemp("series"))


@pytest.fixture(scope="module")
def finished(prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    train(series_recipe(prepared), folder)
    return folder


def rows(seed=0):
    rng = torch.Generator().manual_seed(seed)
    clean = torch.randn(3, 500, generator=rng)
    return clean, clean + 0.1 * torch.randn(3, 500, generator=rng)


def test_snr_is_the_ratio_in_db():
    clean, noisy = rows()
    wanted = 10 * np.log10((clean.numpy() ** 2).sum(axis=1) / ((noisy - clean).numpy() ** 2).sum(axis=1))
    np.testing.assert_allclose(snr_db(noisy, clean, torch.ones(3, 500)).numpy(), wanted, atol=0.05)  # held at 40 dB
    assert float(snr_db(clean, clean, torch.ones(3, 500)).max()) == pytest.approx(40, abs=1e-3)


def test_what_has_no_weight_is_not_judged():
    clean, noisy = rows()
    weights = torch.ones(3, 500)
    weights[:, 100:200] = 0
    settings = LossSettings(compressed=0, complex=0, si_sdr=0, snr=1, mse=1, l1=1, huber=1)
    before = series_terms(noisy, clean, weights, settings)
    spoilt = noisy.clone()
    spoilt[:, 100:200] += 50
    after = series_terms(spoilt, clean, weights, settings)
    assert before.keys() == {"snr", "mse", "l1", "huber"}
    assert all(float(after[name]) == pytest.approx(float(before[name])) for name in before)
    spoilt[:, 200] += 50  # control
    assert float(series_terms(spoilt, clean, weights, settings)["mse"]) > 10 * float(before["mse"])


def test_a_run_learns(finished):
    lines = [line for line in RunFolder(finished).lines() if "valid_snr_db" in line]
    assert [line["step"] for line in lines] == [10, 20, 30]
    assert lines[-1]["valid_loss"] < lines[0]["valid_loss"]
    assert lines[-1]["valid_snr_db"] > lines[0]["valid_snr_db"] + 1
    assert lines[-1]["audio_hours"] == pytest.approx(30 * 8 * 256 / 100 / 3600, abs=1e-3)
    assert list((finished / "pictures").glob("*.png"))


def test_a_stopped_run_goes_on_as_if_it_had_not(prepared, tmp_path):
    steady = {"optimiser__schedule": "constant"}  # the rate of a shorter run would fall faster
    train(series_recipe(prepared, run__steps=10, **steady), tmp_path / "stopped")
    train(series_recipe(prepared, run__steps=20, **steady), tmp_path / "stopped", resume=True)
    train(series_recipe(prepared, run__steps=20, **steady), tmp_path / "whole")
    losses = [
        {line["step"]: line["loss"] for line in RunFolder(tmp_path / name).lines() if "loss" in line}
        for name in ("stopped", "whole")
    ]
    assert list(losses[0]) == list(range(1, 21))
    assert losses[0] == losses[1]


def test_the_exported_network_keeps_the_contract(finished, tmp_path):
    card = export_run(finished, tmp_path / "series.onnx")
    assert card["largest_difference"] <= TOLERANCE
    network = Network.load(tmp_path / "series.onnx")
    facts = network.card.series
    assert network.card.kind == "samples"
    assert (facts.rate_hz, facts.step, facts.delay, facts.leads) == (100.0, 4, card["series"]["delay"], 1)
    assert (facts.lowest_rate_hz, facts.highest_rate_hz) == (71.4, 142.9)


def test_other_weights_are_noticed(prepared):
    """Control."""
    recipe, networks = series_recipe(prepared), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        networks.append(build_network(recipe.network).eval())
    card = {"name": "s", "version": "1", "kind": "samples"}
    card["series"] = {"rate_hz": 100.0, "lowest_rate_hz": 70.0, "highest_rate_hz": 140.0, "step": 4, "leads": 1}
    card["series"] |= {"delay": networks[0].delay, "unit": "mV"}
    other = Network.from_bytes(to_onnx(networks[1], card), source="other")
    assert largest_difference(networks[0], other) > TOLERANCE


def test_rows_come_back_as_long_as_they_were_and_in_place(prepared):
    torch.manual_seed(0)
    network = build_network(series_recipe(prepared).network)
    assert isinstance(network, WaveAutoencoder)
    with torch.no_grad():
        for layer in (network.correct[-1], network.gate):
            layer.weight.zero_()
            layer.bias.zero_()
    noisy = torch.randn(2, 123).cumsum(dim=1)  # no multiple of the step
    torch.testing.assert_close(clean_series(network, noisy), (noisy - noisy[:, :1]) / 2, atol=1e-5, rtol=1e-5)


def test_an_offset_that_is_kept_comes_back(prepared):
    """The exported network, told the same, gives the same."""
    tables = {"rate_hz": 100.0, "step": 4, "width": 16, "dilations": [1, 2, -4]}
    noisy = torch.randn(2, 123).cumsum(dim=1) + 1000
    made = []
    for offset in ("removed", "kept"):
        torch.manual_seed(0)
        made.append(
            clean_series(
                build_network(series_recipe(prepared, network__wave=tables | {"offset": offset}).network), noisy
            )
        )
    torch.testing.assert_close(made[1], made[0] + noisy[:, :1], atol=1e-3, rtol=0)


def test_what_is_trained_is_what_is_shipped(finished, tmp_path):
    export_run(finished, tmp_path / "series.onnx")
    folder = RunFolder(finished)
    network = load_network(folder.recipe(), read_checkpoint(folder.best)[0])
    noisy = torch.randn(1, 901).cumsum(dim=1) + 5
    shipped = Denoiser(tmp_path / "series.onnx").clean(noisy[0].numpy(), sample_rate=100)
    np.testing.assert_allclose(shipped, clean_series(network, noisy)[0].numpy(), atol=1e-4)
    assert not np.allclose(shipped, noisy[0].numpy(), atol=1e-2)  # control: it did something


def test_processes_share_the_batches_of_the_bank(prepared):
    recipe, cpu = series_recipe(prepared), torch.device("cpu")
    bank = SeriesBank.load(bank_path(prepared, "train"))
    for rank in (0, 1):
        pairs = make_pairs(recipe, split="train", batch_size=4, share=Share(rank, 2), device=cpu)
        wanted = series_batch(recipe.run.seed, "train", 3 * 2 + rank, 4, bank, recipe.data.series)
        assert all(np.array_equal(*pair) for pair in zip(pairs[3], wanted, strict=True))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"network": {"body": "wave"}}, "body = wave and data.source = series go together"),
        ({"data": {"source": "series"}}, "body = wave and data.source = series go together"),
        ({"loss": {"snr": 1.0}}, "snr is for series alone"),
        ({"network": {"body": "wave"}, "data": {"source": "series"}, "loss": {"snr": 1.0}}, "set bce, compressed"),
        ({"network": {"wave": {"dilations": [1, 0]}}}, "dilations other than 0"),
        ({"data": {"series": {"turn_share": 2.0}}}, r"data\.series.*from 0 to 1"),
        ({"network": {"wave": {"dilation": [1]}}}, "did you mean network.wave.dilations"),
    ],
)
def test_recipes_that_cannot_work_are_refused(tables, message):
    with pytest.raises(RecipeError, match=message):
        decode_recipe(tables, source="test")


def test_another_rate_than_the_bank_s_is_refused(tmp_path):
    make_series(tmp_path, rate_hz=50.0)
    with pytest.raises(RecipeError, match="holds 50 Hz, and network.wave.rate_hz is 100"):
        train(series_recipe(tmp_path), tmp_path / "run")
