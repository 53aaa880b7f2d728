"""The method that says nothing moves: the floor every other one has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ZeroFlow:
    """No motion anywhere."""

    name: str = "zero flow"

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `PairMethod.flow`."""
        return np.zeros((2, *first.shape), np.float32)
