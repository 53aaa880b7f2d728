"""Boxes and painted masks: what a user shows of a vessel beside clicks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.errors import PromptError


@dataclass(frozen=True)
class BoxPrompt:
    """A rectangle about a vessel in one frame.

    Attributes
    ----------
    vessel_id, frame : int
    top, left, bottom, right : float
        Its sides in pixels of the recorded frame.
    """

    vessel_id: int
    frame: int
    top: float
    left: float
    bottom: float
    right: float


@dataclass(frozen=True)
class MaskPrompt:
    """A vessel as it was painted in one frame.

    Attributes
    ----------
    vessel_id, frame : int
    height, width : int
        Of the frame.
    runs : str
        Lengths of the runs of pixels, row by row, beside and inside the vessel in turn, separated by spaces: equal
        masks are equal texts, and files hold a line of each.
    """

    vessel_id: int
    frame: int
    height: int
    width: int
    runs: str

    @classmethod
    def of(cls, vessel_id: int, frame: int, mask: NDArray[np.bool_]) -> MaskPrompt:
        """Return the prompt of a painted mask, shape (Y, X)."""
        flat = np.concatenate([[False], np.asarray(mask, bool).ravel()])
        ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]), mask.size)
        runs = " ".join(str(n) for n in np.diff(ends, prepend=0))
        return cls(vessel_id, frame, mask.shape[0], mask.shape[1], runs)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The mask, shape (Y, X)."""
        lengths = np.array(self.runs.split(), int)
        inside = np.arange(len(lengths)) % 2 == 1
        return np.repeat(inside, lengths).reshape(self.height, self.width)


Region = BoxPrompt | MaskPrompt
_KINDS = {"box": BoxPrompt, "mask": MaskPrompt}
_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,)}


def regions_to_json(regions: Sequence[Region]) -> list[dict[str, Any]]:
    """Return regions as JSON values."""
    names = {kind: name for name, kind in _KINDS.items()}
    return [{"kind": names[type(region)], **asdict(region)} for region in regions]


def regions_from_json(content: Sequence[Mapping[str, Any]]) -> tuple[Region, ...]:
    """Read back what `regions_to_json` gave.

    Raises
    ------
    ValueError
        If a region is none, or its mask is not of the size that it claims.
    """
    return tuple(_region(item) for item in content)


def _region(item: Mapping[str, Any]) -> Region:
    kind = _KINDS.get(str(item.get("kind")))
    if kind is None:
        raise ValueError(f"a region of kind '{item.get('kind')}'")
    values = {f.name: item.get(f.name) for f in fields(kind)}
    for field in fields(kind):
        value = values[field.name]
        if not isinstance(value, _TYPES[str(field.type)]) or isinstance(value, bool):
            raise ValueError(f"a region whose {field.name} is no {field.type}")
    region: Region = kind(**values)
    if isinstance(region, MaskPrompt):
        _check_runs(region)
    return region


def _check_runs(mask: MaskPrompt) -> None:
    """Raise `ValueError` unless the runs of a mask add up to its size, before anything of that size is made."""
    if not re.fullmatch(r"[0-9]{1,18}( [0-9]{1,18})*", mask.runs):
        raise ValueError("a mask whose runs are no whole numbers")
    if min(mask.height, mask.width) < 1 or sum(map(int, mask.runs.split())) != mask.height * mask.width:
        raise ValueError(f"a mask whose runs do not add up to its {mask.height} x {mask.width} px")


def check_regions(regions: Sequence[Region], shape: tuple[int, int, int]) -> None:
    """Raise `PromptError` unless every region lies in a stack of ``shape`` (T, Y, X)."""
    frames, height, width = shape
    for region in regions:
        vessel = f"vessel {region.vessel_id}"
        if not 1 <= region.vessel_id <= 65535:
            raise PromptError(f"{vessel}: ids run from 1 to 65535")
        if not 0 <= region.frame < frames:
            raise PromptError(f"{vessel}: frame {region.frame} is outside the recording (0 to {frames - 1})")
        if isinstance(region, BoxPrompt):
            _check_box(vessel, region, height, width)
        else:
            _check_mask(vessel, region, height, width)


def _check_box(vessel: str, box: BoxPrompt, height: int, width: int) -> None:
    rows = -0.5 <= box.top < box.bottom <= height - 0.5
    columns = -0.5 <= box.left < box.right <= width - 0.5
    if not (rows and columns):
        raise PromptError(f"{vessel}: the box in frame {box.frame} does not lie in the image ({height} x {width} px)")


def _check_mask(vessel: str, painted: MaskPrompt, height: int, width: int) -> None:
    if (painted.height, painted.width) != (height, width):
        raise PromptError(
            f"{vessel}: the mask in frame {painted.frame} has {painted.height} x {painted.width} px, "
            f"the recording {height} x {width}; paint it again on this recording"
        )
    if " " not in painted.runs:
        raise PromptError(f"{vessel}: the mask in frame {painted.frame} is empty; paint the vessel, or delete the mask")
