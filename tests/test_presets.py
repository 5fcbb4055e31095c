import inspect

import numpy as np
import pytest

from audiodae import PRESETS, Denoiser
from tests import networks


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_keywords_of_clean_and_stream(name, tmp_path):
    for method in (Denoiser.clean, Denoiser.stream):
        assert PRESETS[name].keys() <= inspect.signature(method).parameters.keys()
    (tmp_path / "half.onnx").write_bytes(networks.constant(0.5).SerializeToString())
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    clean = Denoiser(tmp_path / "half.onnx").clean(sound, 16_000, **PRESETS[name])  # which refuses values out of range
    floor = 0 if PRESETS[name]["limit_db"] is None else 10 ** (-PRESETS[name]["limit_db"] / 20)
    wanted = PRESETS[name]["mix"] * max(0.5, floor) + 1 - PRESETS[name]["mix"]
    np.testing.assert_allclose(clean, wanted * sound, atol=1e-5)


def test_presets_cannot_be_added_to():
    with pytest.raises(TypeError):
        PRESETS["mine"] = {"limit_db": 3, "mix": 1}
