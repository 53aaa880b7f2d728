"""What was drawn for training and comes back: to draw it costs more than to learn from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

import numpy as np

_Kept = TypeVar("_Kept")


class Replays(Generic[_Kept]):
    """So many of what was drawn; when it is full, new ones take the place of any.

    Parameters
    ----------
    most : int
    rng : numpy.random.Generator
    """

    def __init__(self, most: int, rng: np.random.Generator) -> None:
        self.most, self.rng, self.kept = most, rng, list[_Kept]()

    def draw(self, count: int) -> list[_Kept]:
        """So many of them at random; none where there are none yet."""
        return [self.kept[k] for k in self.rng.integers(len(self.kept), size=count)] if self.kept else []

    def add(self, new: Iterable[_Kept]) -> None:
        """Keep them."""
        for one in new:
            if len(self.kept) < self.most:
                self.kept.append(one)
            else:
                self.kept[int(self.rng.integers(self.most))] = one
