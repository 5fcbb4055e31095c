"""Each layer: the same in pieces as whole, and blind to the future."""

import pytest
import torch

from audiodae.training.blocks import BandGRU, CausalConv1d, CausalConv2d, CausalUpConv2d, FrequencyGRU, TimeGRU

BANDS, FRAMES = 17, 24
LAYERS = {
    "conv2d one frame": (lambda: CausalConv2d((3, 4), BANDS, (1, 5), 2), (3, FRAMES, BANDS), 1),
    "conv2d three frames": (lambda: CausalConv2d((3, 4), BANDS, (3, 3), 2), (3, FRAMES, BANDS), 1),
    "conv2d stride four": (lambda: CausalConv2d((3, 4), BANDS, (2, 5), 4), (3, FRAMES, BANDS), 1),
    "up-conv2d one frame": (lambda: CausalUpConv2d((3, 4), BANDS, (1, 5), 4), (3, FRAMES, BANDS), 1),
    "up-conv2d three frames": (lambda: CausalUpConv2d((3, 4), BANDS, (3, 5), 2), (3, FRAMES, BANDS), 1),
    "conv1d dilation one": (lambda: CausalConv1d(6, 3, 1), (6, FRAMES), 1),
    "conv1d dilation five": (lambda: CausalConv1d(6, 3, 5), (6, FRAMES), 1),
    "gru of two layers": (lambda: TimeGRU(6, 5, 2, 0.0), (FRAMES, 6), 0),
    "gru shared by bands": (lambda: BandGRU(4, BANDS), (4, FRAMES, BANDS), 1),
}


@pytest.fixture(params=LAYERS, ids=lambda name: name.replace(" ", "-"))
def layer_and_input(request):
    build, shape, time = LAYERS[request.param]
    torch.manual_seed(7)
    layer = build().eval()
    return layer, torch.randn(2, *shape), time + 1


def run(layer, features, time, pieces):
    state = torch.zeros(len(features), layer.state_size)
    made = []
    for piece in features.split(pieces, dim=time):
        out, state = layer(piece, state)
        made.append(out)
    return torch.cat(made, dim=time)


@torch.no_grad()
@pytest.mark.parametrize("piece", [1, 5, 23])
def test_pieces_give_what_the_whole_gives(layer_and_input, piece):
    layer, features, time = layer_and_input
    whole = run(layer, features, time, FRAMES)
    assert whole.shape[time] == FRAMES
    torch.testing.assert_close(run(layer, features, time, piece), whole, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_a_forgotten_state_is_noticed(layer_and_input):
    """Control: without its memory a layer that has any gives something else."""
    layer, features, time = layer_and_input
    if layer.state_size == 0:
        pytest.skip("this layer remembers nothing")
    fresh = torch.cat([run(layer, piece, time, 6) for piece in features.split(6, dim=time)], dim=time)
    assert not torch.allclose(fresh, run(layer, features, time, FRAMES), atol=1e-4)


@torch.no_grad()
def test_a_frame_does_not_depend_on_later_ones(layer_and_input):
    layer, features, time = layer_and_input
    changed = features.clone()
    changed.narrow(time, 12, FRAMES - 12).normal_()
    before, after = run(layer, features, time, FRAMES), run(layer, changed, time, FRAMES)
    torch.testing.assert_close(after.narrow(time, 0, 12), before.narrow(time, 0, 12), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(after.narrow(time, 12, 1), before.narrow(time, 12, 1), atol=1e-4)


@torch.no_grad()
def test_the_causality_test_can_fail():
    """Control: a convolution padded on both sides does look ahead."""
    torch.manual_seed(7)
    conv = torch.nn.Conv1d(6, 6, 3, padding=1)
    features = torch.randn(2, 6, FRAMES)
    changed = features.clone()
    changed[:, :, 12:].normal_()
    assert not torch.allclose(conv(changed)[:, :, 11], conv(features)[:, :, 11], atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize(("bands", "stride"), [(257, 4), (257, 2), (65, 2), (33, 1)])
def test_up_undoes_the_thinning_of_down(bands, stride):
    down = CausalConv2d((1, 2), bands, (2, 5), stride)
    up = CausalUpConv2d((2, 1), down.bands_out, (2, 5), stride)
    thin, _ = down(torch.randn(1, 1, 4, bands), torch.zeros(1, down.state_size))
    assert thin.shape == (1, 2, 4, down.bands_out)
    wide, _ = up(thin, torch.zeros(1, up.state_size))
    assert wide.shape == (1, 1, 4, bands)


@torch.no_grad()
def test_a_gru_over_frequency_keeps_frames_apart_and_joins_bands():
    torch.manual_seed(7)
    layer = FrequencyGRU(4)
    features = torch.randn(1, 4, FRAMES, BANDS)
    changed = features.clone()
    changed[:, :, 5, -1] += 1.0
    difference = (layer(changed) - layer(features)).abs().amax(dim=(0, 1))  # (frames, bands)
    assert difference[5].min() > 0
    assert difference[[f for f in range(FRAMES) if f != 5]].max() == 0
