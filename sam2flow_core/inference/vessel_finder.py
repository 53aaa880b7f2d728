"""Every vessel segment of a recording, proposed without a click from the vessel field, ranked by confidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sam2flow_core.config.tracing import FindingSettings
from sam2flow_core.errors import ModelError
from sam2flow_core.inference.masks import field_maps
from sam2flow_core.inference.predictor import SAM2FlowPredictor
from sam2flow_core.inference.state import InferenceState
from sam2flow_core.prompts import Prompt
from sam2flow_core.tracing.found_segments import Segment, find_segments

_CLICKS = (1 / 6, 1 / 2, 5 / 6)
"""Where along a segment it is clicked."""


@dataclass(frozen=True)
class FoundVessel:
    """A segment between forks, ends and the frame.

    Attributes
    ----------
    confidence : float
        Mean chance, 0 to 1, that a vessel is there.
    centreline : ndarray (N, 2)
        ``(y, x)`` px of the first frame.
    width_px : float
        Mean diameter.
    length_px : float
    """

    confidence: float
    centreline: NDArray[np.float64]
    width_px: float
    length_px: float

    def prompts(self, vessel_id: int, frame: int) -> tuple[Prompt, ...]:
        """Clicks that name it, spread along it."""
        places = [self.centreline[round(share * (len(self.centreline) - 1))] for share in _CLICKS]
        return tuple(Prompt(vessel_id, frame, round(float(y), 1), round(float(x), 1)) for y, x in places)


def find_vessels(
    predictor: SAM2FlowPredictor, state: InferenceState, settings: FindingSettings | None = None
) -> list[FoundVessel]:
    """Propose every vessel segment of a recording, the surest first.

    Parameters
    ----------
    predictor : SAM2FlowPredictor
    state : InferenceState
        From its ``init_state``; nothing in it is changed but that its vessel field is made.
    settings : FindingSettings, optional

    Raises
    ------
    ModelError
        If the weights have no vessel field.

    Examples
    --------
    >>> from sam2flow_core import SAM2FlowPredictor
    >>> predictor = SAM2FlowPredictor.from_pretrained("tiny")
    >>> found = find_vessels(predictor, predictor.init_state("recording.tif"))  # doctest: +SKIP
    """
    settings = settings or FindingSettings()
    with torch.inference_mode():
        maps = field_maps(predictor.model, state, predictor.settings.tracing)
    if maps is None:
        raise ModelError("these weights have no vessel field, by which vessels are found without a click: use 'tiny'")
    segments = find_segments(maps[0], settings)
    return [_found(segment, maps[0].stride, state) for segment in segments]


def prompts_of(vessels: Iterable[FoundVessel], frame: int) -> tuple[Prompt, ...]:
    """Clicks of all vessels, numbered from 1 in their order."""
    return tuple(p for number, vessel in enumerate(vessels, 1) for p in vessel.prompts(number, frame))


def _found(segment: Segment, stride: int, state: InferenceState) -> FoundVessel:
    """Of cells, px of the recorded frame that tissue coordinates begin with."""
    way, factor, stack = segment.way, state.frames.video.factor, state.frames.stack
    shift = state.frames.shift(state.frames.start)
    # The middle of the first px is (0, 0) at every resolution.
    line = (way.line + 0.5) * stride * factor - 0.5
    line = np.clip(line, 0, np.array(stack.picture.shape) - 1) + stack.picture.origin + (shift.dy, shift.dx)
    return FoundVessel(
        confidence=segment.confidence,
        centreline=line,
        width_px=2 * stride * factor * float(way.radius.mean()),
        length_px=stride * factor * segment.length,
    )
