import json

import pytest

from audiodae.card import MAX_CHARACTERS, MAX_DELAY, MAX_STEP, FrameFacts, SeriesFacts, read_card
from audiodae.errors import NetworkError
from tests import networks, series_networks


def text(**changes):
    return json.dumps(networks.card(**changes))


def series_text(**changes):
    return json.dumps(series_networks.card(**changes))


def test_entries_are_read_and_others_kept():
    card = read_card(text(data=["LibriSpeech"], novel={"a": 1}))
    assert (card.name, card.version, card.kind) == ("test", "1", "magnitudes")
    assert card.frames == FrameFacts(window_ms=32.0, n_bins=257) and card.series is None
    assert card.latency_ms == 32.0
    assert card["novel"] == {"a": 1} and card["data"] == ["LibriSpeech"]
    assert dict(card.entries) == networks.card(data=["LibriSpeech"], novel={"a": 1})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": NaN}', "no JSON number"),
        ("[1]", "type list"),
        ("x" * (MAX_CHARACTERS + 1), "at most"),
        (text(name=""), '"name"'),
        (text(version=1), '"version"'),
        (text(kind="songs"), "kind 'songs'"),
        (text(kind="samples"), 'the card needs "series"'),
        (text(kind=["magnitudes"]), '"kind"'),
        (text(frames=None), '"frames"'),
        (text(frames={"window_ms": "32", "bins": 257}), "window_ms '32'"),
        (text(frames={"window_ms": True, "bins": 257}), "window_ms True"),
        (text(frames={"window_ms": 0, "bins": 257}), "window_ms 0"),
        (text(frames={"window_ms": 32, "bins": 257.0}), "bins 257.0"),
        (text(frames={"window_ms": 32}), "bins None"),
        (text(frames={"window_ms": 32, "bins": 257, "look_ahead": -1}), "look_ahead -1"),
        (text(frames={"window_ms": 32, "bins": 257, "look_ahead": 257}), "look_ahead 257"),
        (text(frames={"window_ms": 32, "bins": 257, "look_ahead": 1.0}), "look_ahead 1.0"),
    ],
)
def test_a_wrong_card_is_refused(wrong, message):
    with pytest.raises(NetworkError, match=message):
        read_card(wrong)


def test_the_facts_of_a_network_for_series():
    card = read_card(series_text(step=8, delay=640, leads=3))
    assert card.kind == "samples" and card.frames is None
    assert card.series == SeriesFacts(360.0, 250.0, 500.0, 8, 640, 3, "mV", "removed")
    assert card.series.latency == 647 and card.latency_ms == pytest.approx(1000 * 647 / 360)
    assert read_card(series_text(offset="kept")).series.offset == "kept"
    entries = series_networks.card()
    del entries["series"]["unit"]
    assert read_card(json.dumps(entries)).series.unit == ""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"series": [1]}, '"series"'),
        ({"rate_hz": "360"}, "series.rate_hz '360'"),
        ({"rate_hz": 0}, "series.rate_hz 0"),
        ({"rate_hz": 1e12}, "series.rate_hz 1"),
        ({"lowest_rate_hz": None}, "series.lowest_rate_hz None"),
        ({"lowest_rate_hz": 400}, "360, outside 400 to 500"),
        ({"highest_rate_hz": 300}, "360, outside 250 to 300"),
        ({"step": 0}, "series.step 0"),
        ({"step": 8.0}, "series.step 8.0"),
        ({"step": MAX_STEP + 1}, "series.step"),
        ({"delay": -1}, "series.delay -1"),
        ({"delay": True}, "series.delay True"),
        ({"delay": MAX_DELAY // 2 + 1, "leads": 2}, "series.delay 500001"),
        ({"leads": 0}, "series.leads 0"),
        ({"leads": 257}, "series.leads 257"),
        ({"unit": 5}, "series.unit 5"),
        ({"offset": "gone"}, "series.offset 'gone'"),
    ],
)
def test_wrong_facts_of_a_series_are_refused(wrong, message):
    text = series_text(**wrong) if "series" not in wrong else json.dumps(series_networks.card() | wrong)
    with pytest.raises(NetworkError, match=message):
        read_card(text)
