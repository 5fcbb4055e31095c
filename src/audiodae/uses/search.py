"""Search: which recordings of a library sound most like one, by the distance between their codes."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from audiodae.errors import AudiodaeError
from audiodae.uses.encoding import Codes


@dataclass(frozen=True)
class Match:
    """A recording of the library, and how far its code lies from the query's (Euclidean)."""

    name: str
    distance: float


def nearest(library: Codes, query: Codes, *, top: int) -> list[Match]:
    """The recordings of the library that are most like the one of the query, nearest first.

    A recording is the mean of its patches' codes. Fewer than `top` come back where the library holds fewer.

    Raises
    ------
    AudiodaeError
        The codes are of two networks.
    """
    if library.network != query.network:
        raise AudiodaeError("the library's codes are of another network: encode it anew, or name that network")
    neighbours = NearestNeighbors(n_neighbors=min(top, len(library.names))).fit(library.of_recordings())
    distances, places = neighbours.kneighbors(query.of_recordings()[:1])
    found = zip(np.asarray(places)[0], np.asarray(distances)[0], strict=True)
    return [Match(str(library.names[place]), float(distance)) for place, distance in found]
