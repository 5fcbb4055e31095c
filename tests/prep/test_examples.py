import msgspec
import numpy as np
import pytest

from audiodae.errors import ShardError
from audiodae.prep.draws import DrawSettings, draw_example
from audiodae.prep.examples import ManifestLine, manifest_line, mix_one, remake, to_example
from tests.prep.made_banks import make_banks


@pytest.fixture(scope="module")
def banks(tmp_path_factory):
    return make_banks(tmp_path_factory.mktemp("banks"))


def line_of(banks, index, **settings):
    chosen = DrawSettings(segment_seconds=0.5, **settings)
    draw = draw_example(seed=1, split="train", index=index, banks=banks, settings=chosen)
    return manifest_line(draw, banks, seed=1, length=chosen.segment_samples, early_ms=chosen.early_ms)


def test_shapes(banks):
    line = line_of(banks, 0)
    example = to_example(*mix_one(line.draw, banks, length=8000, early_ms=50.0))
    assert example.noisy.shape == example.clean.shape == example.phase.shape == (33, 257)
    assert example.noisy.dtype == example.clean.dtype == example.phase.dtype == np.float16
    assert np.abs(example.phase).max() <= 3.15


def test_magnitudes_of_a_full_scale_sine():
    sine = np.sin(2 * np.pi * 1000 * np.arange(8000) / 16_000).astype(np.float32)
    example = to_example(sine, 0.5 * sine)
    assert example.noisy[10, 32] == pytest.approx(1.0, abs=1e-3)
    assert example.clean[10, 32] == pytest.approx(0.5, abs=1e-3)


def test_an_example_is_made_again_from_its_line(banks):
    for index in range(12):
        line = line_of(banks, index, second_noise_share=0.5, babble_share=0.3, synthetic_share=0.3, room_share=0.5)
        first = to_example(*mix_one(line.draw, banks, length=line.length, early_ms=line.early_ms))
        read = msgspec.json.decode(msgspec.json.encode(line), type=ManifestLine)
        again = remake(read, banks)
        for side in ("noisy", "clean", "phase"):
            assert getattr(first, side).tobytes() == getattr(again, side).tobytes()
        louder = msgspec.structs.replace(
            read, draw=msgspec.structs.replace(read.draw, level_dbfs=read.draw.level_dbfs - 1)
        )
        assert remake(louder, banks).noisy.tobytes() != first.noisy.tobytes()


def test_a_line_names_its_recordings(banks):
    line = line_of(banks, 1, room_share=1.0, noise_only_share=0.0, babble_share=1.0)
    assert line.speech == tuple(banks.speech.paths[piece.recording] for piece in line.draw.speech)
    assert len(line.babble) == len(line.draw.babble) >= 3
    assert line.room in banks.rooms.paths
    assert line_of(banks, 1, room_share=0.0).room is None


@pytest.mark.parametrize("changed", [{"speech": ("other.wav",)}, {"room": "other.wav"}])
def test_other_banks_are_refused(banks, changed):
    line = msgspec.structs.replace(line_of(banks, 1, noise_only_share=0.0), **changed)
    with pytest.raises(ShardError, match="example 1: the banks hold other recordings"):
        remake(line, banks)


def test_smaller_banks_are_refused(banks, tmp_path):
    line = line_of(banks, 1, room_share=1.0)
    with pytest.raises(ShardError, match="the banks hold other recordings"):
        remake(line, make_banks(tmp_path, rooms=False))
