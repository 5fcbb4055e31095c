"""The settings of a preparation, kept in its folder as JSON so that another run cannot mix in other ones."""

from pathlib import Path
from typing import TypeVar

import msgspec

from audiodae.errors import ShardError
from audiodae.whole_file import write_whole

AnySettings = TypeVar("AnySettings", bound=msgspec.Struct)


def take_up(out: Path, settings: msgspec.Struct, file_name: str) -> None:
    """Make the folder of a preparation, or take up one that was begun with the same settings.

    Raises
    ------
    ShardError
        The folder cannot be written, holds other things, or was begun with other settings, which are named.
    """
    file = out / file_name
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            _refuse_strangers(out, file_name)
            write_whole(file, msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")
    except OSError as error:
        raise ShardError(f"{out}: cannot prepare into this folder ({error.strerror})") from error
    _refuse_others(file, settings)


def read_file(file: Path, kind: type[AnySettings]) -> AnySettings:
    """The settings in a file.

    Raises
    ------
    ShardError
        There are none, or they cannot be read.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise ShardError(f"{file}: cannot be read ({error}); delete the folder, prepare again") from error


def _refuse_strangers(out: Path, file_name: str) -> None:
    # Hidden files are what a run leaves that was killed before it wrote its settings.
    strangers = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    if strangers:
        raise ShardError(f"{out}: holds {strangers[0]!r} but no {file_name}; choose a new or empty folder")


def _refuse_others(file: Path, settings: msgspec.Struct) -> None:
    before, now = _flat(read_file(file, type(settings))), _flat(settings)
    changed = [name for name in now if before[name] != now[name]]
    if changed:
        name = changed[0]
        raise ShardError(
            f"{file.parent}: was begun with {name} = {before[name]}, now it is {now[name]}; "
            "choose another folder, or delete this one to start again"
        )


def _flat(settings: msgspec.Struct) -> dict[str, object]:
    """Settings by name, those of the mix, where there is one, as mix.NAME."""
    plain: dict[str, object] = msgspec.to_builtins(settings)
    mix = plain.pop("mix", {})
    assert isinstance(mix, dict)
    return plain | {f"mix.{name}": value for name, value in mix.items()}
