import json
import re

import numpy as np
import pytest
import soundfile

from tests.cli.process import assert_refused, audiodae, here
from tests.uses.made_up import IN_NOISE, RATE, trained, words, write_words


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("anomaly")
    trained("denoising-mixed", *IN_NOISE).save(folder / "net.safetensors")
    write_words(folder / "usual", words(20, start=60))
    write_words(folder / "today", words(3))
    tone = 0.5 * np.sin(2 * np.pi * 3000 * np.arange(RATE) / RATE)
    soundfile.write(folder / "today" / "tone.wav", tone, RATE)
    soundfile.write(folder / "silent.wav", np.zeros(RATE), RATE)
    return folder


def anomaly(place, source, *more, run=here):
    return run("anomaly", source, "--model", place / "net.safetensors", *more, cwd=place)


def test_the_oddest_comes_first(place):
    done = anomaly(place, "today", "--reference", "usual", "--plot", "odd.png", run=audiodae)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4 and lines[0].endswith("tone.wav")
    shape = r" *[\d.]+ dB +[+-][\d.]+ sd +[\d.]+ % odd frames  worst [\d.]+ dB at [\d.]+ s  \S+"
    assert all(re.fullmatch(shape, line) for line in lines)
    assert (place / "odd.png").read_bytes()[:4] == b"\x89PNG"


def test_json_holds_every_frame(place):
    (told,) = json.loads(anomaly(place, "today/tone.wav", "--json").stdout)
    assert len(told["frames_db"]) == -(-RATE // 128) + 1 and told["frame_seconds"] == 0.016
    assert told["error_db"] == pytest.approx(np.sqrt(np.mean(np.square(told["frames_db"]))), rel=1e-3)
    assert "deviations" not in told


def test_what_cannot_be_judged_is_one_line(place):
    assert_refused(anomaly(place, "silent.wav"), "silent.wav: silent")
    assert_refused(anomaly(place, "today", "--reference", "never"), "never: no such folder")
    assert_refused(anomaly(place, "never"), "never: no such file")
    assert anomaly(place, "today", "--plot", "odd.txt").returncode == 2
