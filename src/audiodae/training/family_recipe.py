"""What a run of one family of patch autoencoders is made of: the settings that the texts tune, by name.

A recipe is a row of `audiodae.training.families` with a TOML file, and `--set`, laid over it. The error of a patch is a
sum over its values, as the texts write it, and penalties are added to that sum: their weights mean what the texts mean.
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from audiodae.errors import RecipeError
from audiodae.prep.patches import PatchSettings
from audiodae.training.recipe import Activation, OptimiserSettings
from audiodae.training.recipe_tables import Tables, to_struct


class FamilyName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which row of the table of families the recipe is laid over.

    Attributes
    ----------
    name : see docs/families.md
    """

    name: str = "undercomplete"


class BodySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The layers of the encoder; the decoder mirrors them.

    Attributes
    ----------
    kind : dense, conv1d (bands are channels, convolved over time), conv2d (strides of 2) or pooled (conv2d, max-pooling
        in place of strides)
    filters : width of each layer; none for a code straight from the input
    kernel : size of a convolution, odd
    activation, batch_norm, dropout : after each layer; dropout is the share of values zeroed
    residual : a second layer of the same width after each, added to what it gets
    output : sigmoid keeps what is decoded in [0, 1], linear leaves it
    """

    kind: Literal["dense", "conv1d", "conv2d", "pooled"] = "dense"
    filters: tuple[int, ...] = (256,)
    kernel: int = 3
    activation: Activation = "leaky_relu"
    batch_norm: bool = True
    residual: bool = False
    dropout: float = 0.0
    output: Literal["sigmoid", "linear"] = "sigmoid"


class CodeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bottleneck.

    Attributes
    ----------
    width : values of a code; 0 takes the features of the last layer as they are
    activation : of the code
    variational : the code is drawn from a normal distribution that the encoder names; when it is used, its mean
    """

    width: int = 32
    activation: Activation = "none"
    variational: bool = False


class CorruptionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done to the input, while the target stays clean.

    Attributes
    ----------
    kind : none; gaussian noise, clipped to [0, 1]; masking, values zeroed; salt_pepper, values set to 0 or 1; frames,
        whole columns zeroed; mixed, noise mixed into the recordings
    mean, std : of gaussian
    probability : with which masking, salt_pepper and frames strike
    noise : a folder of recordings for mixed; empty makes noises up; white for white noise alone
    snr_db : lowest and highest of mixed
    clean_share : of the patches that are left clean, so that the codes of clean and noisy ones lie in one place
    versions : of each recording that mixed makes ahead
    """

    kind: Literal["none", "gaussian", "masking", "salt_pepper", "frames", "mixed"] = "none"
    mean: float = 0.0
    std: float = 0.5
    probability: float = 0.3
    noise: str = ""
    snr_db: tuple[float, float] = (-5.0, 20.0)
    clean_share: float = 0.2
    versions: int = 10


class FamilyLossSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is minimised: an error, summed over a patch, and penalties with their weights. See `training.penalties`.

    Attributes
    ----------
    error : squared, absolute, or binary cross-entropy
    sparsity, rho : weight, and the mean activation that each value of a sigmoid code is drawn to
    contraction, probes : weight of the squared norm of the encoder's Jacobian; random probes that estimate it, 0 for
        the exact one of a one-layer sigmoid encoder
    stability : weight of the noise in the code, relative to how the code varies from patch to patch
    kl : weight of the divergence of a variational code from the standard normal distribution
    weight_l1, weight_l2 : of the sums of absolute and squared weights
    """

    error: Literal["mse", "l1", "bce"] = "mse"
    sparsity: float = 0.0
    rho: float = 0.05
    contraction: float = 0.0
    probes: int = 0
    stability: float = 0.0
    kl: float = 0.0
    weight_l1: float = 0.0
    weight_l2: float = 0.0


class FamilyRunSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long, and how much at a time.

    Attributes
    ----------
    seed : of the first weights, the order and the noise
    epochs : rounds through the training patches
    pretrain_epochs : rounds for each layer by itself, before all learn together; 0 for none
    batch_size : patches a step
    threads : of the CPU; 0 for what torch chooses
    """

    seed: int = 1
    epochs: int = 30
    pretrain_epochs: int = 0
    batch_size: int = 64
    threads: int = 0


def adam(learning_rate: float = 2e-3) -> OptimiserSettings:
    """What families learn with: a rate that falls from the first step on, no average, hardly a clipped gradient."""
    # Errors are sums over a patch, and so are their gradients: what bounds a mean would bound every step.
    return OptimiserSettings(
        name="adam", learning_rate=learning_rate, warmup_steps=0, weight_decay=0.0, gradient_clip=1000.0, ema=0.0
    )


class FamilyRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole run of a family."""

    family: FamilyName = FamilyName()
    patches: PatchSettings = PatchSettings()
    corruption: CorruptionSettings = CorruptionSettings()
    body: BodySettings = BodySettings()
    code: CodeSettings = CodeSettings()
    loss: FamilyLossSettings = FamilyLossSettings()
    optimiser: OptimiserSettings = msgspec.field(default_factory=adam)
    run: FamilyRunSettings = FamilyRunSettings()


