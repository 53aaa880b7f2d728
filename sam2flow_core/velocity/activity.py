"""How much the brightness changes across a vessel and beside it: where blood moves, how wide, and whether it is there.

Frames all over the recording are sampled on cross-sections. What neighbours along the vessel share is the moving
pattern; the noise of the camera is not shared, and what the tissue beside the vessel shows as well (the noise of rows,
drifts of focus and lamp) is no blood.

Two things are asked, and either will do. Does a pattern move along the line: is the correlation on the path through the
space-time diagram above what the same search finds in the same frames put in random order? And does more change in the
vessel than beside it? Over time, a vessel is out of sight where the moving pattern has gone together with the
correlation, or has become a faint, unsharp remnant that stands still: cells that outrun the windows lose the
correlation only, blood that stops loses neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.config.velocity import ActivitySettings, PresenceSettings
from sam2flow_core.results.reader import VesselTrack
from sam2flow_core.velocity.centreline import Centreline
from sam2flow_core.velocity.records import SpaceTime
from sam2flow_core.velocity.sampling import Interpolation, residual_shifts


@dataclass(frozen=True)
class Activity:
    """Changes of brightness on the cross-sections of a vessel.

    Attributes
    ----------
    across : ndarray, shape (M,)
        Distance from the centreline in px.
    variance : ndarray, shape (M, S)
        Over time, noise included, in units of brightness squared, at S places along the vessel; NaN outside the
        recorded frame and in other vessels.
    shared : ndarray, shape (M, S)
        Covariance with the neighbour along the vessel: without the noise of the camera.
    brightness : ndarray, shape (M, S)
        Mean over time.
    """

    across: NDArray[np.float64]
    variance: NDArray[np.float64]
    shared: NDArray[np.float64]
    brightness: NDArray[np.float64]


class CrossSampler:
    """Collects the cross-sections of one vessel in some frames while all frames pass by.

    Parameters
    ----------
    track : VesselTrack
    line : Centreline
    width : float
        Of the vessel, px; twice as much is looked at and some px more.
    others : sequence
        Majority mask and track of each other vessel.
    settings : ActivitySettings
    """

    def __init__(
        self,
        track: VesselTrack,
        line: Centreline,
        width: float,
        others: Sequence[tuple[NDArray[np.bool_], VesselTrack]],
        settings: ActivitySettings,
    ) -> None:
        self.track = track
        self._settings = settings
        reach = settings.reach_widths * width + settings.reach_px
        self._across = np.linspace(-reach, reach, settings.places_across)
        every = max(len(line.points) // settings.places_along, 1)
        self._shape = (len(self._across), len(line.points[::every]))
        points = line.points[::every] + self._across[:, None, None] * line.normals[::every]
        self._points = points.reshape(-1, 2)
        self._apart = max(round(settings.neighbour_px / every), 1)
        self._claimed = _claimed(self._points, track, others).reshape(self._shape)
        inside = np.abs(self._across) <= width / 2
        shared = self._claimed[inside].any(axis=0)
        if shared.mean() < settings.same_vessel:
            self._claimed[:, shared] = True  # where another vessel lies over this one, its cells are seen as well
        else:  # the same vessel under another name
            self._claimed[inside] = False
        self._residual = residual_shifts(track)
        self._interpolation: Interpolation | None = None
        self._shift = np.full(2, np.nan)
        frames = len(track.frames)
        chosen = np.unique(np.linspace(0, frames - 1, min(settings.frames, frames)).round().astype(int))
        self._slot = {int(step): k for k, step in enumerate(chosen)}
        self._values = np.full((len(chosen), *self._shape), np.nan, np.float32)

    def add(self, step: int, image: NDArray[Any]) -> None:
        """Sample step `step` of the track, if it is one of those, from the whole frame `image`, shape (Y, X)."""
        if (slot := self._slot.get(step)) is None:
            return
        shift = self.track.offsets[step] + self._residual[step]
        if self._interpolation is None:
            self._interpolation = Interpolation(len(self._points), (image.shape[0], image.shape[1]))
        if not np.array_equal(shift, self._shift):
            self._interpolation.move(slice(None), (self._points + shift).T)
            self._shift = shift
        values = self._interpolation.of(image)
        self._values[slot] = values.reshape(self._shape)

    def activity(self) -> Activity:
        """Return what was collected, slow drifts and common flicker taken out."""
        variance, shared, brightness = (np.full(self._shape, np.nan) for _ in range(3))
        # One distance from the line after the other: what is computed with then stays in the processor's cache.
        for row in range(len(self._across)):
            values = self._values[:, row].astype(float)
            values[:, self._claimed[row]] = np.nan
            brightness[row] = _mean(values)
            variance[row], shared[row] = self._changes(values)
        return Activity(self._across, variance, shared, brightness)

    def _changes(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Variance over time at each place of values (frames, S), and covariance with the neighbour, shape (S,)."""
        known = np.isfinite(values)
        places = known.sum(axis=0)
        total = np.where(known, values, 0)
        change: NDArray[np.float64] = np.where(known, values - total.sum(axis=0) / np.maximum(places, 1), 0)
        if len(change) >= 2 * self._settings.drift_frames:
            change -= ndimage.uniform_filter1d(change, self._settings.drift_frames, axis=0, mode="nearest")
        change = np.where(known, change, np.nan)
        enough = places >= max(0.5 * len(values), 4)
        variance = np.where(enough, _mean(change**2), np.nan)
        shared = np.full(values.shape[1], np.nan)
        if values.shape[1] > self._apart:
            ahead = _mean(change[:, : -self._apart] * change[:, self._apart :])
            shared[: -self._apart] = np.where(enough[: -self._apart] & enough[self._apart :], ahead, np.nan)
        return variance, shared


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over time of what is known, shape (S,); NaN where nothing is."""
    known = np.isfinite(values)
    number = known.sum(axis=0)
    return np.where(number > 0, np.where(known, values, 0).sum(axis=0) / np.maximum(number, 1), np.nan)


@dataclass(frozen=True)
class Contrast:
    """How the moving pattern in a vessel stands out from what changes beside it.

    Attributes
    ----------
    ratio : float
        What the vessel has more of, over the noise beside it; NaN where there is nothing to compare.
    significance : float
        The same in standard errors over places along the vessel.
    """

    ratio: float
    significance: float


def contrast_beside(activity: Activity, width: float, settings: ActivitySettings) -> Contrast:
    """Compare the middle of a vessel, `width` px wide, with what lies beside it."""
    away = np.abs(activity.across)
    middle = away <= settings.middle * width / 2
    beside = away >= settings.beside * width / 2 + 1
    parts = np.array_split(np.arange(activity.shared.shape[1]), max(activity.shared.shape[1] // settings.part, 1))
    inside = np.array([_known_mean(activity.shared[middle][:, part]) for part in parts])
    outside = np.array([_known_mean(activity.shared[beside][:, part]) for part in parts])
    noise = _known_mean(activity.variance[beside])
    both = np.isfinite(inside) & np.isfinite(outside)
    if both.sum() < 2 or not noise > 0:
        return Contrast(float("nan"), 0.0)
    more = inside[both] - outside[both]
    error = float(np.hypot(more.std(ddof=1), settings.least_error * noise)) / np.sqrt(both.sum())
    return Contrast(float(np.median(more)) / noise, float(more.mean()) / error)


def _known_mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _claimed(
    points: NDArray[np.float64], track: VesselTrack, others: Sequence[tuple[NDArray[np.bool_], VesselTrack]]
) -> NDArray[np.bool_]:
    """Whether other vessels claim points (P, 2) of a vessel's crop; all crops follow the same tissue."""
    claimed = np.zeros(len(points), bool)
    for mask, other in others:
        local = np.rint(points + (track.offsets[0] - other.offsets[0])).astype(int)
        inside = np.all((local >= 0) & (local < mask.shape), axis=1)
        claimed[inside] |= mask[tuple(local[inside].T)]
    return claimed


