"""Recipes: every number of a training run, as frozen typed structs. `audiodae.training.recipe_file` reads them."""

from typing import Literal

import msgspec

from audiodae.prep.draws import DrawSettings
from audiodae.prep.series.draws import SeriesDrawSettings

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
    dual_layers : of dual paths after each layer of the encoder, at its number of bands (conv2d); none: no such layers
    look_ahead : frames after a frame that are known when its gains are chosen (conv2d); each is a hop of latency
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
    dual_layers: tuple[int, ...] = ()
    look_ahead: int = 0
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
    speech_share, noise_share : of the recordings that training mixes from, to see how much data matters; needs
        source = mix. Validation has all of its own
    """

    source: Literal["mix", "shards", "series"] = "mix"
    prepared: str = ""
    workers: int = 1
    valid_examples: int = 96
    speech_share: float = 1.0
    noise_share: float = 1.0
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
    pesq : how far off the waveforms are for PESQ, see `audiodae.training.pesq_loss`; needs source = mix
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
    pesq: float = 0.0
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
    start_from : best.safetensors of another run, to begin with its weights; empty for random ones. The network is the
        same, or has more dual-path layers, or sees more frames: see `audiodae.training.growth`
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
