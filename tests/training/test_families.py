"""The table of families: every row trains from its name alone, and keeps what it promises."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from audiodae.errors import CorpusError, RecipeError
from audiodae.training.families import FAMILIES, family_recipe, is_family_recipe, load_family_recipe
from audiodae.training.family_loss import PENALTIES
from audiodae.training.family_recipe import FamilyLossSettings, FamilyRecipe, encode_family_recipe
from audiodae.training.family_run import train_family
from audiodae.training.penalties import noise_in_codes
from tests.training.patch_recipes import made_patches, made_sounds, small

TRAIN, VALID = made_patches(96), made_patches(24, seed=1)
HEARD, NEW = made_sounds(24), made_sounds(6, seed=1)
RECIPES = [path for path in sorted((Path(__file__).parents[2] / "recipes").glob("*.toml")) if is_family_recipe(path)]
OF_THE_TEXTS = """
    undercomplete convolutional-1d convolutional-2d fully-connected denoising-gaussian denoising-gaussian-shifted
    denoising-masking denoising-salt-pepper denoising-frames denoising-mixed sparse contractive contractive-deep
    variational denoising-variational stacked stacked-residual regularised-l1 regularised-l2 regularised-dropout
    digits-strided digits-pooled
""".split()  # noqa: SIM905 (a table to read)


def trained(name, *overrides):
    return train_family(small(name, *overrides), TRAIN, VALID)


def codes_of(run):
    with torch.no_grad():
        return run.network.encode(torch.from_numpy(VALID.clean))


def test_the_table_holds_what_the_texts_tell_of():
    assert set(OF_THE_TEXTS) <= set(FAMILIES)
    assert all(row.idea for row in FAMILIES.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_every_row_is_a_good_recipe_of_its_own(name):
    recipe = family_recipe(name)
    assert recipe.family.name == name
    others = [encode_family_recipe(family_recipe(other)) | {"family": None} for other in FAMILIES if other != name]
    assert encode_family_recipe(recipe) | {"family": None} not in others


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_learns(name):
    sounds = FAMILIES[name].corruption.kind == "mixed"
    run = train_family(small(name, "run.epochs=8"), HEARD if sounds else TRAIN, NEW if sounds else VALID)
    errors = [line["valid_mse"] for line in run.history if "valid_mse" in line]
    assert len(errors) == 8
    assert errors[-1] < errors[0]
    assert not run.network.training


def test_every_penalty_has_a_weight_of_its_name_and_a_family():
    weights = set(FamilyLossSettings.__struct_fields__) - {"error", "rho", "probes"}
    assert set(PENALTIES) == weights
    assert all(any(getattr(row.loss, name) for row in FAMILIES.values()) for name in PENALTIES)


def test_sparse_codes_are_mostly_off():
    dense, sparse = (trained("sparse", f"loss.sparsity={w}", "run.epochs=25", "code.width=150") for w in (1e-9, 3.0))
    assert codes_of(sparse).mean() < 0.15 < codes_of(dense).mean()


@pytest.mark.parametrize("name", ["contractive", "contractive-deep"])
def test_contractive_codes_move_less(name):
    nudge = 0.05 * torch.randn(VALID.clean.shape, generator=torch.Generator().manual_seed(0))

    def movement(weight):
        network = trained(name, f"loss.contraction={weight}", "run.epochs=10").network
        clean = torch.from_numpy(VALID.clean)
        with torch.no_grad():
            return float((network.encode(clean + nudge) - network.encode(clean)).square().mean())

    assert movement(10.0) < 0.5 * movement(1e-9)


def test_variational_codes_are_near_the_standard_normal():
    def divergence(weight):
        network = trained("variational", f"loss.kl={weight}", "run.epochs=20").network
        with torch.no_grad():
            mean, log_variance = network.posterior(torch.from_numpy(VALID.clean))
        return float(mean.mean().abs() + (mean.square() + log_variance.exp()).mean().sub(1).abs())

    assert divergence(1.0) < 0.5 * divergence(1e-9)


@pytest.mark.parametrize(("name", "power"), [("regularised-l1", 1), ("regularised-l2", 2)])
def test_regularised_weights_are_smaller(name, power):
    def size(weight):
        network = trained(name, f"loss.weight_l{power}={weight}", "run.epochs=10").network
        return sum(float(parameter.detach().abs().pow(power).sum()) for parameter in network.parameters())

    assert size(0.03) < 0.8 * size(1e-9)


def test_stable_codes_hold_less_noise():
    gaussian = ["corruption.kind=gaussian", "corruption.std=0.2", "run.epochs=20"]
    clean = torch.from_numpy(VALID.clean)
    nudged = (clean + 0.2 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)

    def noise(weight):
        network = trained("denoising-stable", f"loss.stability={weight}", *gaussian).network
        with torch.no_grad():
            return float(noise_in_codes(network.encode(nudged), network.encode(clean)))

    assert noise(0.1) < 0.7 * noise(1e-9)


def test_a_denoiser_beats_a_plain_autoencoder_on_noise():
    """The headline of the texts, in small."""
    noise = np.random.default_rng(0).normal(0, 0.5, VALID.clean.shape)
    noisy = np.clip(VALID.clean + noise, 0, 1).astype(np.float32)

    def error(name):
        network = trained(name, "run.epochs=60", "code.width=8", "body.filters=[40]").network
        with torch.no_grad():
            return np.square(network(torch.from_numpy(noisy)).numpy() - VALID.clean).mean()

    assert error("denoising-gaussian") < 0.625 * error("undercomplete")


def test_mixed_noise_needs_recordings():
    with pytest.raises(CorpusError, match="images"):
        trained("denoising-mixed")


def test_a_recipe_lies_over_its_row(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[family]\nname = "sparse"\n[loss]\nrho = 0.1\n[code]\nwidth = 9\n')
    recipe = load_family_recipe(path, ["code.width=10"])
    row = FAMILIES["sparse"]
    assert recipe.loss == msgspec.structs.replace(row.loss, rho=0.1)
    assert recipe.code == msgspec.structs.replace(row.code, width=10)
    assert recipe.body == row.body
    assert load_family_recipe(path, name="variational").code.variational  # what is asked for by name comes first
    assert is_family_recipe(path)
    path.write_text("[run]\nepochs = 3\n")
    assert not is_family_recipe(path)
    assert load_family_recipe(path).family.name == FamilyRecipe().family.name


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_every_recipe_of_a_family_is_good(path):
    assert load_family_recipe(path).family.name in FAMILIES


def test_a_recipe_survives_being_written_and_read(tmp_path):
    recipe = family_recipe("denoising-variational", ["run.seed=7"])
    path = tmp_path / "recipe.toml"
    path.write_bytes(msgspec.toml.encode(encode_family_recipe(recipe)))
    assert load_family_recipe(path) == recipe


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["code.wdith=3"], "unknown key code.wdith; did you mean code.width?"),
        (["body.kind=conv3d"], "conv3d"),
        (["run.epochs=often"], "epochs"),
        (["body.filters=[0]"], "body.filters"),
        (["body.filters=[]", "body.kind=conv2d"], "at least one layer"),
        (["body.filters=[]", "code.width=0"], "at least one layer"),
        (["body.kernel=4"], "body.kernel"),
        (["body.dropout=1.0"], "body.dropout"),
        (["code.width=-1"], "code.width"),
        (["code.variational=true", "code.width=0"], "code.variational"),
        (["loss.kl=1.0"], "loss.kl"),
        (["loss.sparsity=1.0"], "code.activation = sigmoid"),
        (["loss.contraction=1.0", "body.batch_norm=false"], "probes"),
        (["loss.contraction=1.0", "loss.probes=1"], "batch_norm = false"),
        (["loss.error=bce", "body.output=linear"], "output = sigmoid"),
        (["loss.weight_l1=-1.0"], "0 or more"),
        (["loss.stability=1.0"], "corruption.kind"),
        (["corruption.probability=1.5"], "from 0 to 1"),
        (["corruption.snr_db=[5, 0]"], "lower end first"),
        (["corruption.versions=0"], "versions"),
        (["run.pretrain_epochs=1", "code.variational=true"], "pretrain_epochs"),
        (["optimiser.ema=0.9"], "ema"),
        (["run.epochs=0"], "run: epochs"),
        (["run.seed=-1"], "run: seed"),
        (["patches.frames=0"], "patches: bands and frames"),
        (["patches.range_db=0.0"], "range_db"),
    ],
)
def test_a_slip_is_named(overrides, message):
    with pytest.raises(RecipeError) as caught:
        family_recipe("undercomplete", overrides)
    assert message in str(caught.value)


def test_a_family_that_is_no_table_is_named():
    with pytest.raises(RecipeError, match="family"):
        load_family_recipe(None, ["family=5"])


@pytest.mark.parametrize(
    ("name", "remedy"), [("variatonal", "did you mean variational?"), ("xyzzy", "known are under")]
)
def test_an_unknown_family_is_named(name, remedy):
    with pytest.raises(RecipeError) as caught:
        family_recipe(name)
    assert f"unknown family {name}; {remedy}" in str(caught.value)
