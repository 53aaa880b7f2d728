"""A vessel that was cut into segments: the segments have figures, the whole keeps its line and diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sam2flow_core.config.flags import GRADES
from sam2flow_core.velocity.records import CellCount, Series, Statistics, VesselMeasurement

_NAN = float("nan")
_OF_A_MEAN = ("ALIASED", "NEAR_FLOOR", "TOO_SHORT", "WIDTH_DOUBT", "METHOD_DISAGREE")
"""Flags that speak of a velocity or a width which the whole does not have."""


def divided(whole: VesselMeasurement, segments: Sequence[VesselMeasurement]) -> VesselMeasurement:
    """Return a vessel with its segments; a mean over blood that flows differently means nothing and is left blank.

    Parameters
    ----------
    whole : VesselMeasurement
    segments : sequence of VesselMeasurement
        Measured each by itself, in the order of the line, a branch last.
    """
    numbered = tuple(replace(segment, segment=k) for k, segment in enumerate(segments, start=1))
    labels = ", ".join(segment.label for segment in numbered[:-1]) + f" and {numbered[-1].label}"
    return replace(
        whole,
        segments=numbered,
        per_frame=_blank(whole.per_frame),
        statistics=Statistics(lost_share=whole.statistics.lost_share),
        profile=replace(whole.profile, centre=_NAN, blunting=_NAN, exponent=_NAN, ratio=_NAN),
        spectrum=replace(whole.spectrum, pulse_hz=_NAN, snr=_NAN),
        cells=CellCount(_NAN, _NAN),
        flags=tuple(flag for flag in whole.flags if flag not in _OF_A_MEAN),
        grade=GRADES[2],
        reasons=(f"measured in segments: {labels}", *whole.along),
    )


def _blank(series: Series) -> Series:
    gap = np.full(len(series.velocity), _NAN)
    return replace(series, velocity=gap, raw=gap, standard_error=gap, centre=gap, p10=gap, p90=gap, confidence=gap)
