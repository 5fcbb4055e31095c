import json
import os
from pathlib import Path

import pytest

from audiodae.errors import AudioFileError
from audiodae.folders.done_list import DONE_NAME, DoneList, JsonLines

PATH = Path("sub/a.wav")


@pytest.fixture
def done(tmp_path):
    """A sound that was worked on: its source and its outputs."""
    source, outputs = tmp_path / "in.wav", [tmp_path / "a.wav", tmp_path / "a.noise.wav"]
    source.write_text("noisy")
    with DoneList(tmp_path, "settings") as done_list:
        done_list.begin(PATH, source, outputs)
        for output in outputs:
            output.write_text("clean")
        done_list.finish(PATH, outputs)
    return source, outputs


def ask(folder, source, outputs, settings="settings"):
    """Whether it is done, and whether the outputs may be replaced, as a later run sees it."""
    with DoneList(folder, settings) as done_list:
        return done_list.is_done(PATH, source, outputs), done_list.may_replace(PATH, outputs)


def test_what_is_done_is_known_later(tmp_path, done):
    assert ask(tmp_path, *done) == (True, True)


def test_what_changed_is_done_anew(tmp_path, done):
    source, outputs = done
    assert ask(tmp_path, source, outputs, settings="other") == (False, True)
    source.write_text("noisier")
    assert ask(tmp_path, source, outputs) == (False, True)


def test_the_same_size_at_another_time_is_a_change(tmp_path, done):
    source, outputs = done
    os.utime(source, ns=(0, 0))
    assert ask(tmp_path, source, outputs) == (False, True)


def test_an_output_that_is_gone_is_made_anew(tmp_path, done):
    source, outputs = done
    outputs[1].unlink()
    assert ask(tmp_path, source, outputs) == (False, True)


def test_an_output_that_somebody_changed_is_kept(tmp_path, done):
    source, outputs = done
    outputs[1].write_text("mine now")
    assert ask(tmp_path, source, outputs) == (False, False)


def test_a_file_from_elsewhere_is_kept(tmp_path, done):
    source, outputs = done
    (tmp_path / "b.wav").write_text("mine")
    assert ask(tmp_path, source, [tmp_path / "b.wav"]) == (False, False)
    assert ask(tmp_path, source, [tmp_path / "nothing.wav"]) == (False, True)


def test_what_appeared_before_a_kill_is_ours(tmp_path):
    source, output = tmp_path / "in.wav", tmp_path / "a.wav"
    source.write_text("noisy")
    with DoneList(tmp_path, "settings") as done_list:
        done_list.begin(PATH, source, [output])
        output.write_text("clean")
    assert ask(tmp_path, source, [output]) == (False, True)


def test_a_torn_or_foreign_line_harms_nothing(tmp_path, done):
    with open(tmp_path / DONE_NAME, "ab") as file:
        file.write(b'[1]\n{"path": 1}\n\xff\n{"path": "sub/a.wav", "sett')
    assert ask(tmp_path, *done) == (True, True)
    with JsonLines(tmp_path / DONE_NAME) as lines:
        lines.append({"next": 1})
    assert json.loads((tmp_path / DONE_NAME).read_text(errors="replace").splitlines()[-1]) == {"next": 1}


def test_lines_are_added_at_once_and_to_what_is_there(tmp_path):
    path = tmp_path / "lines.jsonl"
    for number in range(2):
        with JsonLines(path) as lines:
            lines.append({"number": number, "name": os.fsdecode(b"\xff")})
            assert len(path.read_text().splitlines()) == number + 1
    assert [json.loads(line)["name"] for line in path.read_text().splitlines()] == [os.fsdecode(b"\xff")] * 2


def test_what_cannot_be_written(tmp_path):
    for path in (tmp_path, tmp_path / "no" / "folder.jsonl"):
        with pytest.raises(AudioFileError, match="cannot be written"):
            JsonLines(path)
    if Path("/dev/full").exists():
        with JsonLines(Path("/dev/full")) as lines, pytest.raises(AudioFileError, match="No space left"):
            lines.append({})
