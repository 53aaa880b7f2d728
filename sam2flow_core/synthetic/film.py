"""From a scene to recorded intensities: cells, contrast, blur, smear, noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sam2flow_core.synthetic.cell_positions import bodies_at
from sam2flow_core.synthetic.filters import directional, gaussian, shifted, texture
from sam2flow_core.synthetic.scene import NEAR_PAD, Scene
from sam2flow_core.synthetic.splat import draw


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
        picture = picture + optics.bulge * 0.5 * _mean_diameter(scene) * directional(soft[:1], optics.azimuth)[0]
    return picture.clamp(min=0.05), soft[0]


def _tile(scene: Scene) -> tuple[int, int]:
    return scene.size[0] + 2 * NEAR_PAD, scene.size[1] + 2 * NEAR_PAD


def _widened(tile: Tensor, extra: int) -> Tensor:
    """Repeat a periodic picture round itself by ``extra`` px, so that it is the same however far the tissue moves."""
    rows, columns = (torch.arange(-extra, n + extra) % n for n in tile.shape)
    return tile[rows][:, columns]


def _mean_diameter(scene: Scene) -> float:
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


BLUR_PER_EXPOSURE_PX = 2.5
FRAMES_AT_ONCE = 16


def exposures(scene: Scene) -> int:
    """Return how many moments of an exposure are drawn: more where cells smear."""
    fastest = max((v.mean_speed_px_s / scene.frame_rate_hz for v in scene.vessels), default=0.0)
    return 1 + int(np.clip(fastest * scene.optics.exposure / BLUR_PER_EXPOSURE_PX, 0, 2))


def thickness_of_cells(
    scene: Scene, frames: NDArray[np.int64], moved: NDArray[np.float64], pad: int, device: str
) -> Tensor:
    """Return the thickness of the cells (T, H + 2 pad, W + 2 pad), averaged over the exposure."""
    count = exposures(scene)
    within = (np.arange(count) + 0.5) / count - 0.5
    times = (frames[:, None] + within * scene.optics.exposure) / scene.frame_rate_hz
    slots = np.repeat(np.arange(len(frames)), count)
    bodies = bodies_at(scene, times.ravel(), slots, np.repeat(moved, count, 0))
    return draw(bodies, len(frames), scene.size, pad, device) / count


def matter(scene: Scene, frames: NDArray[np.int64], moved: NDArray[np.float64], pad: int, device: str) -> Tensor:
    """Return the blurred thickness of the cells (T, H + 2 pad, W + 2 pad)."""
    sharp = gaussian(thickness_of_cells(scene, frames, moved, pad, device), scene.optics.blur)
    if scene.optics.defocus == 0:
        return sharp
    time = torch.as_tensor(frames / scene.frame_rate_hz, dtype=torch.float32, device=device)
    mix = scene.optics.defocus * (0.5 + 0.5 * torch.sin(2 * torch.pi * 0.4 * time + scene.noise_seed % 7))
    return torch.lerp(sharp, gaussian(sharp, 1.7 * scene.optics.blur), mix[:, None, None])


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
