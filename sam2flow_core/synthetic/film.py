"""From cells to recorded intensities: contrast, tissue, illumination, noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from sam2flow_core.synthetic.cells import Placed
from sam2flow_core.synthetic.filters import directional, gaussian, shifted, texture
from sam2flow_core.synthetic.scene import NEAR_PAD, Network, Scene
from sam2flow_core.synthetic.splat import Bodies, draw

BLUR_PER_EXPOSURE_PX = 2.5
FRAMES_AT_ONCE = 16


def bodies_at(scene: Scene, times: NDArray[np.float64], slots: NDArray[np.int64], moved: NDArray[np.float64]) -> Bodies:
    """Return all cells at the given moments; ``moved`` (N, 2) is the tissue's displacement at each of them."""
    parts = []
    for network, member, placed in _by_vessel(scene, times):
        looks, vessel, row = network.population.looks, scene.vessels[member], placed.row
        point = vessel.place(placed.transit, placed.rho) + moved[placed.moment]
        angle = vessel.angle(placed.transit) + looks.tilt[row]
        shape = [looks.long[row], looks.wide[row], looks.bow[row], looks.dimple[row], looks.weight[row]]
        parts.append(np.stack([slots[placed.moment], point[:, 0], point[:, 1], angle, *shape]))
    table = np.concatenate(parts, 1) if parts else np.zeros((9, 0))
    return Bodies(table[0].astype(np.int64), *table[1:])


def moving_cells(scene: Scene, frames: NDArray[np.int64]) -> pd.DataFrame:
    """Return frame (position in ``frames``), vessel_id, cell, y and x (px of the recorded frame) of all cells."""
    moved = scene.shifts(frames)
    parts = []
    for network, member, placed in _by_vessel(scene, frames / scene.frame_rate_hz):
        vessel = scene.vessels[member]
        point = vessel.place(placed.transit, placed.rho) + moved[placed.moment]
        number = 1_000_000 * (network.members[0] + 1) + placed.cell
        where = {"y": point[:, 0], "x": point[:, 1]}
        parts.append(pd.DataFrame({"frame": placed.moment, "vessel_id": vessel.vessel_id, "cell": number, **where}))
    return pd.concat(parts).sort_values(["frame", "vessel_id", "cell"], ignore_index=True)


def _by_vessel(scene: Scene, times: NDArray[np.float64]) -> Iterator[tuple[Network, int, Placed]]:
    """Yield network, index of the vessel in the scene and the cells in it."""
    for network in scene.networks:
        placed = network.population.at(network.course.travel(times))
        for index, member in enumerate(network.members):
            yield network, member, placed.only(placed.vessel == index)


def exposures(scene: Scene) -> int:
    """Return how many moments of an exposure are drawn: more where cells smear."""
    fastest = max((v.mean_speed_px_s / scene.frame_rate_hz for v in scene.vessels), default=0.0)
    return 1 + int(np.clip(fastest * scene.optics.exposure / BLUR_PER_EXPOSURE_PX, 0, 2))


def matter(scene: Scene, frames: NDArray[np.int64], moved: NDArray[np.float64], pad: int, device: str) -> Tensor:
    """Return the blurred thickness of the cells (T, H + 2 pad, W + 2 pad), averaged over the exposure."""
    count = exposures(scene)
    within = (np.arange(count) + 0.5) / count - 0.5
    times = (frames[:, None] + within * scene.optics.exposure) / scene.frame_rate_hz
    slots = np.repeat(np.arange(len(frames)), count)
    bodies = bodies_at(scene, times.ravel(), slots, np.repeat(moved, count, 0))
    canvas = draw(bodies, len(frames), scene.size, pad, device) / count
    sharp = gaussian(canvas, scene.optics.blur)
    if scene.optics.defocus == 0:
        return sharp
    time = torch.as_tensor(frames / scene.frame_rate_hz, dtype=torch.float32, device=device)
    mix = scene.optics.defocus * (0.5 + 0.5 * torch.sin(2 * torch.pi * 0.4 * time + scene.noise_seed % 7))
    return torch.lerp(sharp, gaussian(sharp, 1.7 * scene.optics.blur), mix[:, None, None])


