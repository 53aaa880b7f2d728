"""What does not flow: the tissue's picture, which moves with it, and the lamp's, which is fixed to the camera."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sam2flow_core.synthetic.filters import directional, gaussian, texture
from sam2flow_core.synthetic.scene import NEAR_PAD, Scene


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