def decode_family_recipe(tables: Tables, *, source: str) -> FamilyRecipe:
    """Turn complete tables into a checked recipe; `source` names them in errors.

    Raises
    ------
    RecipeError
        An unknown key, a wrong type, or numbers that do not fit together.
    """
    recipe = to_struct(tables, FamilyRecipe, source=source)
    for rule, keeps in RULES:
        if not keeps(recipe):
            raise RecipeError(f"{source}: {rule}")
    return recipe


def encode_family_recipe(recipe: FamilyRecipe) -> Tables:
    """The recipe as nested tables of plain values; `decode_family_recipe` takes them back."""
    tables: dict[str, Any] = msgspec.to_builtins(recipe)
    return tables


def one_sigmoid_layer(recipe: FamilyRecipe) -> bool:
    """Whether the encoder is one dense layer with a sigmoid, whose Jacobian is known in closed form."""
    return recipe.body.kind == "dense" and not recipe.body.filters and recipe.code.activation == "sigmoid"


_WEIGHTS = ("sparsity", "contraction", "stability", "kl", "weight_l1", "weight_l2")

# Checked in this order.
RULES: tuple[tuple[str, Callable[[FamilyRecipe], bool]], ...] = (
    ("body.filters needs layers of one filter or more", lambda r: all(width > 0 for width in r.body.filters)),
    (
        "body.filters needs at least one layer where body.kind is not dense, and for code.width = 0",
        lambda r: bool(r.body.filters) or (r.body.kind == "dense" and r.code.width > 0),
    ),
    ("body.kernel needs to be odd, 1 or more", lambda r: r.body.kernel > 0 and r.body.kernel % 2 == 1),
    ("body.dropout needs a share from 0 up to 1", lambda r: 0 <= r.body.dropout < 1),
    ("code.width needs to be 0 or more", lambda r: r.code.width >= 0),
    (
        "code.variational needs code.width above 0 and code.activation = none",
        lambda r: not r.code.variational or (r.code.width > 0 and r.code.activation == "none"),
    ),
    ("loss.kl needs code.variational = true", lambda r: r.loss.kl == 0 or r.code.variational),
    (
        "loss.sparsity needs code.activation = sigmoid and loss.rho between 0 and 1",
        lambda r: r.loss.sparsity == 0 or (r.code.activation == "sigmoid" and 0 < r.loss.rho < 1),
    ),
    (
        "loss.contraction needs probes of 1 or more: only a dense encoder of one layer (body.filters = []) with "
        "code.activation = sigmoid has an exact one",
        lambda r: r.loss.contraction == 0 or r.loss.probes > 0 or one_sigmoid_layer(r),
    ),
    (
        "loss.contraction needs body.batch_norm = false: it would mix the patches of a batch",
        lambda r: r.loss.contraction == 0 or not r.body.batch_norm,
    ),
    (
        "loss.stability needs a corruption.kind other than none",
        lambda r: r.loss.stability == 0 or r.corruption.kind != "none",
    ),
    ("loss.error = bce needs body.output = sigmoid", lambda r: r.loss.error != "bce" or r.body.output == "sigmoid"),
    (
        f"loss: {', '.join(_WEIGHTS)} and probes need to be 0 or more",
        lambda r: min(getattr(r.loss, key) for key in (*_WEIGHTS, "probes")) >= 0,
    ),
    (
        "corruption: std needs to be 0 or more, probability and clean_share from 0 to 1",
        lambda r: (
            r.corruption.std >= 0 and all(0 <= s <= 1 for s in (r.corruption.probability, r.corruption.clean_share))
        ),
    ),
    ("corruption.snr_db needs its lower end first", lambda r: r.corruption.snr_db[0] <= r.corruption.snr_db[1]),
    ("corruption.versions needs to be 1 or more", lambda r: r.corruption.versions > 0),
    (
        "run.pretrain_epochs needs code.variational = false: a stage by itself gives back what it is given",
        lambda r: r.run.pretrain_epochs == 0 or not r.code.variational,
    ),
    (
        "optimiser: learning_rate and gradient_clip need to be above 0, ema 0: patch networks keep no average",
        lambda r: min(r.optimiser.learning_rate, r.optimiser.gradient_clip) > 0 and r.optimiser.ema == 0,
    ),
    ("run: epochs and batch_size need to be 1 or more", lambda r: min(r.run.epochs, r.run.batch_size) > 0),
    (
        "run: seed, pretrain_epochs and threads need to be 0 or more",
        lambda r: min(r.run.seed, r.run.pretrain_epochs, r.run.threads) >= 0,
    ),
    ("patches: bands and frames need to be 1 or more", lambda r: min(r.patches.shape) > 0),
    ("patches.range_db needs to be above 0", lambda r: r.patches.range_db > 0),
)
