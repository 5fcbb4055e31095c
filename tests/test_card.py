import json

import pytest

from audiodae.card import MAX_CHARACTERS, read_card
from audiodae.errors import NetworkError
from tests import networks


def text(**changes):
    return json.dumps(networks.card(**changes))


def test_entries_are_read_and_others_kept():
    card = read_card(text(data=["LibriSpeech"], novel={"a": 1}))
    assert (card.name, card.version, card.kind, card.window_ms, card.n_bins) == ("test", "1", "magnitudes", 32.0, 257)
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
        (text(kind="samples"), "kind 'samples'"),
        (text(kind=["magnitudes"]), '"kind"'),
        (text(frames=None), '"frames"'),
        (text(frames={"window_ms": "32", "bins": 257}), "window_ms '32'"),
        (text(frames={"window_ms": True, "bins": 257}), "window_ms True"),
        (text(frames={"window_ms": 0, "bins": 257}), "window_ms 0"),
        (text(frames={"window_ms": 32, "bins": 257.0}), "bins 257.0"),
        (text(frames={"window_ms": 32}), "bins None"),
    ],
)
def test_a_wrong_card_is_refused(wrong, message):
    with pytest.raises(NetworkError, match=message):
        read_card(wrong)
