"""Recipes: what is written is what runs, and a slip is named with its remedy."""

from pathlib import Path

import msgspec
import pytest

from audiodae.errors import RecipeError
from audiodae.training.recipe import Recipe
from audiodae.training.recipe_file import decode_recipe, differences, encode_recipe, load_recipe

# Those of families are tested with the table they are laid over.
RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("train_speech*.toml"))


def write(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return path


def test_an_empty_recipe_is_all_defaults(tmp_path):
    assert load_recipe(write(tmp_path, "")) == Recipe()


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_every_recipe_of_the_project_is_good(path):
    assert load_recipe(path).run.steps > 0


def test_a_recipe_survives_being_written_and_read(tmp_path):
    recipe = load_recipe(write(tmp_path, "[network]\nwidths = [8, 8]\nstrides = [4, 2]\n[run]\nseed = 7\n"))
    again = tmp_path / "again.toml"
    again.write_bytes(msgspec.toml.encode(encode_recipe(recipe)))
    assert load_recipe(again) == recipe


def test_overrides_lie_over_the_file(tmp_path):
    path = write(tmp_path, "[run]\nsteps = 5\n")
    recipe = load_recipe(path, ["run.steps=7", "run.device=cpu", "data.mix.snr_db=[0, 5]", 'card.name="mine"'])
    assert (recipe.run.steps, recipe.run.device, recipe.data.mix.snr_db) == (7, "cpu", (0.0, 5.0))
    assert recipe.card.name == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[run]\nstep = 5", "unknown key run.step; did you mean run.steps?"),
        ("[netwrok]\n", "unknown key netwrok; did you mean network?"),
        ("[data.mix]\nsnr = [0, 1]", "did you mean data.mix.snr_db?"),
        ("[run]\nxyzzy = 5", "known are seed, steps"),
        ('[run]\nsteps = "many"', "steps"),
        ("[network]\nbody = 'conv3d'", "conv3d"),
        ("[network]\nwidths = []", "network.widths"),
        ("[network]\nstrides = [2]", "network.strides"),
        ("[network]\nkernel = [1, 4]", "network.kernel"),
        ("[network]\nbody = 'conv1d'\nwidths = [8, 16]\nkernel = [3, 1]\ndilations = [1, 2]", "equal"),
        ("[loss]\ncompressed = 0.0\ncomplex = 0.0\nsi_sdr = 0.0", "at least one of a term"),
        ("[data]\nsource = 'shards'", "data.source = mix"),
        ("[run]\nsteps = 0", "run: steps"),
        ("[optimiser]\ngradient_clip = 0.0", "optimiser.gradient_clip"),
        ("[data.mix]\nsnr_db = [10, 0]", "lower end first"),
        ("[network]\nstrides = []", "network.strides"),
        ("[network]\nbody = 'conv1d'\nwidths = [8, 8]\ndilations = [1, 2]", "2 frames or more"),
        ("[network]\ncode = 'dual'\nwidths = [8, 8, 9]", "even last width"),
        ("[network]\ncode_width = 0", "network.code_width"),
        ("[run]\npictures_every = 0", "pictures_every"),
        ("[run]\nseed = -1", "run.seed"),
        ("[data]\nvalid_examples = 0", "data.valid_examples"),
        ("[data]\nworkers = -1", "data.workers"),
        ("[optimiser]\nlearning_rate = -1.0", "optimiser.learning_rate"),
        ("[loss]\nexponent = -0.3", "loss"),
        ("[data.mix]\nlevel_dbfs = [-12, -45]", "level_dbfs"),
        ("[data.mix]\nsegment_seconds = 0.3\n[loss]\npesq = 0.01", "loss.pesq needs data.mix.segment_seconds"),
        ("[data.mix]\nroom_share = 1.5", "every share"),
        ("[data]\nspeech_share = 0.0", "data.speech_share and data.noise_share need to be above 0"),
        ("[data]\nnoise_share = 1.1", "up to 1"),
        ('[data]\nsource = "shards"\nnoise_share = 0.5\n[loss]\ncomplex = 0\nsi_sdr = 0', "need data.source = mix"),
        ("run = 5", "run"),
        ("this is not TOML", "cannot be read as a recipe"),
    ],
)
def test_a_slip_is_named(tmp_path, text, message):
    with pytest.raises(RecipeError, match=message.replace("[", r"\[").replace("?", r"\?")):
        load_recipe(write(tmp_path, text))


@pytest.mark.parametrize("override", ["run.steps", "=5", "run.steps.more=5"])
def test_a_bad_override_is_named(tmp_path, override):
    with pytest.raises(RecipeError, match="--set"):
        load_recipe(write(tmp_path, "[run]\nsteps = 5\n"), [override])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecipeError, match="nowhere.toml"):
        load_recipe(tmp_path / "nowhere.toml")


def test_differences_are_named_by_table_and_key():
    now = decode_recipe({"run": {"seed": 2}, "data": {"mix": {"room_share": 0.5}}}, source="now")
    assert differences(Recipe(), now) == [("data.mix.room_share", 0.35, 0.5), ("run.seed", 1, 2)]
    assert differences(now, now) == []


def test_decoding_names_its_source():
    with pytest.raises(RecipeError, match="the card"):
        decode_recipe({"rnu": {}}, source="the card")
