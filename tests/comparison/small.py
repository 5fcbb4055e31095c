"""A comparison so small that it takes seconds: two families, one epoch, few images, made-up words."""

from audiodae.comparison.runs import Place
from audiodae.comparison.settings import ComparisonSettings, SubjectSettings

QUICK = ("run.epochs=1", "body.filters=[16]", "code.width=4")
SPOKEN = SubjectSettings(
    families=("undercomplete", "denoising-mixed"),
    overrides=(*QUICK, "patches.bands=12", "patches.frames=8", "corruption.versions=1"),
    levels=(5.0, 0.0),
    level=5.0,
    denoiser="denoising-mixed",
    by_speaker=("undercomplete",),
)
HANDWRITTEN = SubjectSettings(
    families=("undercomplete", "denoising-gaussian", "denoising-mixed", "variational"),
    overrides=QUICK,
    levels=(0.25, 0.5),
    level=0.5,
    train_most=200,
)


def place(out, *, seeds=(1, 2), spoken=None, handwritten=None):
    settings = ComparisonSettings(seeds=seeds, spoken=SPOKEN, handwritten=HANDWRITTEN)
    return Place(settings, spoken, handwritten, out)
