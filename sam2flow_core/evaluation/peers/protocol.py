"""What a two-frame method looks like to the benchmark."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class PairMethod(Protocol):
    """Optical flow from two frames and nothing else."""

    @property
    def name(self) -> str:
        """The method's name in the tables."""
        ...

    def flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Flow from one frame to the next.

        Parameters
        ----------
        first, second : ndarray of uint8, shape (Y, X)
            Frames as `prepare` gives them.

        Returns
        -------
        ndarray of float32, shape (2, Y, X)
            ``(dx, dy)`` in px per frame at the pixels of the first frame.
        """
        ...
