"""One method against the truth of one case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.evaluation.metrics import jitter, mean_along
from sam2flow_core.evaluation.records import Answer, Case, Method
from sam2flow_core.files import whole_file

ALIASING_UM = 8.0  # half the usual spacing of red cells; see De Backer 2007 for the frame rates this asks for


@dataclass(frozen=True)
class Comparison:
    """Every judged pixel, every vessel. One row per pixel and pair (N), per vessel (V), per pixel seen twice (J).

    Attributes
    ----------
    predicted, true : ndarray of float32, shape (N, 2)
        Flow ``(dx, dy)``, px per frame.
    scale : ndarray of float32, shape (N,)
        NaN where the method states none.
    width : ndarray of float32, shape (N,)
        Diameter of the pixel's vessel, px.
    overlap, leaves, aliased : ndarray of bool, shape (N,)
        On two vessels; out of the frame at t + 1; past the aliasing limit.
    vessel_predicted, vessel_true : ndarray, shape (V,)
        Mean velocity along the vessel over the judged pairs, px per frame.
    jitter : ndarray of float32, shape (J,)
        Change between consecutive pairs that is not in the truth, px.
    seconds : ndarray, shape (P,)
        Processor time of each pair.
    """

    predicted: NDArray[np.float32]
    true: NDArray[np.float32]
    scale: NDArray[np.float32]
    width: NDArray[np.float32]
    overlap: NDArray[np.bool_]
    leaves: NDArray[np.bool_]
    aliased: NDArray[np.bool_]
    vessel_predicted: NDArray[np.floating]
    vessel_true: NDArray[np.floating]
    jitter: NDArray[np.float32]
    seconds: NDArray[np.floating]

    def save(self, path: Path) -> None:
        """Write all arrays to an ``.npz`` file, whole or not at all."""
        with whole_file(path) as part:
            np.savez(part, **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Comparison:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(**{f.name: arrays[f.name] for f in fields(cls)})


def pool(parts: Sequence[Comparison]) -> Comparison:
    """Put the comparisons of several cases together; every pixel counts the same."""
    return Comparison(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Comparison)})


def choose_pairs(frames: int, bursts: int, burst_pairs: int) -> tuple[int, ...]:
    """Choose consecutive pairs at places spread evenly over a case.

    Parameters
    ----------
    frames : int
        Length of the case.
    bursts, burst_pairs : int
        Places, and consecutive pairs at each.

    Returns
    -------
    tuple of int
        First frames, ascending; all pairs where the case is too short for more.
    """
    last = frames - 1 - burst_pairs
    if last < bursts * burst_pairs:
        return tuple(range(frames - 1))
    # The first frame is left to methods that have nothing to remember yet; places start at the first burst's end.
    starts = np.linspace(burst_pairs, last, bursts).round().astype(int)
    return tuple(sorted({int(s) + k for s in starts for k in range(burst_pairs)}))


def compare(case: Case, method: Method, pairs: Sequence[int]) -> Comparison:
    """Ask a method for the pairs of a case and lay its answers beside the truth."""
    vessels = [_Collected(case, index) for index in range(len(case.vessels))]
    seconds = []
    for answer in method.answers(case, pairs):
        flow, leaves = case.flow(answer.pair)
        outside = out_of_frame(case, answer.pair)
        for vessel in vessels:
            vessel.add(answer, flow[vessel.index], leaves[vessel.index] | outside)
        seconds.append(answer.seconds)
    return _assemble(case, vessels, seconds)


def out_of_frame(case: Case, pair: int) -> NDArray[np.bool_]:
    """Return where the tissue is out of the recorded picture in either frame of a pair, shape (Y, X)."""
    height, width = case.overlap.shape
    y, x = np.mgrid[:height, :width]
    outside = np.zeros((height, width), bool)
    for dy, dx in case.shifts[pair : pair + 2]:
        outside |= (y + dy < 0) | (y + dy > height - 1) | (x + dx < 0) | (x + dx > width - 1)
    return outside


class _Collected:
    """The judged pixels of one vessel, pair after pair."""

    def __init__(self, case: Case, index: int) -> None:
        self.index = index
        self._case = case
        self._at = np.nonzero(case.vessels[index].mask)
        self.predicted: list[NDArray[np.float32]] = []
        self.true: list[NDArray[np.float32]] = []
        self.scale: list[NDArray[np.float32]] = []
        self.leaves: list[NDArray[np.bool_]] = []
        self.pairs: list[int] = []

    def add(self, answer: Answer, true: NDArray[np.float32], leaves: NDArray[np.bool_]) -> None:
        """Take the vessel's pixels out of one answer."""
        self.pairs.append(answer.pair)
        self.predicted.append(_rows(answer.flow[self.index], self._at))
        self.true.append(_rows(true, self._at))
        self.leaves.append(leaves[self._at])
        count = len(self._at[0])
        scale = np.full(count, np.nan, np.float32) if answer.scale is None else answer.scale[self.index][self._at]
        self.scale.append(scale)

    @property
    def overlap(self) -> NDArray[np.bool_]:
        """Pixels that lie on another vessel too."""
        return self._case.overlap[self._at]

    def jitters(self) -> list[NDArray[np.float32]]:
        """Jitter of the pixels that can be judged in both of two consecutive pairs."""
        found = []
        for k, (pair, following) in enumerate(zip(self.pairs, self.pairs[1:], strict=False)):
            if following == pair + 1:
                clear = ~(self.overlap | self.leaves[k] | self.leaves[k + 1])
                errors = [(self.predicted[i] - self.true[i])[clear] for i in (k, k + 1)]
                found.append(jitter(*errors).astype(np.float32))
        return found

    def velocities(self) -> tuple[float, float]:
        """Mean velocity along the vessel, predicted and true, over the pairs with pixels that can be judged."""
        direction = _directions(self.true)
        pairs = []
        for predicted, true, leaves in zip(self.predicted, self.true, self.leaves, strict=True):
            clear = ~(self.overlap | leaves)
            if clear.any():
                pairs.append(
                    (mean_along(predicted[clear], direction[clear]), mean_along(true[clear], direction[clear]))
                )
        if not pairs:
            return float("nan"), 0.0
        measured, exact = np.mean(pairs, axis=0)
        return float(measured), float(exact)


