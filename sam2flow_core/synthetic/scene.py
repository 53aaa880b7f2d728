"""One randomised world: vessels with blood in them, optics and tissue motion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.prompts import Prompt
from sam2flow_core.synthetic.blood import sample_population
from sam2flow_core.synthetic.cells import Population
from sam2flow_core.synthetic.draws import log_uniform, pick, uniform
from sam2flow_core.synthetic.motion import TissueMotion, sample_motion
from sam2flow_core.synthetic.networks import Layout, sample_layouts
from sam2flow_core.synthetic.optics import Optics, sample_optics
from sam2flow_core.synthetic.prompting import sample_prompts
from sam2flow_core.synthetic.pulse import TimeCourse, sample_time_course
from sam2flow_core.synthetic.vessels import Floats, Profile, Vessel, lumen

RBC_UM = 7.8
NEAR_PAD = 16
WALLS = 1.4


@dataclass(frozen=True)
class Network:
    """Vessels (indices into the scene) that share a heartbeat, and the cells in them."""

    members: tuple[int, ...]
    course: TimeCourse
    population: Population


@dataclass(frozen=True)
class Lumen:
    """Where a vessel lies on the frame's grid: flat pixel indices and their (T, rho)."""

    pixels: NDArray[np.int64]
    transit: Floats
    rho: Floats

    @property
    def arrays(self) -> tuple[NDArray[np.int64], Floats, Floats]:
        """The three arrays."""
        return self.pixels, self.transit, self.rho

    def inside(self, size: tuple[int, int], pad: int) -> Lumen:
        """Return the pixels between the walls and in the frame ``size``, of a grid padded by ``pad``."""
        rows, columns = np.divmod(self.pixels, size[1] + 2 * pad)
        rows, columns = rows - pad, columns - pad
        keep = (np.abs(self.rho) <= 1) & (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
        return Lumen(rows[keep] * size[1] + columns[keep], self.transit[keep], self.rho[keep])


@dataclass(frozen=True)
class Scene:
    """A world that can be filmed at any frames.

    Attributes
    ----------
    size : tuple of int
        (H, W) px.
    pixel_size_um, frame_rate_hz : float
    vessels : tuple of Vessel
    networks : tuple of Network
    optics : Optics
    motion : TissueMotion
    cell_px : float
        Diameter of a free red cell, px.
    noise_seed : int
        Seed of texture and noise; frame t has the same noise whichever frames are asked for.
    """

    size: tuple[int, int]
    pixel_size_um: float
    frame_rate_hz: float
    vessels: tuple[Vessel, ...]
    networks: tuple[Network, ...]
    optics: Optics
    motion: TissueMotion
    noise_seed: int
    cell_px: float

    @cached_property
    def _near(self) -> tuple[Lumen, ...]:
        return tuple(rasterise(vessel, self.size, NEAR_PAD) for vessel in self.vessels)

    def surroundings(self, pad: int) -> tuple[Lumen, ...]:
        """Return the pixels in and round each vessel on the frame's grid padded by ``pad`` px."""
        if pad == NEAR_PAD:
            return self._near
        return tuple(rasterise(vessel, self.size, pad) for vessel in self.vessels)

    @cached_property
    def lumens(self) -> tuple[Lumen, ...]:
        """The pixels of each vessel, in tissue coordinates."""
        return tuple(near.inside(self.size, NEAR_PAD) for near in self._near)

    def sample_prompts(self, rng: np.random.Generator, n_pos: int, n_neg: int, frame: int = 0) -> tuple[Prompt, ...]:
        """Draw clicks for every vessel with pixels in the frame; see `prompting.sample_prompts`."""
        return sample_prompts(self.vessels, self.masks, self.shifts(np.array([frame]))[0], rng, n_pos, n_neg, frame)

    @cached_property
    def masks(self) -> NDArray[np.bool_]:
        """Per-vessel masks (V, H, W) in tissue coordinates."""
        masks = np.zeros((len(self.vessels), self.size[0] * self.size[1]), bool)
        for mask, lumen in zip(masks, self.lumens, strict=True):
            mask[lumen.pixels] = True
        return masks.reshape(-1, *self.size)

    def shifts(self, frames: NDArray[np.int64]) -> Floats:
        """Return the tissue's displacement (T, 2), (dy, dx) px, at frames ``frames``."""
        return self.motion.at(frames / self.frame_rate_hz)


def rasterise(vessel: Vessel, size: tuple[int, int], pad: int, shift: Floats | None = None) -> Lumen:
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
    """
    block = 8
    origin = pad + (np.zeros(2) if shift is None else shift)
    reach = 0.5 * WALLS * float(vessel.diameter_px.max()) + 0.75 * block
    height, width = size[0] + 2 * pad, size[1] + 2 * pad
    shape = (-(-height // block), -(-width // block))
    centre = np.stack(np.meshgrid(*(np.arange(n) * block + (block - 1) / 2 for n in shape), indexing="ij"), -1)
    gap = cKDTree(vessel.centreline[::4]).query(centre - origin, distance_upper_bound=reach + 2)[0]
    near = np.kron(gap < reach + 2, np.ones((block, block), bool))[:height, :width]
    points = np.argwhere(near)
    if not len(points):
        return Lumen(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    transit, rho = vessel.locate(points - origin)
    within = (np.abs(rho) <= WALLS) & (transit >= 0) & (transit <= vessel.length)
    flat = points[:, 0] * width + points[:, 1]
    return Lumen(flat[within], transit[within], rho[within])


def sample_scene(
    rng: np.random.Generator, size: tuple[int, int], settings: SceneSettings | None = None
) -> Scene:
    """Draw a world.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance: the same state gives the same scene.
    size : tuple of int
        (H, W) px, at least 32 each.
    settings : SceneSettings, optional
    """
    settings = settings or SceneSettings()
    pixel = log_uniform(rng, settings.pixel_size_um)
    rate = uniform(rng, settings.frame_rate_hz)
    optics = sample_optics(rng, settings, pixel)
    motion = sample_motion(rng, settings, pixel)
    cell_px = RBC_UM * log_uniform(rng, settings.cell_scale) / pixel
    vessels: list[Vessel] = []
    networks: list[Network] = []
    for kind in _kinds(rng, settings):
        diameter = _diameter(rng, settings, pixel, size)
        profile = _profile(rng, settings, diameter / cell_px)
        for layout in _place(rng, kind, size, diameter, cell_px, profile, settings, vessels):
            course = sample_time_course(rng, settings, rate)
            speed = _speed(rng, settings, pixel, rate)
            built = _build(layout, len(vessels), profile, speed, course, pixel, rate)
            population = sample_population(rng, built, layout.routes, cell_px, optics.contrast, settings)
            networks.append(Network(tuple(range(len(vessels), len(vessels) + len(built))), course, population))
            vessels.extend(built)
    seed = int(rng.integers(2**31))
    return Scene(size, pixel, rate, tuple(vessels), tuple(networks), optics, motion, seed, cell_px)


def _kinds(rng: np.random.Generator, settings: SceneSettings) -> tuple[str, ...]:
    if settings.plan:
        return settings.plan
    count = int(rng.integers(settings.networks[0], settings.networks[1] + 1))
    return tuple(pick(rng, settings.network_kinds) for _ in range(count))


def _diameter(rng: np.random.Generator, settings: SceneSettings, pixel: float, size: tuple[int, int]) -> float:
    low = max(settings.diameter_px[0], settings.diameter_um[0] / pixel)
    high = min(settings.diameter_px[1], settings.diameter_um[1] / pixel, 0.3 * min(size))
    return log_uniform(rng, (min(low, high), high))


def _profile(rng: np.random.Generator, settings: SceneSettings, cells_across: float) -> Profile:
    """Draw a profile; where cells pass in single file it is a plug."""
    blunt = float(np.clip((cells_across - 1.2) / 1.5, 0.0, 1.0))
    return Profile(blunt * uniform(rng, settings.profile_slip), uniform(rng, settings.profile_order))


def _speed(rng: np.random.Generator, settings: SceneSettings, pixel: float, rate: float) -> float:
    """Draw the mean speed in um/s."""
    bounds = settings.speed_bins_px[int(rng.integers(len(settings.speed_bins_px)))]
    return min(log_uniform(rng, bounds) * pixel * rate, settings.max_speed_um_s)


def _place(
    rng: np.random.Generator,
    kind: str,
    size: tuple[int, int],
    diameter: float,
    cell_px: float,
    profile: Profile,
    settings: SceneSettings,
    others: list[Vessel],
) -> list[Layout]:
    """Draw networks until they cross the vessels already there rather than cover them; none if it cannot be."""
    margin = 0.6 * diameter + cell_px + 16
    for _ in range(8):
        layouts = sample_layouts(rng, kind, size, diameter, margin, profile, settings.taper)
        if all(not _covers(tube.points, diameter, other, size) for lay in layouts for tube in lay.tubes for other in others):
            return layouts
    return []


def _covers(points: Floats, diameter: float, other: Vessel, size: tuple[int, int]) -> bool:
    """Say whether a new vessel lies on another one for more than a third of what is seen of it."""
    seen = points[((points >= 0) & (points < size)).all(1)][::4]
    if not len(seen):
        return False
    gap = np.linalg.norm(seen[:, None] - other.centreline[None, ::4], axis=-1).min(1)
    return bool((gap < 0.45 * (diameter + float(other.diameter_px.mean()))).mean() > 0.35)


def _build(
    layout: Layout, taken: int, profile: Profile, speed: float, course: TimeCourse, pixel: float, rate: float
) -> list[Vessel]:
    """Make the vessels of a network; speeds follow from the shares of the flux (v pi d^2 / 4)."""
    built = []
    for number, tube in enumerate(layout.tubes):
        line, diameter, step = lumen(tube.points, tube.diameter)
        built.append(Vessel(taken + number + 1, line, diameter, step, profile, speed, course, pixel, rate))
    area = [_reference_area(vessel) for vessel in built]
    trunk = max(range(len(built)), key=lambda i: layout.tubes[i].flux)
    flows = [tube.flux / layout.tubes[trunk].flux * area[trunk] / a for tube, a in zip(layout.tubes, area, strict=True)]
    return [replace(v, mean_speed_um_s=speed * flow) for v, flow in zip(built, flows, strict=True)]


def _reference_area(vessel: Vessel) -> float:
    """Return the squared radius at which the vessel's mean speed applies (see `vessels.lumen`)."""
    arc = np.linalg.norm(np.diff(vessel.centreline, axis=0), axis=1)
    radius = 0.25 * (vessel.diameter_px[1:] + vessel.diameter_px[:-1])
    return float((radius * arc).sum() / (arc / radius).sum())
