"""Where the cells of a scene are on the picture at given moments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.synthetic.cell_population import Placed
from sam2flow_core.synthetic.scene import Network, Scene
from sam2flow_core.synthetic.splat import Bodies


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
