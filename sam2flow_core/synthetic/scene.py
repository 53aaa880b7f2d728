"""One randomised world: vessels with blood in them, optics and tissue motion, and clicks on the vessels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.blood import Population, sample_population
from sam2flow_core.synthetic.motion import TimeCourse, TissueMotion, sample_motion, sample_time_course
from sam2flow_core.synthetic.networks import Layout, sample_layouts
from sam2flow_core.synthetic.random_draws import log_uniform, pick, uniform
from sam2flow_core.synthetic.vessels import Floats, Lumen, Profile, Vessel, lumen, rasterise

if TYPE_CHECKING:
    from sam2flow_core.prompts import Prompt

SMALLEST_VESSEL_PX = 30
RBC_UM = 7.8
NEAR_PAD = 16


def place_networks(
    rng: np.random.Generator,
    kind: str,
    size: tuple[int, int],
    diameter: float,
    cell_px: float,
    profile: Profile,
    taper: float,
    others: list[Vessel],
) -> list[Layout]:
    """Draw networks until they cross the vessels already there rather than cover them; none if it cannot be."""
    margin = 0.6 * diameter + cell_px + 16
    for _ in range(8):
        layouts = sample_layouts(rng, kind, size, diameter, margin, profile, taper)
        tubes = [tube for layout in layouts for tube in layout.tubes]
        if not any(_covers(tube.points, diameter, other, size) for tube in tubes for other in others):
            return layouts
    return []


def _covers(points: Floats, diameter: float, other: Vessel, size: tuple[int, int]) -> bool:
    """Say whether a new vessel lies on another one for more than a third of what is seen of it."""
    seen = points[((points >= 0) & (points < size)).all(1)][::4]
    if not len(seen):
        return False
    gap = np.linalg.norm(seen[:, None] - other.centreline[None, ::4], axis=-1).min(1)
    return bool((gap < 0.45 * (diameter + float(other.diameter_px.mean()))).mean() > 0.35)


def build_vessels(
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


def sample_prompts(
    vessels: tuple[Vessel, ...],
    masks: NDArray[np.bool_],
    shift: Floats,
    rng: np.random.Generator,
    n_pos: int,
    n_neg: int,
    frame: int,
) -> tuple[Prompt, ...]:
    """Draw positive and negative clicks for every vessel, in pixels of frame ``frame`` as recorded.

    Positive clicks are drawn with probability proportional to the squared distance to the border of the vessel (away
    from overlaps where possible), negative ones to the distance from it (up to 30 px). Vessels of which fewer
    than 30 pixels are seen get none.

    Parameters
    ----------
    vessels : tuple of Vessel
    masks : ndarray of bool, shape (V, H, W)
    shift : ndarray, shape (2,)
        (dy, dx) of the tissue in that frame.
    rng : numpy.random.Generator
    n_pos, n_neg : int
        Clicks of each kind for each vessel.
    frame : int
    """
    from sam2flow_core.prompts import Prompt  # brings pandas, which is not where training draws scenes

    clicks: list[Prompt] = []
    for vessel, mask in zip(vessels, masks, strict=True):
        if mask.sum() < SMALLEST_VESSEL_PX:
            continue
        alone = mask & (masks.sum(0) == 1)
        inner = alone if alone.sum() >= SMALLEST_VESSEL_PX else mask
        for label, count, weight in ((1, n_pos, _depth(inner)), (0, n_neg, _outside(mask))):
            for y, x in _draw(rng, weight, count):
                spot = np.clip((y + shift[0], x + shift[1]), 0, np.array(mask.shape) - 1)
                clicks.append(Prompt(vessel.vessel_id, frame, float(spot[0]), float(spot[1]), label))
    return tuple(clicks)


def _depth(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]) ** 2


def _outside(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    gap = np.asarray(distance_transform_edt(~mask))
    return np.where((gap > 2) & (gap < 30), gap, 0.0)


def _draw(rng: np.random.Generator, weight: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Draw ``count`` pixels (y, x) with the given weights; none where all weights are zero."""
    total = weight.sum()
    if count == 0 or total == 0:
        return np.zeros((0, 2), np.int64)
    flat = rng.choice(weight.size, count, p=weight.ravel() / total)
    return np.stack(np.unravel_index(flat, weight.shape), 1)


@dataclass(frozen=True)
class Network:
    """Vessels (indices into the scene) that share a heartbeat, and the cells in them."""

    members: tuple[int, ...]
    course: TimeCourse
    population: Population


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
        # Here alone: tables of clicks need pandas, which training does without.

        return sample_prompts(self.vessels, self.masks, self.shifts(np.array([frame]))[0], rng, n_pos, n_neg, frame)

    @cached_property
    def masks(self) -> NDArray[np.bool_]:
        """Per-vessel masks (V, H, W) in tissue coordinates."""
        masks = np.zeros((len(self.vessels), self.size[0] * self.size[1]), bool)
        for mask, inside in zip(masks, self.lumens, strict=True):
            mask[inside.pixels] = True
        return masks.reshape(-1, *self.size)

    def masks_at(self, frame: int) -> NDArray[np.bool_]:
        """Return the masks (V, H, W) as they stand in the recorded frame ``frame``."""
        masks = np.zeros((len(self.vessels), self.size[0] * self.size[1]), bool)
        shift = self.shifts(np.array([frame]))[0]
        for mask, vessel in zip(masks, self.vessels, strict=True):
            mask[rasterise(vessel, self.size, 0, shift).inside(self.size, 0).pixels] = True
        return masks.reshape(-1, *self.size)

    def shifts(self, frames: NDArray[np.int64]) -> Floats:
        """Return the tissue's displacement (T, 2), (dy, dx) px, at frames ``frames``."""
        return self.motion.at(frames / self.frame_rate_hz)


