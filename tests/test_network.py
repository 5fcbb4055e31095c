import numpy as np
import pytest

from audiodae import network as network_module
from audiodae.errors import NetworkError
from audiodae.network import Network, find_network
from tests import networks


def load(model):
    return Network.from_bytes(model.SerializeToString(), source="here.onnx")


def magnitudes(streams=2, frames=20, seed=1):
    rng = np.random.default_rng(seed)
    return np.abs(rng.normal(0, 0.1, (streams, frames, networks.BINS))).astype(np.float32)


@pytest.mark.parametrize("make", [networks.smoothing, networks.recurrent])
@pytest.mark.parametrize("piece", [1, 3, 19])
def test_pieces_equal_the_whole(make, piece):
    network, seen = load(make()), magnitudes()
    whole, last_state = network.run(seen, network.initial_state(2))
    state, gains = network.initial_state(2), []
    for start in range(0, 20, piece):
        some, state = network.run(seen[:, start : start + piece], state)
        gains.append(some)
    np.testing.assert_allclose(np.concatenate(gains, axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(state, last_state, atol=1e-6)
    # Negative control: with the state forgotten, the second piece differs.
    forgotten, _ = network.run(seen[:, 3:6], network.initial_state(2))
    assert np.max(np.abs(forgotten - whole[:, 3:6])) > 1e-3


def test_streams_do_not_hear_each_other():
    network, seen = load(networks.recurrent()), magnitudes()
    both, _ = network.run(seen, network.initial_state(2))
    alone, _ = network.run(seen[1:], network.initial_state(1))
    np.testing.assert_allclose(both[1:], alone, atol=1e-6)


def test_sizes_and_card():
    network = load(networks.recurrent(hidden=8))
    assert (network.n_bins, network.state_size) == (257, 8)
    assert network.parameters == 3 * 8 * (257 + 8 + 2) + 8 * 257
    assert network.card.name == "test" and network.card["seed"] == 7


def test_a_network_without_memory_may_have_no_state():
    network = load(networks.constant(0.5, state_size=0))
    gains, state = network.run(magnitudes(), network.initial_state(2))
    assert np.all(gains == 0.5) and state.shape == (2, 0)


def test_a_refusal_by_onnxruntime_prints_nothing(capfd):
    """Its Python half would announce on stdout that it tries again."""
    model = networks.constant(1)
    model.graph.node[0].input[0] = "nothing"
    with pytest.raises(NetworkError, match="onnxruntime refuses"):
        load(model)
    assert capfd.readouterr() == ("", "")


def test_too_large(monkeypatch):
    monkeypatch.setattr(network_module, "MAX_BYTES", 1000)
    with pytest.raises(NetworkError, match="a network file is smaller"):
        load(networks.recurrent())


def test_shapes_that_do_not_fit():
    network = load(networks.constant(1))
    with pytest.raises(NetworkError, match="the network failed"):
        network.run(magnitudes()[:, :, :100], network.initial_state(2))


def test_find_by_path_name_and_environment(tmp_path, monkeypatch):
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(networks.constant(1).SerializeToString())
    monkeypatch.setattr(network_module, "shipped_networks", lambda: {"speech": tmp_path / "shipped.onnx"})
    monkeypatch.delenv("AUDIODAE_MODEL", raising=False)
    assert find_network(mine) == mine
    assert find_network() == find_network("speech") == tmp_path / "shipped.onnx"
    monkeypatch.setenv("AUDIODAE_MODEL", str(mine))
    assert find_network() == mine
    assert find_network("speech") == tmp_path / "shipped.onnx"
    monkeypatch.setenv("AUDIODAE_MODEL", "")
    assert find_network() == tmp_path / "shipped.onnx"


def test_an_unknown_name_lists_the_known(monkeypatch):
    monkeypatch.setattr(network_module, "shipped_networks", lambda: {"speech": "a", "speech-tiny": "b"})
    with pytest.raises(NetworkError, match=r"no network 'speach'.*speech, speech-tiny"):
        find_network("speach")
