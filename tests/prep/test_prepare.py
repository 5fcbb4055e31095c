import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
import torch

from audiodae.errors import CorpusError, ShardError
from audiodae.prep import shard_making
from audiodae.prep.bank import Bank
from audiodae.prep.draws import DrawSettings
from audiodae.prep.examples import ManifestLine, remake
from audiodae.prep.prepare import find_sources, prepare
from audiodae.prep.settings import PrepareSettings
from audiodae.prep.shard_making import load_banks, shard_tasks
from audiodae.prep.shards import manifest_path, read_shard, shard_paths
from tests.prep.made_corpus import bytes_of, make_noise, make_speech, write_sound

SCRIPT = Path(__file__).parents[2] / "data_prep" / "prepare_speech.py"
EXAMPLES = 300  # three shards for training, one for validation
SHORT = 0.25  # seconds


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpus")
    make_speech(root / "speech", speakers=4)
    make_noise(root / "noise")
    return root


def settings_of(corpus, **changed):
    plain = {
        "speech": str(corpus / "speech"),
        "noise": str(corpus / "noise"),
        "hours": EXAMPLES * SHORT / 3600,
        "simulated_rooms": 2,
        "test_clips": 2,
        "phase": True,
        "mix": DrawSettings(segment_seconds=SHORT, room_share=0.5),
    }
    return PrepareSettings(**(plain | changed))


@pytest.fixture(scope="module")
def whole(corpus, tmp_path_factory):
    """Prepared in one go by one process."""
    out = tmp_path_factory.mktemp("whole") / "out"
    return out, prepare(settings_of(corpus), out)


