"""The settings of a preparation of sound, kept in its folder as prepare.json."""

from pathlib import Path

import msgspec

from audiodae.prep.draws import DrawSettings
from audiodae.prep.settings_file import read_file, take_up

SETTINGS_FILE = "prepare.json"


class PrepareSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the prepared bytes depend on, besides the recordings themselves.

    Attributes
    ----------
    speech, noise, rir : corpus folders; no rir, no measured rooms
    hours : of pairs to write as shards for training, a tenth as many for validation; 0 for none
    seed : of every draw
    speaker_depth : which folder below the root or the split is the speaker, 1 for the first; None guesses
    min_clean_db : speech that stands less above its own background is left out; None keeps all
    simulated_rooms : for training; a tenth as many for each other split
    simulated_noises : recordings of noise to make up for training; a tenth as many for each other split
    changed_voices : speakers to make up for training, of those there; none for the other splits
    test_clips : pairs of sound files
    phase : keep the noisy phase in shards
    mix : what examples are like
    """

    speech: str
    noise: str
    rir: str | None = None
    hours: float = 0.0
    seed: int = 1
    speaker_depth: int | None = None
    min_clean_db: float | None = None
    simulated_rooms: int = 200
    simulated_noises: int = 0
    changed_voices: int = 0
    test_clips: int = 50
    phase: bool = False
    mix: DrawSettings = DrawSettings()


def take_folder(out: Path, settings: PrepareSettings) -> None:
    """Make the folder of a preparation, or take up one that was begun with the same settings.

    Raises
    ------
    ShardError
        The folder cannot be written, holds other things, or was begun with other settings, which are named.
    """
    take_up(out, settings, SETTINGS_FILE)


def read_settings(out: Path) -> PrepareSettings:
    """The settings a folder was prepared with.

    Raises
    ------
    ShardError
        There are none, or they cannot be read.
    """
    return read_file(out / SETTINGS_FILE, PrepareSettings)
