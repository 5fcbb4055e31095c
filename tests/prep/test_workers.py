import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from audiodae.prep.workers import map_in_order


def slow_square(number):
    time.sleep(0.05 * (3 - number % 3))
    return number * number


def refuse_two(number):
    if number == 2:
        raise ValueError("two")
    return number


def pid_of(number):
    return os.getpid()


@pytest.mark.parametrize("jobs", [1, 2])
def test_answers_in_order(jobs):
    assert list(map_in_order(slow_square, range(5), jobs)) == [0, 1, 4, 9, 16]


def test_nothing_to_do():
    assert list(map_in_order(slow_square, [], 4)) == []


def test_one_job_stays_in_this_process():
    assert set(map_in_order(pid_of, range(3), 1)) == {os.getpid()}
    assert os.getpid() not in set(map_in_order(pid_of, range(3), 2))


def test_an_error_comes_through():
    with pytest.raises(ValueError, match="two"):
        list(map_in_order(refuse_two, range(5), 2))


PARENT = """
import time, os
from audiodae.prep.workers import map_in_order

def tell_and_wait(number):
    print(os.getpid(), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    list(map_in_order(tell_and_wait, range(2), 2))
"""


@pytest.mark.skipif(not shutil.which("ps"), reason="needs ps")
def test_workers_end_with_the_process_that_started_them(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True)
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    assert all(alive(pid) for pid in workers)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)


def alive(pid):
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state) and not state.startswith("Z")
