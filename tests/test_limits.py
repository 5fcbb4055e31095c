import subprocess
import sys

import pytest

PROGRAM = """
import sys, time
from audiodae.limits import limit_computing, limit_memory
{}
print("well")
"""


def run(text):
    """Run a program; its limits are none of ours."""
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(text)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


COMPUTE = "end = time.process_time() + {}\nwhile time.process_time() < end: pass\n"


def test_who_computes_without_getting_on_is_ended():
    assert run("limit_computing(0.2)\n" + COMPUTE.format(20))[0] == -27  # SIGPROF


def test_who_gets_on_waits_or_has_no_limit_is_not():
    text = "for _ in range(3):\n    limit_computing(0.3)\n    end = time.process_time() + 0.15\n"
    text += "    while time.process_time() < end: pass\n"
    text += "time.sleep(0.4)\nlimit_computing(0)\n" + COMPUTE.format(0.4)
    assert run(text) == (0, "well\n")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux heeds it")
def test_memory_is_bounded():
    assert "MemoryError" in run("limit_memory(1 << 30)\nbytes(2 << 30)")[1]
    assert run("limit_memory(1 << 30)\nbytes(1 << 20)") == (0, "well\n")
