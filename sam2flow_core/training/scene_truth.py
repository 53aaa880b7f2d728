"""Truth of framed scenes on the training device: masks, flow of the answered pairs, the vessel field.

A scene's record says at every px of a vessel which way and how fast its matter goes. Here that is looked up
between the px, for all vessels of all scenes of a batch at once, and followed along the streamlines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sam2flow_core.model.vessel_field import DIRECTIONS, FIELD_STRIDE, ORIENTATIONS, VesselField
from sam2flow_core.training.framing import Framing

_STEP_PX, _STEP_RADII = 4.0, 1.0
"""Longest step along a streamline, px of the scene or radii, what is more: narrow vessels bend more sharply."""
_MOST_STEPS = 32


@dataclass(frozen=True)
class Streams:
    """What is known at points of vessels; ``known`` is 0 where nothing is."""

    known: Tensor
    heading: Tensor
    speed: Tensor
    profile: Tensor
    offset: Tensor
    radius: Tensor


class StreamMaps:
    """The streamlines of all seen vessels of a batch of B framings, R rows in all, those of a framing in its order.

    Attributes
    ----------
    owner : LongTensor (R,)
        The framing that a vessel belongs to.
    """

    def __init__(self, framings: Sequence[Framing], device: torch.device) -> None:
        self.side = max(f.record.side for f in framings)
        tables, rows, places = [np.zeros((1, 6), np.float32)], [], []
        owners: list[int] = []
        for number, framing in enumerate(framings):
            record = framing.record
            order = np.full(len(record.travel), -1)
            order[framing.vessels] = len(owners) + np.arange(len(framing.vessels))
            kept = order[record.vessel] >= 0
            whole = record.side
            y, x = np.divmod(record.pixels[kept].astype(np.int64), whole)
            rows.append(order[record.vessel[kept]])
            places.append(y * self.side + x)
            columns = (record.speed, record.profile, record.offset, record.radius)
            table = np.concatenate([record.heading[kept], np.stack([c[kept] for c in columns], 1)], 1)
            tables.append(table.astype(np.float32))
            owners.extend([number] * len(framing.vessels))
        self.count = len(owners)
        self.owner = torch.tensor(owners, dtype=torch.long, device=device)
        self._table = torch.from_numpy(np.concatenate(tables)).to(device)
        cells = torch.from_numpy(np.concatenate(rows) * self.side**2 + np.concatenate(places)).to(device)
        self._lookup = torch.zeros(self.count * self.side**2, dtype=torch.int32, device=device)
        self._lookup[cells] = torch.arange(1, len(self._table), dtype=torch.int32, device=device)

    def near(self, rows: Tensor, points: Tensor) -> Tensor:
        """Whether anything may be known at points, as in `at`: where not, they are outside the vessel."""
        corner = points.clamp(0, self.side - 1)
        one, other = (
            self._lookup[rows * self.side**2 + y.long() * self.side + x.long()]
            for x, y in (corner.floor().unbind(-1), corner.ceil().unbind(-1))
        )
        return (one > 0) | (other > 0)

    def at(self, rows: Tensor, points: Tensor) -> Streams:
        """Look up points (..., 2), ``(x, y)`` px of the scene, in the vessels ``rows`` (...); bilinear."""
        whole = torch.floor(points)
        part, corner = points - whole, whole.long()
        total: Tensor | None = None
        known = torch.zeros_like(points[..., 0])
        base = rows * self.side**2
        for dy in (0, 1):
            for dx in (0, 1):
                x, y = corner[..., 0] + dx, corner[..., 1] + dy
                inside = (x >= 0) & (y >= 0) & (x < self.side) & (y < self.side)
                place = base + (y * self.side + x).clamp(0, self.side**2 - 1)
                entry = self._lookup[place] * inside
                share = (part[..., 0] if dx else 1 - part[..., 0]) * (part[..., 1] if dy else 1 - part[..., 1])
                share = share * (entry > 0)
                known = known + share
                values = self._table[entry.long()] * share[..., None]
                total = values if total is None else total + values
        assert total is not None
        mean = total / known.clamp_min(1e-6)[..., None]
        return Streams(known, mean[..., :2], *mean[..., 2:].unbind(-1))


def clip_points(framings: Sequence[Framing], device: torch.device, stride: int = 1) -> Tensor:
    """Places of the clips' px, or of cells of ``stride`` px, in their scenes: (B, h * w, 2), ``(x, y)`` px."""
    side = framings[0].side // stride
    line = np.arange(side) * float(stride) + 0.5 * (stride - 1)
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    matrix = torch.from_numpy(np.stack([f.matrix for f in framings]).astype(np.float32)).to(device)
    corner = torch.from_numpy(np.stack([f.corner for f in framings]).astype(np.float32)).to(device)
    places = torch.from_numpy(grid.astype(np.float32)).to(device)
    return places @ matrix.transpose(1, 2) + corner[:, None]


