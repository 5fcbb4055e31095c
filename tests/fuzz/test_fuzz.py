"""Some thousand damaged inputs; `python -m tests.fuzz` tries as many as one likes."""

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("kind", "good", "inputs"), [("sounds", "sound", 2500), ("networks", "network", 800)])
def test_damaged_inputs_end_in_a_result_or_in_a_line(tmp_path, kind, good, inputs):
    command = [sys.executable, "-m", "tests.fuzz", kind, str(inputs), "--kept", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    ends = json.loads(run.stdout)
    assert ends[good] + ends["refused"] == inputs
    assert min(ends[good], ends["refused"]) > inputs / 50  # changed enough, and not too much


# What may happen to an input, and what is to be said of it.
BAD = {
    "crash": "import os; os.abort()",
    "hangs": "while True: pass",
    "ValueError": "raise ValueError('two\\nlines')",
    "MemoryError": "bytearray(2 << 30)",
    "says": "import sys; print('a word', file=sys.stderr)",
    "RuntimeWarning": "import warnings; warnings.warn('careful', RuntimeWarning)",
    "leaves": "open(folder / '.out.part', 'w')",
}


def test_every_bad_end_is_seen_and_the_next_input_is_tried():
    program = "from tests.fuzz.test_fuzz import try_bad; try_bad()"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    ends, bad = json.loads(run.stdout)
    assert ends == {"sound": len(BAD), **dict.fromkeys(BAD, 1)}
    assert bad == list(range(1, 2 * len(BAD), 2))


def try_bad():
    """Every second input is a bad one."""
    from tests.fuzz import children

    children.COMPUTING_S = 0.3
    codes, bad = list(BAD.values()), []

    def trial(number, folder):
        if number % 2:
            exec(codes[number // 2], {"folder": folder})
        return "sound"

    ends = children.run(trial, range(2 * len(BAD)), lambda number, end: bad.append(number))
    print(json.dumps([ends, bad]))