def test_what_is_made(whole):
    out, prepared = whole
    assert prepared.examples == {"train": EXAMPLES, "valid": EXAMPLES // 10, "test": 0}
    assert [read_shard(path).noisy.shape[0] for path in shard_paths(out, "train")] == [128, 128, 44]
    assert prepared.clips_from == "test"
    assert set(prepared.hours) == {
        (split, kind) for split in ("train", "valid", "test") for kind in ("speech", "noise", "rooms")
    }
    assert prepared.hours["train", "speech"] == pytest.approx(4 * 1.5 / 3600)
    assert [len(Bank.load(out / "bank" / split / "rooms")) for split in ("train", "valid", "test")] == [2, 1, 1]
    assert (out / "bad_files.txt").read_text() == ""
    assert not any(prepared.left_out.values())
    assert not list(out.rglob("*.part"))


def test_no_speaker_and_no_noise_recording_is_in_two_splits(whole):
    out, _ = whole
    speakers = [set(Bank.load(out / "bank" / split / "speech").group_names) for split in ("train", "valid", "test")]
    noises = [set(Bank.load(out / "bank" / split / "noise").paths) for split in ("train", "valid", "test")]
    for a, b, c in (speakers, noises):
        assert a and b and c
        assert not (a & b or a & c or b & c)


def test_every_example_is_made_again_from_the_manifest(whole):
    out, _ = whole
    for split in ("train", "valid"):
        banks = load_banks(out, split)
        for number, path in enumerate(shard_paths(out, split)):
            shard = read_shard(path)
            lines = manifest_path(out, split, number).read_bytes().splitlines()
            assert len(lines) == len(shard.noisy)
            for row in range(0, len(lines), 10):
                again = remake(msgspec.json.decode(lines[row], type=ManifestLine), banks)
                assert shard.noisy[row].numpy().tobytes() == again.noisy.tobytes()
                assert shard.clean[row].numpy().tobytes() == again.clean.tobytes()
                assert shard.phase[row].numpy().tobytes() == again.phase.tobytes()
                assert shard.noisy[row - 1].numpy().tobytes() != again.noisy.tobytes()


def test_examples_are_numbered_through_the_shards(whole):
    out, _ = whole
    lines = [line for n in range(3) for line in manifest_path(out, "train", n).read_bytes().splitlines()]
    assert [msgspec.json.decode(line)["draw"]["index"] for line in lines] == list(range(EXAMPLES))


def test_two_processes_give_the_same_bytes(whole, corpus, tmp_path):
    prepare(settings_of(corpus), tmp_path / "out", jobs=2)
    assert bytes_of(tmp_path / "out") == bytes_of(whole[0])


def test_another_seed_gives_other_bytes(whole, corpus, tmp_path):
    prepare(settings_of(corpus, seed=2), tmp_path / "out")
    ours, others = bytes_of(tmp_path / "out"), bytes_of(whole[0])
    assert set(ours) == set(others)
    for name in ("shards/train/00000.safetensors", "manifest/valid/00000.jsonl", "test/noisy/000.flac"):
        assert ours[name] != others[name]


def run_until(reached, settings, out, jobs):
    """Run the script, and kill it and nothing else as soon as `reached()`."""
    options = {
        "speech": settings.speech,
        "noise": settings.noise,
        "out": out,
        "hours": settings.hours,
        "segment-seconds": SHORT,
        "simulated-rooms": settings.simulated_rooms,
        "test-clips": settings.test_clips,
        "jobs": jobs,
    }
    command = [sys.executable, str(SCRIPT), *(f"--{name}={value}" for name, value in options.items())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not reached() and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors.decode()


def test_killed_and_started_again_gives_the_same_bytes(corpus, tmp_path):
    # Enough rooms and clips that the moments to kill at last for some tenths of a second.
    settings = settings_of(
        corpus, simulated_rooms=20, test_clips=20, phase=False, mix=DrawSettings(segment_seconds=SHORT)
    )
    prepare(settings, tmp_path / "whole")
    out = tmp_path / "out"
    journal = out / "bank/train/rooms.part/journal.jsonl"
    run_until(lambda: journal.exists() and journal.stat().st_size > 0, settings, out, jobs=1)
    assert not (out / "bank/train/rooms").exists()
    run_until(lambda: bool(shard_paths(out, "train")), settings, out, jobs=2)
    assert not (out / "test").exists()
    run_until(lambda: bool(list(out.glob(".test.*.part"))), settings, out, jobs=1)
    assert bytes_of(out) != bytes_of(tmp_path / "whole")
    prepare(settings, out)
    assert bytes_of(out) == bytes_of(tmp_path / "whole")


def test_a_shard_that_failed_leaves_nothing(corpus, tmp_path, monkeypatch):
    def fail(*arguments, **settings):
        raise RuntimeError("no memory")

    with monkeypatch.context() as broken:
        broken.setattr(shard_making, "to_example", fail)
        with pytest.raises(RuntimeError, match="no memory"):
            prepare(settings_of(corpus), tmp_path / "out")
    assert shard_paths(tmp_path / "out", "train") == []
    threads = torch.get_num_threads()
    prepare(settings_of(corpus), tmp_path / "out")
    assert torch.get_num_threads() == threads


def test_other_settings_on_the_same_folder(whole, corpus):
    with pytest.raises(ShardError, match="was begun with seed = 1, now it is 5"):
        prepare(settings_of(corpus, seed=5), whole[0])


def test_a_wrong_corpus_does_not_take_the_folder(corpus, tmp_path):
    with pytest.raises(CorpusError, match="no such folder"):
        prepare(settings_of(corpus, speech="/nowhere"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bad_files_are_skipped_counted_and_named(tmp_path):
    make_speech(tmp_path / "speech", speakers=3, each=4)
    make_noise(tmp_path / "noise")
    (tmp_path / "speech/speaker0/0.wav").write_bytes(b"")
    write_sound(tmp_path / "noise/kind0/9.wav", np.zeros(100))
    settings = settings_of(tmp_path, hours=0.0, test_clips=0, simulated_rooms=0)
    with pytest.raises(CorpusError, match=r"1 of 12 recordings of speech are bad.*--bad-share"):
        prepare(settings, tmp_path / "out")
    named = (tmp_path / "out/bad_files.txt").read_text().splitlines()
    assert sorted(line.split("\t")[:2] for line in named) == [["noise", "kind0/9.wav"], ["speech", "speaker0/0.wav"]]
    prepared = prepare(settings, tmp_path / "out", bad_share=0.2)  # a share may be changed
    assert sum(entry.bad for entries in prepared.left_out.values() for entry in entries) == 2


def test_neither_other_kinds_nor_made_up_rooms_hide_bad_files(tmp_path):
    make_speech(tmp_path / "speech", speakers=3, each=4)
    make_noise(tmp_path / "noise", each=20)
    (tmp_path / "speech/speaker0/0.wav").write_bytes(b"text")
    settings = settings_of(tmp_path, hours=0.0, test_clips=0, simulated_rooms=20)
    with pytest.raises(CorpusError, match=r"1 of 12 recordings of speech are bad, the first .*speaker0/0\.wav"):
        prepare(settings, tmp_path / "out")


def test_a_corpus_that_has_changed_is_told(tmp_path):
    make_speech(tmp_path / "speech")
    make_noise(tmp_path / "noise")
    settings = settings_of(tmp_path, hours=0.0, test_clips=0, simulated_rooms=0)
    prepare(settings, tmp_path / "out")
    write_sound(tmp_path / "noise/kind0/9.wav", np.ones(100))
    with pytest.raises(ShardError, match=r"bank/.*/noise: the corpus has changed since .* kind0/.*delete the whole"):
        prepare(settings, tmp_path / "out")


def test_without_hours_there_are_only_banks_and_clips(corpus, tmp_path):
    prepared = prepare(settings_of(corpus, hours=0.0), tmp_path / "out")
    assert prepared.examples == {"train": 0, "valid": 0, "test": 0}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "bad_files.txt",
        "bank",
        "prepare.json",
        "test",
    ]


def test_clips_come_from_valid_where_there_is_no_test(tmp_path):
    for split in ("train", "valid"):
        make_speech(tmp_path / "speech", speakers=2, split=split)
    make_noise(tmp_path / "noise")
    prepared = prepare(settings_of(tmp_path, hours=0.0, simulated_rooms=0), tmp_path / "out")
    assert prepared.clips_from == "valid"
    assert not (tmp_path / "out/bank/test").exists()
    assert soundfile.info(tmp_path / "out/test/noisy/001.flac").samplerate == 16_000


def test_folders_that_may_be_speakers_in_two_splits_are_told(tmp_path):
    for split in ("train", "valid"):
        make_speech(tmp_path / "speech" / split / "corpus", speakers=2, split=None)
        for speaker in range(2):
            (tmp_path / f"speech/{split}/corpus/speaker{speaker}").rename(
                tmp_path / f"speech/{split}/corpus/{split}{speaker}"
            )
    make_noise(tmp_path / "noise")
    few = {"hours": 0.0, "simulated_rooms": 0, "test_clips": 0}
    prepared = prepare(settings_of(tmp_path, **few), tmp_path / "out")
    assert (prepared.shared_folders, prepared.speakers) == (["corpus"], {"train": 2, "valid": 2})
    assert prepare(settings_of(tmp_path, **few, speaker_depth=2), tmp_path / "said").shared_folders == []
    with pytest.raises(CorpusError, match="speaker 'corpus' is in train and in valid"):
        prepare(settings_of(tmp_path, **few, speaker_depth=1), tmp_path / "wrong")


def test_measured_rooms_come_first(corpus, tmp_path):
    response = np.zeros(400)
    response[[30, 90]] = [0.9, 0.3]
    write_sound(tmp_path / "rir/hall/1.wav", response)
    sources = find_sources(settings_of(corpus, rir=str(tmp_path / "rir"), simulated_rooms=3))
    assert [source.group.split("/")[0] for source in sources["train", "rooms"]] == ["hall"] + ["simulated"] * 3


def test_noises_are_made_up_where_asked(corpus):
    without = find_sources(settings_of(corpus))
    sources = find_sources(settings_of(corpus, simulated_noises=11))
    for split, count in (("train", 11), ("valid", 2)):
        more = sources[split, "noise"][len(without[split, "noise"]) :]
        assert [source.group.split("/")[0] for source in more] == ["simulated"] * count


def test_voices_are_made_up_for_training_alone(corpus):
    pytest.importorskip("pyworld", reason="pyworld is in the extra [train]")
    plain, more = (find_sources(settings_of(corpus, changed_voices=count)) for count in (0, 2))
    added = more["train", "speech"][len(plain["train", "speech"]) :]
    assert len({source.group for source in added}) == 2
    assert all(source.path.startswith("changed/") for source in added)
    assert [s.path for s in more["valid", "speech"]] == [s.path for s in plain["valid", "speech"]]


def test_noise_that_cannot_be_held_out_is_told(tmp_path):
    make_speech(tmp_path / "speech")
    make_noise(tmp_path / "noise", kinds=1, each=1)
    with pytest.raises(CorpusError, match="no noise for validation"):
        find_sources(settings_of(tmp_path))


def test_which_examples_go_into_which_shard(tmp_path, corpus):
    tasks = shard_tasks(tmp_path, settings_of(corpus, hours=200 * SHORT / 3600))
    assert [(task.split, task.number, task.first, task.stop) for task in tasks] == [
        ("train", 0, 0, 128),
        ("train", 1, 128, 200),
        ("valid", 0, 0, 20),
    ]
    assert shard_tasks(tmp_path, settings_of(corpus, hours=0.0)) == []
    assert os.fspath(tasks[1].path).endswith("shards/train/00001.safetensors")
