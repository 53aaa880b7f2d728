"""Cases read back from disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from sam2flow_core.errors import DataError
from sam2flow_core.prompts import Prompt, read_prompts


@dataclass(frozen=True)
class StoredVessel:
    """Truth of one vessel.

    Attributes
    ----------
    vessel_id : int
    mask : ndarray of bool, shape (H, W)
        Tissue coordinates.
    centreline : ndarray, shape (N, 2)
        (y, x) px along the arrow; may begin and end outside the frame.
    diameter_px : ndarray, shape (N,)
    displacement : ndarray, shape (T - 1,)
        Mean over the vessel's pixels along the arrow, px per frame.
    """

    vessel_id: int
    mask: NDArray[np.bool_]
    centreline: NDArray[np.float64]
    diameter_px: NDArray[np.float64]
    displacement: NDArray[np.float64]


@dataclass(frozen=True)
class StoredCase:
    """A recording on disk with its truth; the dense truth is read when asked for.

    Attributes
    ----------
    name : str
    stack : Path
        TIFF of T frames.
    prompts : tuple of Prompt
        Positive and negative clicks of every vessel large enough to be clicked.
    pixel_size_um, frame_rate_hz : float
    shifts : ndarray, shape (T, 2)
        (dy, dx) px of the tissue.
    vessels : tuple of StoredVessel
    overlap : ndarray of bool, shape (H, W)
    """

    name: str
    stack: Path
    prompts: tuple[Prompt, ...]
    pixel_size_um: float
    frame_rate_hz: float
    shifts: NDArray[np.float64]
    vessels: tuple[StoredVessel, ...]
    overlap: NDArray[np.bool_]

    def flow(self, pair: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return flow (V, 2, H, W), (dx, dy) px relative to the tissue, and where matter leaves (V, H, W)."""
        truth = _open(self.stack.parent)
        return _array(truth, "flow")[pair], _array(truth, "leaves")[pair]

    def recorded_flow(self, pair: int) -> NDArray[np.float32]:
        """Return the flow (V, 2, H, W) with the tissue's motion, in the coordinates of the recorded frame."""
        result: NDArray[np.float32] = _array(_open(self.stack.parent), "recorded_flow")[pair]
        return result


def read_cases(folder: Path) -> tuple[StoredCase, ...]:
    """Read the cases that `writing.write_cases` left in a folder, by name.

    Raises
    ------
    DataError
        If there is none, or one is damaged.
    """
    found = sorted(path.parent for path in Path(folder).glob("*/truth.zarr") if not path.parent.name.startswith("."))
    if not found:
        raise DataError(f"{folder}: no synthetic cases in it; make some with 'sam2flow synth {folder}'")
    return tuple(_read(path) for path in found)


def _open(case: Path) -> zarr.Group:
    try:
        return zarr.open_group(case / "truth.zarr", mode="r")
    except (OSError, ValueError) as error:
        raise DataError(f"{case}: its truth cannot be read ({error}); make the case anew") from error


def _array(truth: zarr.Group, name: str) -> Any:
    """Return an array of the truth; numpy arrays come out when it is indexed."""
    return truth[name]


def _read(case: Path) -> StoredCase:
    truth = _open(case)
    stack = case / "stack.tif"
    if not stack.is_file():
        raise DataError(f"{case}: stack.tif is missing; make the case anew")
    try:
        masks, moved = _array(truth, "masks")[:], _array(truth, "displacement")[:]
        facts: dict[str, Any] = truth.attrs.asdict()
        vessels = tuple(
            StoredVessel(
                vessel_id=int(number),
                mask=masks[v],
                centreline=_array(truth, f"vessels/{number}/centreline")[:],
                diameter_px=_array(truth, f"vessels/{number}/diameter_px")[:],
                displacement=moved[:, v],
            )
            for v, number in enumerate(facts["vessel_ids"])
        )
        return StoredCase(
            name=case.name,
            stack=stack,
            prompts=read_prompts(case / "prompts.csv"),
            pixel_size_um=float(facts["pixel_size_um"]),
            frame_rate_hz=float(facts["frame_rate_hz"]),
            shifts=_array(truth, "shifts")[:],
            vessels=vessels,
            overlap=_array(truth, "overlap")[:],
        )
    except KeyError as error:
        raise DataError(f"{case}: its truth lacks {error}; make the case anew") from error
