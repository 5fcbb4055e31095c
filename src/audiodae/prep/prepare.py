"""Preparation of a corpus, from folders of recordings to everything that training and evaluation read.

    OUT/prepare.json              the settings (`audiodae.prep.settings`); a run with other settings is refused
    OUT/bank/SPLIT/KIND/          the recordings, decoded (`audiodae.prep.bank`); KIND is speech, noise or rooms
    OUT/shards/, OUT/manifest/    pairs of magnitudes and how each was made (`audiodae.prep.shards`), with hours > 0
    OUT/test/                     test clips (`audiodae.prep.clips`)
    OUT/bad_files.txt             recordings that could not be read or were left out: kind, path below its corpus, why

Every file appears complete or not at all, and is the same for the same settings: a run that was killed is started again
and goes on, any number of processes share the work, and the bytes are those of one run by one process.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audiodae.errors import CorpusError
from audiodae.prep.bank import Bank, Entry
from audiodae.prep.bank_building import Source, build_bank, from_files, refuse_bad
from audiodae.prep.changed_voices import changed_voices
from audiodae.prep.clips import write_clips
from audiodae.prep.corpus import KINDS, SPLIT_FOLDERS, Kind, find_splits
from audiodae.prep.draws import Split
from audiodae.prep.noises import simulated_noises
from audiodae.prep.rooms import simulated_rooms
from audiodae.prep.settings import PrepareSettings, take_folder
from audiodae.prep.shard_making import load_banks, make_shard, shard_tasks
from audiodae.prep.workers import map_in_order
from audiodae.whole_file import write_whole

NEEDED: tuple[Kind, ...] = ("speech", "noise")  # in train and valid; rooms may be none
HELD_OUT_SIMULATED = 0.1  # of the rooms and noises made up for training, as many again for each other split

Sources = Mapping[tuple[Split, Kind], Sequence[Source]]
LeftOut = Mapping[tuple[Split, Kind], Sequence[Entry]]  # recordings that are in no bank
Report = Callable[[str, int, int], None]  # what is being done, how much of it is, of how much


@dataclass(frozen=True)
class Prepared:
    """What a preparation made.

    Attributes
    ----------
    hours : of recordings in each bank
    speakers : in each split
    shared_folders : of speech, in two splits: taken for corpora, but they could be speakers
    examples : in shards, by split
    clips_from : the split that the test clips are made from: valid where there is no test
    left_out : recordings that were bad, or too noisy to be learnt from as clean, in each bank
    """

    hours: Mapping[tuple[Split, Kind], float]
    speakers: Mapping[Split, int]
    shared_folders: Sequence[str]
    examples: Mapping[Split, int]
    clips_from: Split
    left_out: LeftOut


def prepare(
    settings: PrepareSettings,
    out: Path,
    *,
    jobs: int = 1,
    bad_share: float = 0.05,
    report: Report = lambda what, done, total: None,
) -> Prepared:
    """Prepare a corpus, or go on with a preparation that was interrupted.

    Parameters
    ----------
    settings : what to make
    out : folder to make it in: new, empty, or begun with the same settings
    jobs : processes; the bytes are the same for any number
    bad_share : float, 0 to 1, of the recordings of each kind that may be unreadable
    report : told of progress

    Raises
    ------
    CorpusError
        A corpus is missing, empty, badly split or has too many bad files.
    ShardError
        The folder holds something else, or was begun with other settings or recordings.
    """
    sources = find_sources(settings)
    take_folder(out, settings)
    _remove_leftovers(out)
    left_out = _build_banks(sources, out, settings, jobs=jobs, report=report)
    _write_bad_files(out, left_out)
    _refuse_bad(left_out, sources, bad_share=bad_share)
    tasks = shard_tasks(out, settings)
    missing = [task for task in tasks if not task.path.exists()]
    for done, _ in enumerate(map_in_order(make_shard, missing, jobs), start=len(tasks) - len(missing) + 1):
        report("mixing shards", done, len(tasks))
    clips_from: Split = "test" if ("test", "speech") in sources else "valid"
    banks = load_banks(out, clips_from)
    write_clips(
        out / "test",
        banks,
        split=clips_from,
        seed=settings.seed,
        count=settings.test_clips,
        progress=partial(report, "writing test clips"),
    )
    made = {key: Bank.load(_bank_folder(out, *key)) for key in sources}
    return Prepared(
        hours={key: bank.seconds / 3600 for key, bank in made.items()},
        speakers={split: len(bank.group_names) for (split, kind), bank in made.items() if kind == "speech"},
        shared_folders=_shared_folders(sources) if settings.speaker_depth is None else [],
        examples={split: sum(task.stop - task.first for task in tasks if task.split == split) for split, _ in sources},
        clips_from=clips_from,
        left_out=left_out,
    )


def find_sources(settings: PrepareSettings) -> Sources:
    """What goes into each bank. A split is prepared if it has both speech and noise; rooms may be none.

    Raises
    ------
    CorpusError
        A corpus cannot be used, or there are no recordings for validation.
    """
    roots: dict[Kind, str | None] = {"speech": settings.speech, "noise": settings.noise, "rooms": settings.rir}
    found = {
        kind: find_splits(Path(root), kind, seed=settings.seed, speaker_depth=settings.speaker_depth) if root else {}
        for kind, root in roots.items()
    }
    for kind in NEEDED:
        if "valid" not in found[kind]:
            raise CorpusError(f"{roots[kind]}: no {kind} for validation; add recordings, or a folder valid")
    sources: dict[tuple[Split, Kind], Sequence[Source]] = {}
    for split in ("train", "valid", "test"):
        if split in found["speech"] and split in found["noise"]:
            for kind in KINDS:
                sources[split, kind] = from_files(found[kind].get(split, []), kind)
            rooms, noises = (_held_out(count, split) for count in (settings.simulated_rooms, settings.simulated_noises))
            made_rooms = simulated_rooms(rooms, seed=settings.seed, split=split)
            sources[split, "rooms"] = [*sources[split, "rooms"], *made_rooms]
            made_noises = simulated_noises(noises, seed=settings.seed, split=split)
            sources[split, "noise"] = [*sources[split, "noise"], *made_noises]
    # What is judged by stays what was recorded.
    voices = changed_voices(sources["train", "speech"], settings.changed_voices, seed=settings.seed)
    sources["train", "speech"] = [*sources["train", "speech"], *voices]
    return sources


def _shared_folders(sources: Sources) -> list[str]:
    """The top folders of speech that hold speakers of two splits, where the splits are given."""
    splits_of: dict[str, set[Split]] = {}
    for (split, kind), some in sources.items():
        for source in some:
            top, *below = source.group.split("/")
            if kind == "speech" and below and source.path.split("/")[0].lower() in SPLIT_FOLDERS:
                splits_of.setdefault(top, set()).add(split)
    return sorted(top for top, splits in splits_of.items() if len(splits) > 1)


def _held_out(count: int, split: Split) -> int:
    """How many of `count` for training another split gets: rounded up, so a few if there are any."""
    return count if split == "train" else -(-count // round(1 / HELD_OUT_SIMULATED))


def _build_banks(sources: Sources, out: Path, settings: PrepareSettings, *, jobs: int, report: Report) -> LeftOut:
    """Build every bank; give the recordings that are in none."""
    left_out: dict[tuple[Split, Kind], Sequence[Entry]] = {}
    for (split, kind), some in sources.items():
        left_out[split, kind] = build_bank(
            some,
            _bank_folder(out, split, kind),
            min_clean_db=settings.min_clean_db if kind == "speech" else None,
            jobs=jobs,
            progress=partial(report, f"reading {split} {kind}"),
        )
    return left_out


def _bank_folder(out: Path, split: Split, kind: Kind) -> Path:
    return out / "bank" / split / kind


def _write_bad_files(out: Path, left_out: LeftOut) -> None:
    lines = [
        f"{kind}\t{entry.path}\t{'bad' if entry.bad else 'left out'}: {entry.why}\n"
        for (_, kind), entries in left_out.items()
        for entry in entries
    ]
    write_whole(out / "bad_files.txt", "".join(lines).encode())


def _refuse_bad(left_out: LeftOut, sources: Sources, *, bad_share: float) -> None:
    """Judge each kind by its own recordings: good noises and made-up rooms do not mend a corpus of speech."""
    for kind in KINDS:
        brought = {source.path for key, some in sources.items() if key[1] == kind for source in some if source.recorded}
        entries = [entry for key, some in left_out.items() if key[1] == kind for entry in some]
        refuse_bad([e for e in entries if e.path in brought], kind, total=len(brought), bad_share=bad_share)


def _remove_leftovers(out: Path) -> None:
    """Remove what a killed preparation left half written; banks are not removed, they are gone on with."""
    for path in [*out.glob(".*.part"), *out.glob("shards/*/.*.part"), *out.glob("manifest/*/.*.part")]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
