"""Preparation of time series, from folders of recordings (or from nothing, for an ECG) to the banks of two splits.

    OUT/prepare_series.json          the settings; a run with other settings is refused
    OUT/series/SPLIT.safetensors     train and valid (`audiodae.prep.series.bank`)
    OUT/bad_files.txt                recordings that could not be read, and why

Every file appears complete or not at all, and is the same for the same settings and recordings.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np

from audiodae.errors import CorpusError, SeriesFileError, one_line
from audiodae.prep.series.bank import Beats, SeriesHeader, bank_path, write_series_bank
from audiodae.prep.series.ecg import draw_patient, synthetic_ecg
from audiodae.prep.series.ecg_noises import ECG_NOISES
from audiodae.prep.series.recordings import SHORTEST_SAMPLES, Floats, Reading, Stretch, high_passed, read_stretches
from audiodae.prep.series.splits import SeriesSource, Splits, read_patients, split_by_patient, split_noise
from audiodae.prep.settings_file import take_up
from audiodae.whole_file import write_whole

SETTINGS_FILE = "prepare_series.json"
SPLITS = ("train", "valid")
MODELLED_NOISE_SECONDS = 300.0  # of each recording made up
ECG_HIGH_PASS_HZ = 0.5
ECG_RATE_HZ = 360.0

Report = Callable[[str, int, int], None]  # what is being done, how much of it is, of how much


class SeriesPrepareSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the prepared bytes depend on, besides the recordings themselves.

    Attributes
    ----------
    records : folder or file of recordings to learn from
    noise : folder or file of noise
    noisy_only : the recordings are noisy themselves
    ecg : the recordings are of an ECG: in mV, with beats
    rate_hz : that everything is brought to
    high_pass_hz : what lies below is no part of a reference; 0 keeps all
    all_leads : take every lead of a record, not only the first
    columns, time_column : of tables, as in `audiodae clean`
    patients : table of records and patients
    valid_share : held out for validation
    seed : of the deal and of all that is made up
    synthetic_patients : made up for training, `valid_share` as many for validation
    synthetic_minutes : of each of them
    synthetic_noises : recordings of each kind of noise made up, `valid_share` as many for validation
    """

    records: str | None = None
    noise: str | None = None
    noisy_only: bool = False
    ecg: bool = False
    rate_hz: float = ECG_RATE_HZ
    high_pass_hz: float = 0.0
    all_leads: bool = True
    columns: tuple[str, ...] | None = None
    time_column: str | None = None
    patients: str | None = None
    valid_share: float = 0.2
    seed: int = 1
    synthetic_patients: int = 0
    synthetic_minutes: float = 5.0
    synthetic_noises: int = 0


@dataclass
class PreparedSplit:
    """What is in the bank of one split, and which recordings are not: their paths and why."""

    clean: dict[str, Floats] = field(default_factory=dict)
    beats: dict[str, Beats] = field(default_factory=dict)
    noise: dict[str, dict[str, Floats]] = field(default_factory=dict)
    patients: set[str] = field(default_factory=set)
    unit: str = ""
    bad: list[tuple[Path, str]] = field(default_factory=list)
    too_short: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class SplitFigures:
    """How much a bank holds: hours, patients and beats of what is learnt from, minutes of each kind of noise."""

    hours: float
    recordings: int
    patients: int
    beats: int
    noise_minutes: Mapping[str, float]


@dataclass(frozen=True)
class PreparedSeries:
    """What a preparation made, and the recordings that are in no bank."""

    splits: Mapping[str, SplitFigures]
    bad: Sequence[tuple[Path, str]]
    too_short: Sequence[Path]


def prepare_banks(
    settings: SeriesPrepareSettings,
    out: Path,
    *,
    bad_share: float = 0.05,
    report: Report = lambda what, done, total: None,
) -> PreparedSeries:
    """Prepare the banks of train and valid.

    Parameters
    ----------
    settings : what to make
    out : folder to make it in: new, empty, or begun with the same settings
    bad_share : float, 0 to 1, of the recordings that may be unreadable
    report : told of progress

    Raises
    ------
    CorpusError
        A folder is missing, empty, badly split or has too many bad files, or a split would be without recordings.
    ShardError
        The folder holds something else, or was begun with other settings.
    """
    records, noise = _find(settings)
    take_up(out, settings, SETTINGS_FILE)
    made: dict[str, PreparedSplit] = {}
    for split in SPLITS:
        sources = records.get(split, []), noise.get(split, [])
        made[split] = _build(split, *sources, settings, report)
        _refuse_bad(made[split], sum(map(len, sources)), bad_share)
        _refuse_empty(split, made[split], settings)
    figures = {split: _write(bank_path(out, split), content, settings) for split, content in made.items()}
    bad = [pair for content in made.values() for pair in content.bad]
    short = [path for content in made.values() for path in content.too_short]
    lines = [f"{path}\tbad: {why}\n" for path, why in bad] + [f"{path}\tleft out: too short\n" for path in short]
    write_whole(out / "bad_files.txt", "".join(lines).encode())
    return PreparedSeries(figures, bad, short)


def _refuse_bad(content: PreparedSplit, total: int, bad_share: float) -> None:
    if len(content.bad) > bad_share * total:
        path, why = content.bad[0]
        raise CorpusError(f"{len(content.bad)} of {total} recordings cannot be read, the first {path}: {why}")


