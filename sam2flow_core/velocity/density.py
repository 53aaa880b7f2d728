"""Vessel density of a whole field, as the consensus on the microcirculation defines it.

Perfused vessel density is the length of vessels in which blood moves in an area, all of them or the small ones alone.
It needs every vessel of the field, so it is made of what is found without a click, never of those somebody chose.

References
----------
.. [1] D. De Backer et al., "How to evaluate the microcirculation: report of a round table conference", Critical Care
   11, R101, 2007, :doi:`10.1186/cc6118`.
.. [2] C. Ince et al., "Second consensus on the assessment of sublingual microcirculation in critically ill patients",
   Intensive Care Medicine 44, 281-299, 2018, :doi:`10.1007/s00134-018-5070-7`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.tracing import FindingSettings
from sam2flow_core.inference.steps import FoundVessel
from sam2flow_core.messages import Message

_SEED = 0


class Interval(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Density:
    """Perfused vessel density of one recording.

    Attributes
    ----------
    vessels : int
    all : Interval
        Length per area: mm/mm2, or px per 1000 px2 where the pixel size is not known.
    small : Interval or None
        Of vessels up to 20 um wide; None where the pixel size is not known.
    heterogeneity : float
        Largest minus least density of the four quarters of the field, over their mean.
    calibrated : bool
    """

    vessels: int
    all: Interval
    small: Interval | None
    heterogeneity: float
    calibrated: bool

    def lines(self) -> tuple[Message, ...]:
        """Lines to print."""
        unit = "mm/mm2" if self.calibrated else Message("px per 1000 px2 (no pixel size)")
        small = (
            "" if self.small is None else Message("; of vessels up to 20 um: {small}", small=_with_interval(self.small))
        )
        return (
            Message(
                "perfused vessel density: {all} {unit}{small}", all=_with_interval(self.all), unit=unit, small=small
            ),
            Message("heterogeneity between the quarters of the field: {value:.2f}", value=self.heterogeneity),
            Message(
                "total vessel density and the proportion of perfused vessels are not given: a vessel in which nothing "
                "moves is not seen"
            ),
        )


def measure_density(
    vessels: Sequence[FoundVessel],
    picture: tuple[int, int, int, int],
    pixel_size_um: float | None,
    settings: FindingSettings | None = None,
    covered: NDArray[np.bool_] | None = None,
) -> Density:
    """Density of the vessels found in a recording.

    Parameters
    ----------
    vessels : sequence of FoundVessel
    picture : tuple of int
        ``top, left, bottom, right`` px of what the frames show.
    pixel_size_um : float or None
    settings : FindingSettings, optional
    covered : ndarray of bool, shape (bottom - top, right - left), optional
        What of the picture shows nothing, and is no part of the field.

    Notes
    -----
    Vessels are found by what moves in them. One in which nothing moves over the whole recording is not seen, so neither
    total vessel density nor the proportion of perfused vessels can be told from them.

    The intervals come from drawing tiles of the field again (bootstrap): they say how even the field is, not how sure
    each vessel is.

    References
    ----------
    .. [1] D. De Backer et al., "How to Evaluate the Microcirculation: Report of a Round Table Conference", Critical
       Care 11, R101, 2007, :doi:`10.1186/cc6118`.
    """
    settings = settings or FindingSettings()
    n = settings.tiles
    top, left, bottom, right = picture
    unit = 1000.0 if pixel_size_um is None else 1000.0 / pixel_size_um
    areas = np.full((n, n), (bottom - top) * (right - left) / n**2)
    if covered is not None:
        rows, columns = (np.argwhere(covered) * n // covered.shape).T
        np.subtract.at(areas, (rows, columns), 1.0)
        areas = areas.clip(min=0.0)
    tiles = [unit * _by_tile(vessel.centreline, picture, n) for vessel in vessels]
    drawn = np.random.default_rng(_SEED).integers(0, n * n, (settings.draws, n * n))
    whole = sum(tiles, np.zeros((n, n)))
    small = None
    if pixel_size_um is not None:
        narrow = [t for t, v in zip(tiles, vessels, strict=True) if v.width_px * pixel_size_um <= settings.small_um]
        small = _interval(sum(narrow, np.zeros((n, n))), areas, drawn)
    lengths, fields = (x.reshape(2, n // 2, 2, n // 2).sum((1, 3)) for x in (whole, areas))
    quarters = lengths[fields > 0] / fields[fields > 0]
    mean = quarters.mean()
    spread = float((quarters.max() - quarters.min()) / mean) if mean else float("nan")
    return Density(len(vessels), _interval(whole, areas, drawn), small, spread, pixel_size_um is not None)


def _by_tile(line: NDArray[np.float64], picture: tuple[int, int, int, int], n: int) -> NDArray[np.float64]:
    """Length of a line (N, 2), ``(y, x)``, in each of n x n tiles of the picture."""
    top, left, bottom, right = picture
    steps = np.hypot(*np.diff(line, axis=0).T)
    middle = (line[1:] + line[:-1]) / 2 - (top, left)
    rows, columns = np.clip((middle * n / (bottom - top, right - left)).astype(int), 0, n - 1).T
    found = np.zeros((n, n))
    np.add.at(found, (rows, columns), steps)
    return found


def _interval(tiles: NDArray[np.float64], areas: NDArray[np.float64], drawn: NDArray[np.int_]) -> Interval:
    sums, fields = (x.ravel()[drawn].sum(1) for x in (tiles, areas))
    low, high = np.percentile(sums[fields > 0] / fields[fields > 0], (2.5, 97.5))
    return Interval(float(tiles.sum() / areas.sum()), float(low), float(high))


def _with_interval(figure: Interval) -> Message:
    return Message("{value:.3g} ({low:.3g} to {high:.3g})", value=figure.value, low=figure.low, high=figure.high)