def tissue(scene: Scene, pad: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the still picture (relative brightness) and the lumen's depth (0 to 1), padded by ``pad`` px."""
    size = (scene.size[0] + 2 * pad, scene.size[1] + 2 * pad)
    optics = scene.optics
    depth, wall = np.zeros(size[0] * size[1]), np.zeros(size[0] * size[1])
    for near in scene.surroundings(pad):
        chord = np.sqrt(np.clip(1 - near.rho**2, 0, 1))
        depth[near.pixels] = np.maximum(depth[near.pixels], chord)
        edge = np.exp(-0.5 * ((np.abs(near.rho) - 1) / 0.12) ** 2)
        wall[near.pixels] = np.maximum(wall[near.pixels], edge)
    fields = torch.from_numpy(np.stack([depth, wall]).reshape(2, *size).astype(np.float32))
    soft = gaussian(fields, optics.blur)
    grain = _widened(texture(_tile(scene), optics.texture_scale, optics.grain, generator), pad - NEAR_PAD)
    picture = 1 + optics.texture * grain + optics.wall * soft[1]
    if optics.contrast in ("relief", "absorption"):
        picture = picture + optics.lumen * soft[0]
    if optics.bulge:
        picture = picture + optics.bulge * 0.5 * mean_diameter(scene) * directional(soft[:1], optics.azimuth)[0]
    return picture.clamp(min=0.05), soft[0]


def _tile(scene: Scene) -> tuple[int, int]:
    return scene.size[0] + 2 * NEAR_PAD, scene.size[1] + 2 * NEAR_PAD


def _widened(tile: Tensor, extra: int) -> Tensor:
    """Repeat a periodic picture round itself by ``extra`` px, so that it is the same however far the tissue moves."""
    rows, columns = (torch.arange(-extra, n + extra) % n for n in tile.shape)
    return tile[rows][:, columns]


def mean_diameter(scene: Scene) -> float:
    """Return the mean diameter of the scene's vessels in px."""
    return float(np.mean([vessel.diameter_px.mean() for vessel in scene.vessels]))


def lamp(scene: Scene, generator: torch.Generator) -> Tensor:
    """Return what is fixed to the camera (H, W): illumination gradient, vignette and dirt."""
    rows = torch.linspace(-1, 1, scene.size[0])[:, None]
    columns = torch.linspace(-1, 1, scene.size[1])[None]
    optics = scene.optics
    light = 1 + optics.gradient[0] * rows + optics.gradient[1] * columns
    light = light * (1 - 0.5 * optics.vignette * (rows**2 + columns**2))
    return (light + optics.dirt * texture(scene.size, 4.0, 0.8, generator)).clamp(min=0.1)


def contrasted(scene: Scene, still: Tensor, depth: Tensor, thickness: Tensor, pad: int) -> Tensor:
    """Combine tissue, lumen and cells (T, H, W) into relative brightness, by the scene's kind of contrast."""
    optics = scene.optics
    inner = thickness[:, pad : pad + scene.size[0], pad : pad + scene.size[1]]
    if optics.contrast == "relief":
        slope = directional(thickness, optics.azimuth)[:, pad : pad + scene.size[0], pad : pad + scene.size[1]]
        return still * (1 + optics.cell_contrast * (0.5 * scene.cell_px * slope - optics.shade * inner))
    if optics.contrast == "absorption":
        return still * torch.exp(-optics.cell_contrast * inner)
    if optics.contrast == "bright_cells":
        return still * (1 + 0.15 * optics.lumen * depth) + optics.lumen * inner
    return still + optics.lumen * depth * (1 - min(2.5 * optics.cell_contrast, 0.9) * inner.clamp(-1, 1.1))


def record(scene: Scene, light: Tensor, frames: NDArray[np.int64]) -> Tensor:
    """Add flicker, shot noise (Gaussian, as at some tens of electrons and more) and read noise; clip at full well."""
    optics = scene.optics
    noisy = torch.empty_like(light)
    for slot, frame in enumerate(frames):
        generator = torch.Generator(light.device).manual_seed((scene.noise_seed + 1) * 100_003 + int(frame))
        noise = torch.randn(light.shape[1:], generator=generator, device=light.device)
        flicker = 1 + optics.flicker * float(torch.randn((), generator=generator, device=light.device))
        electrons = (light[slot] * flicker).clamp(min=0) * optics.electrons
        noisy[slot] = (electrons + (electrons + optics.read_noise**2).sqrt() * noise) / optics.electrons
    return noisy.clamp_(0, 1)


def film(scene: Scene, frames: NDArray[np.int64], moved: NDArray[np.float64], device: str) -> Tensor:
    """Render frames ``frames`` (T, H, W), the tissue displaced by ``moved`` (T, 2) px: intensities, full well 1."""
    generator = torch.Generator().manual_seed(scene.noise_seed)
    room = max(NEAR_PAD, int(np.ceil(np.abs(moved).max(initial=0.0))) + 2)
    fixed = lamp(scene, generator).to(device)
    still, depth = (image.to(device) for image in tissue(scene, room, generator))
    if np.any(moved):
        shift = torch.as_tensor(moved, dtype=torch.float32, device=device)
        still, depth = (shifted(image, shift, scene.size, room) for image in (still, depth))
    else:
        still, depth = (image[None, room:-room, room:-room] for image in (still, depth))
    pad = int(np.ceil(3 * scene.optics.blur)) + 2
    thickness = matter(scene, frames, moved, pad, device)
    light = contrasted(scene, still, depth, thickness, pad) * fixed
    return record(scene, scene.optics.level * light, frames)


def film_long(scene: Scene, frames: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
    """Render a recording of any length with its tissue motion, a few frames (T, H, W) at a time."""
    moved = scene.shifts(frames)
    for part in np.array_split(np.arange(len(frames)), -(-len(frames) // FRAMES_AT_ONCE)):
        yield film(scene, frames[part], moved[part], "cpu").numpy()
