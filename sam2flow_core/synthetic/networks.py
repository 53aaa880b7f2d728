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
from sam2flow_core.synthetic.random_draws import uniform
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
    elif kind == "tree":
        layout = tree(rng, size, diameter, margin, profile)
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


@dataclass(frozen=True)
class _Daughter:
    """The beginning of a vessel where its parent (of ``parent`` px) divides: bend, then free to go on."""

    parent: float
    narrow: float
    width: float
    bend: Points
    heading: float

    def tube(self, rest: Points, flux: float) -> Tube:
        """Go on along ``rest``: the vessel starts as a part of the parent's lumen and widens to its own diameter."""
        points = np.concatenate([self.bend[:-1], rest])
        start = np.exp(-((np.arange(len(points)) / (0.8 * self.parent)) ** 2))
        return Tube(points, self.width + (self.narrow - self.width) * start, flux)


def _daughters(cut: float, share: float) -> tuple[tuple[float, float, float, float], ...]:
    """Return low, high, share of the flux and side of the two daughters; the first one turns right."""
    return (-1.0, cut, share, 1.0), (cut, 1.0, 1 - share, -1.0)


def _daughter(
    rng: np.random.Generator, joint: Points, heading: float, parent: float, part: tuple[float, float, float, float]
) -> _Daughter:
    """Draw how a daughter leaves the joint; Murray's law gives its diameter."""
    low, high, share, side = part
    width = parent * share ** (1 / 3)
    left = np.array([-np.cos(heading), np.sin(heading)])
    turn = rng.uniform(0.35, 1.0)
    count = int(np.ceil(turn / bound(width)))
    bend = curves.walk(joint + 0.25 * parent * (low + high) * left, heading, np.full(count, side * turn / count))
    return _Daughter(parent, 0.5 * parent * (high - low), width, bend, heading + side * turn)


def _trunk(rng: np.random.Generator, size: Size, diameter: float, margin: float) -> tuple[Tube, Points, float]:
    """Draw a vessel that ends inside the frame, its end and its heading there."""
    joint = np.array(size) * rng.uniform(0.35, 0.65, 2)
    heading = rng.uniform(0, 2 * np.pi)
    line = curves.leaving(rng, joint, heading + np.pi, size, bound(diameter), margin)[::-1]
    return Tube(line, diameter * np.linspace(rng.uniform(0.9, 1.1), 1, len(line))), joint, heading


def branch(rng: np.random.Generator, size: Size, diameter: float, margin: float, profile: Profile) -> Layout:
    """Draw a Y."""
    trunk, joint, heading = _trunk(rng, size, diameter, margin)
    tubes, routes = [trunk], []
    share, cut = split(rng, profile)
    for number, part in enumerate(_daughters(cut, share), start=1):
        daughter = _daughter(rng, joint, heading, diameter, part)
        rest = curves.leaving(rng, daughter.bend[-1], daughter.heading, size, 0.5 * bound(daughter.width), margin)
        tubes.append(daughter.tube(rest, part[2]))
        routes.append((Stage(0), Stage(number, part[0], part[1])))
    return Layout(tuple(tubes), tuple(routes))


def tree(rng: np.random.Generator, size: Size, diameter: float, margin: float, profile: Profile) -> Layout:
    """Draw a Y one of whose arms divides again."""
    trunk, joint, heading = _trunk(rng, size, diameter, margin)
    share, cut = split(rng, profile)
    short, long = _daughters(cut, share)
    leaf = _daughter(rng, joint, heading, diameter, short)
    rest = curves.leaving(rng, leaf.bend[-1], leaf.heading, size, 0.5 * bound(leaf.width), margin)
    arm = _daughter(rng, joint, heading, diameter, long)
    way = curves.bending(rng, int(diameter + rng.uniform(0.12, 0.25) * min(size)), 0.3 * bound(arm.width))
    path = curves.walk(arm.bend[-1], arm.heading, way)
    tubes = [trunk, leaf.tube(rest, short[2]), arm.tube(path, long[2])]
    routes: list[Route] = [(Stage(0), Stage(1, short[0], short[1]))]
    second_share, second_cut = split(rng, profile)
    for number, part in enumerate(_daughters(second_cut, second_share), start=3):
        twig = _daughter(rng, path[-1], arm.heading + float(way.sum()), arm.width, part)
        rest = curves.leaving(rng, twig.bend[-1], twig.heading, size, 0.5 * bound(twig.width), margin)
        tubes.append(twig.tube(rest, long[2] * part[2]))
        low, high = (long[0] + (long[1] - long[0]) * (end + 1) / 2 for end in part[:2])
        routes.append((Stage(0), Stage(2, long[0], long[1]), Stage(number, low, high)))
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
