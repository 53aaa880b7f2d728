"""Scenes of streamlines (`scene`) as records for training, and the appearance that they are filmed under.

`film` films one scene as it is; here cells that were drawn once are filmed again and again, as `Optics` draws it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sam2flow_core.config.synthetic import SceneSettings
from sam2flow_core.synthetic.blood import Population
from sam2flow_core.synthetic.film import thickness_of_cells
from sam2flow_core.synthetic.random_draws import log_uniform, uniform
from sam2flow_core.synthetic.record import WALL_PX, RecordPlan, SceneRecord, Streams, pack_record
from sam2flow_core.synthetic.scene import RBC_UM, Network, Optics, Scene, sample_optics, sample_scene
from sam2flow_core.synthetic.vessels import Floats, Lumen, Vessel, rasterise

GENERATOR = 0


def draw_streamline_record(
    rng: np.random.Generator, side: int, settings: SceneSettings, plan: RecordPlan
) -> SceneRecord | None:
    """Draw a scene and its cells; None where no vessel is seen in it."""
    scene = sample_scene(rng, (side, side), settings)
    scene = replace(scene, networks=(*scene.networks, *_slow_layers(rng, scene, settings)))
    thickness = thickness_of_cells(scene, plan.frames, np.zeros((len(plan.frames), 2)), 0, "cpu").numpy()
    return record_scene(scene, plan, thickness)


def record_scene(scene: Scene, plan: RecordPlan, thickness: NDArray[np.float32]) -> SceneRecord | None:
    """Record a square scene with the cells (F, S, S) that were drawn of it; None where no vessel is seen in it."""
    side = scene.size[0]
    lumens = [rasterise(vessel, scene.size, 0, margin=WALL_PX) for vessel in scene.vessels]
    seen = [number for number, lumen in enumerate(lumens) if (np.abs(lumen.rho) <= 1).any()]
    if not seen or not np.isfinite(thickness).all():
        return None
    depth = np.zeros(side * side, np.float32)
    for number in seen:
        chord = np.sqrt(np.clip(1 - lumens[number].rho ** 2, 0, 1))
        depth[lumens[number].pixels] = np.maximum(depth[lumens[number].pixels], chord)
    vessels = [scene.vessels[number] for number in seen]
    streams = [_streams(vessel, lumens[number]) for vessel, number in zip(vessels, seen, strict=True)]
    headings, speeds, profiles, radii = (np.concatenate(parts) for parts in zip(*streams, strict=True))
    told = Streams(
        vessel=np.repeat(np.arange(len(seen)), [len(lumens[n].pixels) for n in seen]),
        pixels=np.concatenate([lumens[n].pixels for n in seen]),
        heading=headings,
        speed=speeds,
        profile=profiles,
        offset=np.concatenate([lumens[n].rho for n in seen]),
        radius=radii,
    )
    times = plan.frames / scene.frame_rate_hz
    travel = np.stack([vessel.course.travel(times) for vessel in vessels]) * scene.frame_rate_hz
    deep = depth.reshape(side, side)
    return pack_record(GENERATOR, scene.cell_px, plan, thickness, deep, told, travel, _ends(vessels, side))


def _slow_layers(rng: np.random.Generator, scene: Scene, settings: SceneSettings) -> list[Network]:
    """Draw cells that creep along the walls, for a share of the networks: what slow flow is mistaken for."""
    return [
        replace(network, population=_creeping(rng, network.population))
        for network in scene.networks
        if rng.random() < settings.slow_layers
    ]


def _creeping(rng: np.random.Generator, population: Population) -> Population:
    cells = len(population.cycle)
    some = rng.permutation(cells)[: max(1, round(cells * rng.uniform(0.1, 0.5)))]
    slower = float(np.exp(rng.uniform(np.log(0.01), np.log(0.3))))
    rho = rng.choice([-1, 1], (len(some), 1)) * rng.uniform(0.75, 0.98, (len(some), 1))
    return replace(
        population,
        stage_vessel=population.stage_vessel[some],
        stage_rho=np.broadcast_to(rho, population.stage_rho[some].shape),
        stage_speed=population.stage_speed[some] * slower,
        ends=population.ends[some] / slower,
        cycle=population.cycle[some] / slower,
        start=population.start[some] / slower,
    )


def _streams(vessel: Vessel, lumen: Lumen) -> tuple[Floats, Floats, Floats, Floats]:
    """Unit headings (N, 2) as ``(dx, dy)``, speed and profile as in `SceneRecord`, radius px, at the px of a lumen."""
    knot = np.clip((lumen.transit / vessel.step).astype(np.int64), 0, len(vessel.centreline) - 2)
    line = np.diff(vessel.centreline, axis=0)[knot]
    arms = np.diff(0.5 * vessel.diameter_px[:, None] * vessel.normals, axis=0)[knot]
    way = line + np.clip(lumen.rho, -1, 1)[:, None] * arms
    pace = np.linalg.norm(way, axis=1) / vessel.step
    speed = pace * vessel.mean_speed_px_s / vessel.frame_rate_hz
    profile = vessel.profile(np.clip(lumen.rho, -1, 1))
    unit = way / np.linalg.norm(way, axis=1, keepdims=True)
    return unit[:, ::-1], speed, profile, 0.5 * vessel.diameter_px[knot]


def _ends(vessels: list[Vessel], side: int) -> NDArray[np.float32]:
    """Ends inside the frame (E, 3): ``(y, x)`` and radius, px."""
    ends = [
        [*place, 0.5 * width]
        for vessel in vessels
        for place, width in zip(vessel.centreline[[0, -1]], vessel.diameter_px[[0, -1]], strict=True)
        if (place >= 0).all() and (place < side).all()
    ]
    return np.array(ends, np.float32).reshape(-1, 3)


@dataclass(frozen=True)
class StreamlineAppearance:
    """Optics, and what spoils real recordings beside them.

    Attributes
    ----------
    optics : Optics
    cell_px : float
        Diameter of a free red cell, px of the clip.
    standing, changing : float
        Thickness (in cells) of a texture in the lumen that stands still, and of one that changes slowly.
    gain : float
        Relative amplitude of the slow drift of brightness.
    period : float
        Of the slow changes, frames.
    phase : float
    seed : int
    """

    optics: Optics
    cell_px: float
    standing: float
    changing: float
    gain: float
    period: float
    phase: float
    seed: int


def draw_streamline_appearance(
    rng: np.random.Generator, settings: SceneSettings, cell_px: float, standing: bool, drifts: bool, defocus: bool
) -> StreamlineAppearance:
    """Draw an appearance for a clip whose cells are ``cell_px`` wide."""
    optics = sample_optics(rng, settings, RBC_UM / cell_px)
    if not drifts:
        optics = replace(optics, defocus=0.0)
    if defocus:
        optics = replace(optics, blur=float(np.clip(uniform(rng, (0.2, 0.45)) * cell_px, 1.5, 6.0)))
    return StreamlineAppearance(
        optics,
        cell_px,
        log_uniform(rng, (0.02, 0.6)) if standing else 0.0,
        log_uniform(rng, (0.02, 0.4)) if standing else 0.0,
        log_uniform(rng, (0.003, 0.15)) if drifts else 0.0,
        log_uniform(rng, (40.0, 2000.0)),
        uniform(rng, (0, 2 * np.pi)),
        int(rng.integers(2**31)),
    )


def film_streamlines(
    matter: Tensor, depth: Tensor, times: Tensor, appearances: Sequence[StreamlineAppearance], noise: Tensor
) -> Tensor:
    """Film B clips of one size.

    Parameters
    ----------
    matter : Tensor (B, F, n, n)
        Thickness of the cells, sharp; changed.
    depth : Tensor (B, n, n)
        Of the lumen, 0 to 1.
    times : Tensor (B, F)
        In frame intervals.
    appearances : sequence of StreamlineAppearance
    noise : Tensor (B, F, n, n)
        Of unit variance.

    Returns
    -------
    Tensor (B, F, n, n)
        Intensities, full well is 1.
    """
    optics = [appearance.optics for appearance in appearances]
    device = matter.device

    def each(name: str) -> Tensor:
        return torch.tensor([float(getattr(o, name)) for o in optics], device=device)[:, None, None, None]

    def own(name: str) -> Tensor:
        return torch.tensor([float(getattr(k, name)) for k in appearances], device=device)[:, None, None, None]

    grains = torch.stack([_grain(appearance, depth.shape[-1], device) for appearance in appearances])
    wave = (2 * math.pi * times / own("period")[:, 0, 0] + own("phase")[:, 0, 0])[..., None, None]
    inner = depth[:, None]
    matter.addcmul_(inner * own("standing"), grains[:, 1:2])
    if any(appearance.changing for appearance in appearances):
        matter.addcmul_(torch.sin(wave), inner * own("changing") * grains[:, 2:3])
    blurs = [o.blur for o in optics]
    matter = blur(matter, blurs)
    if any(o.defocus for o in optics):
        mix = each("defocus") * (0.5 + 0.5 * torch.cos(0.7 * wave))
        matter = torch.lerp(matter, blur(matter, [1.7 * b for b in blurs]), mix)
    rho = (1 - inner.square()).clamp_min(0).sqrt()
    edge = torch.exp(-0.5 * ((1 - rho) / 0.12).square()) * (inner > 0)
    soft, edge = blur(torch.cat([inner, edge], 1), blurs).split(1, 1)
    light = _contrasted(matter, soft, edge, grains[:, :1], appearances)
    drift = 1 + own("gain") * torch.sin(wave) + each("flicker") * noise[:, :, :1, :1]
    light.mul_(_lamp(optics, grains[:, 3:4]) * each("level")).mul_(drift)
    well, read = each("electrons"), each("read_noise")
    light.clamp_(min=0)
    spread = (light / well).add_((read / well).square()).sqrt_()
    return light.addcmul_(spread, noise).clamp_(0, 1)


def _contrasted(
    matter: Tensor, soft: Tensor, edge: Tensor, grain: Tensor, appearances: Sequence[StreamlineAppearance]
) -> Tensor:
    """Combine tissue, lumen and cells into relative brightness, each by its kind of contrast."""
    light = torch.empty_like(matter)
    for kind in sorted({appearance.optics.contrast for appearance in appearances}):
        mine = [k for k, appearance in enumerate(appearances) if appearance.optics.contrast == kind]
        whole = len(mine) == len(appearances)
        index = slice(None) if whole else torch.tensor(mine, device=matter.device)
        cells, deep, walls, tissue = matter[index], soft[index], edge[index], grain[index]
        chosen = [appearances[k] for k in mine]

        def each(name: str, chosen: list[StreamlineAppearance] = chosen) -> Tensor:
            values = [float(getattr(appearance.optics, name)) for appearance in chosen]
            return torch.tensor(values, device=matter.device)[:, None, None, None]

        still = 1 + each("texture") * tissue + each("wall") * walls
        if kind in ("relief", "absorption"):
            still = still + each("lumen") * deep
        contrast = each("cell_contrast")
        if kind == "relief":
            size = torch.tensor([0.5 * appearance.cell_px for appearance in chosen], device=matter.device)[
                :, None, None, None
            ]
            still = still + each("bulge") * 0.5 * size * slope(deep, each("azimuth"))
            shaped = slope(cells, each("azimuth")).mul_(contrast * size).addcmul_(cells, -contrast * each("shade"))
            light[index] = shaped.add_(1).mul_(still.clamp_min(0.05))
        elif kind == "absorption":
            light[index] = torch.exp(-contrast * cells).mul_(still.clamp_min(0.05))
        elif kind == "bright_cells":
            bright = each("lumen")
            light[index] = still.clamp_min(0.05) * (1 + 0.15 * bright * deep) + bright * cells
        else:
            dark = (2.5 * contrast).clamp_max(0.9)
            light[index] = still.clamp_min(0.05) + each("lumen") * deep * (1 - dark * cells.clamp(-1, 1.1))
    return light


def blur(images: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Blur (B, C, n, n), each of the B with a Gaussian of its own ``sigma`` px; edges repeat."""
    batch, channels, n = images.shape[:3]
    away = torch.arange(n, device=images.device, dtype=torch.float32)
    sigma = torch.tensor(list(sigmas), device=images.device)[:, None, None]
    # Edges repeat: what a line's Gaussian has beyond its ends is given to the px there.
    reach = math.ceil(3 * max(sigmas))
    out = torch.arange(-reach, n + reach, device=images.device, dtype=torch.float32)
    taps = torch.exp(-0.5 * ((out - away[:, None]) / sigma).square())
    taps = taps / taps.sum(-1, keepdim=True)
    matrix = taps[..., reach : reach + n].clone()
    matrix[..., 0] += taps[..., :reach].sum(-1)
    matrix[..., -1] += taps[..., reach + n :].sum(-1)
    across = (images.reshape(batch, channels * n, n) @ matrix.transpose(1, 2)).view(batch, channels, n, n)
    if batch == 1:
        return matrix[0] @ across
    down = across.transpose(2, 3).reshape(batch, channels * n, n) @ matrix.transpose(1, 2)
    return down.view(batch, channels, n, n).transpose(2, 3)


