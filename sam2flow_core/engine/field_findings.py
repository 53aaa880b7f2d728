"""Vessels of a recording proposed without a click: one request from file to proposals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sam2flow_core.engine.events import RunRequest
from sam2flow_core.engine.source import open_source
from sam2flow_core.inference.steps import FoundVessel
from sam2flow_core.prompts import Prompt
from sam2flow_core.velocity.density import Density, measure_density


@dataclass(frozen=True)
class Findings:
    """Vessels of a recording, the surest first.

    Attributes
    ----------
    vessels : tuple of FoundVessel
    frame : int
        The one that centrelines and clicks lie in.
    density : Density
        Of the whole field.
    pixel_size_um : float or None
    """

    vessels: tuple[FoundVessel, ...]
    frame: int
    density: Density
    pixel_size_um: float | None

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Clicks of all vessels, numbered from 1 in their order."""
        return tuple(p for number, vessel in enumerate(self.vessels, 1) for p in vessel.prompts(number, self.frame))

    def table(self) -> pd.DataFrame:
        """One row a vessel; lengths in um where the pixel size is known."""
        size = float("nan") if self.pixel_size_um is None else self.pixel_size_um
        rows = [
            {
                "vessel_id": number,
                "confidence": v.confidence,
                "length_px": v.length_px,
                "width_px": v.width_px,
                "length_um": v.length_px * size,
                "width_um": v.width_px * size,
            }
            for number, v in enumerate(self.vessels, 1)
        ]
        names = ["vessel_id", "confidence", "length_px", "width_px", "length_um", "width_um"]
        return pd.DataFrame(rows, columns=names)


def find_in_recording(
    stack: Path,
    model: str = "tiny",
    device: str = "auto",
    pixel_size_um: float | None = None,
    start: int = 0,
    stop: int | None = None,
    stack_axes: str | None = None,
    least_confidence: float = 0.0,
) -> Findings:
    """Find the vessels of a recording.

    Parameters
    ----------
    stack : Path
    model, device, pixel_size_um, start, stop, stack_axes
        As in `RunRequest`.
    least_confidence : float
        Vessels below it are left out, of the densities too.

    Raises
    ------
    StackError, CalibrationError, ModelError
        If the recording, its calibration or the weights cannot be used.
    """
    from sam2flow_core.inference.predictor import SAM2FlowPredictor
    from sam2flow_core.inference.vessel_finder import find_vessels

    request = RunRequest(stack, (), Path(), pixel_size_um=pixel_size_um, start=start, stop=stop, stack_axes=stack_axes)
    predictor = SAM2FlowPredictor.from_pretrained(model, device)
    with open_source(request, clicked=False) as source:
        state = predictor.init_state(
            source.stack, start=source.start, stop=source.stop, working_resolution=source.resolution.factor
        )
        vessels = tuple(v for v in find_vessels(predictor, state) if v.confidence >= least_confidence)
        state.frames.close()
        size = source.calibration.pixel_size_um
        usable = size.value if size.plausible else None
        picture = source.stack.picture
        density = measure_density(vessels, picture.box, usable, covered=picture.covered)
        return Findings(vessels, source.start, density, usable)
