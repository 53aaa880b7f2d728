"""Particle image velocimetry by OpenPIV."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from openpiv.filters import replace_outliers
from openpiv.pyprocess import extended_search_area_piv, get_coordinates
from openpiv.validation import local_median_val
from scipy.interpolate import RegularGridInterpolator


@dataclass(frozen=True)
class OpenPiv:
    """Cross-correlation of windows, outliers replaced, interpolated between the windows' centres.

    Attributes
    ----------
    window, search, step : int
        Side of the interrogation window, of the area it is sought in, and the spacing of the grid, px.
    """

    name: str = "OpenPIV"
    window: int = 32
    search: int = 48
    step: int = 8

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        overlap = self.search - self.step
        u, v, _ = extended_search_area_piv(
            first.astype(np.int32),
            second.astype(np.int32),
            window_size=self.window,
            overlap=overlap,
            search_area_size=self.search,
            normalized_correlation=True,
        )
        outlier = local_median_val(u, v, 4.0, 4.0) | ~np.isfinite(u) | ~np.isfinite(v)
        u, v = replace_outliers(u, v, outlier)[:2]
        x, y = get_coordinates(first.shape, search_area_size=self.search, overlap=overlap)
        return np.stack([_dense(u, y, x, first.shape), _dense(v, y, x, first.shape)])


def _dense(
    values: NDArray[np.floating], y: NDArray[np.floating], x: NDArray[np.floating], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    rows, columns = y[:, 0], x[0]
    grid = RegularGridInterpolator((rows, columns), np.nan_to_num(np.asarray(values, np.float64)))
    at_y = np.clip(np.arange(shape[0]), rows.min(), rows.max())
    at_x = np.clip(np.arange(shape[1]), columns.min(), columns.max())
    return grid(tuple(np.meshgrid(at_y, at_x, indexing="ij"))).astype(np.float32)
