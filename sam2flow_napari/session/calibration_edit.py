"""The scale of layers that follows from pixel size and frame rate."""

from __future__ import annotations

from dataclasses import dataclass


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
