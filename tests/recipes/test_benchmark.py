"""The recipe of the benchmark: what it calls, in which order, on given pairs and without any."""

from tests.recipes.stand_ins import calls, make_environment

PEERS = ("speechmos", "noisereduce", "pyrnnoise", "webrtc-noise-gain", "speexdsp-ns", "dpdfnet", "deepfilternet")


def test_given_pairs_are_taken_wherever_it_is_called_from(tmp_path):
    (tmp_path / "clean").mkdir()
    (tmp_path / "noisy").mkdir()
    lines = calls("benchmark.sh", make_environment(tmp_path), "clean", "noisy", cwd=tmp_path, JOBS="2")
    assert [line.rpartition(" ")[2] for line in lines[:-1]] == list(PEERS)
    assert lines[-1] == (f"audiodae benchmark {tmp_path}/clean {tmp_path}/noisy --out OUT --jobs 2 --overwrite")


def test_without_pairs_it_makes_some(tmp_path):
    lines = calls("benchmark.sh", make_environment(tmp_path), JOBS="1")
    made = [line for line in lines if not line.startswith("pip")]
    assert made[0] == "python data_prep/synthesize.py --out OUT/corpus"
    assert made[1].startswith("python data_prep/prepare_speech.py --speech OUT/corpus/speech")
    assert made[2] == "audiodae benchmark OUT/data/test/clean OUT/data/test/noisy --out OUT --jobs 1 --overwrite"


def test_a_peer_that_does_not_install_is_left_out(tmp_path):
    environment = make_environment(tmp_path)
    pip = tmp_path / "venv" / "bin" / "pip"
    pip.write_text(pip.read_text() + 'case "$*" in *dpdfnet*) exit 1;; esac\n')
    assert calls("benchmark.sh", environment)[-1].startswith("audiodae benchmark")
