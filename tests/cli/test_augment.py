import numpy as np
import pytest
import soundfile

from tests.cli.process import assert_refused, audiodae, here
from tests.uses.made_up import RATE, trained, words


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("augment")
    trained("denoising-variational", "run.epochs=2").save(folder / "net.safetensors")
    trained("undercomplete", "run.epochs=1").save(folder / "plain.safetensors")
    soundfile.write(folder / "word.flac", np.stack([words(1)[0][1]] * 2, axis=1), 22_050)
    soundfile.write(folder / "silent.wav", np.zeros(RATE), RATE)
    return folder


def augment(place, source, out, *more, model="net.safetensors", run=here):
    return run("augment", source, out, "--model", place / model, *more, cwd=place)


def test_variants_appear_beside_each_other(place):
    done = augment(place, "word.flac", "made", "--variants", 2, "--strength", 1, run=audiodae)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2 variants of word.flac: made/word_1.flac, made/word_2.flac\n"
    (one, rate), (two, _) = (soundfile.read(place / "made" / f"word_{n}.flac") for n in (1, 2))
    before, _ = soundfile.read(place / "word.flac")
    assert rate == 22_050 and one.shape == two.shape == before.shape
    assert not np.allclose(one, two, atol=1e-3) and not np.allclose(one, before, atol=1e-3)
    assert np.abs(one).max() <= 1


def test_variants_are_not_overwritten_unasked(place):
    assert augment(place, "word.flac", "twice", "--variants", 1, "--quiet").stdout == ""
    assert_refused(augment(place, "word.flac", "twice", "--variants", 1), "exists already")
    assert augment(place, "word.flac", "twice", "--variants", 1, "--overwrite").returncode == 0


def test_what_cannot_be_varied_is_one_line(place):
    assert_refused(augment(place, "silent.wav", "out"), "silent.wav: silent")
    assert_refused(augment(place, "none.wav", "out"), "none.wav: no such file")
    assert_refused(augment(place, "word.flac", "word.flac"), "cannot make the folder")
    assert_refused(augment(place, "word.flac", "out", model="plain.safetensors"), "denoising or variational")
    assert augment(place, "word.flac", "out", "--variants", 0).returncode == 2
