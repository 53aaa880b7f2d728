"""Which of the vessels in a field are proposed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FindingSettings:
    """How vessels are found without a click, and their density measured. Px are those that the network works at.

    Attributes
    ----------
    seed_chance : float
        Chance of a vessel, in one orientation, from which on a place is followed.
    seed_offset : float
        Radii that such a place may lie from the centreline.
    least_confidence : float
        Mean chance along a vessel below which it is not proposed.
    least_length_px : float
        Shorter segments are left out, and those shorter than ``least_widths``.
    least_widths : float
        Length in widths.
    edge_px, most_on_edge : float
        What runs within so many px, or a radius, of the frame's side for more than this share of its length is the
        side, no vessel.
    most_covered : float
        Share of a segment's length that may run in vessels found before, in their direction.
    reach_px : float
        Arc length that is followed each way.
    end : float
        Chance of an end from which on a segment ends.
    stretch : int
        Cells over which the direction of flow is made out.
    decided : float
        How sure, 0 to 1, a direction of flow must be for a segment to end where it turns round.
    tiles : int
        The field is cut into so many tiles each way, an even number, drawn again for the intervals.
    draws : int
        Of that bootstrap.
    small_um : float
        Diameter up to which a vessel counts as small.
    """

    seed_chance: float = 0.5
    seed_offset: float = 0.4
    least_confidence: float = 0.7
    least_length_px: float = 16.0
    least_widths: float = 1.5
    edge_px: float = 4.0
    most_on_edge: float = 0.5
    most_covered: float = 0.5
    reach_px: float = 800.0
    end: float = 0.6
    stretch: int = 15
    decided: float = 0.5
    tiles: int = 4
    draws: int = 1000
    small_um: float = 20.0
