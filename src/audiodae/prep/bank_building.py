"""Building banks: decode each recording once, by any number of processes, and go on where an interrupted build stopped.

While it is being built a bank lies in a folder NAME.part: samples are added to pcm.npy, and when a recording's samples
are there, a line is added to journal.jsonl. What a killed build left after its last whole line is cut off and made
again. The folder takes its name when it is complete.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import msgspec
import numpy as np

from audiodae.errors import AudiodaeError, CorpusError, ShardError
from audiodae.prep.bank import Entry, read_entries, write_entries
from audiodae.prep.corpus import Kind, Recording
from audiodae.prep.decode import Pcm, clean_estimate_db, decode
from audiodae.prep.workers import map_in_order

HEADER_BYTES = 128  # of pcm.npy: numpy leaves room in it for the length to grow
SAMPLE_BYTES = 2
WORTH_A_PROCESS = 100  # recordings: so many are decoded in the time that a process takes to start

Progress = Callable[[int, int], None]  # recordings done, of how many


@dataclass(frozen=True)
class Source:
    """Something that goes into a bank.

    Attributes
    ----------
    path, group : in the index
    make : how to make its samples, picklable
    recorded : whether it is a file that somebody brought, or made up here
    """

    path: str
    group: str
    make: Callable[[], Pcm]
    recorded: bool = True


def from_files(recordings: Sequence[Recording], kind: Kind) -> list[Source]:
    """The sources that recordings of a corpus are."""
    return [Source(r.path, r.group, partial(decode, r.file, kind)) for r in recordings]


def build_bank(
    sources: Sequence[Source],
    folder: Path,
    *,
    min_clean_db: float | None = None,
    jobs: int = 1,
    progress: Progress = lambda done, total: None,
) -> list[Entry]:
    """Make a bank, or go on with one that was interrupted; a finished one of the same recordings is left as it is.

    Parameters
    ----------
    sources : what goes in, in this order
    folder : where the bank will be
    min_clean_db : what has a lower `clean_estimate_db` is left out, which does not count as bad; None keeps all
    jobs : processes that decode; the bank has the same bytes for any number
    progress : told how many recordings are done, of how many

    Returns
    -------
    left_out : the recordings that are not in the bank, and why

    Raises
    ------
    CorpusError
        There are recordings, but every one was left out.
    ShardError
        The bank is finished, and was made of other recordings.
    """
    if not folder.exists():
        part = folder.with_name(folder.name + ".part")
        part.mkdir(parents=True, exist_ok=True)
        done = _take_up(part, sources)
        _append_all(part, sources, done, min_clean_db=min_clean_db, jobs=jobs, progress=progress)
        if done and all(entry.why for entry in done):
            raise CorpusError(f"all {len(done)} recordings were left out, the first {done[0].path}: {done[0].why}")
        _finish(part, done)
        part.rename(folder)
    left_out = _read(folder, "left_out.jsonl")
    _refuse_changed(folder, {source.path for source in sources}, _read(folder, "index.jsonl") + left_out)
    return left_out


def _read(folder: Path, name: str) -> list[Entry]:
    try:
        return read_entries(folder / name)
    except (OSError, msgspec.MsgspecError) as error:
        raise ShardError(f"{folder / name}: cannot be read ({error}); delete {folder}, prepare again") from error


def _refuse_changed(folder: Path, now: Set[str], entries: Sequence[Entry]) -> None:
    """Raise ShardError if a finished bank was made of other recordings than there are now."""
    then = {entry.path for entry in entries}
    if changed := sorted(now ^ then):
        more = f", and {len(changed) - 1} more" if len(changed) > 1 else ""
        what = "is new" if changed[0] in now else "is gone, or in another split"
        # Deleting this bank alone would leave shards behind that were made from it.
        raise ShardError(
            f"{folder}: the corpus has changed since this was made: {changed[0]} {what}{more}; "
            "prepare into another folder, or delete the whole preparation to start again"
        )


def refuse_bad(left_out: Sequence[Entry], kind: Kind, *, total: int, bad_share: float) -> None:
    """Raise CorpusError if more than bad_share of the `total` recordings of a kind are bad."""
    bad = [entry for entry in left_out if entry.bad]
    if len(bad) > bad_share * total:
        raise CorpusError(
            f"{len(bad)} of {total} recordings of {kind} are bad, the first {bad[0].path} ({bad[0].why}); "
            "mend or remove them, or allow more with --bad-share"
        )


def _take_up(part: Path, sources: Sequence[Source]) -> list[Entry]:
    """The recordings that an interrupted build finished; cuts off the file what it left half done."""
    pcm, journal = part / "pcm.npy", part / "journal.jsonl"
    pcm.touch()
    journal.touch()
    whole = journal.read_bytes().rpartition(b"\n")[0]  # the last line may be cut short
    done: list[Entry] = msgspec.json.decode(b"[" + b",".join(whole.splitlines()) + b"]", type=list[Entry])
    # After a power cut the journal may be ahead of the samples.
    while done and pcm.stat().st_size < _end(done):
        done.pop()
    if [entry.path for entry in done] != [source.path for source in sources[: len(done)]]:
        done = []  # the corpus has changed since
    write_entries(journal, done)
    with pcm.open("r+b") as file:
        file.truncate(_end(done))  # grows it to the header in a new build
    return done


def _append_all(
    part: Path,
    sources: Sequence[Source],
    done: list[Entry],
    *,
    min_clean_db: float | None,
    jobs: int,
    progress: Progress,
) -> None:
    """Decode what is not done yet: samples first, then the line that says they are there."""
    todo = sources[len(done) :]
    jobs = min(jobs, len(todo) // WORTH_A_PROCESS)
    with (part / "pcm.npy").open("ab") as pcm, (part / "journal.jsonl").open("ab") as journal:
        for source, outcome in zip(todo, map_in_order(_make, todo, jobs), strict=True):
            start = (_end(done) - HEADER_BYTES) // SAMPLE_BYTES
            entry = _judge(source, outcome, start, min_clean_db)
            if not entry.why:
                assert not isinstance(outcome, str)
                pcm.write(outcome.astype("<i2").tobytes())
                pcm.flush()
            journal.write(msgspec.json.encode(entry) + b"\n")
            journal.flush()
            done.append(entry)
            progress(len(done), len(sources))


def _make(source: Source) -> Pcm | str:
    try:
        return source.make()
    except AudiodaeError as error:
        return str(error)


def _judge(source: Source, outcome: Pcm | str, start: int, min_clean_db: float | None) -> Entry:
    """The index line of a recording: kept, bad, or too noisy to be learnt from as clean."""
    if isinstance(outcome, str):
        return Entry(path=source.path, group=source.group, start=start, why=outcome, bad=True)
    clean_db = clean_estimate_db(outcome) if min_clean_db is not None else float("inf")
    if min_clean_db is not None and clean_db < min_clean_db:
        why = f"stands only {clean_db:.1f} dB above its own background, less than {min_clean_db:g}"
        return Entry(path=source.path, group=source.group, start=start, why=why)
    return Entry(path=source.path, group=source.group, start=start, length=outcome.size)


def _end(done: Sequence[Entry]) -> int:
    """Bytes of pcm.npy that the recordings done take up."""
    samples = done[-1].start + done[-1].length if done else 0
    return HEADER_BYTES + SAMPLE_BYTES * samples


def _finish(part: Path, done: Sequence[Entry]) -> None:
    """Write the header of pcm.npy and the two lists; remove the journal."""
    header = BytesIO()
    shape = ((_end(done) - HEADER_BYTES) // SAMPLE_BYTES,)
    np.lib.format.write_array_header_1_0(header, {"descr": "<i2", "fortran_order": False, "shape": shape})
    assert len(header.getvalue()) == HEADER_BYTES, "numpy has changed its header"
    with (part / "pcm.npy").open("r+b") as pcm:
        pcm.write(header.getvalue())
    write_entries(part / "index.jsonl", [entry for entry in done if not entry.why])
    write_entries(part / "left_out.jsonl", [entry for entry in done if entry.why])
    (part / "journal.jsonl").unlink()
