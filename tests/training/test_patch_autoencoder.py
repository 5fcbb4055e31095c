"""Patch autoencoders: shapes, files, and what a linear one must find: PCA's plane, the bound of a Gaussian model."""

import itertools
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.stats import multivariate_normal
from torch import nn

from audiodae.errors import TrainingError
from audiodae.prep.patch_sets import Patches
from audiodae.training.families import FAMILIES, family_recipe
from audiodae.training.family_loss import family_terms
from audiodae.training.family_run import train_family
from audiodae.training.patch_autoencoder import MODEL, PatchAutoencoder
from tests.training.patch_recipes import SHAPE, small


def built(recipe, shape=SHAPE):
    torch.manual_seed(0)
    return PatchAutoencoder.build(recipe, shape).eval()


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("shape", [SHAPE, (7, 13), (8, 8)])
def test_every_family_gives_back_its_shape(name, shape):
    network = built(small(name), shape)
    patches = torch.rand(3, *shape)
    with torch.no_grad():
        codes, made = network.encode(patches), network(patches)
    assert codes.shape == (3, network.code_width)
    assert network.decode(codes).shape == made.shape == patches.shape
    assert float(made.min()) >= 0 and float(made.max()) <= 1


@pytest.mark.parametrize(
    ("kind", "residual", "norm", "width"),
    list(itertools.product(["dense", "conv1d", "conv2d", "pooled"], [False, True], [False, True], [0, 4])),
)
def test_every_body_gives_back_its_shape(kind, residual, norm, width):
    switches = [f"body.residual={str(residual).lower()}", f"body.batch_norm={str(norm).lower()}"]
    network = built(small("stacked", f"body.kind={kind}", f"code.width={width}", "body.kernel=5", *switches))
    patches = torch.rand(3, *SHAPE)
    assert network(patches).shape == patches.shape
    assert network.encode(patches).shape == (3, network.code_width)
    assert any(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in network.modules()) == norm


def test_each_stage_gives_back_what_it_is_given():
    features = torch.rand(3, *SHAPE)
    for stage in built(small("stacked-residual")).stages:
        coded = stage.encode(features)
        assert stage.decode(coded).shape == features.shape
        features = coded


def test_a_residual_layer_adds_to_what_it_gets():
    network = built(small("stacked-residual"))
    with torch.no_grad():
        plain = [stage.encode[:-1](torch.rand(2, *SHAPE)) for stage in network.stages[:1]]
        for parameter in network.stages[0].encode[-1].parameters():
            parameter.zero_()
        assert torch.equal(network.stages[0].encode[-1](plain[0]), plain[0])


def test_the_texts_networks_are_as_they_say():
    strided = built(family_recipe("digits-strided"), (28, 28))
    convolutions = [module for module in strided.modules() if isinstance(module, nn.Conv2d)]
    assert [(conv.out_channels, conv.stride) for conv in convolutions] == [(32, (2, 2)), (64, (2, 2))]
    assert any(isinstance(module, nn.LeakyReLU) and module.negative_slope == 0.2 for module in strided.modules())
    assert strided.code_width == 16
    pooled = built(family_recipe("digits-pooled"), (28, 28))
    assert [type(module).__name__ for module in pooled.stages[1].encode.modules()].count("MaxPool2d") == 1
    assert sum(isinstance(module, nn.ConvTranspose2d) for module in pooled.modules()) == 2
    assert pooled.code_width == 64 * 7 * 7


def test_a_file_tells_all(tmp_path):
    network = built(small("denoising-variational"))
    network.save(tmp_path / MODEL)
    patches = torch.rand(5, *SHAPE)
    for source in (tmp_path, tmp_path / MODEL, str(tmp_path)):
        again = PatchAutoencoder.load(source)
        assert not again.training
        assert (again.recipe, again.shape, again.code_width) == (network.recipe, SHAPE, 5)
        assert torch.equal(again.encode(patches), network.encode(patches))
        assert torch.equal(again(patches), network(patches))


@pytest.mark.parametrize("content", [None, b"", b"not a network at all"])
def test_what_is_no_network_is_named(tmp_path, content):
    path = tmp_path / "odd.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"odd\.safetensors"):
        PatchAutoencoder.load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.pop("shape"),
        lambda facts: facts.update(shape=[3, 3]),
        lambda facts: facts["recipe"]["body"].update(filters=[7]),
        lambda facts: facts["recipe"].update(bodies={}),
    ],
)
def test_a_file_that_does_not_fit_itself_is_named(tmp_path, change):
    network = built(small("undercomplete"))
    network.save(tmp_path / MODEL)
    from audiodae.training.run_folder import read_checkpoint

    tensors, facts = read_checkpoint(tmp_path / MODEL)
    change(facts)
    save_file(tensors, tmp_path / MODEL, metadata={"facts": json.dumps(facts)})
    with pytest.raises(TrainingError, match=MODEL):
        PatchAutoencoder.load(tmp_path)