@dataclass(frozen=True)
class FlowTruth:
    """Of C vessels that are learned from, all framings after each other.

    Attributes
    ----------
    masks : Tensor (C, H, W)
    flow : Tensor (P, C, 2, H, W)
    weight : Tensor (P, C, H, W)
    counts : tuple of int
        Vessels of each framing.
    """

    masks: Tensor
    flow: Tensor
    weight: Tensor
    counts: tuple[int, ...]


def true_motion(framings: Sequence[Framing], maps: StreamMaps, points: Tensor) -> FlowTruth:
    """Masks and flow of the learned vessels; ``points`` are those of all px."""
    device, side = points.device, framings[0].side
    counts = tuple(f.learned for f in framings)
    starts = np.cumsum([0, *(len(f.vessels) for f in framings)])
    rows = torch.from_numpy(np.concatenate([a + np.arange(n) for a, n in zip(starts, counts, strict=False)])).to(device)
    owner = maps.owner[rows]
    vessel, pixel = torch.nonzero(maps.near(rows[:, None], points[owner]), as_tuple=True)
    found = maps.at(rows[vessel], points[owner[vessel], pixel])
    inside = (found.known > 0.3) & (found.offset.abs() <= 1)
    vessel, pixel = vessel[inside], pixel[inside]
    masks = torch.zeros(len(rows), side * side, device=device)
    masks[vessel, pixel] = 1.0
    masks = masks.unflatten(-1, (side, side))
    pairs = framings[0].pairs
    flow = torch.zeros(pairs, len(rows), 2, side * side, device=device)
    weight = masks.flatten(1).expand(pairs, -1, -1).clone()
    if pairs and len(rows):
        begin = points[owner[vessel], pixel]
        travel = torch.from_numpy(_travels(framings)).to(device)[:, vessel]
        steps = int(np.clip(np.ceil(_longest_way(framings)), 1, _MOST_STEPS))
        end, known = _follow(maps, rows[vessel].expand(pairs, -1), begin.expand(pairs, -1, -1), travel, steps)
        back = torch.from_numpy(np.stack([f.inverse for f in framings]).astype(np.float32)).to(device)
        move = ((end - begin)[..., None, :] @ back[owner[vessel]].transpose(1, 2))[..., 0, :]
        goal = move + torch.stack([pixel % side, torch.div(pixel, side, rounding_mode="floor")], 1)
        gone = ~known | ((goal < -0.5) | (goal > side - 0.5)).any(-1)
        flow[:, vessel, :, pixel] = move.transpose(0, 1)
        weight[:, vessel, pixel] = torch.where(gone, 0.5, 1.0)
    return FlowTruth(masks, flow.unflatten(-1, (side, side)), weight.unflatten(-1, (side, side)), counts)


