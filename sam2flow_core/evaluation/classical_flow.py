"""Optical flow and particle image velocimetry of OpenCV, scikit-image and OpenPIV, as `PairMethod`."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from openpiv.filters import replace_outliers
from openpiv.pyprocess import extended_search_area_piv, get_coordinates
from openpiv.validation import local_median_val
from scipy.interpolate import RegularGridInterpolator
from skimage.registration import optical_flow_ilk, optical_flow_tvl1


@dataclass(frozen=True)
class Dis:
    """Dense inverse search, medium preset (Kroeger et al., ECCV 2016).

    References
    ----------
    .. [1] T. Kroeger, R. Timofte, D. Dai and L. Van Gool, "Fast Optical Flow Using Dense Inverse Search", ECCV 2016,
       :doi:`10.48550/arXiv.1603.03590`.
    """

    name: str = "DIS (medium)"

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        return np.moveaxis(_run(search, first, second), -1, 0)


@dataclass(frozen=True)
class Farneback:
    """Polynomial expansion (Farneback, SCIA 2003), tuned on synthetic videos outside the benchmark.

    References
    ----------
    .. [1] G. Farneback, "Two-Frame Motion Estimation Based on Polynomial Expansion", SCIA 2003,
       :doi:`10.1007/3-540-45103-X_50`.
    """

    name: str = "Farneback (tuned)"
    window: int = 25
    levels: int = 4
    iterations: int = 5

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        search = cv2.FarnebackOpticalFlow.create(
            numLevels=self.levels,
            winSize=self.window,
            numIters=self.iterations,
            polyN=7,
            polySigma=1.5,
            flags=cv2.OPTFLOW_FARNEBACK_GAUSSIAN,
        )
        return np.moveaxis(_run(search, first, second), -1, 0)


@dataclass(frozen=True)
class TvL1:
    """Total variation with an L1 data term (Zach et al., DAGM 2007).

    References
    ----------
    .. [1] C. Zach, T. Pock and H. Bischof, "A Duality Based Approach for Realtime TV-L1 Optical Flow", DAGM 2007,
       :doi:`10.1007/978-3-540-74936-3_22`.
    """

    name: str = "TV-L1"

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        result: NDArray[np.float32] = optical_flow_tvl1(_unit(first), _unit(second))[::-1].astype(np.float32)
        return result


@dataclass(frozen=True)
class Ilk:
    """Iterative Lucas-Kanade (Le Besnerais and Champagnat, ICIP 2005), tuned outside the benchmark.

    References
    ----------
    .. [1] G. Le Besnerais and F. Champagnat, "Dense Optical Flow by Iterative Local Window Registration", ICIP 2005,
       :doi:`10.1109/ICIP.2005.1529706`.
    """

    name: str = "iLK"
    radius: int = 15

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        result: NDArray[np.float32] = optical_flow_ilk(_unit(first), _unit(second), radius=self.radius, gaussian=True)[
            ::-1
        ].astype(np.float32)
        return result


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


def _run(search: cv2.DenseOpticalFlow, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(search.calc(first, second, np.zeros((*first.shape, 2), np.float32)), np.float32)


def _unit(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    return frame.astype(np.float32) / np.float32(255)


def _dense(
    values: NDArray[np.floating], y: NDArray[np.floating], x: NDArray[np.floating], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    rows, columns = y[:, 0], x[0]
    grid = RegularGridInterpolator((rows, columns), np.nan_to_num(np.asarray(values, np.float64)))
    at_y = np.clip(np.arange(shape[0]), rows.min(), rows.max())
    at_x = np.clip(np.arange(shape[1]), columns.min(), columns.max())
    result: NDArray[np.float32] = grid(tuple(np.meshgrid(at_y, at_x, indexing="ij"))).astype(np.float32)
    return result
