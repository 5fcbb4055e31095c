import pytest
import safetensors.torch
import torch

from audiodae.errors import ShardError
from audiodae.frames import FrameGeometry
from audiodae.prep.shards import (
    HEADER_KEY,
    Shard,
    ShardHeader,
    manifest_path,
    read_shard,
    shard_path,
    shard_paths,
    write_shard,
)


def made(*, phase=True, **header):
    numbers = {
        "format": 1,
        "sample_rate": 16_000,
        "n_fft": 512,
        "hop_length": 256,
        "seed": 7,
        "split": "train",
        "number": 3,
    }
    random = torch.Generator().manual_seed(1)
    noisy, clean, angle = (torch.rand(2, 5, 257, generator=random).half() for _ in range(3))
    return Shard(ShardHeader(**(numbers | header)), noisy, clean, angle if phase else None)


@pytest.mark.parametrize("phase", [False, True])
def test_what_is_written_is_read(tmp_path, phase):
    shard = made(phase=phase)
    write_shard(tmp_path / "s" / "0.safetensors", shard)
    back = read_shard(tmp_path / "s" / "0.safetensors")
    assert back.header == shard.header
    assert back.noisy.dtype == torch.float16
    assert torch.equal(back.noisy, shard.noisy) and torch.equal(back.clean, shard.clean)
    assert not torch.equal(back.noisy, back.clean)
    assert torch.equal(back.phase, shard.phase) if phase else back.phase is None


def test_the_same_examples_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_shard(tmp_path / name, made())
    write_shard(tmp_path / "c", made(seed=8))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


@pytest.mark.parametrize("changed", [{"sample_rate": 48_000}, {"n_fft": 320, "hop_length": 160}, {"hop_length": 128}])
def test_other_frames_are_refused(tmp_path, changed):
    write_shard(tmp_path / "a", made(**changed))
    with pytest.raises(ShardError, match="made with frames of .* but of 512 samples every 256 at 16000 Hz are needed"):
        read_shard(tmp_path / "a")


def test_other_frames_are_read_where_they_are_wanted(tmp_path):
    write_shard(tmp_path / "a", made(n_fft=320, hop_length=160))
    assert read_shard(tmp_path / "a", FrameGeometry.for_rate(16_000, window_ms=20.0)).header.n_fft == 320


def test_another_format_is_refused(tmp_path):
    write_shard(tmp_path / "a", made(format=2))
    with pytest.raises(ShardError, match="shards of format 2, this audiodae reads 1"):
        read_shard(tmp_path / "a")


def test_what_is_no_shard(tmp_path):
    with pytest.raises(ShardError, match="not a shard that can be read"):
        read_shard(tmp_path / "missing")
    (tmp_path / "text").write_text("not a shard, though long enough to hold a header")
    with pytest.raises(ShardError, match="not a shard that can be read"):
        read_shard(tmp_path / "text")
    write_shard(tmp_path / "cut", made())
    (tmp_path / "cut").write_bytes((tmp_path / "cut").read_bytes()[:-10])
    with pytest.raises(ShardError, match="not a shard that can be read"):
        read_shard(tmp_path / "cut")
    safetensors.torch.save_file({"weight": torch.zeros(2)}, tmp_path / "weights")
    with pytest.raises(ShardError, match="not a shard that can be read"):
        read_shard(tmp_path / "weights")


def test_missing_tensors(tmp_path):
    write_shard(tmp_path / "a", made())
    with safetensors.safe_open(tmp_path / "a", framework="pt") as file:
        header = file.metadata()
    assert set(header) == {HEADER_KEY}
    safetensors.torch.save_file({"noisy": torch.zeros(2)}, tmp_path / "a", metadata=header)
    with pytest.raises(ShardError, match="need tensors noisy and clean"):
        read_shard(tmp_path / "a")


def test_where_shards_lie(tmp_path):
    for number in (2, 0, 11):
        write_shard(shard_path(tmp_path, "train", number), made())
    (tmp_path / "shards/train/.00003.safetensors.1.part").touch()
    assert [path.name for path in shard_paths(tmp_path, "train")] == [f"{n:05d}.safetensors" for n in (0, 2, 11)]
    assert shard_paths(tmp_path, "valid") == []
    assert manifest_path(tmp_path, "train", 2).relative_to(tmp_path).as_posix() == "manifest/train/00002.jsonl"
