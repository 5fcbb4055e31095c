import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from audiodae.workers import Died, map_as_finished


def square(number, tell):
    return number * number


def wait_and_name(seconds, tell):
    time.sleep(seconds)
    return seconds, os.getpid()


def count_to(number, tell):
    for step in range(number):
        tell(step)
    return number


def die_of(number, tell):
    if number:
        os.kill(os.getpid(), number)
    return os.getpid()


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_item_is_answered_once(jobs):
    assert sorted(map_as_finished(square, range(5), jobs)) == [(n, n * n) for n in range(5)]


def test_nothing_to_do_starts_nothing():
    assert list(map_as_finished(None, [], 4)) == []


def test_answers_come_as_they_are_done_from_that_many_processes():
    answers = [answer for _, answer in map_as_finished(wait_and_name, [2.0, 0.0, 0.01], 2)]
    assert [seconds for seconds, _ in answers] == [0.0, 0.01, 2.0]
    pids = [pid for _, pid in answers]
    assert pids[0] == pids[1] != pids[2] and os.getpid() not in pids


def test_items_are_taken_when_somebody_is_free():
    taken = []
    items = (taken.append(number) or number for number in range(5))
    with closing(map_as_finished(square, items, 1)) as answers:
        next(answers)
        assert len(taken) == 2  # the one answered, and the one being worked on


def test_news_come_before_the_answer():
    told = []
    answers = list(map_as_finished(count_to, [3], 1, on_news=lambda item, news: told.append((item, news))))
    assert told == [(3, 0), (3, 1), (3, 2)] and answers == [(3, 3)]


def test_a_process_that_dies_takes_its_own_item_only():
    answers = list(map_as_finished(die_of, [0, signal.SIGKILL, 0, signal.SIGSEGV, 0], 1))
    died = {item: answer for item, answer in answers if isinstance(answer, Died)}
    assert died == {signal.SIGKILL: Died(-9), signal.SIGSEGV: Died(-11)}
    assert [str(answer) for answer in died.values()] == ["SIGKILL", "SIGSEGV"]
    assert len({answer for item, answer in answers if item == 0}) == 3  # a new process after each


def test_left_early_the_processes_end():
    with closing(map_as_finished(wait_and_name, [0.0, 60.0], 2)) as answers:
        _, (_, pid) = next(answers)
        started = time.monotonic()
    assert time.monotonic() - started < 4
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


PARENT = """
import os, sys, time
from pathlib import Path
from audiodae.workers import map_as_finished

def hold_a_file(path, tell):
    try:
        path.write_text(str(os.getpid()))
        time.sleep(60)
    finally:
        path.unlink()

if __name__ == "__main__":
    try:
        list(map_as_finished(hold_a_file, [Path(sys.argv[1]) / "1", Path(sys.argv[1]) / "2"], 2))
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_they_clear_away_and_end_with_the_process_that_started_them(tmp_path, number):
    (tmp_path / "parent.py").write_text(PARENT)
    held = tmp_path / "held"
    held.mkdir()
    command = [sys.executable, tmp_path / "parent.py", held]
    parent = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for(lambda: len(list(held.iterdir())) == 2)
    if number == signal.SIGINT:
        os.killpg(parent.pid, number)  # as a terminal does
    else:
        parent.kill()
    _, err = parent.communicate(timeout=30)  # ends when all have closed stderr
    assert err == "" and parent.returncode in (-9, 130)
    assert list(held.iterdir()) == []


def wait_for(what):
    deadline = time.monotonic() + 30
    while not what() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert what()
