import msgspec
import pytest

from audiodae.errors import ShardError
from audiodae.prep.draws import DrawSettings
from audiodae.prep.settings import PrepareSettings, read_settings, take_folder

PLAIN = PrepareSettings(speech="/speech", noise="/noise")


def test_a_folder_is_made_and_taken_up_again(tmp_path):
    for _ in range(2):
        take_folder(tmp_path / "a" / "b", PLAIN)
    assert read_settings(tmp_path / "a" / "b") == PLAIN


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 2}, "seed = 1, now it is 2"),
        ({"hours": 1.5}, "hours = 0.0, now it is 1.5"),
        ({"speech": "/other"}, "speech = /speech, now it is /other"),
        ({"mix": DrawSettings(snr_db=(0.0, 5.0))}, r"mix.snr_db = \(-8.0, 20.0\), now it is \(0.0, 5.0\)"),
    ],
)
def test_changed_settings_are_named(tmp_path, changed, message):
    take_folder(tmp_path, PLAIN)
    with pytest.raises(ShardError, match=f"was begun with {message}; choose another folder"):
        take_folder(tmp_path, msgspec.structs.replace(PLAIN, **changed))


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ShardError, match=r"holds 'thesis\.txt' but no prepare\.json"):
        take_folder(tmp_path, PLAIN)


def test_what_a_kill_left_before_the_settings_is_no_obstacle(tmp_path):
    (tmp_path / ".prepare.json.123.part").touch()
    take_folder(tmp_path, PLAIN)


@pytest.mark.parametrize("content", ["", "{}", '{"speech": "/a", "noise": "/b", "unknown": 1}'])
def test_damaged_settings(tmp_path, content):
    (tmp_path / "prepare.json").write_text(content)
    with pytest.raises(ShardError, match="cannot be read"):
        take_folder(tmp_path, PLAIN)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ShardError, match="cannot prepare into this folder"):
        take_folder(tmp_path / "file", PLAIN)
