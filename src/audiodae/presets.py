"""Named settings of a cleaning, for those who know what the sound is for but not which numbers serve it.

A preset holds the keywords of `Denoiser.clean` and `Denoiser.stream`, as `denoiser.clean(x, rate, **PRESETS["asr"])`.
Each was chosen by a measurement that a command repeats; docs/cleaning.md has its tables.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypedDict


class Preset(TypedDict):
    """How much of the noise is taken away: `limit_db` and `mix` as in `Denoiser.clean`."""

    limit_db: float | None
    mix: float


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # For speech recognisers, what `audiodae evaluate-asr` finds the fewest wrong words with. Of `speech` 0.5.0 that
        # is the default: limits of 20 dB and less, and a mix of 0.7, left more words wrong.
        "asr": Preset(limit_db=None, mix=1.0),
    }
)
