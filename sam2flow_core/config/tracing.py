"""Settings by which vessels are followed through the vessel field; lengths are in its cells if nothing else is said."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class FollowSettings:
    """How a vessel is followed from a place in it.

    Attributes
    ----------
    least_chance : float
        Chance of a vessel in its direction below which there is none.
    gap : int
        Steps it may be out of sight.
    end : float
        Chance of an end from which on it ends.
    turn : float
        Radians it may turn in a step.
    settle : float
        Share of the way to the centreline that is made up in a step.
    alongside : float
        Radians and radii; a line that comes so near to where it has been goes round in a circle.
    run_up : int
        Steps before it may meet itself.
    stretch : int
        Cells over which the direction of flow is made out.
    decided : float
        How sure, 0 to 1, a direction of flow must be.
    off_click, off_centre : float
        Chance that a cell's distance from the click, and a radius from the centreline, cost when a click is read.
    apart : float
        Radians between two vessels that a click may mean.
    """

    least_chance: float = 0.25
    gap: int = 5
    end: float = 0.6
    turn: float = 0.3
    settle: float = 0.5
    alongside: float = 0.5
    run_up: int = 10
    stretch: int = 15
    decided: float = 0.5
    off_click: float = 0.1
    off_centre: float = 0.3
    apart: float = math.pi / 6


@dataclass(frozen=True)
class MinimalPathSettings:
    """How the minimal path through several clicks is found.

    Attributes
    ----------
    margin : int
        Cells round the clicks in which it is sought.
    most_cells : int
        Beyond this many the grid is thinned to every second cell, or every fourth, so that a click is answered at once.
    seen : float
        Chance of a vessel from which on a path may lead there, and around there.
    around : int
        Cells: a vessel may be out of sight for about so many.
    doubt : float
        A cell's length costs 1 / (chance + this).
    turn : float
        What a turn by a sixteenth of a circle costs, in cells of a sure vessel.
    may_turn, in_sight : float
        Chance of a vessel in a direction from which on it may turn that way, and in any direction, that it is in sight.
    off_centre : float
        What a radius from the centreline adds to the cost of a cell, as a share.
    all_orders : int
        Clicks whose every order is tried.
    even : int
        Points over which the path is evened out.
    centrings : int
        Times that it moves towards the middle of the vessel.
    worst : float
        Mean cost of a cell above which no vessel leads through the clicks.
    """

    margin: int = 24
    most_cells: int = 30_000
    seen: float = 0.05
    around: int = 25
    doubt: float = 0.1
    turn: float = 1.0
    may_turn: float = 0.1
    in_sight: float = 0.5
    off_centre: float = 0.5
    all_orders: int = 6
    even: int = 9
    centrings: int = 4
    worst: float = 6.0


@dataclass(frozen=True)
class TubularMaskSettings:
    """How a mask is laid round a path.

    Attributes
    ----------
    snap_px : float
        A click so near to a vessel means it.
    candidates : int
        Vessels that a single click may mean where they lie over each other.
    sharpness : float
        Logit per px from the wall.
    cut : float
        A negative click ends the vessel within so many radii.
    inset : float
        Cells by which a wall is drawn inside the radius: what is blurred looks wider than it is.
    even : int
        Points over which the radius is evened out.
    outside : float
        Logit far from any vessel.
    """

    snap_px: float = 8.0
    candidates: int = 2
    sharpness: float = 2.0
    cut: float = 1.5
    inset: float = 0.2
    even: int = 15
    outside: float = -8.0


@dataclass(frozen=True)
class TracingSettings:
    """From clicks to masks, part by part. ``log_radius``: logarithms of the radii, in cells, that are believed."""

    log_radius: tuple[float, float] = (-1.0, 4.0)
    follow: FollowSettings = FollowSettings()
    path: MinimalPathSettings = MinimalPathSettings()
    mask: TubularMaskSettings = TubularMaskSettings()
