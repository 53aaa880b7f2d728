"""Two-frame methods made comparable: given stabilised frames without background, asked pair by pair."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift as translate

from sam2flow_core.evaluation.peers import PairMethod, remove_background
from sam2flow_core.evaluation.records import Answer, Case


@dataclass(frozen=True)
class TwoFrameMethod:
    """A `PairMethod` with the best preprocessing there is for it.

    Tissue motion is taken out by its true shift (no peer can do better), then the static background.

    Attributes
    ----------
    method : PairMethod
    background_frames : int
        Frames, spread over the case, whose mean is the background.
    """

    method: PairMethod
    background_frames: int

    @property
    def name(self) -> str:
        """The method's name in the tables."""
        return self.method.name

    @property
    def fingerprint(self) -> str:
        """The method with its settings."""
        return f"{self.method!r} background {self.background_frames}"

    def answers(self, case: Case, pairs: Sequence[int]) -> Iterator[Answer]:
        """Answer the given pairs; the seconds are those of the processor in the method alone."""
        background = temporal_mean(case, self.background_frames)
        for pair in pairs:
            frames = np.stack([stabilised(case, t) for t in (pair, pair + 1)])
            first, second = remove_background(frames, background)
            start = time.process_time()
            flow = self.method.flow(first, second)
            seconds = time.process_time() - start
            yield Answer(pair, np.broadcast_to(flow, (len(case.vessels), *flow.shape)), None, seconds)


def stabilised(case: Case, frame: int) -> NDArray[np.float32]:
    """Return a frame on the grid of the first one, shape (Y, X), the border repeated where tissue was out of sight."""
    image = case.video[frame].astype(np.float32)
    offset = case.shifts[frame]
    return image if not offset.any() else translate(image, -offset, order=1, mode="nearest")


def temporal_mean(case: Case, at_most: int) -> NDArray[np.float32]:
    """Return the mean of at most ``at_most`` stabilised frames spread over the case, shape (Y, X)."""
    total = len(case.video)
    chosen = np.unique(np.linspace(0, total - 1, min(at_most, total)).round().astype(int))
    mean = np.zeros(case.video.shape[1:], np.float64)
    for frame in chosen:
        mean += stabilised(case, int(frame))
    return (mean / len(chosen)).astype(np.float32)
