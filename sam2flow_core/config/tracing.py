"""By which vessels are followed and proposed; lengths are in cells of the vessel field if nothing else is said."""

from __future__ import annotations

import math
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
    reach_px : float
        Arc length that is followed each way.
    apart : float
        Widths from seed to seed along a way; each is answered like a click there.
    together : int
        Seeds that are answered at once; it decides the time and the memory, not the result.
    least_confidence : float
        Intersection over union, as the strip decoder expects it, below which a vessel is not proposed.
    least_widths : float
        Segments shorter than so many widths are left out.
    clicked : tuple of float
        Where along a proposed vessel it is clicked, as shares of its length.
    edge_px, most_on_edge : float
        What runs within so many px, or half a radius, of the frame's side, or of what shows nothing (a dark corner, a
        clock), for more than this share of its length is the side, no vessel.
    same_vessel, most_covered : float
        Of two answers that overlap by more than this, as intersection over union or as a share of the less sure one,
        the surer one is proposed.
    tiles : int
        The field is cut into so many tiles each way, an even number, drawn again for the intervals.
    draws : int
        Of that bootstrap.
    small_um : float
        Diameter up to which a vessel counts as small.
    """

    seed_chance: float = 0.5
    seed_offset: float = 0.4
    reach_px: float = 800.0
    apart: float = 1.0
    together: int = 16
    least_confidence: float = 0.5
    least_widths: float = 1.5
    clicked: tuple[float, ...] = (1 / 6, 1 / 2, 5 / 6)
    edge_px: float = 4.0
    most_on_edge: float = 0.5
    same_vessel: float = 0.3
    most_covered: float = 0.6
    tiles: int = 4
    draws: int = 1000
    small_um: float = 20.0


@dataclass(frozen=True)
class FollowSettings:
    """How a vessel is followed from a place in it.

    Attributes
    ----------
    least_chance : float
        Chance of a vessel in its direction below which there is none.
    gap : int
        Steps it may be out of sight.
    turn : float
        Radians it may turn in a step.
    settle : float
        Share of the way to the centreline that is made up in a step.
    settlings : int
        Times that a click moves towards the centreline before it is followed.
    alongside : float
        Radians and radii; a line that comes so near to where it has been goes round in a circle.
    run_up : int
        Steps before it may meet itself.
    off_click, off_centre : float
        Chance that a cell's distance from the click, and a radius from the centreline, cost when a click is read.
    apart : float
        Radians between two vessels that a click may mean.
    owned, owned_turn : float
        Radii from a centreline, and radians from its direction, within which a place belongs to its vessel.
    """

    least_chance: float = 0.25
    gap: int = 5
    turn: float = 0.3
    settle: float = 0.5
    settlings: int = 4
    alongside: float = 0.5
    run_up: int = 10
    off_click: float = 0.1
    off_centre: float = 0.3
    apart: float = math.pi / 6
    owned: float = 1.2
    owned_turn: float = math.pi / 5


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
class ClickSettings:
    """What a click means.

    Attributes
    ----------
    snap_px : float
        A click so near to a vessel means it.
    candidates : int
        Vessels that a single click may mean where they lie over each other.
    held, held_cells : float
        Radii, and cells beyond them, from a centreline within which a click lies on it.
    cut : float
        A negative click ends the vessel within so many radii.
    """

    snap_px: float = 8.0
    candidates: int = 2
    held: float = 1.0
    held_cells: float = 0.5
    cut: float = 1.5


@dataclass(frozen=True)
class StripSettings:
    """How a vessel is pulled straight; the strip decoder is trained with these.

    Attributes
    ----------
    longest, shortest : int
        Points along a strip; of longer ways every point stands for more.
    step : float
        Radii from point to point.
    steps : tuple of float
        Least and greatest step.
    beyond : float
        Radii that a strip goes on straight where its vessel is lost from sight: the decoder may know better.
    even_line, even_radius : float
        Points over which centreline and radius are evened out.
    far : float
        Radii from a click from which on further is the same.
    """

    longest: int = 400
    shortest: int = 16
    step: float = 0.35
    steps: tuple[float, float] = (0.5, 4.0)
    beyond: float = 3.0
    even_line: float = 1.5
    even_radius: float = 4.0
    far: float = 30.0


@dataclass(frozen=True)
class StripMotionSettings:
    """How it is found where in a strip things move as at the click; the strip decoder is trained with these.

    Attributes
    ----------
    pairs : int
        Pairs of frames, all over the recording, that are looked at.
    steps : tuple of float
        Steps from frame to frame that are tried each way, cells.
    window : float
        Radii each way of a click in which its speed is read.
    core : float
        Radii from the centreline in which it is.
    usual : float
        What all pairs together say of the speed, against what each says for itself.
    along, across : float
        Points round each place that are compared (standard deviation).
    """

    pairs: int = 16
    steps: tuple[float, ...] = (
        0.25,
        0.5,
        0.75,
        1.0,
        1.5,
        2.0,
        2.5,
        3.0,
        4.0,
        5.0,
        6.0,
        7.5,
        9.0,
        11.0,
        13.5,
        16.5,
        20.0,
    )
    window: float = 6.0
    core: float = 0.8
    usual: float = 2.0
    along: float = 2.5
    across: float = 1.0


@dataclass(frozen=True)
class AmbiguitySettings:
    """What else clicks may mean; lengths in widths of the vessel.

    Attributes
    ----------
    most : int
        Masks that are offered, the first one included.
    alike : float
        Intersection over union from which on two masks are one.
    past, least_past : float
        How far beyond its end a vessel is clicked to go on there, and how far it must be in sight.
    end : float
        Chance of an end from which on a vessel may stop there.
    clear : float
        Between such an end and the click, and the end of the mask.
    behind : float
        From such an end to the negative click that stops it there.
    """

    most: int = 4
    alike: float = 0.85
    past: float = 1.5
    least_past: float = 1.0
    end: float = 0.3
    clear: float = 1.0
    behind: float = 0.75


@dataclass(frozen=True)
class TracingSettings:
    """From clicks to strips, part by part. ``log_radius``: logarithms of the radii, in cells, that are believed."""

    log_radius: tuple[float, float] = (-1.0, 4.0)
    follow: FollowSettings = FollowSettings()
    path: MinimalPathSettings = MinimalPathSettings()
    clicks: ClickSettings = ClickSettings()
    strip: StripSettings = StripSettings()
    motion: StripMotionSettings = StripMotionSettings()
    ambiguity: AmbiguitySettings = AmbiguitySettings()