@dataclass(frozen=True)
class Presence:
    """What speaks for a vessel.

    Attributes
    ----------
    chance : float
        0 to 1, over the recording as a whole.
    lost : ndarray of bool, shape (T,)
        Frames in which a vessel that is there otherwise is out of sight.
    """

    chance: float
    lost: NDArray[np.bool_]


def find_presence(
    diagram: SpaceTime, contrast: Contrast, tissue_px_frame: float, settings: PresenceSettings
) -> Presence:
    """Judge the evidence of one vessel.

    Parameters
    ----------
    diagram : SpaceTime
    contrast : Contrast
        Of what changes in the vessel against what changes beside it.
    tissue_px_frame : float
        Usual speed of the tissue: as fast, shadows that belong to the lens and not to the tissue seem to move.
    settings : PresenceSettings
    """
    moving, beside = _moves(diagram, tissue_px_frame, settings), 0.0
    if contrast.ratio > settings.least_contrast:
        beside = _logistic(contrast.significance - settings.contrast_errors)
    chance = 1 - (1 - moving) * (1 - beside)
    return Presence(chance, _out_of_sight(diagram, settings))


def _moves(diagram: SpaceTime, tissue_px_frame: float, settings: PresenceSettings) -> float:
    """Chance that a pattern moves along the line; what stands still or creeps may be a drift of the tissue."""
    known = np.isfinite(diagram.velocity)
    if not known.any():
        return 0.0
    speed = float(np.median(np.abs(diagram.velocity[known])))
    independent = max(len(diagram.match) / settings.window_frames, 1.0)
    error = diagram.floor_spread / np.sqrt(independent) + settings.least_spread
    sure = (float(diagram.match.mean()) - diagram.floor) / error
    # Two readings that share no sum hardly name one speed where there is none.
    sure += settings.alike_errors * _alike(diagram, settings)
    creep = settings.creep_px_frame + settings.tissue_share * tissue_px_frame
    return _logistic(sure - settings.match_errors) * _logistic((speed - creep) / settings.creep_softness)


