"""From the detail that is asked for to the pairs of frames that are answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from sam2flow_core.config.run import DETAILS, EVERY, QUICK, DetailSettings
from sam2flow_core.errors import StackError
from sam2flow_core.stack import FramePlan

Ranges = Sequence[tuple[int, int]]


def plan_frames(
    ranges: Ranges,
    detail: str,
    frame_rate_hz: float | None,
    pulse_hz: float | None = None,
    settings: DetailSettings | None = None,
) -> FramePlan:
    """Choose the frames that are gone through and the pairs that are answered.

    Parameters
    ----------
    ranges : sequence of (int, int)
        First frame and end of each range that is asked for.
    detail : str
        Of `DETAILS`, or a whole number N: one pair of N.
    frame_rate_hz : float or None
        Without it, every pair counts as needed.
    pulse_hz : float or None
        Heart rate, where it is known.
    settings : DetailSettings, optional

    Raises
    ------
    StackError
        If the detail is neither a name nor a whole number of 1 or more.

    Examples
    --------
    >>> plan_frames([(0, 9600)], "standard", 160.0).every
    4
    >>> plan_frames([(0, 9600)], "standard", 160.0, pulse_hz=4.0).every
    1
    >>> len(plan_frames([(0, 9600)], "quick", 160.0).answered)
    36
    """
    settings = settings or DetailSettings()
    whole = tuple((int(a), int(b)) for a, b in ranges)
    if detail == EVERY:
        return FramePlan(whole)
    if detail not in DETAILS:
        return FramePlan(whole, _number(detail))
    every = _needed(frame_rate_hz, pulse_hz, settings)
    if detail == QUICK:
        places = [part for a, b in whole for part in _places(a, b, every, len(whole), settings)]
        if places:
            return FramePlan(tuple(places), every, settings.margin, whole)
    return FramePlan(whole, every)


def in_words(plan: FramePlan, frame_rate_hz: float | None) -> str:
    """Say which pairs are answered; empty where it is all of them."""
    pairs = len(plan.answered)
    if plan.seen:
        return (
            f"a quick look: {pairs} pairs of frames at {len(plan.ranges)} places are answered; go on in the same "
            "folder with --resume and more detail"
        )
    if plan.every == 1:
        return ""
    pace = f", {frame_rate_hz / plan.every:.3g} a second" if frame_rate_hz else ""
    return f"one pair of frames in {plan.every} is answered{pace}, from all the frames around it; --every 1 answers all"


def describe_detail(asked: str, plan: FramePlan, frame_rate_hz: float | None) -> dict[str, Any]:
    """Return which pairs are answered and why, as JSON values for the provenance."""
    return {
        "asked": asked,
        "every": plan.every,
        "pairs_answered": len(plan.answered),
        "frames_read": len(plan.frames),
        "pairs_per_second": frame_rate_hz / plan.every if frame_rate_hz else None,
        "places": [list(each) for each in plan.ranges] if plan.seen else [],
        "between": "frames between answered pairs are read as evidence; their rows are blank, nothing is interpolated",
        "settings": asdict(DetailSettings()),
    }


def _number(detail: str) -> int:
    if not (detail.isascii() and detail.isdigit() and int(detail) >= 1):
        raise StackError(
            f"detail '{detail}': give {', '.join(DETAILS)}, or a whole number N of 1 or more to answer one pair of N"
        )
    return int(detail)


def _needed(frame_rate_hz: float | None, pulse_hz: float | None, settings: DetailSettings) -> int:
    """One pair of how many still answers often enough."""
    if not frame_rate_hz:
        return 1
    wanted = max(settings.pairs_per_second, settings.pairs_per_beat * (pulse_hz or 0.0))
    return max(int(frame_rate_hz / wanted + 1e-6), 1)


def _places(start: int, stop: int, every: int, ranges: int, settings: DetailSettings) -> list[tuple[int, int]]:
    """Short ranges spread evenly over a long one; none where it is too short for two of them."""
    length = 2 * settings.margin + (settings.pairs_per_place - 1) * every + 2
    frames = stop - start
    count = min(-(-settings.places // ranges), int(settings.most_of_range * frames / length))
    if count < 2:
        return []
    first = start + (np.arange(count) + 0.5) * frames / count - length / 2
    return [(int(a), int(a) + length) for a in first.round()]
