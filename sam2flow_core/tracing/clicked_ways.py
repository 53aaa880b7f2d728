"""From clicks to the way of their vessel through the vessel field.

A single click may mean either of two vessels that lie over each other, so there are alternatives. Several clicks name
the vessel that leads through all of them; where none does, as few vessels as possible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.tracing import ClickSettings
from sam2flow_core.tracing.field_map import FieldMap, Floats
from sam2flow_core.tracing.minimal_path import minimal_path
from sam2flow_core.tracing.tracer import Trace, starts, trace


@dataclass(frozen=True)
class ClickedWays:
    """Ways that clicks may mean, the likeliest first.

    Attributes
    ----------
    ways : list of Trace
    clicks : list of ndarray
        Positive clicks (N, 2) that each way holds, ``(row, column)`` in cells.
    together : bool
        Whether all of them are meant, because none holds all clicks; otherwise one of them is.
    """

    ways: list[Trace]
    clicks: list[Floats]
    together: bool = False


def clicked_ways(field: FieldMap, clicks: Floats, reach: float) -> ClickedWays:
    """Follow the vessels that positive clicks name.

    Parameters
    ----------
    field : FieldMap
    clicks : ndarray (N, 2)
        ``(row, column)`` in cells.
    reach : float
        Arc length in px that is followed each way.
    """
    return clicked_ways_of_many(field, [clicks], reach)[0]


def clicked_ways_of_many(field: FieldMap, vessels: list[Floats], reach: float) -> list[ClickedWays]:
    """Follow the vessels that the clicks (N, 2) of each of them name; all at once, which is quicker."""
    cells = reach / field.stride
    begun = [[(k, s) for k, c in enumerate(clicks) for s in starts(field, c)] for clicks in vessels]
    traces = iter(trace(field, [start for vessel in begun for _, start in vessel], cells))
    return [
        _chosen(field, clicks, [next(traces) for _ in of], [k for k, _ in of], cells)
        for clicks, of in zip(vessels, begun, strict=True)
    ]


def _chosen(field: FieldMap, clicks: Floats, ways: list[Trace], meant: list[int], cells: float) -> ClickedWays:
    if not ways:
        return ClickedWays([], [])
    held = np.stack([_holds(way, clicks, field.settings.clicks) for way in ways])
    held[np.arange(len(ways)), meant] = True
    if len(complete := np.flatnonzero(held.all(1))):
        best = complete[: field.settings.clicks.candidates]
        return ClickedWays([ways[k] for k in best], [clicks for _ in best])
    whole = minimal_path(field, clicks, cells)
    if whole is not None:
        return ClickedWays([whole], [clicks])
    few = _fewest(held, meant)
    return ClickedWays([ways[k] for k in few], [clicks[held[k]] for k in few], together=True)


def _holds(way: Trace, clicks: Floats, settings: ClickSettings) -> NDArray[np.bool_]:
    away = np.hypot(*np.moveaxis(way.line[:, None] - clicks, -1, 0))
    held: NDArray[np.bool_] = (away < settings.held * way.radius[:, None] + settings.held_cells).any(0)
    return held


def _fewest(held: NDArray[np.bool_], meant: list[int]) -> list[int]:
    """The ways that are needed to hold the clicks, those with the most of them first."""
    left, chosen = np.isin(np.arange(held.shape[1]), meant), list[int]()
    while left.any():
        chosen.append(int((held & left).sum(1).argmax()))
        left &= ~held[chosen[-1]]
    return chosen
