"""Vessel networks: single vessels, opposite neighbours, hairpins, branches and loops, and the routes through them.

A route is a chain of stages. A stage is one vessel and the part ``(low, high)`` of the trunk's lumen whose
streamlines it takes, so a cell at offset ``rho`` of the trunk runs at ``2 (rho - low) / (high - low) - 1`` of it.
The part follows from the flux the vessel gets, so volume and cells are conserved at every junction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from sam2flow_core.synthetic import curves
from sam2flow_core.synthetic.curves import Points
from sam2flow_core.synthetic.draws import uniform
from sam2flow_core.synthetic.vessels import Floats, Profile

Size = tuple[int, int]


@dataclass(frozen=True)
class Stage:
    """One vessel of a route (index in the network) and the part of the trunk's lumen it carries."""

    vessel: int
    low: float = -1.0
    high: float = 1.0

    def offset(self, rho: Floats) -> Floats:
        """Map offsets in the trunk to offsets in this vessel."""
        return 2 * (rho - self.low) / (self.high - self.low) - 1


Route = tuple[Stage, ...]


@dataclass(frozen=True)
class Tube:
    """Shape of one vessel: centreline at equal arc length, diameters along it, and its share of the trunk's flux."""

    points: Points
    diameter: Floats
    flux: float = 1.0

    def reversed(self) -> Tube:
        """Return the same tube with its arrow turned round."""
        return Tube(self.points[::-1].copy(), self.diameter[::-1].copy(), self.flux)


@dataclass(frozen=True)
class Layout:
    """Tubes of one network and the routes through it."""

    tubes: tuple[Tube, ...]
    routes: tuple[Route, ...]

    def reversed(self) -> Layout:
        """Return the network with its flow turned round: a branch becomes a confluence."""
        turned = tuple(tuple(Stage(s.vessel, -s.high, -s.low) for s in reversed(route)) for route in self.routes)
        return Layout(tuple(tube.reversed() for tube in self.tubes), turned)


def sample_layouts(
    rng: np.random.Generator, kind: str, size: Size, diameter: float, margin: float, profile: Profile, taper: float
) -> list[Layout]:
    """Draw a network of the given kind; opposite neighbours are two networks."""
    if kind == "pair":
        return pair(rng, size, diameter, margin, taper)
    if kind == "branch":
        layout = branch(rng, size, diameter, margin, profile)
    elif kind == "loop":
        layout = loop(rng, size, diameter, margin, profile)
    else:
        layout = single(rng, size, diameter, margin, taper, kind == "hairpin")
    return [layout.reversed() if rng.random() < 0.5 else layout]


def tapered(rng: np.random.Generator, count: int, diameter: float, taper: float) -> Floats:
    """Draw the diameter along a vessel: a linear taper and slow undulation, together at most ``taper``."""
    x = np.linspace(-1, 1, count)
    slope, wave = rng.uniform(-0.6, 0.6), rng.uniform(0, 0.4)
    return diameter * (1 + 0.5 * taper * (slope * x + wave * np.sin(rng.uniform(3, 9) * x + rng.uniform(0, 6))))


def bound(diameter: float) -> float:
    """Return the greatest curvature of a vessel of this diameter, 1/px."""
    return min(0.9 / diameter, 0.03)


def single(
    rng: np.random.Generator, size: Size, diameter: float, margin: float, taper: float, bent: bool = False
) -> Layout:
    """Draw a vessel that crosses the frame, or a hairpin."""
    if bent:
        points = curves.hairpin(rng, size, diameter / 2, margin)
    else:
        points = curves.crossing(rng, size, bound(diameter), margin)
    return Layout((Tube(points, tapered(rng, len(points), diameter, taper)),), ((Stage(0),),))


def pair(rng: np.random.Generator, size: Size, diameter: float, margin: float, taper: float) -> list[Layout]:
    """Draw two neighbours that run side by side, mostly in opposite directions."""
    first = curves.crossing(rng, size, 0.5 * bound(diameter), margin + 2 * diameter)
    second_diameter = diameter * rng.uniform(0.6, 1.4)
    gap = 0.5 * (diameter + second_diameter) * (1 + 0.5 * taper) + rng.uniform(1, 8)
    second = curves.beside(first, gap * rng.choice([-1, 1]))
    one = Layout((Tube(first, tapered(rng, len(first), diameter, taper)),), ((Stage(0),),))
    two = Layout((Tube(second, tapered(rng, len(second), second_diameter, taper)),), ((Stage(0),),))
    return [one, two.reversed() if rng.random() < 0.75 else two]


