"""What is compared: cases, which are recordings with their truth, and what a method answers of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift as translate

from sam2flow_core.config.velocity import KymographSettings
from sam2flow_core.prompts import Prompt

MIDDLE = KymographSettings().band  # share of the radius that a space-time diagram samples


class Video(Protocol):
    """An array (T, Y, X), or what reads its frames from disk when it is indexed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, Y, X)``."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any, /) -> NDArray[Any]: ...


@dataclass(frozen=True)
class VesselTruth:
    """What holds of one vessel in all frames; tissue coordinates, which are those of the first frame.

    Attributes
    ----------
    vessel_id : int
    mask : ndarray of bool, shape (Y, X)
    width_px : float
        Mean diameter.
    centreline : ndarray, shape (N, 2)
        ``(y, x)`` in px along the arrow.
    centre_velocity, mean_velocity : ndarray, shape (T - 1,)
        Mean over the middle of the vessel (`MIDDLE`), and over all of its pixels, signed along the arrow, px per frame.
    cells_per_frame : float
        That pass its middle; NaN where nobody counted.
    perfused : float
        Share of its px that a cell passes while it is filmed.
    local_velocity : ndarray of float32, shape (Y, X), or None
        Mean over the recording at each px, along the arrow, px per frame; NaN outside. None where nobody knows it.
    """

    vessel_id: int
    mask: NDArray[np.bool_]
    width_px: float
    centreline: NDArray[np.floating]
    centre_velocity: NDArray[np.floating]
    mean_velocity: NDArray[np.floating]
    cells_per_frame: float = float("nan")
    perfused: float = 1.0
    local_velocity: NDArray[np.float32] | None = None


class FlowTruth(Protocol):
    """The exact flow of any pair."""

    def __call__(self, pair: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Flow ``(V, 2, Y, X)`` as ``(dx, dy)`` relative to the tissue, and where matter leaves ``(V, Y, X)``."""
        ...


@dataclass(frozen=True)
class Case:
    """One video with its truth.

    Attributes
    ----------
    name : str
        Unique among the cases of a benchmark.
    video : Video, shape (T, Y, X)
    shifts : ndarray, shape (T, 2)
        Tissue displacement ``(dy, dx)`` in px against the first frame.
    vessels : tuple of VesselTruth
        Those that are prompted.
    overlap : ndarray of bool, shape (Y, X)
        Where vessels lie on each other.
    flow : FlowTruth
        Vessels in the order of `vessels`.
    prompts : mapping of int to tuple of Prompt
        The clicks after 1, 3, 5 of them per vessel.
    pixel_size_um, frame_rate_hz : float
    """

    name: str
    video: Video
    shifts: NDArray[np.floating]
    vessels: tuple[VesselTruth, ...]
    overlap: NDArray[np.bool_]
    flow: FlowTruth
    prompts: Mapping[int, tuple[Prompt, ...]]
    pixel_size_um: float
    frame_rate_hz: float


@dataclass(frozen=True)
class Answer:
    """What a method says of one pair, in tissue coordinates.

    Attributes
    ----------
    pair : int
        Index of the first frame.
    flow : ndarray of float32, shape (V, 2, Y, X)
        ``(dx, dy)`` in px per frame relative to the tissue; zero where the method says nothing.
    scale : ndarray of float32, shape (V, Y, X), or None
        Expected absolute error, px.
    seconds : float
        Processor time of the pair: unlike the clock it is the same on a busy machine.
    """

    pair: int
    flow: NDArray[np.float32]
    scale: NDArray[np.float32] | None
    seconds: float


class FlowMethod(Protocol):
    """Anything that answers pairs of a case."""

    @property
    def name(self) -> str:
        """The method's name in the tables."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the method's answers may change."""
        ...

    def answers(self, case: Case, pairs: Sequence[int]) -> Iterator[Answer]:
        """Answer the given pairs, in ascending order."""
        ...


def out_of_frame(case: Case, pair: int) -> NDArray[np.bool_]:
    """Return where the tissue is out of the recorded picture in either frame of a pair, shape (Y, X)."""
    height, width = case.overlap.shape
    y, x = np.mgrid[:height, :width]
    outside = np.zeros((height, width), bool)
    for dy, dx in case.shifts[pair : pair + 2]:
        outside |= (y + dy < 0) | (y + dy > height - 1) | (x + dx < 0) | (x + dx > width - 1)
    return outside


def stabilised(case: Case, frame: int) -> NDArray[np.float32]:
    """Return a frame on the grid of the first one, shape (Y, X), the border repeated where tissue was out of sight."""
    image = case.video[frame].astype(np.float32)
    offset = case.shifts[frame]
    return image if not offset.any() else translate(image, -offset, order=1, mode="nearest")


def without_motion(case: Case) -> Case:
    """The same case with the true tissue motion taken out of the frames, as two-frame methods are given it."""
    still = np.stack([stabilised(case, t) for t in range(len(case.video))])
    return replace(case, video=still, shifts=np.zeros_like(case.shifts))