def _travels(framings: Sequence[Framing]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Travel of every learned vessel in every answered pair, (P, C)."""
    parts = []
    for f in framings:
        rows = f.rows[f.first : f.first + f.pairs + 1]
        parts.append(np.diff(f.record.travel[f.vessels[: f.learned]][:, rows], axis=1))
    return np.concatenate(parts).T.astype(np.float32)


def _longest_way(framings: Sequence[Framing]) -> float:
    """Longest way in any answered pair, in steps along a streamline."""
    longest = 0.0
    for f in framings:
        rows = f.rows[f.first : f.first + f.pairs + 1]
        for vessel in f.vessels[: f.learned]:
            mine = f.record.vessel == vessel
            speed = float((f.record.speed[mine] * f.record.profile[mine]).max())
            step = max(_STEP_PX, _STEP_RADII * float(np.median(f.record.radius[mine])))
            travel = float(np.abs(np.diff(f.record.travel[vessel, rows])).max(initial=0.0))
            longest = max(longest, speed * travel / step)
    return longest


def _follow(maps: StreamMaps, rows: Tensor, begin: Tensor, travel: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Follow streamlines (midpoint rule), straight on where a vessel ends; where to, and whether it is still there."""
    place, step = begin, (travel / steps * maps.at(rows, begin).profile)[..., None]
    velocity = torch.zeros_like(begin)

    def speed(at: Tensor, before: Tensor) -> Tensor:
        found = maps.at(rows, at)
        return torch.where((found.known > 0)[..., None], found.heading * found.speed[..., None], before)

    for _ in range(steps):
        velocity = speed(place, velocity)
        velocity = speed(place + 0.5 * step * velocity, velocity)
        place = place + step * velocity
    last = maps.at(rows, place)
    return place, (last.known > 0) & (last.offset.abs() <= 1.1)


def true_fields(framings: Sequence[Framing], maps: StreamMaps) -> VesselField:
    """The vessel fields of all framings, (B, ...): chances, as `field_truth.true_field` makes them of one."""
    device = maps.owner.device
    n, batch = framings[0].side // FIELD_STRIDE, len(framings)
    points = clip_points(framings, device, FIELD_STRIDE)
    rows = torch.arange(maps.count, device=device)
    row, cell = torch.nonzero(maps.near(rows[:, None], points[maps.owner]), as_tuple=True)
    some = maps.at(row, points[maps.owner[row], cell])
    table = torch.zeros(maps.count, n * n, 5, device=device)
    within = ((some.known > 0.3) & (some.offset.abs() <= 1)).float()
    table[row, cell] = torch.cat([some.heading, torch.stack([some.offset, some.radius, within], 1)], 1)
    offset, radius, inside = table[..., 2:].unflatten(1, (n, n)).unbind(-1)
    turned = torch.from_numpy(np.stack([f.inverse * (-1 if f.backwards else 1) for f in framings]).astype(np.float32))
    heading = (table[..., :2] @ turned.to(device)[maps.owner].transpose(1, 2)).unflatten(1, (n, n))
    signs = [(-1.0 if np.linalg.det(f.matrix) < 0 else 1.0) * (-1.0 if f.backwards else 1.0) for f in framings]
    sign = torch.tensor(signs, device=device)[maps.owner, None, None]
    zoom = torch.tensor([f.zoom for f in framings], device=device)[maps.owner, None, None]
    offset, radius = offset * sign, radius * zoom
    turn = torch.atan2(heading[..., 1], heading[..., 0]) * (DIRECTIONS / (2 * torch.pi))
    away = turn[:, None] - torch.arange(DIRECTIONS, device=device)[:, None, None]
    away = (away - DIRECTIONS * torch.round(away / DIRECTIONS)).abs()
    share = (1 - away).clamp_min(0) * inside[:, None]
    runs = _most(share, maps.owner, batch)
    surest = torch.maximum(share[:, :ORIENTATIONS], share[:, ORIENTATIONS:])
    # Where vessels cross, the one that runs most nearly so is asked, the later one of equals.
    best = (surest == _most(surest, maps.owner, batch)[maps.owner]) & (surest > 0)
    side = torch.where(share[:, :ORIENTATIONS] >= share[:, ORIENTATIONS:], 1.0, -1.0)
    kept = torch.zeros(2, batch, ORIENTATIONS, n, n, device=device)
    for slot in range(max((len(f.vessels) for f in framings), default=0)):
        has = [k for k, f in enumerate(framings) if slot < len(f.vessels)]
        starts = np.cumsum([0, *(len(f.vessels) for f in framings)])
        mine = torch.tensor([int(starts[k]) + slot for k in has], device=device)
        owners = torch.tensor(has, device=device)
        values = torch.stack(
            [side[mine] * offset[mine, None], radius[mine, None].clamp_min(0.5).log().expand_as(side[mine])]
        )
        kept[:, owners] = torch.where(best[mine], values, kept[:, owners])
    where = _most(inside[:, None], maps.owner, batch)[:, 0]
    return VesselField(where, _ends(framings, n, device), runs, kept[0], kept[1])


def _most(values: Tensor, owner: Tensor, batch: int) -> Tensor:
    """Greatest value (B, ...) of the rows (R, ...) of each owner; 0 where it has none."""
    index = owner.view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    return values.new_zeros(batch, *values.shape[1:]).scatter_reduce(0, index, values, "amax")


def _ends(framings: Sequence[Framing], n: int, device: torch.device) -> Tensor:
    """Chance of a vessel's end (B, n, n)."""
    most = max(1, *(len(f.record.ends) for f in framings))
    table = np.full((len(framings), most, 3), -1e4, np.float32)
    for number, f in enumerate(framings):
        if f.blood and len(f.record.ends):
            places = (f.record.ends[:, 1::-1] - f.corner) @ f.inverse.T
            reach = f.record.ends[:, 2] * f.zoom / FIELD_STRIDE
            table[number, : len(places)] = np.column_stack([(places - 0.5) / FIELD_STRIDE, reach])
    x, y, radius = torch.from_numpy(table).to(device).unbind(-1)
    line = torch.arange(n, device=device, dtype=torch.float32)
    spread = (0.5 * radius + 1.0).clamp_min(1.0)[..., None]
    along = torch.exp(-0.5 * ((line - x[..., None]) / spread) ** 2)
    down = torch.exp(-0.5 * ((line - y[..., None]) / spread) ** 2)
    return (down[..., :, None] * along[..., None, :]).amax(1)
