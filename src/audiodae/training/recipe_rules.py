"""What the numbers of a recipe have to keep, beyond their types: one table of rules, each with its words."""

from collections.abc import Callable

from audiodae.errors import RecipeError
from audiodae.prep.series.draws import check_settings
from audiodae.training.recipe import Recipe


def _share(*values: float) -> bool:
    return all(0 <= value <= 1 for value in values)


MAGNITUDE_TERMS = ("mse", "l1", "huber", "bce", "compressed")
WAVEFORM_TERMS = ("complex", "si_sdr", "pesq")
SOUND_TERMS = ("bce", "compressed", *WAVEFORM_TERMS)
WAVE_SIZES = ("rate_hz", "step", "width", "level_ahead", "level_seconds")
PESQ_SECONDS = 0.336  # the shortest segment that `audiodae.training.pesq_loss` can tell anything of
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
        "network.dual_layers needs body = conv2d, and none or as many numbers as network.widths, each 0 or more and "
        "of an even width where it is not 0",
        lambda r: (
            not r.network.dual_layers
            or (
                r.network.body == "conv2d"
                and len(r.network.dual_layers) == len(r.network.widths)
                and min(r.network.dual_layers) >= 0
                and all(
                    width % 2 == 0 or not layers
                    for width, layers in zip(r.network.widths, r.network.dual_layers, strict=True)
                )
            )
        ),
    ),
    (
        "network.look_ahead needs 0 to 16 frames; more than 0 needs body = conv2d and output = gain",
        lambda r: (
            r.network.look_ahead == 0
            or (0 < r.network.look_ahead <= 16 and r.network.body == "conv2d" and r.network.output == "gain")
        ),
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
        lambda r: min(getattr(r.network.wave, key) for key in WAVE_SIZES) > 0 and all(r.network.wave.dilations),
    ),
    ("loss.exponent needs to be above 0, up to 1", lambda r: 0 < r.loss.exponent <= 1),
    (
        "loss.complex, si_sdr and pesq need data.source = mix: shards keep no clean phase",
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
    (
        "data.speech_share and data.noise_share need to be above 0, up to 1; below 1 they need data.source = mix",
        lambda r: (
            0 < min(r.data.speech_share, r.data.noise_share) <= max(r.data.speech_share, r.data.noise_share) <= 1
            and (r.data.source == "mix" or r.data.speech_share == r.data.noise_share == 1)
        ),
    ),
    ("data.mix.snr_db needs its lower end first", lambda r: r.data.mix.snr_db[0] <= r.data.mix.snr_db[1]),
    ("data.mix.level_dbfs needs its lower end first", lambda r: r.data.mix.level_dbfs[0] <= r.data.mix.level_dbfs[1]),
    ("data.mix.segment_seconds needs to be 0.25 or more", lambda r: r.data.mix.segment_seconds >= 0.25),
    (
        f"loss.pesq needs data.mix.segment_seconds of {PESQ_SECONDS} or more",
        lambda r: r.loss.pesq == 0 or r.data.mix.segment_seconds >= PESQ_SECONDS,
    ),
    (
        "data.mix: every share needs to lie from 0 to 1",
        lambda r: _share(*(getattr(r.data.mix, key) for key in r.data.mix.__struct_fields__ if key.endswith("_share"))),
    ),
)


def check_recipe(recipe: Recipe, source: str) -> None:
    """Refuse numbers that are of the right type and still cannot work; `source` names them.

    Raises
    ------
    RecipeError
        The message says which rule is broken.
    """
    for rule, keeps in RULES:
        if not keeps(recipe):
            raise RecipeError(f"{source}: {rule}")
    try:
        check_settings(recipe.data.series)
    except RecipeError as error:
        raise RecipeError(f"{source}: {error}") from None