def _rows(field: NDArray[np.float32], at: tuple[NDArray[np.int64], ...]) -> NDArray[np.float32]:
    """Pixels of a field (2, Y, X) as rows (N, 2)."""
    return np.stack([field[0][at], field[1][at]], axis=1)


def _directions(true: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Unit vectors along the vessel at each pixel, from the pair in which it moves most: one sign for all of it."""
    strongest = max(true, key=lambda flow: float(np.abs(flow).sum()))
    length = np.hypot(strongest[:, 0], strongest[:, 1])
    return np.asarray(strongest / np.maximum(length, 1e-12)[:, None], np.float32)


def _assemble(case: Case, vessels: Sequence[_Collected], seconds: list[float]) -> Comparison:
    rows = [(v, k) for v in vessels for k in range(len(v.pairs))]
    true = np.concatenate([v.true[k] for v, k in rows])
    widths = [np.full(len(v.overlap), case.vessels[v.index].width_px, np.float32) for v, _ in rows]
    velocities = np.array([v.velocities() for v in vessels])
    jitters = [values for v in vessels for values in v.jitters()]
    return Comparison(
        predicted=np.concatenate([v.predicted[k] for v, k in rows]),
        true=true,
        scale=np.concatenate([v.scale[k] for v, k in rows]),
        width=np.concatenate(widths),
        overlap=np.concatenate([v.overlap for v, _ in rows]),
        leaves=np.concatenate([v.leaves[k] for v, k in rows]),
        aliased=np.hypot(true[:, 0], true[:, 1]) > ALIASING_UM / case.pixel_size_um,
        vessel_predicted=velocities[:, 0],
        vessel_true=velocities[:, 1],
        jitter=np.concatenate(jitters) if jitters else np.zeros(0, np.float32),
        seconds=np.array(seconds),
    )
