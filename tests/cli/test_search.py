import json

import numpy as np
import pytest
import soundfile

from tests.cli.process import assert_refused, audiodae, here
from tests.uses.made_up import IN_NOISE, RATE, trained, with_noise, words, write_words


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    trained("denoising-mixed", *IN_NOISE).save(folder / "net.safetensors")
    write_words(folder / "library", words(120)[::12])
    soundfile.write(folder / "query.wav", with_noise(words(120)[60][1], 25), RATE)
    soundfile.write(folder / "silent.wav", np.zeros(RATE), RATE)
    return folder


def search(place, library, *more, query="query.wav", run=here):
    return run("search", library, query, "--model", place / "net.safetensors", *more, cwd=place)


def test_the_recording_is_found_by_a_noisy_copy(place):
    done = search(place, "library", "--top", 3, run=audiodae)
    assert done.returncode == 0 and done.stderr == ""
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 3 and lines[0][1] == words(120)[60][0]
    assert float(lines[0][0]) < float(lines[1][0]) <= float(lines[2][0])


def test_codes_will_do_for_the_library(place):
    made = here("encode", "library", "-o", "library.npz", "--model", place / "net.safetensors", cwd=place)
    assert made.returncode == 0, made.stderr
    from_folder, from_codes = (json.loads(search(place, of, "--json").stdout) for of in ("library", "library.npz"))
    assert [of["recording"] for of in from_folder] == [of["recording"] for of in from_codes]
    assert len(from_codes) == 5


def test_codes_of_another_network_are_refused(place):
    trained("variational", "run.epochs=1").save(place / "other.safetensors")
    made = here("encode", "library", "-o", "other.npz", "--model", place / "other.safetensors", cwd=place)
    assert made.returncode == 0, made.stderr
    assert_refused(search(place, "other.npz"), "another network")


def test_what_cannot_be_searched_is_one_line(place):
    assert_refused(search(place, "nowhere"), "nowhere: no such folder")
    assert_refused(search(place, "query.wav"), "no codes that `audiodae encode` wrote")
    assert_refused(search(place, "library", query="silent.wav"), "silent.wav: silent")
    assert_refused(search(place, "library", query="none.wav"), "none.wav: no such file")