def _refuse_empty(split: str, content: PreparedSplit, settings: SeriesPrepareSettings) -> None:
    lacks = [(settings.records, content.clean)] + ([(settings.noise, content.noise)] if settings.noise else [])
    for root, there in lacks:
        if not there:
            raise CorpusError(
                f"{root}: no stretch of {SHORTEST_SAMPLES} samples without a gap for {split}; "
                "give longer recordings, or more of them"
            )


def _find(settings: SeriesPrepareSettings) -> tuple[Splits, Splits]:
    """The sources of each split: records and noise."""
    share = settings.valid_share
    records: Splits = {}
    if settings.records:
        patients = read_patients(Path(settings.patients)) if settings.patients else None
        records = split_by_patient(Path(settings.records), valid_share=share, seed=settings.seed, patients=patients)
    return records, split_noise(Path(settings.noise), valid_share=share) if settings.noise else {}


def _build(
    split: str,
    records: Sequence[SeriesSource],
    noise: Sequence[SeriesSource],
    settings: SeriesPrepareSettings,
    report: Report,
) -> PreparedSplit:
    """Read and make up all of one split."""
    content = PreparedSplit()
    # Noise keeps its slow course and all its leads: they are mixed at will.
    of_noise = Reading(rate_hz=settings.rate_hz, columns=settings.columns, time_column=settings.time_column)
    of_records = replace(
        of_noise,
        high_pass_hz=settings.high_pass_hz,
        all_leads=settings.all_leads,
        resampled=not settings.noisy_only,
        ecg=settings.ecg,
    )
    for done, source in enumerate(records, start=1):
        for stretch in _read(source, of_records, content):
            _add_record(stretch, source.group, content)
        report(f"reading {split}", done, len(records))
    for done, source in enumerate(noise, start=1):
        for stretch in _read(source, of_noise, content):
            content.noise.setdefault(source.group, {})[stretch.name] = stretch.values
        report(f"reading {split} noise", done, len(noise))
    _make_up_patients(split, content, settings, report)
    _make_up_noise(split, content, settings, report)
    return content


def _read(source: SeriesSource, how: Reading, content: PreparedSplit) -> list[Stretch]:
    """The stretches of a recording; what cannot be read is noted."""
    try:
        stretches = read_stretches(source.path, source.name, how, span=source.span)
    except SeriesFileError as error:
        content.bad.append((source.path, one_line(str(error))))
        return []
    if not stretches:
        content.too_short.append(source.path)
    return stretches


def _add_record(stretch: Stretch, patient: str, content: PreparedSplit) -> None:
    """Make each lead a recording of its own; they share the beats."""
    leads = stretch.values.shape[1]
    content.patients.add(patient)
    content.unit = content.unit or stretch.unit
    for lead in range(leads):
        name = f"{stretch.name}:{lead + 1}" if leads > 1 else stretch.name
        content.clean[name] = stretch.values[:, lead]
        if len(stretch.beats):
            content.beats[name] = stretch.beats


def _make_up_patients(split: str, content: PreparedSplit, settings: SeriesPrepareSettings, report: Report) -> None:
    count = _made_up(settings.synthetic_patients, split, settings)
    for number in range(count):
        rng = np.random.default_rng([settings.seed, SPLITS.index(split), number])
        values, beats = synthetic_ecg(draw_patient(rng), 60 * settings.synthetic_minutes, settings.rate_hz, rng)
        reference = high_passed(values[:, None], settings.high_pass_hz, settings.rate_hz)
        _add_record(Stretch(f"synthetic-{number:04d}", reference, beats, "mV"), f"synthetic-{number:04d}", content)
        report(f"making up {split}", number + 1, count)


def _make_up_noise(split: str, content: PreparedSplit, settings: SeriesPrepareSettings, report: Report) -> None:
    count = _made_up(settings.synthetic_noises, split, settings)
    samples = round(MODELLED_NOISE_SECONDS * settings.rate_hz)
    for place, (kind, make) in enumerate(ECG_NOISES.items()):
        for number in range(count):
            rng = np.random.default_rng([settings.seed, SPLITS.index(split), number, place + 1])
            noise = make(samples, settings.rate_hz, rng)
            content.noise.setdefault(kind, {})[f"synthetic-{number:04d}"] = noise[:, None]
            report(f"making up {split} noise", place * count + number + 1, len(ECG_NOISES) * count)


def _made_up(count: int, split: str, settings: SeriesPrepareSettings) -> int:
    """How many of `count` for training a split gets: for validation a share, rounded up."""
    return count if split == "train" else math.ceil(count * settings.valid_share)


def _write(path: Path, content: PreparedSplit, settings: SeriesPrepareSettings) -> SplitFigures:
    """Write a bank and say how much is in it."""
    unit = content.unit or ("mV" if settings.ecg else "")
    header = SeriesHeader(rate_hz=settings.rate_hz, unit=unit, noisy_only=settings.noisy_only)
    write_series_bank(path, header, clean=content.clean, noise=content.noise, beats=content.beats)
    per_minute = 60 * settings.rate_hz
    return SplitFigures(
        hours=sum(len(values) for values in content.clean.values()) / per_minute / 60,
        recordings=len(content.clean),
        patients=len(content.patients),
        beats=sum(len(beats) for beats in content.beats.values()),
        noise_minutes={
            kind: sum(len(values) for values in some.values()) / per_minute
            for kind, some in sorted(content.noise.items())
        },
    )
