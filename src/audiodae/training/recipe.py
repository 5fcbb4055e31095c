"""Recipes: every number of a training run, as a TOML file decoded into frozen typed structs.

A key that is not known, or a value of the wrong type, is an error that names the key and the nearest known one.
"""

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import msgspec

from audiodae.errors import RecipeError
from audiodae.prep.draws import DrawSettings

Activation = Literal["relu", "leaky_relu", "prelu", "elu", "silu", "tanh", "sigmoid", "none"]
Normalisation = Literal["batch", "channel", "none"]


class NetworkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The autoencoder: encoder, code, decoder.

    Attributes
    ----------
    body : conv2d convolves over frequency (and time), conv1d takes the bins as channels and convolves over time
    widths : channels of each layer of the encoder; the decoder mirrors them
    kernel : frames and bands that a conv2d layer sees (bands odd); frames that a conv1d layer sees
    strides : conv2d: by how much each layer thins out the bands
    dilations : conv1d: distance in frames between the taps of each layer
    code : none, gru (GRUs over time on the whole code) or dual (GRUs over the bands, then over time in each band)
    code_width, code_layers : values of the code of a frame, and its recurrent layers
    band_layers : recurrent layers shared by all bands after the code (conv2d)
    skips : add what the encoder saw to the same layer of the decoder
    output : gain (bounded from gain_floor_db to 0 dB) or magnitude (the clean magnitude itself)
    """

    body: Literal["conv2d", "conv1d"] = "conv2d"
    widths: tuple[int, ...] = (16, 32, 48)
    kernel: tuple[int, int] = (1, 5)
    strides: tuple[int, ...] = (4, 2, 2)
    dilations: tuple[int, ...] = (1, 2, 4)
    code: Literal["none", "gru", "dual"] = "gru"
    code_width: int = 192
    code_layers: int = 1
    band_layers: int = 1
    activation: Activation = "leaky_relu"
    normalisation: Normalisation = "batch"
    dropout: float = 0.0
    skips: bool = True
    output: Literal["gain", "magnitude"] = "gain"
    gain_floor_db: float = -60.0


class DataSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where pairs come from.

    Attributes
    ----------
    source : mix makes new examples from the banks of the prepared folder all the time, shards reads those written there
    prepared : folder that data_prep/prepare_speech.py made
    workers : processes that mix or read ahead; 0 does it between the steps
    valid_examples : examples of each look at the validation split
    """

    source: Literal["mix", "shards"] = "mix"
    prepared: str = ""
    workers: int = 1
    valid_examples: int = 96
    mix: DrawSettings = msgspec.field(default_factory=DrawSettings)


class LossSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of the terms of the loss; those at zero are not computed. See `audiodae.training.losses`.

    Attributes
    ----------
    mse, l1, huber : between magnitudes: mean square, mean absolute, and the one for small and the other for large
    bce : binary cross-entropy between magnitudes scaled to [0, 1]
    compressed : mean square between magnitudes to the power of exponent, nearer to what is heard
    complex : the same between spectra, phase included; needs source = mix
    si_sdr : negative scale-invariant signal-to-distortion ratio of the waveforms, dB; needs source = mix
    weight_l1, weight_l2 : of the sum of absolute or squared weights of the network
    exponent : of the compression
    """

    mse: float = 0.0
    l1: float = 0.0
    huber: float = 0.0
    bce: float = 0.0
    compressed: float = 1.0
    complex: float = 0.5
    si_sdr: float = 0.002
    weight_l1: float = 0.0
    weight_l2: float = 0.0
    exponent: float = 0.3


class OptimiserSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How weights move.

    Attributes
    ----------
    name : the rule
    learning_rate : its highest rate
    schedule : cosine falls to final_share of the highest rate at the last step, constant stays
    warmup_steps : steps over which the rate rises from zero
    momentum : of SGD and RMSprop
    weight_decay : share of each weight taken off, times the rate; for Adam and the older rules it acts as L2
    gradient_clip : largest norm of all gradients together
    ema : share of the average of the weights kept at each step; 0 for no average
    """

    name: Literal["sgd", "rmsprop", "adam", "adamw"] = "adamw"
    learning_rate: float = 2e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_steps: int = 200
    final_share: float = 0.02
    momentum: float = 0.9
    weight_decay: float = 0.01
    gradient_clip: float = 5.0
    ema: float = 0.999


class RunSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long, how much at a time, how often one looks, and on what.

    Attributes
    ----------
    seed : of every draw and the first weights
    steps : in all; of batch_size examples each
    valid_every, save_every, log_every, pictures_every : steps between looks at the validation split, checkpoints, log
        lines and pictures
    patience : steps without a better look after which the run ends; 0 goes on to the last
    max_bad_steps : steps with a loss that is not finite that are skipped before the run gives up
    threads : of the CPU; 0 for what torch chooses
    device, precision : auto takes a GPU where there is one, and bf16-mixed on it
    devices, nodes : GPUs of each machine, machines
    """

    seed: int = 1
    steps: int = 10_000
    batch_size: int = 16
    valid_every: int = 500
    save_every: int = 200
    log_every: int = 10
    pictures_every: int = 2_000
    patience: int = 0
    max_bad_steps: int = 50
    threads: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["32", "bf16-mixed", "16-mixed", "auto"] = "auto"
    devices: int = 1
    nodes: int = 1


class CardSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the exported network says of itself."""

    name: str = "network"
    version: str = "1"
    licence: str = "MIT"
    data: str = ""
    limits: str = ""


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole run."""

    network: NetworkSettings = msgspec.field(default_factory=NetworkSettings)
    data: DataSettings = msgspec.field(default_factory=DataSettings)
    loss: LossSettings = msgspec.field(default_factory=LossSettings)
    optimiser: OptimiserSettings = msgspec.field(default_factory=OptimiserSettings)
    run: RunSettings = msgspec.field(default_factory=RunSettings)
    card: CardSettings = msgspec.field(default_factory=CardSettings)


def load_recipe(path: Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe and lay `key.key=value` overrides over it.

    Raises
    ------
    RecipeError
        No such file, not TOML, an unknown key, a wrong type, or numbers that do not fit together.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read as a recipe ({error})") from error
    for override in overrides:
        _lay_over(tables, override)
    return decode_recipe(tables, source=str(path))


def decode_recipe(tables: dict[str, Any], *, source: str) -> Recipe:
    """Turn nested tables into a checked recipe; `source` names them in errors."""
    _refuse_unknown(tables, Recipe, source=source, prefix="")
    try:
        recipe = msgspec.convert(tables, Recipe)
    except msgspec.ValidationError as error:
        raise RecipeError(f"{source}: {error}") from error
    _check(recipe, source)
    return recipe


def encode_recipe(recipe: Recipe) -> dict[str, Any]:
    """The recipe as nested tables of plain values, defaults filled in; `decode_recipe` takes them back."""
    tables: dict[str, Any] = msgspec.to_builtins(recipe)
    return tables


def _lay_over(tables: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key.strip():
        raise RecipeError(f"--set {override}: write it as table.key=value, say run.steps=500")
    *path, last = key.strip().split(".")
    for name in path:
        tables = tables.setdefault(name, {})
        if not isinstance(tables, dict):
            raise RecipeError(f"--set {override}: {name} is a value, not a table")
    try:
        tables[last] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        tables[last] = value.strip()  # a bare word is a string: --set run.device=cpu


def _refuse_unknown(tables: dict[str, Any], struct: type[msgspec.Struct], *, source: str, prefix: str) -> None:
    """Name the nearest known key, which msgspec does not."""
    hints = get_type_hints(struct)
    for key, value in tables.items():
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1)
            remedy = f"did you mean {prefix}{near[0]}?" if near else f"known are {', '.join(hints)}"
            raise RecipeError(f"{source}: unknown key {prefix}{key}; {remedy}")
        if isinstance(hints[key], type) and issubclass(hints[key], msgspec.Struct) and isinstance(value, dict):
            _refuse_unknown(value, hints[key], source=source, prefix=f"{prefix}{key}.")


def _check(recipe: Recipe, source: str) -> None:
    """Refuse numbers that are of the right type and still cannot work."""
    network, loss = recipe.network, recipe.loss
    rules = {
        "network.widths needs at least one layer, each of one channel or more": bool(network.widths)
        and min(network.widths) > 0,
        "network.strides needs as many numbers as network.widths, each 1, 2 or 4": network.body != "conv2d"
        or (len(network.strides) == len(network.widths) and set(network.strides) <= {1, 2, 4}),
        "network.widths need to be equal for body = conv1d": network.body != "conv1d" or len(set(network.widths)) == 1,
        "network.dilations needs as many numbers as network.widths, each 1 or more": network.body != "conv1d"
        or (len(network.dilations) == len(network.widths) and min(network.dilations) > 0),
        "network.kernel needs frames of 1 or more and an odd number of bands": network.kernel[0] > 0
        and network.kernel[1] % 2 == 1,
        "network.kernel is too narrow for its strides": network.body != "conv2d"
        or network.kernel[1] >= max(network.strides),
        "network.code = dual needs body = conv2d": network.code != "dual" or network.body == "conv2d",
        "network.dropout needs a share from 0 up to 1": 0 <= network.dropout < 1,
        "network.gain_floor_db needs to be below 0": network.gain_floor_db < 0,
        "loss needs at least one term above 0": any(
            getattr(loss, term) > 0 for term in ("mse", "l1", "huber", "bce", "compressed", "complex", "si_sdr")
        ),
        "loss.complex and loss.si_sdr need data.source = mix: shards keep no clean phase": recipe.data.source == "mix"
        or (loss.complex == 0 and loss.si_sdr == 0),
        "run.steps, batch_size, valid_every, save_every and log_every need to be 1 or more": min(
            recipe.run.steps, recipe.run.batch_size, recipe.run.valid_every, recipe.run.save_every, recipe.run.log_every
        )
        > 0,
        "optimiser.gradient_clip needs to be above 0": recipe.optimiser.gradient_clip > 0,
        "optimiser.ema needs a share from 0 up to 1": 0 <= recipe.optimiser.ema < 1,
        "data.mix.snr_db needs its lower end first": recipe.data.mix.snr_db[0] <= recipe.data.mix.snr_db[1],
        "data.mix.segment_seconds needs to be 0.25 or more": recipe.data.mix.segment_seconds >= 0.25,
    }
    for rule, kept in rules.items():
        if not kept:
            raise RecipeError(f"{source}: {rule}")


ACTIVATION_NAMES: tuple[str, ...] = get_args(Activation)
