"""The flags: what a reader must know before believing a number, and the words that say where along the vessel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.flags import FLAG_MEANINGS
from sam2flow_core.config.velocity import FlagSettings
from sam2flow_core.messages import Message
from sam2flow_core.results.reader import VesselTrack
from sam2flow_core.velocity.activity import Presence
from sam2flow_core.velocity.centreline import Centreline
from sam2flow_core.velocity.records import CalibrationLike, SpaceTime
from sam2flow_core.velocity.stretches import Step

FLAGS = tuple(FLAG_MEANINGS)
_FRAME_FLAGS = ("ALIASED", "NEAR_FLOOR", "OUT_OF_FOCUS", "MOTION", "DROPPED_FRAME", "MASK_LOST")


@dataclass(frozen=True)
class Evidence:
    """What the flags are decided from.

    Attributes
    ----------
    area : ndarray of int, shape (T,)
        Pixels of each frame's mask.
    velocity : ndarray, shape (T,)
        px per frame, NaN in gaps.
    rejected : mapping of str to ndarray of bool, shape (T - 1,)
        Reasons from `rejected_steps`.
    step : Step or None
        Of the speed along the length.
    gap : int
        Points of the line along which nothing moves.
    width_error : float
        Relative standard error of the diameter.
    overlap : float
        Share of the lumen that other vessels claim.
    edge : float
        Share of the centreline whose cross-section the image border cuts.
    method_difference : float
        Signed, of 1; NaN where the diagram cannot be read.
    calibrated : bool
    """

    track: VesselTrack
    area: NDArray[np.int64]
    line: Centreline
    diameter: float
    velocity: NDArray[np.float64]
    rejected: Mapping[str, NDArray[np.bool_]]
    space_time: SpaceTime
    presence: Presence
    step: Step | None
    gap: int
    width_error: float
    overlap: float
    edge: float
    method_difference: float
    calibrated: bool


def frame_flags(evidence: Evidence, settings: FlagSettings) -> dict[str, NDArray[np.bool_]]:
    """Return the flags that belong to single frames, each an array of shape (T,)."""
    speed = np.abs(evidence.velocity)
    diagram = evidence.space_time
    periodic = diagram.periodicity >= settings.alias_periodicity and np.isfinite(diagram.spacing)
    limit = settings.alias_share * diagram.spacing if periodic else np.inf
    # Of the sharper frames, not of all: half of a recording may be out of focus.
    sharp = np.quantile(known, 0.75) if len(known := diagram.sharpness[np.isfinite(diagram.sharpness)]) else 0.0
    area = evidence.area
    usual = np.median(area[area > 0]) if (area > 0).any() else np.inf
    steps = {name: np.append(values, False) for name, values in evidence.rejected.items()}
    with np.errstate(invalid="ignore"):
        return {
            "ALIASED": speed > limit,
            "NEAR_FLOOR": speed < settings.floor_px_frame,
            "OUT_OF_FOCUS": diagram.sharpness < settings.min_sharpness * sharp,
            "MOTION": steps["motion"],
            "DROPPED_FRAME": steps["dropped"],
            "MASK_LOST": (area < settings.min_area_share * usual) | evidence.presence.lost,
        }


def vessel_flags(
    evidence: Evidence, per_frame: dict[str, NDArray[np.bool_]], settings: FlagSettings
) -> tuple[str, ...]:
    """Return the flags of the whole vessel, in the order of `FLAGS`."""
    diagram = evidence.space_time
    share = {name: float(per_frame[name].mean()) for name in _FRAME_FLAGS}
    steps = int(np.isfinite(evidence.velocity).sum())
    usual = float(np.nanmedian(np.abs(evidence.velocity))) if steps else 0.0
    # A displaced pattern is found again only on a vessel well longer than the displacement.
    needed = max(settings.min_length_px, settings.min_length_diameters * evidence.diameter, 2 * usual)
    raised = {
        "ALIASED": share["ALIASED"] > settings.frame_share,
        "NEAR_FLOOR": steps > 0 and usual < settings.floor_px_frame,
        "LOW_CONTRAST": not diagram.contrast_to_noise >= settings.min_contrast_to_noise,
        "OUT_OF_FOCUS": share["OUT_OF_FOCUS"] > settings.frame_share,
        "MOTION": share["MOTION"] > settings.frame_share,
        "SATURATED": diagram.saturated > settings.saturated_share,
        "DROPPED_FRAME": bool(per_frame["DROPPED_FRAME"].any()),
        "TOO_SHORT": evidence.line.length < needed or steps < settings.min_frames,
        "MASK_LOST": share["MASK_LOST"] > settings.frame_share or evidence.presence.chance < settings.min_presence,
        "BRANCH": _branches(evidence, settings),
        "SAME_VESSEL": evidence.overlap > settings.same_share,
        "SPEED_STEP": evidence.step is not None,
        "PATH_GAP": is_gap(evidence.gap, evidence.diameter, settings),
        "WIDTH_DOUBT": evidence.width_error > settings.width_error,
        "EDGE": evidence.edge > settings.edge_share,
        "METHOD_DISAGREE": abs(evidence.method_difference) > settings.method_difference,
        "UNCALIBRATED": not evidence.calibrated,
    }
    return tuple(flag for flag in FLAGS if raised.get(flag))


def is_gap(points: int, diameter: float, settings: FlagSettings) -> bool:
    """Whether so many points without blood, on the line of a vessel of some diameter in px, are more than chance."""
    return points > max(settings.gap_diameters * diameter, settings.min_gap_px)


def flags_by_frame(per_frame: dict[str, NDArray[np.bool_]]) -> tuple[tuple[str, ...], ...]:
    """Turn arrays by flag into flags by frame."""
    frames = len(next(iter(per_frame.values())))
    return tuple(tuple(name for name in _FRAME_FLAGS if per_frame[name][t]) for t in range(frames))


def edge_share(line: Centreline, diameter: float, offset: NDArray[np.int64], shape: tuple[int, int]) -> float:
    """Return the share of the centreline closer to the image border than a radius, of 1.

    Where a vessel merely leaves the image, only its last radius is.
    """
    points = line.points + offset
    distance = np.minimum(points, np.array(shape) - 1 - points).min(axis=1)
    return float((distance < diameter / 2).mean())


def overlap_share(
    lumen: NDArray[np.bool_], track: VesselTrack, others: Sequence[tuple[NDArray[np.bool_], VesselTrack]]
) -> float:
    """Return the share of a vessel's pixels that other vessels claim too, of 1.

    Parameters
    ----------
    lumen : ndarray of bool, shape (h, w)
        Majority mask of `track`.
    track : VesselTrack
    others : sequence
        Majority mask and track of each other vessel; all crops follow the same tissue.
    """
    where = np.argwhere(lumen) + track.offsets[0]
    claimed = np.zeros(len(where), bool)
    for mask, other in others:
        local = where - other.offsets[0]
        inside = np.all((local >= 0) & (local < mask.shape), axis=1)
        claimed[inside] |= mask[tuple(local[inside].T)]
    return float(claimed.mean()) if len(where) else 0.0


def _branches(evidence: Evidence, settings: FlagSettings) -> bool:
    return evidence.line.branch_length > max(evidence.diameter, 8.0) or evidence.overlap > settings.overlap_share


def along_words(
    line: Centreline, calibration: CalibrationLike, step: Step | None, gap: tuple[int, int] | None
) -> tuple[str, ...]:
    """Say where along the arrow speed steps or blood is missing.

    Parameters
    ----------
    line : Centreline
    calibration : CalibrationLike
    step : Step or None
        In px per frame.
    gap : tuple of int or None
        First and last point of the line.
    """
    pixel, rate = calibration.usable_pixel_size_um, calibration.usable_frame_rate_hz
    length, long = (pixel, "µm") if pixel else (1.0, "px")
    speed, fast = (pixel * rate, "µm/s") if pixel and rate else (1.0, "px/frame")
    whole = Message("of {length:.0f} {unit} along the arrow", length=line.length * length, unit=long)
    found = []
    if step is not None:
        before, after = step.before * speed, step.after * speed
        said = Message("blood runs against itself") if before * after < 0 else Message("the speed steps")
        found.append(
            Message(
                "at {place:.0f} {whole} {what}: {before:.3g} before, {after:.3g} {fast} after; two vessels, or a fork, "
                "under one name?",
                place=line.arc[min(step.place, len(line.arc) - 1)] * length,
                whole=whole,
                what=said,
                before=before,
                after=after,
                fast=fast,
            )
        )
    if gap is not None:
        first, last = (line.arc[min(point, len(line.arc) - 1)] * length for point in gap)
        found.append(
            Message(
                "from {first:.0f} to {last:.0f} {whole} no blood is seen: does the line leave the vessel?",
                first=first,
                last=last,
                whole=whole,
            )
        )
    return tuple(found)
