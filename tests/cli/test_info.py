import json

import pytest

from tests import networks, series_networks
from tests.cli.process import assert_refused, audiodae, with_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "mine.onnx"
    text = json.dumps(
        networks.card(
            name="mine",
            data=["a", "b"],
            limits="speech \x1b[2J only",
            metrics={"stoi": 0.9},
            recipe={"x": list(range(99))},
        )
    )
    path.write_bytes(networks.recurrent(card_text=text).SerializeToString())
    return path


def test_card_parameters_latency_and_speed(model):
    done = audiodae("info", model)
    assert (done.returncode, done.stderr) == (0, "")
    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if len(line.split()) > 1)
    assert rows["name"] == "mine" and rows["licence"] == "MIT" and rows["data"] == "a, b"
    assert rows["parameters"] == "8464" and rows["state_size"] == "8" and rows["latency_ms"] == "32.0"
    assert rows["metrics"] == '{"stoi": 0.9}' and rows["file"] == str(model)
    assert rows["recipe"] == "(long: see --json)"
    assert 0 < float(rows["rtf"]) < 1
    assert "\x1b" not in done.stdout  # a card cannot write to the terminal what it likes


def test_json_of_the_default_network(model):
    told = json.loads(audiodae("info", "--json", env=with_model(model)).stdout)
    assert told["card"]["name"] == "mine" and told["card"]["seed"] == 7
    assert len(told["card"]["recipe"]["x"]) == 99
    assert told["parameters"] == 8464 and told["latency_ms"] == 32.0 and told["rtf"] > 0


def test_an_unknown_network():
    assert_refused(audiodae("info", "no-such-network"), "'no-such-network'", "shipped network")


def test_a_damaged_network(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"\x08\x07garbage")
    assert_refused(audiodae("info", tmp_path / "bad.onnx"), "bad.onnx", "not an ONNX network")


def test_a_network_for_series(tmp_path):
    path = tmp_path / "sensor.onnx"
    path.write_bytes(series_networks.delayed(10, step=5).SerializeToString())
    rows = dict(line.split(maxsplit=1) for line in audiodae("info", path).stdout.splitlines())
    assert rows["series"] == (
        "360 Hz (250 to 500), any number of leads, each by itself, in mV; "
        "steps of 5 samples, 10 samples of delay, offset removed"
    )
    assert float(rows["latency_ms"]) == pytest.approx(14 / 0.36) and 0 < float(rows["rtf"]) < 1
    path.write_bytes(series_networks.delayed(10, leads=3, offset="kept", unit="").SerializeToString())
    assert "3 leads together; steps" in audiodae("info", path).stdout
    assert json.loads(audiodae("info", "--json", path).stdout)["card"]["series"]["leads"] == 3
