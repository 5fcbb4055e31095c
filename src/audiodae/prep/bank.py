"""Banks: all recordings of one kind and split, decoded to 16 kHz mono PCM and laid end to end in one file.

A bank is a folder that exists complete or not at all (`audiodae.prep.bank_building` makes it)::

    pcm.npy         int16, shape (samples,): memory-mapped, so opening costs nothing and processes share the pages
    index.jsonl     a line per recording: path, group, start, length (samples)
    left_out.jsonl  a line per recording that is not in it: path, group, why, bad (false: fine, but too noisy)
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from audiodae.errors import ShardError
from audiodae.prep.decode import FULL_SCALE, SAMPLE_RATE, Pcm, Samples

Integers = npt.NDArray[np.int64]


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A recording in a bank or left out of it. `why` is empty for one that is in it."""

    path: str
    group: str
    start: int = 0
    length: int = 0
    why: str = ""
    bad: bool = False


class Bank:
    """Recordings of one kind and split, ready to be cut from. Never changed once loaded.

    Attributes
    ----------
    folder, share : where it was loaded from, and what share of the recordings there it has
    pcm : int16, shape (samples,), all recordings end to end
    starts, lengths : int64, shape (recordings,), samples
    groups : int64, shape (recordings,), the number of each recording's group in `group_names`
    paths : the recordings' paths below their corpus
    """

    device = "cpu"

    def __init__(self, folder: Path, pcm: Pcm, entries: Sequence[Entry], *, share: float = 1.0) -> None:
        self.folder, self.share = folder, share
        self.pcm = pcm
        self.starts: Integers = np.array([entry.start for entry in entries], np.int64)
        self.lengths: Integers = np.array([entry.length for entry in entries], np.int64)
        self.paths = tuple(entry.path for entry in entries)
        self.group_names = tuple(sorted({entry.group for entry in entries}))
        number = {name: place for place, name in enumerate(self.group_names)}
        self.groups: Integers = np.array([number[entry.group] for entry in entries], np.int64)

    @classmethod
    def load(cls, folder: str | Path, share: float = 1.0) -> "Bank":
        """Open a bank; its samples stay on disk until they are read.

        A `share` below 1 opens so much of its recordings, from all over the bank and always the same; a smaller share
        is part of a larger one.

        Raises
        ------
        ShardError
            There is no bank in the folder, or it is damaged.
        """
        folder = Path(folder)
        try:
            pcm = np.load(folder / "pcm.npy", mmap_mode="r", allow_pickle=False)
            entries = read_entries(folder / "index.jsonl")
        except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
            raise ShardError(
                f"{folder}: no bank of recordings here ({error}); make it with prepare_speech.py"
            ) from error
        if pcm.dtype != np.int16 or pcm.shape != (sum(entry.length for entry in entries),):
            raise ShardError(
                f"{folder}: pcm.npy does not hold what index.jsonl says; delete the folder and prepare again"
            )
        return cls(folder, pcm, _some(entries, share), share=share)

    def __reduce__(self) -> tuple[Callable[[Path, float], "Bank"], tuple[Path, float]]:
        # Another process opens the file anew; pickling the map would send all its samples.
        return Bank.load, (self.folder, self.share)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def seconds(self) -> float:
        """How much sound there is."""
        return int(self.lengths.sum()) / SAMPLE_RATE

    def read(self, recording: int, offset: int, length: int) -> Samples:
        """Cut `length` samples out of a recording, from `offset`, going round it again where it ends.

        Returns
        -------
        samples : float32, shape (length,), full scale = 1
        """
        start, available = int(self.starts[recording]), int(self.lengths[recording])
        if offset + length <= available:
            pcm = self.pcm[start + offset : start + offset + length]
        else:
            pcm = self.pcm[start + (offset + np.arange(length)) % available]
        return pcm.astype(np.float32) / np.float32(FULL_SCALE)


def _some(entries: Sequence[Entry], share: float) -> Sequence[Entry]:
    """A share of the recordings, at least one if there are any, in their order."""
    if share >= 1:
        return entries
    order = np.random.default_rng(0).permutation(len(entries))
    return [entries[place] for place in sorted(order[: max(1, round(share * len(entries)))])]


def read_entries(path: Path) -> list[Entry]:
    """The lines of an index."""
    return msgspec.json.decode(b"[" + b",".join(path.read_bytes().splitlines()) + b"]", type=list[Entry])


def write_entries(path: Path, entries: Sequence[Entry]) -> None:
    """Write an index, a line per recording."""
    path.write_bytes(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
