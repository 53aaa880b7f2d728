"""How many of a recording's pairs of frames a run answers."""

from __future__ import annotations

from dataclasses import dataclass

QUICK, STANDARD, EVERY = "quick", "standard", "every"
DETAILS = (QUICK, STANDARD, EVERY)
"""By name, from coarse to fine; a whole number N in place of a name answers one pair of N."""


@dataclass(frozen=True)
class DetailSettings:
    """What the names of detail stand for.

    Velocity changes with the heart, at a few Hz; a camera gives more pairs than that needs. Those that are answered
    lie evenly, and each is answered from all the frames around it.

    Attributes
    ----------
    pairs_per_second : float
        Standard: at least so many.
    pairs_per_beat : float
        Standard: at least so many, where the heart rate is known.
    places : int
        Quick: places spread over the recording.
    pairs_per_place : int
        Quick: pairs that are answered at each, as far apart as standard has them.
    margin : int
        Quick: frames that are read on either side of them, for their evidence.
    most_of_range : float
        Quick: share of the frames that may be read; where the places would take more there are fewer of them.
    """

    pairs_per_second: float = 40.0
    pairs_per_beat: float = 24.0
    places: int = 12
    pairs_per_place: int = 3
    margin: int = 20
    most_of_range: float = 0.5
