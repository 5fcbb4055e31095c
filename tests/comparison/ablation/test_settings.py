"""The plan of an ablation: each run is the base with one change, and has a folder of its own."""

import tomllib
from pathlib import Path

import pytest

from audiodae.comparison.ablation.settings import fingerprint, load_ablation
from audiodae.errors import RecipeError
from audiodae.training.recipe_file import differences
from tests.comparison.ablation.small import write_ablation

SHIPPED = Path(__file__).parents[3] / "recipes" / "ablation.toml"


@pytest.fixture
def trials(tmp_path):
    return load_ablation(write_ablation(tmp_path, "elsewhere"), prepared=tmp_path)


def test_the_base_comes_first_and_each_row_changes_what_it_says(trials, tmp_path):
    assert [(t.group, t.name, t.seed) for t in trials] == [
        *(("", "base", 1), ("", "base", 2), ("code", "none", 1)),
        *(("augmentation", "without rooms", 1), ("augmentation", "without rooms", 2)),
    ]
    base = trials[0].recipe
    assert base.run.steps == 6 and base.data.prepared == str(tmp_path) and base.network.widths == (4, 6, 8)
    assert differences(base, trials[2].recipe) == [("network.code", "gru", "none")]
    assert differences(base, trials[4].recipe) == [("data.mix.room_share", 0.35, 0.0), ("run.seed", 1, 2)]


def test_a_row_may_take_more_steps(tmp_path):
    rows = '[[row]]\ngroup = "g"\nname = "n"\nset = ["run.batch_size=2"]\ntimes = 2.0'
    *_, trial = load_ablation(write_ablation(tmp_path, "", rows=rows), prepared=tmp_path)
    assert trial.recipe.run.steps == 12


def test_the_base_may_be_tables(tmp_path):
    path = tmp_path / "rows.toml"
    path.write_text("steps = 5\n[base.network]\nwidths = [8, 8, 8]\n")
    (trial,) = load_ablation(path, ["steps=7", "seeds=[3]"], prepared=tmp_path)
    assert (trial.recipe.network.widths, trial.recipe.run.steps, trial.seed) == ((8, 8, 8), 7, 3)


def test_another_recipe_has_another_folder(trials, tmp_path):
    assert len({trial.folder for trial in trials}) == 5
    longer = load_ablation(tmp_path / "rows.toml", ["steps=7"], prepared=tmp_path)
    assert not {trial.folder for trial in longer} & {trial.folder for trial in trials}
    again = load_ablation(tmp_path / "rows.toml", ['set=["card.name=other"]'], prepared=tmp_path)
    assert [trial.folder for trial in again] == [trial.folder for trial in trials]


@pytest.mark.parametrize(
    ("head", "rows", "message"),
    [
        (
            "steps = 6\n",
            '[[row]]\ngroup = "a"\nname = "b"\nset = ["network.code=gru"]',
            "'b' is the same run as 'base'",
        ),
        ("steps = 6\n", '[[row]]\ngroup = "a"\nname = "b"\nset = ["network.cod=gru"]', "did you mean network.code"),
        ("steps = 6\n", '[[row]]\ngroup = "a"\nname = "b"\nset = ["data.speech_share=0.0"]', "b: data.speech_share"),
        ("steps = 6\n", '[[row]]\ngroup = ""\nname = "b"\nset = ["network.code=none"]', "row 'b': needs a group"),
        ("steps = 6\n", '[[row]]\ngroup = "a"\nname = "base"\nset = ["network.code=none"]', "another name than 'base'"),
        ('steps = 6\nset = ["data.mix.segment_seconds=0.3"]\n', "", "0.336 or more, for PESQ"),
        ("steps = 6\nseeds = []\n", "", "one seed or more"),
        ("seeds = [1]\n", "", "steps"),
        ("steps = 6\nstep = 6\n", "", "did you mean steps"),
        ("steps = 6\nseeds = [1, 1]\n", "", "the same seed twice"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(tmp_path, head, rows, message):
    with pytest.raises(RecipeError, match=message):
        load_ablation(write_ablation(tmp_path, "", head=head, rows=rows), prepared=tmp_path)


def test_the_shipped_rows_hold():
    trials = load_ablation(SHIPPED, prepared=Path("prepared"))
    groups = {row["group"] for row in tomllib.loads(SHIPPED.read_text())["row"]}
    assert {trial.group for trial in trials} == {"", *groups}
    assert len({fingerprint(trial) for trial in trials}) == len(trials)
