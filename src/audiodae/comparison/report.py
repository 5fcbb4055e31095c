"""What stands in the report of a comparison, section by section; written as report.md and as one report.html."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from audiodae.comparison import pictures, verdicts
from audiodae.comparison.document import Picture, Section, to_markdown
from audiodae.comparison.measures import of_level
from audiodae.comparison.page import to_html
from audiodae.comparison.runs import PARTS_NAME, PCA_NAME, SUBJECTS, Place, Run
from audiodae.comparison.settings import SubjectName, SubjectSettings
from audiodae.comparison.tables import Column, Found, Table, by_method, make_table, mean, shown, values
from audiodae.comparison.verdicts import Verdict
from audiodae.training.families import FAMILIES
from audiodae.whole_file import write_whole

DPI = 130
TITLES = {"spoken": "Spoken digits", "handwritten": "Handwritten digits"}


def write_report(place: Place, found: Sequence[Found]) -> list[Path]:
    """Write OUT/report.md with OUT/figures/*.png, and OUT/report.html with everything inside; give both."""
    sections = list(make_sections(place, found))
    figures = place.out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for section in sections:
        for part in section.parts:
            if isinstance(part, Picture):
                write_whole(figures / f"{part.name}.png", part.png)
    written = {"report.md": to_markdown(sections), "report.html": to_html(sections)}
    for name, text in written.items():
        write_whole(place.out / name, text.encode())
    return [place.out / name for name in written]


def make_sections(place: Place, found: Sequence[Found]) -> Iterator[Section]:
    """All sections: the summary, then each kind of digits."""
    claims: list[Verdict] = []
    for subject in SUBJECTS:
        runs, settings = by_method(found, subject), place.settings.of(subject)
        told = verdicts.headline(runs, settings)
        if subject == "spoken":
            told += verdicts.features(runs, by_method(found, subject, held_out=True), PARTS_NAME)
        told += verdicts.character(runs, settings)
        claims += [Verdict(f"{TITLES[subject]}. {of.claim}", of.measured, of.holds) for of in told]
    yield Section("What was claimed, what was measured", _about(place), [claims])
    yield Section("The families", "Each is a row of a table; what is not in it has the default.", [_ideas()])
    for subject in SUBJECTS:
        yield from _of_subject(place, found, subject)


def _about(place: Place) -> str:
    data = {"spoken": "made-up words in made-up voices", "handwritten": "those of scikit-learn, 8 x 8"}
    for name in SUBJECTS:
        folder = place.folder(name)
        data[name] = data[name] if folder is None else f"those in {folder.name}"
    return (
        f"Every family is trained on each kind of digits with {len(place.settings.seeds)} seeds, without labels, and "
        "measured on patches that it never saw. Numbers are means ± standard deviations over the seeds; the best of a "
        "column is marked. Linear probes and neighbours learn from the codes of clean training patches only: what they "
        f"say of noisy ones is the robustness of the code. Spoken digits: {data['spoken']}. Handwritten digits: "
        f"{data['handwritten']}."
    )


def _of_subject(place: Place, found: Sequence[Found], subject: SubjectName) -> Iterator[Section]:
    runs, settings, title = by_method(found, subject), place.settings.of(subject), TITLES[subject]
    kept = _kept(place, subject, runs)
    unit = f"{settings.level:g} dB" if subject == "spoken" else f"standard deviation {settings.level:g}"
    yield Section(
        f"{title}: reconstruction",
        f"What comes back, from clean patches and from noisy ones ({_noise(subject)}, {unit}).",
        [
            _reconstruction_table(runs, settings, subject),
            *_examples(kept, settings, subject),
            _gains_picture(runs, settings, subject),
            _curves_picture(runs, subject),
        ],
    )
    held = by_method(found, subject, held_out=True)
    yield Section(
        f"{title}: features",
        f"What the code tells of the digit{' and of who said it' * (subject == 'spoken')}.",
        [
            _feature_table(runs, subject),
            _robustness_picture(runs, subject),
            *_speaker_tables(held),
            *_maps(kept, settings, subject),
        ],
    )
    yield Section(
        f"{title}: the code's character and its price",
        "What the families promise of their codes, anomalies found by reconstruction error, and what each costs.",
        [_character_table(runs), *_samples(kept, subject), _use_table(runs, settings)],
    )


def _reconstruction_table(runs: Mapping[str, Sequence[Found]], settings: SubjectSettings, subject: str) -> Table:
    levels = [
        Column(f"gain {level:g}{' dB' * (subject == 'spoken')}", f"gain_db@{level:g}", 1) for level in settings.levels
    ]
    columns = [
        Column("error, clean", "error_clean", 4, "lower"),
        Column("error, noisy", "error_noisy", 4, "lower"),
        *levels,
    ]
    seen = "SNR of the white noise" if subject == "spoken" else "standard deviation of the Gaussian noise"
    caption = (
        f"Mean squared error per value, and by how many dB it is smaller than what the noise did; columns by {seen}. "
        f"The noise itself has an error of {_input_error(runs, settings):.4f} at {settings.level:g}."
    )
    return make_table(caption, runs, columns)


def _input_error(runs: Mapping[str, Sequence[Found]], settings: SubjectSettings) -> float:
    return mean(next(iter(runs.values())), f"input_error@{settings.level:g}")


def _feature_table(runs: Mapping[str, Sequence[Found]], subject: str) -> Table:
    columns = [Column("digit, clean", "probe_digit_clean"), Column("digit, noisy", "probe_digit_noisy")]
    if subject == "spoken":
        columns += [Column("speaker, clean", "probe_speaker_clean"), Column("speaker, noisy", "probe_speaker_noisy")]
    columns += [
        Column("5-NN, clean", "neighbours_clean"),
        Column("5-NN, noisy", "neighbours_noisy"),
        Column("precision at 5, clean", "precision_clean"),
        Column("precision at 5, noisy", "precision_noisy"),
    ]
    caption = "Accuracy of a linear probe and of five nearest neighbours; how many of the five are the same digit."
    return make_table(caption, runs, columns)


def _speaker_tables(held: Mapping[str, Sequence[Found]]) -> list[Table]:
    if not held:
        return []
    columns = [Column("digit, clean", "probe_digit_clean"), Column("digit, noisy", "probe_digit_noisy")]
    caption = (
        "Speakers never heard: trained without each speaker in turn and measured on that one; mean ± standard "
        "deviation over the speakers."
    )
    return [make_table(caption, held, columns)]


def _character_table(runs: Mapping[str, Sequence[Found]]) -> Table:
    columns = [
        Column("code width", "code_width", None, ""),
        Column("sensitivity", "sensitivity", 3, "lower"),
        Column("sparsity", "sparsity", 3),
        Column("mean (0)", "moment_mean", 2, ""),
        Column("deviation (1)", "moment_std", 2, ""),
        Column("correlation (0)", "moment_correlation", 2, ""),
        Column("kurtosis (0)", "moment_kurtosis", 2, ""),
        Column("active units", "moment_active", 2, ""),
    ]
    caption = (
        "Sensitivity: how far a small change of the input moves the code, each in parts of its own spread (1: as far). "
        "Sparsity after Hoyer: 0 all units alike, 1 a single one. Moments: in brackets what N(0, I) has; variational "
        "codes are drawn, as in training."
    )
    return make_table(caption, runs, columns)


def _use_table(runs: Mapping[str, Sequence[Found]], settings: SubjectSettings) -> Table:
    columns = [
        Column("burst, AUC", "auc_burst"),
        Column(f"unseen {settings.unseen}, AUC", "auc_unseen"),
        Column("parameters", "parameters", None, ""),
        Column("training, s", "train_seconds", 1, ""),
        Column("a patch, µs", "microseconds", 0, ""),
    ]
    caption = (
        "Anomalies by reconstruction error: a burst of noise in a fifth of the patch, and a digit kept from the "
        "training (a second, shorter one); area under the ROC curve, 0.5 is chance. Times: CPU, one thread."
    )
    return make_table(caption, runs, columns)


def _ideas() -> Table:
    return Table("", ["family", "idea"], {name: [family.idea] for name, family in FAMILIES.items()})


def _kept(place: Place, subject: SubjectName, runs: Mapping[str, Sequence[Found]]) -> dict[str, pictures.Arrays]:
    """The arrays that the runs of the first seed left for pictures."""
    kept: dict[str, pictures.Arrays] = {}
    for name in runs:
        path = Run(subject, name, place.settings.seeds[0]).path(place.out).with_suffix(".npz")
        if path.exists():
            with np.load(path, allow_pickle=False) as arrays:
                kept[name] = dict(arrays)
    return kept


def _examples(kept: Mapping[str, pictures.Arrays], settings: SubjectSettings, subject: str) -> Iterator[Picture]:
    names = [PCA_NAME, settings.plain, settings.denoiser, "denoising-variational", "digits-strided"]
    chosen = {shown(name): kept[name] for name in names if name in kept}
    if chosen:
        caption = f"Before and after: noisy patches ({_noise(subject)}) and what each method makes of them."
        yield _picture(f"{subject}-before-after", caption, pictures.before_after_figure(chosen))


def _maps(kept: Mapping[str, pictures.Arrays], settings: SubjectSettings, subject: str) -> Iterator[Picture]:
    names = [PCA_NAME, settings.plain, settings.denoiser, "contractive", "sparse", "variational"]
    chosen = {shown(name): kept[name] for name in names if name in kept}
    if chosen:
        caption = "Codes of clean test patches on their first two principal components, coloured by digit; PCA first."
        yield _picture(f"{subject}-maps", caption, pictures.map_figure(chosen))


def _samples(kept: Mapping[str, pictures.Arrays], subject: str) -> Iterator[Picture]:
    chosen = {name: of for name, of in kept.items() if "samples" in of}
    if chosen:
        caption = "Patches from nothing: codes drawn from N(0, I), decoded by the variational families."
        yield _picture(f"{subject}-samples", caption, pictures.samples_figure(chosen))


def _gains_picture(runs: Mapping[str, Sequence[Found]], settings: SubjectSettings, subject: str) -> Picture:
    names = [PCA_NAME, settings.plain, *(name for name in runs if name.startswith("denoising")), "digits-strided"]
    gains = {
        shown(name): {
            level: values(runs[name], f"gain_db@{level:g}") for level in of_level(runs[name][0]["measures"], "gain_db")
        }
        for name in names
        if name in runs
    }
    label = "signal-to-noise ratio (dB)" if subject == "spoken" else "standard deviation of the noise"
    figure = pictures.levels_figure(gains, label=label, falling=subject == "spoken")
    return _picture(
        f"{subject}-gains", "Denoising gain by level of noise: means, and the range over the seeds.", figure
    )


def _robustness_picture(runs: Mapping[str, Sequence[Found]], subject: str) -> Picture:
    accuracy = {
        shown(name): (mean(of, "probe_digit_clean"), mean(of, "probe_digit_noisy")) for name, of in runs.items()
    }
    caption = "How much of the probe's accuracy noise takes away."
    return _picture(f"{subject}-robustness", caption, pictures.robustness_figure(accuracy))


def _curves_picture(runs: Mapping[str, Sequence[Found]], subject: str) -> Picture:
    groups: dict[str, dict[str, list[float]]] = {"plain": {}, "denoising": {}, "with penalties": {}}
    for name, of in runs.items():
        curve = [line["valid_mse"] for line in of[0]["history"] if "valid_mse" in line]
        if curve:
            groups[_group(name)][name] = curve
    caption = "Validation error over the epochs, each family on input corrupted as in its own training (first seed)."
    return _picture(f"{subject}-curves", caption, pictures.curves_figure({k: v for k, v in groups.items() if v}))


def _group(name: str) -> str:
    if FAMILIES[name].corruption.kind != "none":
        return "denoising"
    penalised = FAMILIES[name].loss != FAMILIES["undercomplete"].loss or FAMILIES[name].body.dropout
    return "with penalties" if penalised else "plain"


def _noise(subject: str) -> str:
    return "white noise mixed into the recordings" if subject == "spoken" else "Gaussian noise, clipped"


def _picture(name: str, caption: str, figure: Figure) -> Picture:
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=DPI)
    return Picture(name, caption, png.getvalue())