def test_a_linear_autoencoder_finds_the_plane_of_pca():
    rng = np.random.default_rng(0)
    strengths = np.diag([3.0, 2.0, 1.0])
    data = rng.standard_normal((400, 3)) @ strengths @ np.linalg.qr(rng.standard_normal((30, 3)))[0].T
    data += 0.1 * rng.standard_normal(data.shape)
    patches = Patches(data.reshape(-1, 5, 6).astype(np.float32), {}, [""] * 400)
    linear = [
        "body.filters=[]",
        "body.output=linear",
        "code.width=3",
        "optimiser.learning_rate=0.02",
        "run.batch_size=20",
    ]
    network = train_family(family_recipe("undercomplete", [*linear, "run.epochs=40"]), patches, patches).network
    plane = np.linalg.svd(data - data.mean(axis=0), full_matrices=False)[2][:3].T  # (30, 3)

    def smallest_cosine(of):
        decoded = of.stages[0].decode[0].weight.detach().numpy()
        return np.linalg.svd(plane.T @ np.linalg.qr(decoded)[0])[1].min()

    untrained = built(network.recipe, (5, 6))
    assert smallest_cosine(network) > 0.995
    assert smallest_cosine(untrained) < 0.8
    centred = data - data.mean(axis=0)
    of_pca = np.square(centred - centred @ plane @ plane.T).mean()
    with torch.no_grad():
        made = network(torch.from_numpy(patches.clean)).numpy()
    assert of_pca * 0.99 < np.square(made - patches.clean).mean() < of_pca * 1.02


class LinearGaussian:
    """x = W z + b + noise of variance s2 with W' W diagonal: its posterior is normal with a diagonal covariance.

    p(x) = N(b, W W' + s2 I), p(z | x) = N(M^-1 W' (x - b), s2 M^-1) with M = W' W + s2 I (Tipping and Bishop 1999).
    The loss of a variational family with loss.kl = 2 s2 is 2 s2 times the negative bound, but for a constant.
    """

    def __init__(self, values=12, width=2, s2=0.2):
        rng = np.random.default_rng(1)
        self.s2 = s2
        self.weight = np.linalg.qr(rng.standard_normal((values, width)))[0] * [1.5, 0.7]
        self.bias = rng.standard_normal(values)
        self.patches = multivariate_normal.rvs(self.bias, self.covariance, size=60, random_state=2)

    @property
    def covariance(self):
        return self.weight @ self.weight.T + self.s2 * np.eye(len(self.bias))

    def network(self):
        linear = ["body.filters=[]", "body.output=linear", "code.width=2", "loss.error=mse", f"loss.kl={2 * self.s2}"]
        network = PatchAutoencoder.build(family_recipe("variational", linear), (3, 4)).double()
        precision = np.diag(self.weight.T @ self.weight) + self.s2
        to_mean = self.weight.T / precision[:, None]
        (stage,) = network.stages
        encode, decode = stage.encode[1], stage.decode[0]
        with torch.no_grad():
            encode.weight.copy_(torch.from_numpy(np.vstack([to_mean, np.zeros_like(to_mean)])))
            encode.bias.copy_(torch.from_numpy(np.concatenate([-to_mean @ self.bias, np.log(self.s2 / precision)])))
            decode.weight.copy_(torch.from_numpy(self.weight))
            decode.bias.copy_(torch.from_numpy(self.bias))
        return network.train()

    def loss(self, network):
        """Mean over many draws of the code, and the mean's standard error."""
        patches = torch.from_numpy(self.patches).reshape(-1, 3, 4).repeat(40, 1, 1)
        generator = torch.Generator().manual_seed(3)
        with torch.no_grad():
            draws = [sum(family_terms(network, patches, patches, generator).values()) for _ in range(50)]
        return float(np.mean(draws)), float(np.std(draws) / np.sqrt(len(draws)))

    def closed_form(self):
        likelihood = multivariate_normal.logpdf(self.patches, self.bias, self.covariance).mean()
        return 2 * self.s2 * (-likelihood - len(self.bias) / 2 * np.log(2 * np.pi * self.s2))


def test_with_the_true_posterior_the_variational_bound_is_the_likelihood():
    model = LinearGaussian()
    loss, error = model.loss(model.network())
    assert error < 1e-3 * model.closed_form()
    assert loss == pytest.approx(model.closed_form(), abs=4 * error)


@pytest.mark.parametrize("number", [0, 2])  # a mean, a variance
def test_with_another_posterior_it_is_worse(number):
    model = LinearGaussian()
    network = model.network()
    with torch.no_grad():
        network.stages[0].encode[1].bias[number] += 0.8
    loss, error = model.loss(network)
    assert loss > model.closed_form() + 8 * error
