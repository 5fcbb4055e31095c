from pathlib import Path

import pytest

from audiodae.comparison.settings import SubjectSettings, load_comparison, settled
from audiodae.errors import RecipeError
from audiodae.training.families import FAMILIES

SHIPPED = Path(__file__).parents[2] / "recipes" / "compare_autoencoders.toml"


def test_the_shipped_recipe_fits_every_family():
    settings = load_comparison(SHIPPED)
    assert settings.seeds == (1, 2, 3)
    for subject in (settings.spoken, settings.handwritten):
        for name in FAMILIES:
            assert settled(name, 2, subject).run.seed == 2


def test_the_two_that_the_headline_compares_differ_in_their_corruption_only():
    settings = load_comparison(SHIPPED)
    for subject in (settings.spoken, settings.handwritten):
        denoiser, plain = (settled(name, 1, subject) for name in (subject.denoiser, subject.plain))
        for part in ("patches", "body", "code", "loss", "optimiser", "run"):
            assert getattr(denoiser, part) == getattr(plain, part), part
        assert denoiser.corruption != plain.corruption


def test_the_common_body_is_for_those_without_their_own():
    subject = SubjectSettings(common_body=("body.filters=[7]",), own_overrides={"sparse": ("code.width=9",)})
    assert settled("undercomplete", 1, subject).body.filters == (7,)
    assert settled("stacked", 1, subject).body == FAMILIES["stacked"].body
    assert settled("sparse", 1, subject).code.width == 9


def test_epochs_can_be_fewer():
    subject = SubjectSettings(overrides=("run.epochs=10",))
    assert settled("undercomplete", 1, subject, epochs_share=0.3).run.epochs == 3
    assert settled("undercomplete", 1, subject, epochs_share=0.01).run.epochs == 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sedes=[1]", "did you mean seeds"),
        ("seeds=[]", "needs one seed"),
        ("spoken.level=7", "needs to be one of spoken.levels"),
        ('handwritten.families=["sprase"]', "unknown family sprase"),
        ("spoken.by_speaker=3", "spoken.by_speaker"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(override, message):
    with pytest.raises(RecipeError, match=message):
        load_comparison(SHIPPED, [override])