def sample_scene(rng: np.random.Generator, size: tuple[int, int], settings: SceneSettings | None = None) -> Scene:
    """Draw a world.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance: the same state gives the same scene.
    size : tuple of int
        (H, W) px, at least 32 each.
    settings : SceneSettings, optional

    Examples
    --------
    >>> import numpy as np
    >>> scene = sample_scene(np.random.default_rng(3), (64, 64))
    >>> scene.masks.shape[1:]
    (64, 64)
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
        for layout in place_networks(rng, kind, size, diameter, cell_px, profile, settings.taper, vessels):
            course = sample_time_course(rng, settings, rate)
            speed = _speed(rng, settings, pixel, rate, cell_px, min(size))
            built = build_vessels(layout, len(vessels), profile, speed, course, pixel, rate)
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
    high = min(settings.diameter_px[1], settings.diameter_um[1] / pixel, settings.widest * min(size))
    return log_uniform(rng, (min(low, high), high))


def _profile(rng: np.random.Generator, settings: SceneSettings, cells_across: float) -> Profile:
    """Draw a profile; where cells pass in single file it is a plug."""
    blunt = float(np.clip((cells_across - 1.2) / 1.5, 0.0, 1.0))
    return Profile(blunt * uniform(rng, settings.profile_slip), uniform(rng, settings.profile_order))


def _speed(
    rng: np.random.Generator, settings: SceneSettings, pixel: float, rate: float, cell_px: float, side: int
) -> float:
    """Draw the mean speed in um/s."""
    if settings.speed_cells is not None:
        drawn = min(log_uniform(rng, settings.speed_cells) * cell_px, settings.farthest * side)
    else:
        drawn = log_uniform(rng, settings.speed_bins_px[int(rng.integers(len(settings.speed_bins_px)))])
    return min(drawn * pixel * rate, settings.max_speed_um_s)


@dataclass(frozen=True)
class Optics:
    """Look of a scene; lengths in px, intensities relative to full well.

    Attributes
    ----------
    contrast : str
        ``relief`` (phase gradient, as in oblique back-illumination), ``absorption``, ``bright_cells`` (labelled cells)
        or ``dark_cells`` (labelled plasma).
    azimuth : float
        Direction of the illumination, radians.
    cell_contrast : float
        Relative modulation by one cell.
    shade : float
        Share of absorption in the relief contrast; signed.
    level : float
        Mean brightness of the tissue.
    lumen, wall : float
        Relative brightness of the lumen, and of its walls, against the tissue; signed.
    bulge : float
        Relief of the lumen itself (one wall bright, one dark), in relief contrast.
    texture, texture_scale, grain : float
        Relative strength of the tissue's texture, its coarsest scale in px and the slope of its spectrum.
    gradient : tuple of float
        Relative slope of the illumination across the frame in y and x.
    vignette, dirt : float
        Darkening of the corners; strength of the pattern fixed to the camera.
    blur, defocus : float
        Point spread (sd, px), and the share of a twice as broad one, which drifts over time.
    flicker : float
        Standard deviation of the lamp's brightness.
    electrons, read_noise : float
        Full well and read noise in electrons.
    exposure : float
        Share of the frame interval.
    """

    contrast: str
    azimuth: float
    cell_contrast: float
    shade: float
    level: float
    lumen: float
    wall: float
    bulge: float
    texture: float
    texture_scale: float
    grain: float
    gradient: tuple[float, float]
    vignette: float
    dirt: float
    blur: float
    defocus: float
    flicker: float
    electrons: float
    read_noise: float
    exposure: float


def sample_optics(rng: np.random.Generator, settings: SceneSettings, pixel_size_um: float) -> Optics:
    """Draw the look of a scene."""
    contrast = pick(rng, settings.contrasts)
    bright_field = contrast in ("relief", "absorption")
    lumen = float(rng.normal(-0.08, 0.1)) if bright_field else log_uniform(rng, (1.0, 12.0))
    level = uniform(rng, (0.3, 0.65)) if bright_field else log_uniform(rng, (0.02, 0.4))
    if not bright_field:  # the brightest matter stays under full well
        level = min(level, 0.8 / (1 + lumen * (1.6 if contrast == "bright_cells" else 1.0)))
    return Optics(
        contrast=contrast,
        azimuth=uniform(rng, (0, 2 * np.pi)),
        cell_contrast=log_uniform(rng, settings.cell_contrast) * (1.0 if bright_field else 2.2),
        shade=float(rng.normal(0.3, 0.4)),
        level=level,
        lumen=lumen,
        wall=float(rng.normal(0, 0.08)) if rng.random() < 0.6 else 0.0,
        bulge=float(rng.normal(0, 0.08)) if contrast == "relief" else 0.0,
        texture=log_uniform(rng, settings.texture),
        texture_scale=log_uniform(rng, (8, 80)),
        grain=uniform(rng, (1.2, 2.5)),
        gradient=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.12))),
        vignette=uniform(rng, (0, 0.3)),
        dirt=uniform(rng, (0, 0.04)) if rng.random() < 0.5 else 0.0,
        blur=float(np.clip(uniform(rng, settings.blur_um) / pixel_size_um, 0.4, 4.0)),
        defocus=uniform(rng, (0, 0.6)) if rng.random() < 0.5 else 0.0,
        flicker=uniform(rng, settings.flicker),
        electrons=log_uniform(rng, settings.electrons) * (1.0 if bright_field else 0.25),
        read_noise=uniform(rng, settings.read_noise),
        exposure=uniform(rng, settings.exposure),
    )
