"""OpenCV's dense optical flow."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Dis:
    """Dense inverse search, medium preset (Kroeger et al., ECCV 2016)."""

    name: str = "DIS (medium)"

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        return np.moveaxis(_run(search, first, second), -1, 0)


@dataclass(frozen=True)
class Farneback:
    """Polynomial expansion (Farneback, SCIA 2003), tuned on synthetic videos outside the benchmark."""

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


def _run(search: cv2.DenseOpticalFlow, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(search.calc(first, second, np.zeros((*first.shape, 2), np.float32)), np.float32)
