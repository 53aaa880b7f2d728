"""The cells of a scene's vessel field, worked out point by point: what the generators' own truth is compared with."""

from __future__ import annotations

import numpy as np

from sam2flow_core.model.vessel_field import FIELD_STRIDE
from sam2flow_core.synthetic import Scene
from sam2flow_core.training.field_truth import LumenPoints


def lumen_points(scene: Scene) -> LumenPoints:
    """Find the cells of a square scene that lie in its vessels, in tissue coordinates."""
    side = scene.size[0] // FIELD_STRIDE
    found, ends = [], []
    for vessel, lumen in zip(scene.vessels, scene.lumens, strict=True):
        y, x = np.divmod(lumen.pixels, scene.size[1])
        cells = np.unique(y // FIELD_STRIDE * side + x // FIELD_STRIDE)
        row, column = np.divmod(cells, side)
        if not len(cells):
            continue
        points = np.stack([row, column], 1) * float(FIELD_STRIDE) + 0.5 * (FIELD_STRIDE - 1)
        transit, offset = vessel.locate(points)
        keep = (np.abs(offset) <= 1) & (transit >= 0) & (transit <= vessel.length)
        diameter = np.interp(transit / vessel.step, np.arange(len(vessel.diameter_px)), vessel.diameter_px)
        against = vessel.mean_speed_um_s < 0
        angle = vessel.angle(transit) + np.pi * against
        offset = -offset if against else offset
        found.append(np.stack([row, column, angle, offset, diameter / 2], 1)[keep])
        for place, width in zip(vessel.centreline[[0, -1]], vessel.diameter_px[[0, -1]], strict=True):
            if (place >= 0).all() and (place < np.array(scene.size)).all():
                ends.append([*((place - 0.5) / FIELD_STRIDE), 0.5 * width / FIELD_STRIDE])
    row, column, angle, offset, radius = np.concatenate(found or [np.zeros((0, 5))]).T
    closing = np.array(ends, float).reshape(-1, 3)
    return LumenPoints(side, row.astype(int), column.astype(int), angle, offset, radius, closing)
