"""Where every cell of a recording is, frame by frame, as a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sam2flow_core.synthetic.cell_positions import cells_by_vessel
from sam2flow_core.synthetic.scene import Scene


def moving_cells(scene: Scene, frames: NDArray[np.int64]) -> pd.DataFrame:
    """Return frame (position in ``frames``), vessel_id, cell, y and x (px of the recorded frame) of all cells."""
    moved = scene.shifts(frames)
    parts = []
    for network, member, placed in cells_by_vessel(scene, frames / scene.frame_rate_hz):
        vessel = scene.vessels[member]
        point = vessel.place(placed.transit, placed.rho) + moved[placed.moment]
        number = 1_000_000 * (network.members[0] + 1) + placed.cell
        where = {"y": point[:, 0], "x": point[:, 1]}
        parts.append(pd.DataFrame({"frame": placed.moment, "vessel_id": vessel.vessel_id, "cell": number, **where}))
    return pd.concat(parts).sort_values(["frame", "vessel_id", "cell"], ignore_index=True)
