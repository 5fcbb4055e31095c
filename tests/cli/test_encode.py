import json

import numpy as np
import pytest

from tests.cli.process import assert_refused, audiodae, here
from tests.uses.made_up import RATE, trained, words, write_words


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a network, a library of six words, and things that are no recordings."""
    folder = tmp_path_factory.mktemp("encode")
    trained("denoising-variational", "run.epochs=2").save(folder / "net.safetensors")
    write_words(folder / "library", words(6))
    write_words(folder / "bad", [("silent.wav", np.zeros(RATE)), ("short.wav", np.zeros(0))])
    (folder / "bad" / "empty.wav").touch()
    (folder / "none").mkdir()
    return folder


def encode(place, source, *more, out="codes.npz", run=here):
    return run("encode", source, "-o", place / out, "--model", place / "net.safetensors", *more, cwd=place)


def test_a_folder_becomes_one_file_of_codes(place):
    done = encode(place, "library", out="library.npz", run=audiodae)
    assert done.returncode == 0 and done.stderr == ""
    with np.load(place / "library.npz", allow_pickle=False) as held:
        patches, width = held["codes"].shape
        assert done.stdout == f"{place / 'library.npz'}: 6 recordings, {patches} patches, codes of {width}\n"
        assert list(held["names"]) == sorted(name for name, _ in words(6))
        assert held["recording"].max() == 5 and held["seconds"].dtype == np.float32


def test_a_file_and_json(place):
    done = encode(place, place / "library" / words(1)[0][0], "--json", out="one.npz")
    told = json.loads(done.stdout)
    assert told["recordings"] == 1 and told["width"] == 8 and len(told["network"]) == 16


def test_what_is_there_is_kept(place):
    (place / "there.npz").write_bytes(b"mine")
    assert_refused(encode(place, "library", out="there.npz"), "exists already", "--overwrite")
    assert (place / "there.npz").read_bytes() == b"mine"
    assert encode(place, "library", "--overwrite", out="there.npz").returncode == 0


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none", "none: no recordings"),
        ("missing.wav", "missing.wav: no such file"),
        ("bad/empty.wav", "bad/empty.wav: is empty"),
        ("bad/short.wav", "bad/short.wav: no samples"),
        ("bad/silent.wav", "bad/silent.wav: silent"),
    ],
)
def test_what_holds_no_sound_is_one_line(place, source, message):
    assert_refused(encode(place, source, out="never.npz"), message)
    assert not (place / "never.npz").exists()


def test_a_folder_without_anything_usable(place):
    done = encode(place, "bad", out="never.npz", run=audiodae)
    assert done.returncode == 1 and done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 4 and all(line.startswith("audiodae: warning: left out: ") for line in lines[:3])
    assert lines[3] == "audiodae: bad: none of its 3 recordings can be used"


def test_what_is_no_network_is_one_line(place):
    for model, message in ((place / "bad" / "silent.wav", "not a checkpoint"), ("nobody", "speech-codes")):
        done = here("encode", place / "library", "-o", place / "never.npz", "--model", model, cwd=place)
        assert_refused(done, message)
    assert here("encode", "library", "-o", "codes.txt", cwd=place).returncode == 2
