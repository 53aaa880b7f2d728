"""At which resolution the network works: chosen so that cells have the size that it knows.

A microscope shows a red cell 6 or 40 px wide. Frames are shrunk, or enlarged, by a whole number before masks and flow
are sought. The number follows from the pixel size where it is known, and from the pattern of what moves where it is
not; in doubt the frames stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import map_coordinates, uniform_filter

from sam2flow_core.config.stack import ResolutionSettings
from sam2flow_core.errors import StackError
from sam2flow_core.messages import Message
from sam2flow_core.stack.calibration import Measured
from sam2flow_core.stack.stack import Stack

Floats = NDArray[np.float32]
Basis = Literal["user", "pixel size", "pattern", "none"]


@dataclass(frozen=True)
class WorkingResolution:
    """How many recorded px make one px of the network, along each side.

    Attributes
    ----------
    factor : float
        1 for the recording as it is, 2 for frames shrunk to half their sides, 0.5 for frames of twice the sides.
    basis : {'user', 'pixel size', 'pattern', 'none'}
        What it was chosen from.
    reason : str
        The same in words.
    """

    factor: float = 1.0
    basis: Basis = "none"
    reason: str = ""

    def __str__(self) -> str:
        return f"frames {describe_factor(self.factor)}: {self.reason}"


def describe_factor(factor: float) -> str:
    """A working resolution in words.

    Examples
    --------
    >>> describe_factor(1.0) != describe_factor(2.0)
    True
    """
    if factor == 1:
        return "as recorded"
    return f"shrunk by {factor:g}" if factor > 1 else f"enlarged by {1 / factor:g}"


def choose_resolution(
    stack: Stack,
    pixel_size_um: Measured,
    wanted: float | None = None,
    start: int = 0,
    stop: int | None = None,
    settings: ResolutionSettings | None = None,
) -> WorkingResolution:
    """Choose the resolution for a range of a recording.

    Parameters
    ----------
    stack : Stack
    pixel_size_um : Measured
        With what the user says of it.
    wanted : float, optional
        The user's choice, taken as it is.
    start, stop : int
        Range of frames, of which some are read where the pixel size is not known; ``stop`` is not included.
    settings : ResolutionSettings, optional

    Raises
    ------
    StackError
        If the resolution that is wanted cannot be had.
    """
    settings = settings or ResolutionSettings()
    if wanted is not None:
        check_factor(wanted, settings)
        return WorkingResolution(float(wanted), "user", "chosen by the user")
    if (um := pixel_size_um.usable) is not None:
        cell = settings.red_cell_um / um
        factor = settings.smallest if cell < settings.enlarged_below_px else _whole(cell / settings.cell_px, settings)
        return WorkingResolution(
            factor,
            "pixel size",
            Message(
                "a red cell of {red_cell_um:g} um is {cell:.3g} px wide at {um:.4g} um/px",
                red_cell_um=settings.red_cell_um,
                cell=cell,
                um=um,
            ),
        )
    measured = measure_cell(stack, start, len(stack) if stop is None else stop, settings)
    if measured is None:
        return WorkingResolution(1.0, "none", "the pixel size is not known, and the pattern of what moves is not clear")
    factor = _whole(measured / settings.pattern_px, settings)
    return WorkingResolution(
        factor,
        "pattern",
        Message(
            "the pixel size is not known; the pattern of what moves is that of cells {measured:.2g} px wide",
            measured=measured,
        ),
    )


def check_factor(factor: float, settings: ResolutionSettings | None = None) -> None:
    """Raise `StackError` unless a working resolution is one that can be had."""
    settings = settings or ResolutionSettings()
    whole = [float(n) for n in range(1, settings.largest + 1)]
    if factor not in (settings.smallest, *whole):
        raise StackError(
            "working resolution {factor:g}: give auto, {smallest:g}, or a whole number from 1 to {largest}",
            factor=factor,
            smallest=settings.smallest,
            largest=settings.largest,
        )


def measure_cell(stack: Stack, start: int, stop: int, settings: ResolutionSettings) -> float | None:
    """Width of a cell in px, from the pattern of what moves; None where it is not clear.

    Where things move, a pixel's changes are alike over the width of a cell. How far is read from the correlation of
    what differs from the mean over time, along the direction in which it is shortest: cells in a row lengthen it along
    the vessel. The correlation of quiet places, which is that of the noise, is taken away. Cells shaded in relief have
    a bright and a dark flank, so that their correlation is shorter and turns negative.
    """
    if stop - start < settings.least_frames:
        return None
    places = np.unique(np.linspace(start, stop - 1, settings.frames).round().astype(int))
    frames = np.stack([stack.seen(int(t)) for t in places])
    change = _lively(frames / np.maximum(frames.mean((1, 2), keepdims=True), 1e-6), settings.window_px)
    if min(change.shape[1:]) < settings.least_side_px:
        return None
    halves = [_cell(part, settings) for part in (change, change[::2], change[1::2])]
    whole, *parts = halves
    if whole is None or any(part is None or abs(part / whole - 1) > settings.agreement for part in parts):
        return None
    return whole


def _whole(factor: float, settings: ResolutionSettings) -> float:
    return float(np.clip(round(factor), 1, settings.largest))


def _lively(frames: Floats, side: int) -> Floats:
    """What differs from the mean over time, (T, h, w), in the part of the picture where most does."""
    change: Floats = frames - frames.mean(0)
    height, width = change.shape[1:]
    if max(height, width) <= side:
        return change
    rows, columns = min(side, height), min(side, width)
    energy = uniform_filter((change**2).mean(0), (rows, columns))
    top, left = rows // 2, columns // 2
    inner = energy[top : height - (rows - 1) // 2, left : width - (columns - 1) // 2]
    y, x = np.unravel_index(int(inner.argmax()), inner.shape)
    result: Floats = change[:, y : y + rows, x : x + columns]
    return result


def _cell(change: Floats, settings: ResolutionSettings) -> float | None:
    """Width of a cell in px by its pattern."""
    activity = uniform_filter((change**2).mean(0), settings.even_px)
    lively = activity >= np.quantile(activity, 1 - settings.lively_share)
    quiet = activity <= np.quantile(activity, settings.quiet_share)
    reach = min(settings.reach_px, min(change.shape[1:]) // 3)
    noise, pattern = (_correlation(change, where, reach) for where in (quiet, lively))
    strength = pattern[reach, reach] - noise[reach, reach]
    if not strength > settings.least_strength * noise[reach, reach]:
        return None
    profiles = _profiles((pattern - noise) / strength, settings)
    below = profiles < 0.5
    if not below.any(1).all():
        return None
    width = below.argmax(1)
    shortest = profiles[width.argmin()]
    half = int(width.min())
    dip = shortest[: int(settings.dip_reach * half) + 1].min()
    share = settings.half_width_relief if dip < settings.dip else settings.half_width
    return half * settings.step_px / share


def _correlation(change: Floats, where: NDArray[np.bool_], reach: int) -> Floats:
    """Mean product of what lies so far apart, (2 reach + 1, 2 reach + 1), over places of a mask and all times."""
    size = tuple(next_fast_len(n + reach, real=True) for n in where.shape)
    overlap = irfft2(np.abs(rfft2(where.astype(np.float32), s=size)) ** 2, s=size)
    total = np.zeros(size, np.float32)
    for frame in change:
        total += irfft2(np.abs(rfft2((frame - frame[where].mean()) * where, s=size)) ** 2, s=size)
    mean = total / (len(change) * np.maximum(overlap, 1))
    result: Floats = np.roll(mean, (reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    return result


def _profiles(correlation: Floats, settings: ResolutionSettings) -> Floats:
    """A correlation along rays from its centre, (angles, places)."""
    centre = correlation.shape[0] // 2
    angles = np.pi * np.arange(settings.angles)[:, None] / settings.angles
    away = np.arange(0, centre, settings.step_px)
    result: Floats = map_coordinates(
        correlation, [centre + away * np.sin(angles), centre + away * np.cos(angles)], order=1
    )
    return result