def slope(images: Tensor, azimuth: Tensor) -> Tensor:
    """Derivative (B, C, n, n) along an azimuth (B, 1, 1, 1), radians from the x axis; central differences."""
    result = torch.zeros_like(images)
    result[..., 1:-1].add_((images[..., 2:] - images[..., :-2]) * (0.5 * torch.cos(azimuth)))
    result[..., 1:-1, :].add_((images[..., 2:, :] - images[..., :-2, :]) * (0.5 * torch.sin(azimuth)))
    return result


def _grain(appearance: StreamlineAppearance, n: int, device: torch.device) -> Tensor:
    """Noise (4, n, n) of unit variance: tissue, standing and changing texture in the lumen, dirt of the camera."""
    generator = torch.Generator(device).manual_seed(appearance.seed)
    white = torch.randn(4, n, n, generator=generator, device=device)
    frequency = torch.fft.fftfreq(n, device=device)[:, None] ** 2 + torch.fft.rfftfreq(n, device=device) ** 2
    optics, cell = appearance.optics, appearance.cell_px
    coarsest = torch.tensor([optics.texture_scale, 0.6 * cell, 0.8 * cell, 4.0], device=device)[:, None, None]
    slopes = torch.tensor([optics.grain, 1.5, 1.5, 0.8], device=device)[:, None, None]
    weight = (frequency + (1 / coarsest) ** 2) ** (-slopes / 2)
    weight[:, 0, 0] = 0
    field = torch.fft.irfft2(torch.fft.rfft2(white) * weight, s=(n, n))
    result: Tensor = field / field.std((1, 2), keepdim=True).clamp_min(1e-6)
    return result


def _lamp(optics: Sequence[Optics], dirt: Tensor) -> Tensor:
    """What is fixed to the camera (B, 1, n, n): gradient, vignette and dirt."""
    line = torch.linspace(-1, 1, dirt.shape[-1], device=dirt.device)

    def each(values: list[float]) -> Tensor:
        return torch.tensor(values, device=dirt.device)[:, None, None, None]

    rows, columns = line[:, None], line
    light = 1 + each([o.gradient[0] for o in optics]) * rows + each([o.gradient[1] for o in optics]) * columns
    light = light * (1 - 0.5 * each([o.vignette for o in optics]) * (rows**2 + columns**2))
    return (light + each([o.dirt for o in optics]) * dirt).clamp_min(0.1)
