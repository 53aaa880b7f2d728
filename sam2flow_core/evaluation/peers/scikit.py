"""scikit-image's dense optical flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.registration import optical_flow_ilk, optical_flow_tvl1


@dataclass(frozen=True)
class TvL1:
    """Total variation with an L1 data term (Zach et al., DAGM 2007)."""

    name: str = "TV-L1"

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        return optical_flow_tvl1(_unit(first), _unit(second))[::-1].astype(np.float32)


@dataclass(frozen=True)
class Ilk:
    """Iterative Lucas-Kanade (Le Besnerais and Champagnat, ICIP 2005), tuned outside the benchmark."""

    name: str = "iLK"
    radius: int = 15

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        return optical_flow_ilk(_unit(first), _unit(second), radius=self.radius, gaussian=True)[::-1].astype(np.float32)


def _unit(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    return frame.astype(np.float32) / np.float32(255)