def split(rng: np.random.Generator, profile: Profile) -> tuple[float, float]:
    """Draw how a junction divides the flux: the share of the right-hand vessel and the offset it reaches to."""
    share = uniform(rng, (0.3, 0.7))
    return share, float(brentq(lambda rho: profile.share(rho) - share, -1, 1))


def branch(rng: np.random.Generator, size: Size, diameter: float, margin: float, profile: Profile) -> Layout:
    """Draw a Y: the daughters start as the two parts of the trunk's lumen and widen to Murray's diameters."""
    joint = np.array(size) * rng.uniform(0.35, 0.65, 2)
    heading = rng.uniform(0, 2 * np.pi)
    trunk = curves.leaving(rng, joint, heading + np.pi, size, bound(diameter), margin)[::-1]
    tubes = [Tube(trunk, diameter * np.linspace(rng.uniform(0.9, 1.1), 1, len(trunk)))]
    share, cut = split(rng, profile)
    routes = []
    for number, (low, high, flux) in enumerate([(-1.0, cut, share), (cut, 1.0, 1 - share)], start=1):
        width = diameter * flux ** (1 / 3)
        left = np.array([-np.cos(heading), np.sin(heading)])
        start = joint + 0.25 * diameter * (low + high) * left
        turn = rng.uniform(0.35, 1.0)
        count = int(np.ceil(turn / bound(width)))
        side = 1.0 if number == 1 else -1.0
        bend = curves.walk(start, heading, np.full(count, side * turn / count))
        rest = curves.leaving(rng, bend[-1], heading + side * turn, size, 0.5 * bound(width), margin)
        points = np.concatenate([bend[:-1], rest])
        s = np.arange(len(points))
        narrow = 0.5 * diameter * (high - low)
        tubes.append(Tube(points, width + (narrow - width) * np.exp(-((s / (0.8 * diameter)) ** 2)), flux))
        routes.append((Stage(0), Stage(number, low, high)))
    return Layout(tuple(tubes), tuple(routes))


def loop(rng: np.random.Generator, size: Size, diameter: float, margin: float, profile: Profile) -> Layout:
    """Draw a vessel that divides round an island of tissue and joins again."""
    line = curves.crossing(rng, size, 0.25 * bound(diameter), margin)
    within = np.flatnonzero(curves.inside(line, size, -0.1 * min(size)))
    first = int(within[0]) if within.size else len(line) // 4
    last = int(within[-1]) if within.size else 3 * len(line) // 4
    if last - first < 5 * diameter:
        return Layout((Tube(line, np.full(len(line), diameter)),), ((Stage(0),),))
    middle = line[first : last + 1]
    x = np.linspace(0, 1, len(middle))
    bump = np.sin(np.pi * x) ** 2
    share, cut = split(rng, profile)
    reach = min(rng.uniform(0.9, 1.6) * diameter, 0.12 * len(middle)) + 1
    tubes = [Tube(line[: first + 1], np.full(first + 1, diameter))]
    routes = []
    for number, (low, high, flux) in enumerate([(-1.0, cut, share), (cut, 1.0, 1 - share)], start=1):
        sideways = 0.25 * diameter * (low + high) + (-1 if number == 1 else 1) * reach * bump
        points = curves.beside(middle, sideways)
        width = diameter * flux ** (1 / 3)
        narrow = 0.5 * diameter * (high - low)
        shape = narrow + (width - narrow) * np.clip(2 * bump, 0, 1)
        tubes.append(Tube(points, np.interp(np.linspace(0, 1, len(points)), x, shape), flux))
        routes.append((Stage(0), Stage(number, low, high), Stage(3)))
    tubes.append(Tube(line[last:], np.full(len(line) - last, diameter)))
    return Layout(tuple(tubes), tuple(routes))
