"""A vessel: a tapered, curved lumen with streamlines that can be followed exactly, and where it lies on the pixel grid.

A point of the lumen has the coordinates ``(T, rho)``. ``rho`` in [-1, 1] is the offset from the
centreline divided by the local radius. ``T`` (px) is the transit coordinate: matter on the centreline of
a vessel whose mean speed is U covers equal T in equal times, because the local speed is
U (R_ref / R)^2 (conservation of volume in a taper). So travel is addition: T -> T + profile(rho) * U * dW.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sam2flow_core.synthetic.curves import Points, resample
from sam2flow_core.synthetic.motion import TimeCourse

Floats = NDArray[np.float64]
WALLS = 1.4


@dataclass(frozen=True)
class Profile:
    """Velocity profile v(r) = v0 (1 - a (r/R)^n), scaled to a mean of 1 over the width of the lumen."""

    slip: float
    order: float

    def __call__(self, rho: Floats) -> Floats:
        """Return the speed at offsets ``rho``, relative to the mean over the projected width."""
        return (1 - self.slip * np.abs(rho) ** self.order) / (1 - self.slip / (self.order + 1))

    def share(self, rho: float) -> float:
        """Return the part of the flux between the wall at -1 and ``rho``."""
        n, a = self.order, self.slip
        upper = rho - a * np.sign(rho) * abs(rho) ** (n + 1) / (n + 1)
        half = 1 - a / (n + 1)
        return float((upper + half) / (2 * half))


@dataclass(frozen=True)
class Vessel:
    """One unbranched vessel.

    Attributes
    ----------
    vessel_id : int
        1 or more.
    centreline : ndarray, shape (N, 2)
        (y, x) in px along the arrow, at equal steps of the transit coordinate.
    diameter_px : ndarray, shape (N,)
    step : float
        Step of the transit coordinate between the points, px.
    profile : Profile
    mean_speed_um_s : float
        Mean over time and lumen, along the arrow.
    course : TimeCourse
        Shared by all vessels of a network.
    pixel_size_um, frame_rate_hz : float
    """

    vessel_id: int
    centreline: Points
    diameter_px: Floats
    step: float
    profile: Profile
    mean_speed_um_s: float
    course: TimeCourse
    pixel_size_um: float
    frame_rate_hz: float

    @property
    def length(self) -> float:
        """Length in the transit coordinate, px."""
        return self.step * (len(self.centreline) - 1)

    @property
    def mean_speed_px_s(self) -> float:
        """Mean speed over time and lumen in px per second."""
        return self.mean_speed_um_s / self.pixel_size_um

    @cached_property
    def normals(self) -> Points:
        """Unit normals (y, x), a quarter turn left of the arrow as seen on the screen."""
        tangent = np.gradient(self.centreline, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        return np.stack([-tangent[:, 1], tangent[:, 0]], 1)

    def speed_px(self, frame: NDArray[np.generic] | float) -> Floats:
        """Return the mean lumen speed at frames ``frame`` in px per frame, signed along the arrow."""
        t = np.asarray(frame, float) / self.frame_rate_hz
        return self.mean_speed_px_s * self.course.speed(t) / self.frame_rate_hz

    def travel_px(self, frames: NDArray[np.int64], until: NDArray[np.int64] | None = None) -> Floats:
        """Return the mean lumen displacement from each frame to the next (or to ``until``) in px: speed integrated."""
        after = frames + 1 if until is None else until
        rate = self.frame_rate_hz
        return self.mean_speed_px_s * (self.course.travel(after / rate) - self.course.travel(frames / rate))

    @cached_property
    def _arms(self) -> Points:
        """Vectors from the centreline to the left wall (y, x), px."""
        return 0.5 * self.diameter_px[:, None] * self.normals

    @cached_property
    def _steps(self) -> tuple[Points, Points]:
        """Differences of centreline and arms from knot to knot."""
        return np.diff(self.centreline, axis=0), np.diff(self._arms, axis=0)

    def place(self, transit: Floats, rho: Floats) -> Points:
        """Return the points (..., 2), (y, x) px, at ``(T, rho)``; straight on past the ends."""
        knot, part = self._split(transit)
        line, arms = self._steps
        arm = self._arms[knot] + np.clip(part, 0, 1)[..., None] * arms[knot]
        return self.centreline[knot] + part[..., None] * line[knot] + rho[..., None] * arm

    def angle(self, transit: Floats) -> Floats:
        """Return the direction of the arrow at ``T``: radians from the x axis towards the y axis."""
        knot, _ = self._split(transit)
        line = self._steps[0][knot]
        return np.arctan2(line[..., 0], line[..., 1])

    def pace(self, transit: Floats) -> Floats:
        """Return the distance covered on the centreline per step of the transit coordinate at ``T``."""
        knot, _ = self._split(transit)
        return np.asarray(np.linalg.norm(self._steps[0], axis=1)[knot] / self.step)

    def locate(self, points: Points) -> tuple[Floats, Floats]:
        """Return ``(T, rho)`` of points (M, 2); |rho| over 1 or T outside [0, length] means outside the vessel."""
        transit = self.step * cKDTree(self.centreline).query(points)[1].astype(float)
        line, arms = self._steps
        for _ in range(3):  # Newton on the foot of the arm that passes through the point; the first guess is a knot
            knot, part = self._split(transit)
            arm = self._arms[knot] + np.clip(part, 0, 1)[:, None] * arms[knot]
            gap = points - self.centreline[knot] - part[:, None] * line[knot]
            rho = (gap * arm).sum(1) / (arm * arm).sum(1)
            sweep = line[knot] + rho[:, None] * arms[knot]
            miss = gap[:, 0] * arm[:, 1] - gap[:, 1] * arm[:, 0]
            pace = sweep[:, 0] * arm[:, 1] - sweep[:, 1] * arm[:, 0]
            move = miss / np.where(np.abs(pace) < 1e-9, 1e-9, pace)
            transit = transit + self.step * np.clip(move, -2, 2)
        knot, part = self._split(transit)
        arm = self._arms[knot] + np.clip(part, 0, 1)[:, None] * arms[knot]
        gap = points - self.centreline[knot] - part[:, None] * line[knot]
        return transit, (gap * arm).sum(1) / (arm * arm).sum(1)

    def _split(self, transit: Floats) -> tuple[NDArray[np.int64], Floats]:
        """Return the knot before ``T`` and the part of a step past it; under 0 or over 1 beyond the ends."""
        steps = transit / self.step
        knot = np.clip(steps.astype(np.int64), 0, len(self.centreline) - 2)
        return knot, steps - knot


def lumen(points: Points, diameter: Floats) -> tuple[Points, Floats, float]:
    """Resample a centreline of equal arc length steps at equal steps of the transit coordinate.

    Returns
    -------
    centreline, diameter, step
        The reference radius is chosen so that the mean speed over the area of the vessel is the nominal one:
        R_ref^2 = integral(R ds) / integral(ds / R).
    """
    points = resample(points)
    radius = 0.5 * np.interp(np.linspace(0, 1, len(points)), np.linspace(0, 1, len(diameter)), diameter)
    reference = radius.sum() / (1 / radius).sum()
    pace = radius**2 / reference
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    transit = np.concatenate([[0.0], np.cumsum(0.5 * (pace[1:] + pace[:-1]) * np.diff(arc))])
    even = np.linspace(0, transit[-1], len(points))
    line = np.stack([np.interp(even, transit, points[:, k]) for k in (0, 1)], 1)
    return line, 2 * np.interp(even, transit, radius), float(even[1])


@dataclass(frozen=True)
class Lumen:
    """Where a vessel lies on the frame's grid: flat pixel indices and their (T, rho)."""

    pixels: NDArray[np.int64]
    transit: Floats
    rho: Floats

    def inside(self, size: tuple[int, int], pad: int) -> Lumen:
        """Return the pixels between the walls and in the frame ``size``, of a grid padded by ``pad``."""
        rows, columns = np.divmod(self.pixels, size[1] + 2 * pad)
        rows, columns = rows - pad, columns - pad
        keep = (np.abs(self.rho) <= 1) & (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
        return Lumen(rows[keep] * size[1] + columns[keep], self.transit[keep], self.rho[keep])


def rasterise(
    vessel: Vessel, size: tuple[int, int], pad: int, shift: Floats | None = None, margin: float = 0.0
) -> Lumen:
    """Find the pixels in and round a vessel (walls included) and their coordinates in it.

    Parameters
    ----------
    vessel : Vessel
    size : tuple of int
        (H, W) of the frame.
    pad : int
        Pixels round the frame that are looked at as well; indices are those of the padded grid.
    shift : ndarray, shape (2,), optional
        (dy, dx) px by which the tissue stands away: the pixels are then those of the recorded frame.
    margin : float
        Px round the walls that are looked at at least.
    """
    block = 8
    origin = pad + (np.zeros(2) if shift is None else shift)
    reach = 0.5 * WALLS * float(vessel.diameter_px.max()) + 0.75 * block + margin
    height, width = size[0] + 2 * pad, size[1] + 2 * pad
    shape = (-(-height // block), -(-width // block))
    centre = np.stack(np.meshgrid(*(np.arange(n) * block + (block - 1) / 2 for n in shape), indexing="ij"), -1)
    gap = cKDTree(vessel.centreline[::4]).query(centre - origin, distance_upper_bound=reach + 2)[0]
    near = np.kron(gap < reach + 2, np.ones((block, block), bool))[:height, :width]
    points = np.argwhere(near)
    if not len(points):
        return Lumen(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    transit, rho = vessel.locate(points - origin)
    beyond = np.abs(rho)
    if margin:
        knot = np.clip(transit / vessel.step, 0, len(vessel.diameter_px) - 1).astype(np.int64)
        beyond = np.where((beyond - 1) * 0.5 * vessel.diameter_px[knot] <= margin, 0.0, beyond)
    within = (beyond <= WALLS) & (transit >= 0) & (transit <= vessel.length)
    flat = points[:, 0] * width + points[:, 1]
    return Lumen(flat[within], transit[within], rho[within])
