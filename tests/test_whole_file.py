"""Whole or absent, whatever happens in between."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from audiodae.whole_file import whole_file, write_whole

ROOT = Path(__file__).parents[1]


def test_it_writes_and_leaves_nothing_else(tmp_path):
    write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_it_replaces(tmp_path):
    (tmp_path / "file").write_bytes(b"a longer old one")
    write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(RuntimeError, match="in between"), whole_file(tmp_path / "file") as part:
        part.write_bytes(b"half")
        raise RuntimeError("in between")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failed_fsync_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"old")

    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_kill_leaves_the_old_file(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom audiodae.whole_file import whole_file\n"
        "with whole_file(Path(sys.argv[1])) as part:\n"
        "    part.write_bytes(b'half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path / "file")], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / "file").read_bytes() == b"old"


def test_the_next_writer_removes_what_a_killed_one_left_and_nothing_of_the_living(tmp_path):
    dead, foreign = tmp_path / ".file.0123abcd.part", tmp_path / ".file.notes.part"
    dead.write_bytes(b"half")
    foreign.write_bytes(b"another program's")
    with whole_file(tmp_path / "file") as first:
        first.write_bytes(b"first")
        with whole_file(tmp_path / "file") as second:
            second.write_bytes(b"second")
        assert first.exists() and not dead.exists() and foreign.exists()
        assert (tmp_path / "file").read_bytes() == b"second"
    assert (tmp_path / "file").read_bytes() == b"first"  # the last to end wins


def test_a_link_stays_and_permissions_too(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_a_long_name_fits(tmp_path):
    write_whole(tmp_path / ("ü" * 127), b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["ü" * 127]
