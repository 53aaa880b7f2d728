"""How well masks follow objects through videos: region similarity J and contour accuracy F.

The arithmetic is that of the evaluator published with SA-V, by which results on DAVIS, MOSE and SA-V are compared.

References
----------
.. [1] F. Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation", CVPR 2016,
   :doi:`10.1109/CVPR.2016.85`.
.. [2] J. Pont-Tuset et al., "The 2017 DAVIS Challenge on Video Object Segmentation", :doi:`10.48550/arXiv.1704.00675`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
_REACH = 0.008
"""How far apart two contours may lie and still agree, as a share of the picture's diagonal."""


class Score(NamedTuple):
    """J and F, each 0 to 1."""

    j: float
    f: float

    @property
    def jf(self) -> float:
        """Mean of both."""
        return (self.j + self.f) / 2


def region_similarity(mask: Mask, truth: Mask) -> float:
    """Intersection over union, J; 1 where both are empty."""
    union = int((mask | truth).sum())
    return int((mask & truth).sum()) / union if union else 1.0


def contour_accuracy(mask: Mask, truth: Mask) -> float:
    """F of the contours' px that lie near the other contour; 1 where neither has any."""
    reach = float(np.ceil(_REACH * np.linalg.norm(mask.shape)))
    drawn, true = contour(mask), contour(truth)
    if not drawn.any() or not true.any():
        # Against nothing either precision or recall is zero, and F with it.
        return float(drawn.any() == true.any())
    precision = (drawn & _widened(true, reach)).sum() / drawn.sum()
    recall = (true & _widened(drawn, reach)).sum() / true.sum()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def contour(mask: Mask) -> Mask:
    """Px (Y, X) whose neighbour to the right, below, or right below is on the other side of the contour."""
    held = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    here = held[:-1, :-1]
    found = (here ^ held[:-1, 1:]) | (here ^ held[1:, :-1]) | (here ^ held[1:, 1:])
    found[-1, -1] = False
    return found


def _widened(line: Mask, reach: float) -> Mask:
    """Px within reach of a line: a dilation by a disc, but faster."""
    result: Mask = ndimage.distance_transform_edt(~line) <= reach
    return result


@dataclass
class ObjectScores:
    """J and F of the objects of a video, from its frames in order.

    An object counts from the first frame on in which it is, or is thought to be; then also where it is away, which is
    right as long as nothing is marked.
    """

    j: dict[int, list[float]] = field(default_factory=dict)
    f: dict[int, list[float]] = field(default_factory=dict)
    true: set[int] = field(default_factory=set)

    def add(self, labels: NDArray[Any], truth: NDArray[Any]) -> None:
        """Compare labels (Y, X) of a frame, 0 for background, with the true ones."""
        ids = set(np.unique(truth).tolist()) - {0}
        self.true |= ids
        for object_id in self.j.keys() | ids | (set(np.unique(labels).tolist()) - {0}):
            mask, right = labels == object_id, truth == object_id
            self.j.setdefault(object_id, []).append(region_similarity(mask, right))
            self.f.setdefault(object_id, []).append(contour_accuracy(mask, right))

    def scores(self) -> dict[int, Score]:
        """Mean over the frames of each object that is truly there."""
        return {i: Score(float(np.mean(self.j[i])), float(np.mean(self.f[i]))) for i in sorted(self.true)}


def mean_score(scores: Iterable[Score]) -> Score:
    """Mean over objects, whatever their videos; not a number for none."""
    rows = np.array([(s.j, s.f) for s in scores]).reshape(-1, 2)
    if not len(rows):
        return Score(float("nan"), float("nan"))
    j, f = rows.mean(0).tolist()
    return Score(j, f)
