import subprocess
import sys

import pytest
import soundfile

from tests.cli.process import audiodae

pytestmark = pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="the C library is not known")

PRINTS = """
import ctypes
from audiodae.c_output import c_output_silenced
c = ctypes.CDLL(None)
with c_output_silenced():
    c.puts(b"silenced")
    with c_output_silenced():
        c.puts(b"silenced")
    c.puts(b"silenced")
    print("Python's", flush=True)
c.puts(b"heard again")
c.fflush(None)
"""


def test_what_c_prints_is_silenced_until_the_last_has_ended():
    run = subprocess.run([sys.executable, "-c", PRINTS], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["Python's", "heard again"]


@pytest.fixture
def damaged(tmp_path):
    """MIDI samples with a byte wrong in every packet, which libsndfile tells on standard output."""
    path = tmp_path / "damaged.sds"
    soundfile.write(path, [0.1] * 1000, 16_000, format="SDS")
    content = bytearray(path.read_bytes())
    content[21::127] = b"\x55" * len(content[21::127])
    path.write_bytes(content)
    return path


def test_a_damaged_file_prints_nothing_into_json_or_sound(damaged, tmp_path):
    done = audiodae("clean", damaged, tmp_path / "out.wav", "--json")
    assert done.stdout.startswith("{") and len(done.stdout.splitlines()) == 1 and done.stderr == ""
    done = audiodae("clean", "-", "-", "--quiet", text=False, stdin=damaged.open("rb"))
    assert done.stdout.startswith(b"RIFF") and b"Error" not in done.stdout
