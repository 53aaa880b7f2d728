"""One randomised world: vessels with blood in them, optics and tissue motion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.blood import sample_population
from sam2flow_core.synthetic.cell_population import Population
from sam2flow_core.synthetic.heartbeat import TimeCourse, sample_time_course
from sam2flow_core.synthetic.motion import TissueMotion, sample_motion
from sam2flow_core.synthetic.optics import Optics, sample_optics
from sam2flow_core.synthetic.random_draws import log_uniform, pick, uniform
from sam2flow_core.synthetic.raster import Lumen, rasterise
from sam2flow_core.synthetic.scene_building import build_vessels, place_networks
from sam2flow_core.synthetic.vessels import Floats, Profile, Vessel

if TYPE_CHECKING:
    from sam2flow_core.prompts import Prompt

RBC_UM = 7.8
NEAR_PAD = 16


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
        from sam2flow_core.synthetic.true_prompts import sample_prompts

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
