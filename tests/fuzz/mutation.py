"""Bytes changed, cut, doubled or exchanged, the way files are damaged and attackers write them."""

import random
from collections.abc import Sequence

# Sizes and counts at which programs go wrong: none, one, the largest that two, four or eight bytes hold, with a sign
# and without, in either order.
LIMITS = [
    value.to_bytes(size, order)
    for size in (1, 2, 4, 8)
    for value in (0, 1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 2, 2 ** (8 * size) - 1)
    for order in ("little", "big")
]


def mutated(content: bytes, others: Sequence[bytes], chance: random.Random, spots: Sequence[int] = ()) -> bytes:
    """Change content in one to five places.

    Parameters
    ----------
    others : what bytes are taken from as well
    spots : places that decide most, where half of the changes fall; by default the first hundred
    """
    changed = bytearray(content)
    for _ in range(chance.randint(1, 5)):
        if chance.random() < 0.5:
            place = chance.choice(spots) if spots else chance.randrange(100)
        else:
            place = chance.randrange(len(changed))
        _change(changed, min(place, len(changed) - 1), others, chance)
        changed = changed or bytearray(1)
    return bytes(changed)


def _change(content: bytearray, place: int, others: Sequence[bytes], chance: random.Random) -> None:
    match chance.randrange(8):
        case 0:
            content[place] = chance.randrange(256)
        case 1:
            content[place] ^= 1 << chance.randrange(8)
        case 2:
            limit = chance.choice(LIMITS)
            content[place : place + len(limit)] = limit
        case 3:  # a size that is off by a little
            size, order = chance.choice((2, 4)), chance.choice(("little", "big"))
            number = int.from_bytes(content[place : place + size], order) + chance.randint(-9, 9)
            content[place : place + size] = (number % 2 ** (8 * size)).to_bytes(size, order)
        case 4:
            if chance.random() < 0.3:
                del content[place:]
            else:
                del content[place : place + chance.randint(1, 64)]
        case 5:  # a chunk many times
            chunk = content[place : place + chance.randint(1, 64)]
            content[place:place] = chunk * chance.choice((1, 1, 1, 2, 10, 50))
        case 6:
            other = chance.choice(others)
            start = chance.choice((place, chance.randrange(len(other))))
            part = other[start : start + chance.randint(1, 32)]
            content[place : place + len(part)] = part
        case 7:
            content[place:place] = chance.randbytes(chance.randint(1, 32))