def _alike(diagram: SpaceTime, settings: PresenceSettings) -> bool:
    """Whether rows and transit times of a diagram, both readable, say the same speed."""
    both = np.isfinite(diagram.velocity) & np.isfinite(diagram.transit)
    if not both.any() or min(diagram.quality, diagram.transit_quality) < settings.readable:
        return False
    rows, transit = float(diagram.velocity[both].mean()), float(diagram.transit[both].mean())
    return abs(rows - transit) <= settings.alike * abs(rows + transit) / 2


def _out_of_sight(diagram: SpaceTime, settings: PresenceSettings) -> NDArray[np.bool_]:
    """Frames, shape (T,), where the moving pattern is gone, or is an unsharp remnant that stands still."""
    match, strength = diagram.match, diagram.strength
    usual = float(np.quantile(match, settings.usual_quantile)) if len(match) else 0.0
    if (
        usual < settings.clear * (diagram.floor + diagram.floor_spread) or usual <= 0
    ):  # nothing can be said of single moments
        return np.zeros(len(match), bool)
    share = strength / max(float(np.quantile(strength, settings.usual_quantile)), 1e-9)
    speed = np.abs(np.nan_to_num(diagram.velocity, nan=np.inf))
    moves = float(np.median(speed))
    stands = (speed < settings.standing * moves) & (moves > settings.moving_px_frame)
    sharp = diagram.sharpness
    unsharp = sharp < settings.unsharp * float(np.nanquantile(sharp, settings.usual_quantile))
    remnant = (share < settings.faded) & unsharp & stands
    gone = ((share < settings.gone) & (match < settings.unlike * usual)) | remnant
    return np.asarray(ndimage.binary_opening(gone, np.ones(settings.least_lost_frames)), bool)


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))
