"""Whether a vessel is there, and when, read from the pictures and not from a score of the network.

Two things are asked, and either will do. Does a pattern move along the line: is the correlation on the path through the
space-time diagram above what the same search finds in the same frames put in random order? And does more change in the
vessel than beside it? Over time, a vessel is out of sight where the moving pattern has gone together with the
correlation, or has become a faint, unsharp remnant that stands still: cells that outrun the windows lose the
correlation only, blood that stops loses neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.config.velocity import PresenceSettings
from sam2flow_core.velocity.activity import Contrast
from sam2flow_core.velocity.records import SpaceTime


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
    creep = settings.creep_px_frame + settings.tissue_share * tissue_px_frame
    return _logistic(sure - settings.match_errors) * _logistic((speed - creep) / settings.creep_softness)


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
