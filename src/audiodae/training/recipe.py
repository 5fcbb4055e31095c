"""Recipes: every number of a training run, as a TOML file decoded into frozen typed structs.

A key that is not known, or a value of the wrong type, is an error that names the key and the nearest known one.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from audiodae.errors import RecipeError
from audiodae.prep.draws import DrawSettings
from audiodae.prep.series.draws import SeriesDrawSettings, check_settings
from audiodae.training.recipe_tables import read_tables, to_struct

Activation = Literal["relu", "leaky_relu", "prelu", "elu", "silu", "tanh", "sigmoid", "none"]
Normalisation = Literal["batch", "channel", "none"]


class WaveSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body `wave`, for series: samples to samples. See `audiodae.training.wave`.

    Attributes
    ----------
    rate_hz, unit : samples a second of the prepared series, and what they are counted in, such as mV
    offset : removed where clean series lie around zero, as an ECG does; kept where their level means something
    step : samples of a frame
    width : features of a frame
    dilations : of each block, frames between its taps; a negative one looks into the past alone, which costs no delay
    level_ahead : frames by which the level is known before the samples that it divides
    level_seconds : over which the level is forgotten
    """

    rate_hz: float = 360.0
    unit: str = ""
    offset: Literal["removed", "kept"] = "removed"
    step: int = 8
    width: int = 64
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, -32, 1, 2, 4, 8, 16)
    level_ahead: int = 16
    level_seconds: float = 8.0
    activation: Activation = "leaky_relu"


class NetworkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The autoencoder: encoder, code, decoder.

    Attributes
    ----------
    body : conv2d convolves over frequency (and time), conv1d takes the bins as channels and convolves over time; wave
        is for series, and heeds the table [network.wave] alone
    widths : channels of each layer of the encoder; the decoder mirrors them
    kernel : frames and bands that a conv2d layer sees (bands odd); frames that a conv1d layer sees
    strides : conv2d: by how much each layer thins out the bands
    dilations : conv1d: distance in frames between the taps of each layer
    code : none, gru (GRUs over time on the whole code) or dual (GRUs over the bands, then over time in each band)
    code_width, code_layers : values of the code of a frame, and its recurrent layers
    band_layers : recurrent layers shared by all bands after the code (conv2d)
    skips : add what the encoder saw to the same layer of the decoder
    output : gain (bounded from gain_floor_db to 0 dB) or magnitude (how far the clean log-magnitude is from the noisy)
    """

    body: Literal["conv2d", "conv1d", "wave"] = "conv2d"
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
    wave: WaveSettings = msgspec.field(default_factory=WaveSettings)


class DataSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where pairs come from.

    Attributes
    ----------
    source : mix makes new examples from the banks of the prepared folder all the time, shards reads those written
        there, series mixes time series
    prepared : folder that data_prep/prepare_speech.py made, or for series prepare_ecg.py or prepare_series.py
    workers : processes that mix or read ahead; 0 does it between the steps
    valid_examples : examples of each look at the validation split
    """

    source: Literal["mix", "shards", "series"] = "mix"
    prepared: str = ""
    workers: int = 1
    valid_examples: int = 96
    mix: DrawSettings = msgspec.field(default_factory=DrawSettings)
    series: SeriesDrawSettings = msgspec.field(default_factory=SeriesDrawSettings)


class LossSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of the terms of the loss; those at zero are not computed. See `audiodae.training.losses`.

    Attributes
    ----------
    mse, l1, huber : between magnitudes (of series: samples): mean square, mean absolute, and the one for small and the
        other for large
    bce : binary cross-entropy between magnitudes scaled to [0, 1]
    compressed : mean square between magnitudes to the power of exponent, nearer to what is heard
    complex : the same between spectra, phase included; needs source = mix
    si_sdr : negative scale-invariant signal-to-distortion ratio of the waveforms, dB; needs source = mix
    snr : negative signal-to-noise ratio of series, dB
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
    snr: float = 0.0
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
    start_from : best.safetensors of another run of the same network, to begin with its weights; empty for random ones
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
    start_from: str = ""


class CardSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the exported network says of itself.

    Attributes
    ----------
    name, version : of the network
    licence : of its weights
    data, made_by, limits : what it was trained on, the commands that make it again, what it does not do
    """

    name: str = "network"
    version: str = "1"
    licence: str = "MIT"
    data: str = ""
    made_by: str = ""
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
    return decode_recipe(read_tables(path, overrides), source=str(path))


def decode_recipe(tables: dict[str, Any], *, source: str) -> Recipe:
    """Turn nested tables into a checked recipe; `source` names them in errors."""
    recipe = to_struct(tables, Recipe, source=source)
    _check(recipe, source)
    return recipe


def encode_recipe(recipe: Recipe) -> dict[str, Any]:
    """The recipe as nested tables of plain values, defaults filled in; `decode_recipe` takes them back."""
    tables: dict[str, Any] = msgspec.to_builtins(recipe)
    return tables


def differences(before: Recipe, now: Recipe) -> list[tuple[str, Any, Any]]:
    """The keys in which two recipes differ, as table.key, with both values."""
    flat_before, flat_now = _flat(encode_recipe(before)), _flat(encode_recipe(now))
    return [(key, flat_before[key], value) for key, value in flat_now.items() if flat_before[key] != value]


def _flat(tables: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _check(recipe: Recipe, source: str) -> None:
    """Refuse numbers that are of the right type and still cannot work."""
    for rule, keeps in RULES:
        if not keeps(recipe):
            raise RecipeError(f"{source}: {rule}")
    try:
        check_settings(recipe.data.series)
    except RecipeError as error:
        raise RecipeError(f"{source}: {error}") from None


def _share(*values: float) -> bool:
    return all(0 <= value <= 1 for value in values)


MAGNITUDE_TERMS = ("mse", "l1", "huber", "bce", "compressed")
WAVEFORM_TERMS = ("complex", "si_sdr")
SOUND_TERMS = ("bce", "compressed", *WAVEFORM_TERMS)
WAVE_SIZES = ("rate_hz", "step", "width", "level_ahead", "level_seconds")
COUNTS = "steps batch_size valid_every save_every log_every pictures_every devices nodes".split()  # noqa: SIM905

# Checked in this order, so that a rule may count on those before it.
RULES: tuple[tuple[str, Callable[[Recipe], bool]], ...] = (
    (
        "network.widths needs at least one layer, each of one channel or more",
        lambda r: bool(r.network.widths) and min(r.network.widths) > 0,
    ),
    (
        "network.strides needs as many numbers as network.widths, each 1, 2 or 4",
        lambda r: (
            r.network.body != "conv2d"
            or (len(r.network.strides) == len(r.network.widths) and set(r.network.strides) <= {1, 2, 4})
        ),
    ),
    (
        "network.kernel needs 1 frame or more and an odd number of bands, no fewer than the largest stride",
        lambda r: (
            r.network.kernel[0] > 0
            and (
                r.network.body != "conv2d"
                or (r.network.kernel[1] % 2 == 1 and r.network.kernel[1] >= max(r.network.strides))
            )
        ),
    ),
    (
        "network.widths need to be equal for body = conv1d",
        lambda r: r.network.body != "conv1d" or len(set(r.network.widths)) == 1,
    ),
    (
        "network.kernel needs 2 frames or more for body = conv1d, say [3, 1]: it convolves over time",
        lambda r: r.network.body != "conv1d" or r.network.kernel[0] >= 2,
    ),
    (
        "network.dilations needs as many numbers as network.widths, each 1 or more",
        lambda r: (
            r.network.body != "conv1d"
            or (len(r.network.dilations) == len(r.network.widths) and min(r.network.dilations) > 0)
        ),
    ),
    (
        "network.code = dual needs body = conv2d and an even last width",
        lambda r: r.network.code != "dual" or (r.network.body == "conv2d" and r.network.widths[-1] % 2 == 0),
    ),
    (
        "network.code_width and network.code_layers need to be 1 or more, network.band_layers 0 or more",
        lambda r: min(r.network.code_width, r.network.code_layers) > 0 and r.network.band_layers >= 0,
    ),
    ("network.dropout needs a share from 0 up to 1", lambda r: 0 <= r.network.dropout < 1),
    ("network.gain_floor_db needs to be below 0", lambda r: r.network.gain_floor_db < 0),
    (
        "loss needs weights of 0 or more, at least one of a term above 0",
        lambda r: (
            min(getattr(r.loss, key) for key in r.loss.__struct_fields__) >= 0
            and any(getattr(r.loss, term) > 0 for term in (*MAGNITUDE_TERMS, *WAVEFORM_TERMS, "snr"))
        ),
    ),
    (
        "network.body = wave and data.source = series go together",
        lambda r: (r.network.body == "wave") == (r.data.source == "series"),
    ),
    (
        f"loss: series take mse, l1, huber and snr; set {', '.join(SOUND_TERMS)} to 0. snr is for series alone",
        lambda r: (
            all(getattr(r.loss, term) == 0 for term in SOUND_TERMS) if r.data.source == "series" else r.loss.snr == 0
        ),
    ),
    (
        "network.wave needs rate_hz, step, width, level_ahead and level_seconds above 0, and dilations other than 0",
        lambda r: (
            min(getattr(r.network.wave, key) for key in ("rate_hz", "step", "width", "level_ahead", "level_seconds"))
            > 0
            and all(r.network.wave.dilations)
        ),
    ),
    ("loss.exponent needs to be above 0, up to 1", lambda r: 0 < r.loss.exponent <= 1),
    (
        "loss.complex and loss.si_sdr need data.source = mix: shards keep no clean phase",
        lambda r: r.data.source != "shards" or all(getattr(r.loss, term) == 0 for term in WAVEFORM_TERMS),
    ),
    (
        "optimiser.learning_rate, momentum, weight_decay and warmup_steps need to be 0 or more",
        lambda r: (
            min(r.optimiser.learning_rate, r.optimiser.momentum, r.optimiser.weight_decay, r.optimiser.warmup_steps)
            >= 0
        ),
    ),
    ("optimiser.gradient_clip needs to be above 0", lambda r: r.optimiser.gradient_clip > 0),
    ("optimiser.ema needs a share from 0 up to 1", lambda r: 0 <= r.optimiser.ema < 1),
    (
        f"run: {', '.join(COUNTS[:-1])} and {COUNTS[-1]} need to be 1 or more",
        lambda r: min(getattr(r.run, key) for key in COUNTS) > 0,
    ),
    (
        "run.seed, patience, max_bad_steps and threads need to be 0 or more",
        lambda r: min(r.run.seed, r.run.patience, r.run.max_bad_steps, r.run.threads) >= 0,
    ),
    (
        "data.workers needs to be 0 or more, data.valid_examples 1 or more",
        lambda r: r.data.workers >= 0 and r.data.valid_examples > 0,
    ),
    ("data.mix.snr_db needs its lower end first", lambda r: r.data.mix.snr_db[0] <= r.data.mix.snr_db[1]),
    ("data.mix.level_dbfs needs its lower end first", lambda r: r.data.mix.level_dbfs[0] <= r.data.mix.level_dbfs[1]),
    ("data.mix.segment_seconds needs to be 0.25 or more", lambda r: r.data.mix.segment_seconds >= 0.25),
    (
        "data.mix: every share needs to lie from 0 to 1",
        lambda r: _share(*(getattr(r.data.mix, key) for key in r.data.mix.__struct_fields__ if key.endswith("_share"))),
    ),
)
