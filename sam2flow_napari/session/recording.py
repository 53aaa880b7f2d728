"""The opened recording together with what the user said of its calibration."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sam2flow_core.project import CalibrationEdit

if TYPE_CHECKING:
    from sam2flow_core.stack import Calibration, Stack


@dataclass(frozen=True)
class Spacing:
    """How data coordinates (t, y, x) become world coordinates.

    Attributes
    ----------
    pixel_size_um, frame_rate_hz : float or None
        None where unknown or not plausible; that axis then stays in pixels (frames).
    """

    pixel_size_um: float | None = None
    frame_rate_hz: float | None = None

    @property
    def scale(self) -> tuple[float, float, float]:
        """World units per frame and per pixel."""
        seconds = 1.0 / self.frame_rate_hz if self.frame_rate_hz else 1.0
        um = self.pixel_size_um or 1.0
        return seconds, um, um

    @property
    def units(self) -> tuple[str, str, str]:
        """Unit of each axis, in names that pint knows."""
        length = "um" if self.pixel_size_um else "pixel"
        return ("s" if self.frame_rate_hz else "pixel"), length, length

    @property
    def speed_factor(self) -> float:
        """Speed units per px/frame."""
        if self.pixel_size_um and self.frame_rate_hz:
            return self.pixel_size_um * self.frame_rate_hz
        return 1.0

    @property
    def speed_unit(self) -> str:
        """``um/s``, or ``px/frame`` where the calibration is not complete."""
        return "um/s" if self.pixel_size_um and self.frame_rate_hz else "px/frame"


@dataclass(frozen=True)
class Recording:
    """A recording on screen.

    Attributes
    ----------
    path : Path
        What the user opened: a file, or a folder of frames.
    stack : Stack
    edit : CalibrationEdit
    """

    path: Path
    stack: Stack
    edit: CalibrationEdit = field(default_factory=CalibrationEdit)

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(T, Y, X)``."""
        return self.stack.shape

    @property
    def calibration(self) -> Calibration:
        """The file's calibration with the user's values over it."""
        return self.stack.calibration.with_user(self.edit.pixel_size_um, self.edit.frame_rate_hz)

    @property
    def spacing(self) -> Spacing:
        """Scale and units of layers that lie on the recording."""
        calibration = self.calibration
        return Spacing(calibration.pixel_size_um.usable, calibration.frame_rate_hz.usable)

    def edited(self, edit: CalibrationEdit) -> Recording:
        """Return the recording with another calibration.

        Raises
        ------
        CalibrationError
            If a value cannot be that of a microscope.
        """
        self.stack.calibration.with_user(edit.pixel_size_um, edit.frame_rate_hz)
        return replace(self, edit=edit)


def open_recording(path: str | Path, edit: CalibrationEdit | None = None) -> Recording:
    """Open a recording lazily.

    Raises
    ------
    StackError
        If it cannot be read as a (T, Y, X) stack.
    """
    from sam2flow_core.stack import open_stack

    path = Path(path)
    return Recording(path, open_stack(path), edit or CalibrationEdit())
