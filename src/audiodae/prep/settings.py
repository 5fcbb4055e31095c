"""The settings of a preparation, kept in its folder as prepare.json so that another run cannot mix in other ones."""

from pathlib import Path

import msgspec

from audiodae.errors import ShardError
from audiodae.prep.draws import DrawSettings
from audiodae.whole_file import write_whole

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
    file = out / SETTINGS_FILE
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            _refuse_strangers(out)
            write_whole(file, msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")
    except OSError as error:
        raise ShardError(f"{out}: cannot prepare into this folder ({error.strerror})") from error
    _refuse_others(file, settings)


def read_settings(out: Path) -> PrepareSettings:
    """The settings a folder was prepared with.

    Raises
    ------
    ShardError
        There are none, or they cannot be read.
    """
    try:
        return msgspec.json.decode((out / SETTINGS_FILE).read_bytes(), type=PrepareSettings)
    except (OSError, msgspec.MsgspecError) as error:
        raise ShardError(
            f"{out / SETTINGS_FILE}: cannot be read ({error}); delete the folder, prepare again"
        ) from error


def _refuse_strangers(out: Path) -> None:
    # Hidden files are what a run leaves that was killed before it wrote its settings.
    strangers = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    if strangers:
        raise ShardError(f"{out}: holds {strangers[0]!r} but no {SETTINGS_FILE}; choose a new or empty folder")


def _refuse_others(file: Path, settings: PrepareSettings) -> None:
    before, now = _flat(read_settings(file.parent)), _flat(settings)
    changed = [name for name in now if before[name] != now[name]]
    if changed:
        name = changed[0]
        raise ShardError(
            f"{file.parent}: was begun with {name} = {before[name]}, now it is {now[name]}; "
            "choose another folder, or delete this one to start again"
        )


def _flat(settings: PrepareSettings) -> dict[str, object]:
    """Settings by name, those of the mix as mix.NAME."""
    plain: dict[str, object] = msgspec.to_builtins(settings)
    mix = plain.pop("mix")
    assert isinstance(mix, dict)
    return plain | {f"mix.{name}": value for name, value in mix.items()}
