"""The command line as a user runs it: a process."""

import io
import os
import signal
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout

from audiodae.cli import main

COMMAND = [sys.executable, "-m", "audiodae"]


def audiodae(*arguments, text=True, **settings):
    """Run `audiodae ARGUMENTS` and give what came of it."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=text, check=False, timeout=60, **settings)


def here(*arguments, cwd):
    """The same within this process: for commands that import torch, of which a test needs many."""
    out, err, before = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
    try:
        with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
            main([*map(str, arguments)])
    except SystemExit as end:
        return subprocess.CompletedProcess(arguments, end.code, out.getvalue(), err.getvalue())
    finally:
        signal.signal(signal.SIGTERM, before)


def with_model(path):
    """Give an environment in which path is the default network."""
    return os.environ | {"AUDIODAE_MODEL": str(path)}


def assert_refused(done, *pieces, code=1):
    """One line on stderr that begins with the program's name, nothing on stdout."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("audiodae: "), done.stderr
    for piece in pieces:
        assert piece in lines[0]
