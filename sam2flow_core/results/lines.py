"""The centreline of a measured vessel and its space-time diagram, kept beside its flow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr
from numpy.typing import NDArray

from sam2flow_core.files import output_errors
from sam2flow_core.results.layout import GO_ON

LINE, DIAGRAM, REASONS = "centreline", "space_time", "reasons"


@dataclass(frozen=True)
class VesselLine:
    """A vessel's centreline and what passed along it.

    Attributes
    ----------
    vessel_id : int
    start : int
        First frame of the run.
    points : ndarray, shape (N, 2)
        ``(y, x)`` px of the vessel's crop, one per px of arc length, in the order of the arrow.
    offsets : ndarray, shape (T, 2)
        ``(y, x)`` of the crop in each recorded frame of the run.
    diagram : ndarray of float32, shape (T, N)
        Brightness along the line, frame by frame.
    reasons : tuple of str
        Why the vessel got its grade, in words.
    """

    vessel_id: int
    start: int
    points: NDArray[np.float32]
    offsets: NDArray[np.int64]
    diagram: NDArray[np.float32]
    reasons: tuple[str, ...] = ()

    def at(self, frame: int) -> NDArray[np.float64]:
        """Return the points in px of a recorded frame; of the nearest frame of the run where it is outside."""
        step = min(max(frame - self.start, 0), len(self.offsets) - 1)
        return np.asarray(self.points + self.offsets[step], float)


def write_line(
    store: Path,
    vessel_id: int,
    points: NDArray[np.floating],
    diagram: NDArray[np.floating],
    reasons: tuple[str, ...] = (),
) -> None:
    """Add centreline, space-time diagram and reasons to a vessel's group in ``results.zarr``, in place of earlier ones.

    Raises
    ------
    OutputError
        If the disk is full or gone.
    """
    with output_errors(store, GO_ON):
        group = zarr.open_group(store, mode="r+")
        for name, values, axes in ((LINE, points, ("n", "yx")), (DIAGRAM, diagram, ("t", "n"))):
            group.create_array(
                f"vessels/{vessel_id}/{name}",
                data=np.ascontiguousarray(values, np.float32),
                chunks=values.shape,
                dimension_names=axes,
                overwrite=True,
                attributes={REASONS: list(reasons)} if name == LINE else None,
            )
