"""From a scene to recorded intensities: where its cells are, drawn, with contrast, blur, smear and noise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from sam2flow_core.synthetic.blood import Placed
from sam2flow_core.synthetic.scene import NEAR_PAD, Network, Scene

BLUR_PER_EXPOSURE_PX = 2.5
FRAMES_AT_ONCE = 16


def gaussian(images: Tensor, sigma: float) -> Tensor:
    """Blur (T, H, W) with a Gaussian of ``sigma`` px; edges repeat.

    Two matrix products: on clips of a few hundred pixels much faster than a convolution of one channel.
    """
    rows, columns = (_blur_matrix(n, sigma, images.device) for n in images.shape[1:])
    return rows @ images @ columns.T


def _blur_matrix(length: int, sigma: float, device: torch.device) -> Tensor:
    """Return the (length, length) matrix that blurs a line whose ends repeat."""
    half = max(1, math.ceil(3 * sigma))
    x = torch.arange(-half, half + 1, device=device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    source = torch.arange(length, device=device)[:, None] + torch.arange(-half, half + 1, device=device)
    matrix = torch.zeros(length, length, device=device)
    return matrix.scatter_add_(1, source.clamp(0, length - 1), (kernel / kernel.sum()).expand(length, -1))


def directional(images: Tensor, azimuth: float) -> Tensor:
    """Return the derivative of (T, H, W) along ``azimuth`` (radians from the x axis), central differences."""
    dy, dx = torch.gradient(images, dim=(1, 2))
    return math.sin(azimuth) * dy + math.cos(azimuth) * dx


def shifted(image: Tensor, shifts: Tensor, size: tuple[int, int], pad: int) -> Tensor:
    """Move one padded image (H + 2 pad, W + 2 pad) by (T, 2) shifts (dy, dx), bicubic, and crop to (T, H, W)."""
    height, width = image.shape
    rows = torch.arange(size[0], device=image.device, dtype=image.dtype)[None, :, None] + pad - shifts[:, 0, None, None]
    columns = torch.arange(size[1], device=image.device, dtype=image.dtype)[None, None] + pad - shifts[:, 1, None, None]
    rows, columns = torch.broadcast_tensors(rows, columns)
    grid = torch.stack([2 * columns / (width - 1) - 1, 2 * rows / (height - 1) - 1], -1)
    source = image[None, None].expand(len(shifts), 1, height, width)
    return functional.grid_sample(source, grid, mode="bicubic", padding_mode="border", align_corners=True)[:, 0]


def texture(size: tuple[int, int], coarsest: float, slope: float, generator: torch.Generator) -> Tensor:
    """Return noise (H, W) of unit variance whose amplitude falls as frequency^-slope above 1 / ``coarsest`` px."""
    noise = torch.randn(size, generator=generator)
    fy = torch.fft.fftfreq(size[0])[:, None]
    fx = torch.fft.rfftfreq(size[1])[None]
    weight = (fy**2 + fx**2 + (1 / coarsest) ** 2) ** (-slope / 2)
    weight[0, 0] = 0
    field = torch.fft.irfft2(torch.fft.rfft2(noise) * weight, s=size)
    result: Tensor = field / field.std().clamp(min=1e-6)
    return result


@dataclass(frozen=True)
class Bodies:
    """Cells to draw, (M,) each: frame slot, centre (y, x) px, angle, semi-axes, shape, weight."""

    slot: NDArray[np.int64]
    y: NDArray[np.float64]
    x: NDArray[np.float64]
    angle: NDArray[np.float64]
    long: NDArray[np.float64]
    wide: NDArray[np.float64]
    bow: NDArray[np.float64]
    dimple: NDArray[np.float64]
    weight: NDArray[np.float64]


def draw(bodies: Bodies, frames: int, size: tuple[int, int], pad: int, device: str | torch.device) -> Tensor:
    """Sum the thickness of all bodies on a canvas (frames, H + 2 pad, W + 2 pad).

    The thickness of a body is ``weight * (1 - e) * (1 - dimple (1 - e)^2)`` for e < 1, with e the elliptic radius
    squared after the parachute's bend: a smooth disc, hollow in the middle by ``dimple``.
    """
    height, width = size[0] + 2 * pad, size[1] + 2 * pad
    canvas = torch.zeros(frames * height * width, device=device)
    reach = np.maximum(bodies.long, bodies.wide) * (1 + 0.5 * np.abs(bodies.bow))
    seen = (np.abs(bodies.y - (size[0] - 1) / 2) < height / 2 + reach) & (
        np.abs(bodies.x - (size[1] - 1) / 2) < width / 2 + reach
    )
    # Bodies of like size are drawn together, so that a few white cells do not enlarge every red cell's patch.
    order = np.flatnonzero(seen)
    if order.size:
        edge = 1.5 * float(np.median(reach[order]))
        for group in (order[reach[order] <= edge], order[reach[order] > edge]):
            if group.size:
                _draw_group(bodies, group, canvas, (height, width), pad)
    return canvas.view(frames, height, width)


def _draw_group(bodies: Bodies, group: NDArray[np.intp], canvas: Tensor, shape: tuple[int, int], pad: int) -> None:
    """Add the bodies ``group`` to the flat canvas."""
    device, (height, width) = canvas.device, shape

    def column(values: NDArray[np.float64]) -> Tensor:
        return torch.as_tensor(values[group], dtype=torch.float32, device=device)[:, None, None]

    reach = np.maximum(bodies.long, bodies.wide)[group] * (1 + 0.5 * np.abs(bodies.bow[group]))
    half = int(np.ceil(reach.max()))
    steps = np.arange(2 * half)
    rows = np.floor(bodies.y[group]).astype(np.int64)[:, None] - half + 1 + steps
    columns = np.floor(bodies.x[group]).astype(np.int64)[:, None] - half + 1 + steps
    # Offsets are formed in double precision. Those outside the canvas are sent far away, where a body has no thickness.
    far = 1e4
    dy = np.where((rows >= -pad) & (rows < height - pad), rows - bodies.y[group, None], far)
    dx = np.where((columns >= -pad) & (columns < width - pad), columns - bodies.x[group, None], far)
    rows, columns = np.clip(rows + pad, 0, height - 1), np.clip(columns + pad, 0, width - 1)
    row_start = (bodies.slot[group, None] * height + rows) * width
    index = torch.as_tensor(row_start, device=device)[:, :, None] + torch.as_tensor(columns, device=device)[:, None, :]
    sine, cosine = np.sin(bodies.angle[group, None]), np.cos(bodies.angle[group, None])
    wide, long = bodies.wide[group, None], bodies.long[group, None]
    across = _sum(dy * cosine / wide, -dx * sine / wide, device)
    along = _sum(dy * sine / long, dx * cosine / long, device)
    square = across * across
    if np.any(bodies.bow[group]):
        along = along.addcmul_(column(bodies.bow), square - 0.3)
    depth = square.addcmul_(along, along).neg_().add_(1).clamp_(min=0)
    thick = (column(-bodies.dimple) * depth * depth).add_(1).mul_(depth).mul_(column(bodies.weight))
    canvas.index_add_(0, index.view(-1), thick.view(-1))


def _sum(rows: NDArray[np.float64], columns: NDArray[np.float64], device: torch.device) -> Tensor:
    """Return the (M, P, P) sum of a part that varies by row and one that varies by column."""
    return (
        torch.as_tensor(rows.astype(np.float32), device=device)[:, :, None]
        + torch.as_tensor(columns.astype(np.float32), device=device)[:, None, :]
    )


def bodies_at(scene: Scene, times: NDArray[np.float64], slots: NDArray[np.int64], moved: NDArray[np.float64]) -> Bodies:
    """Return all cells at the given moments; ``moved`` (N, 2) is the tissue's displacement at each of them."""
    parts = []
    for network, member, placed in cells_by_vessel(scene, times):
        shapes, vessel, row = network.population.shapes, scene.vessels[member], placed.row
        point = vessel.place(placed.transit, placed.rho) + moved[placed.moment]
        angle = vessel.angle(placed.transit) + shapes.tilt[row]
        shape = [shapes.long[row], shapes.wide[row], shapes.bow[row], shapes.dimple[row], shapes.weight[row]]
        parts.append(np.stack([slots[placed.moment], point[:, 0], point[:, 1], angle, *shape]))
    table = np.concatenate(parts, 1) if parts else np.zeros((9, 0))
    return Bodies(table[0].astype(np.int64), *table[1:])


def cell_flux(scene: Scene, frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many cells pass the middle of each vessel per frame, forwards less backwards, shape (V,)."""
    flux = np.zeros(len(scene.vessels))
    for _, member, placed in cells_by_vessel(scene, frames / scene.frame_rate_hz):
        order = np.lexsort((placed.moment, placed.row, placed.cell))
        # A cell that comes round again looks different: its row says so.
        same = (np.diff(placed.cell[order]) == 0) & (np.diff(placed.row[order]) == 0)
        past = (placed.transit[order] > scene.vessels[member].length / 2).astype(int)
        flux[member] = float(np.diff(past)[same].sum()) / (len(frames) - 1)
    return flux


def cells_by_vessel(scene: Scene, times: NDArray[np.float64]) -> Iterator[tuple[Network, int, Placed]]:
    """Yield network, index of the vessel in the scene and the cells in it."""
    for network in scene.networks:
        placed = network.population.at(network.course.travel(times))
        for index, member in enumerate(network.members):
            yield network, member, placed.only(placed.vessel == index)


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
