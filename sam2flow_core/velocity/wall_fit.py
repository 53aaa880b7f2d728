"""Width of a vessel from pictures: a lumen under the blur of the optics, fitted to what moves and to the mean picture.

Two profiles across the vessel are looked at, each averaged along it. What changes from frame to frame is the square of
a lumen of moving cells under a blur; the mean picture has the chord of a round lumen under a blur, and what the walls
add. Noise of the camera is a constant offset of the first and nothing in the second, and both are the same at any
magnification. How wide the lumen is, is weighed over all blurs and ways in which cells fill a lumen, so that a width
that the pictures do not tell comes out as unsure; the width of the mask is a third witness. None is believed without a
share of doubt: a neighbour or the tissue's texture can look like a wall, and cells need not fill their vessel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.config.velocity import ActivitySettings
from sam2flow_core.velocity.activity import Activity

Floats = NDArray[np.float64]

_REACH = 3.0
_STEPS = 200  # a diameter, in samples of a shape


@dataclass(frozen=True)
class FittedWidth:
    """The width that fits.

    Attributes
    ----------
    px : float
        NaN where the vessel has no mask to begin with.
    error : float
        Relative standard error.
    """

    px: float
    error: float


@dataclass(frozen=True)
class _Shapes:
    """Profiles of a lumen one diameter wide.

    Attributes
    ----------
    moving : ndarray, shape (K, n)
        What changes, for each blur and filling of the lumen.
    chord, slope : ndarray, shape (B, n)
        The chord of a round lumen under each blur, and its derivative (a lumen lit from one side).
    blur : ndarray, shape (B,)
        Standard deviation in diameters.
    """

    moving: Floats
    chord: Floats
    slope: Floats
    blur: Floats


def fit_width(activity: Activity, mask_px: float, settings: ActivitySettings) -> FittedWidth:
    """Weigh the width of the mask against what the pictures say.

    Parameters
    ----------
    activity : Activity
    mask_px : float
        Width of the mask.
    settings : ActivitySettings
    """
    if not mask_px > 0:
        return FittedWidth(float("nan"), float("inf"))
    widths = mask_px * np.geomspace(*settings.widths_sought, settings.widths_tried)
    spread = settings.mask_spread * (1 + noise_over_pattern(activity, mask_px) / 2)
    mask = -2.5 * np.log1p((np.log(widths / mask_px) / spread) ** 2 / 4)  # Student's t: masks can be wrong by much
    blur = _shapes(settings.blurs_tried, settings.fillings, settings.wallwards).blur
    # The blur is that of the optics, the same for what moves and for the mean picture.
    score = mask[:, None] - 0.5 * (np.log(widths[:, None] * blur / settings.blur_px) / settings.blur_spread) ** 2
    moving, picture = _moving(activity, widths, settings), _picture(activity, widths, settings)
    score = score + _doubted(moving, settings.moving_doubt) + _doubted(picture, settings.picture_doubt)
    chance = np.exp(np.logaddexp.reduce(score, axis=1) - score.max())
    chance /= chance.sum()
    mean = float(chance @ np.log(widths))
    spread = float(np.sqrt(chance @ (np.log(widths) - mean) ** 2))
    return FittedWidth(float(np.exp(mean)), settings.error_gain * spread)


def noise_over_pattern(activity: Activity, width: float) -> float:
    """Return the variance of the camera's noise in a vessel over that of its pattern, at most 2."""
    inside = np.abs(activity.across) <= width / 2
    both = np.isfinite(activity.shared[inside]) & np.isfinite(activity.variance[inside])
    if not both.any():
        return 2.0
    pattern = float(activity.shared[inside][both].mean())
    noise = float(activity.variance[inside][both].mean()) - pattern
    return float(np.clip(noise / pattern, 0, 2)) if pattern > 0 else 2.0


def _moving(activity: Activity, widths: Floats, settings: ActivitySettings) -> Floats:
    """Log of the likelihood of each width and blur by what moves, shape (W, B); zeros where it cannot be seen."""
    shapes = _shapes(settings.blurs_tried, settings.fillings, settings.wallwards)
    place, profile = _averaged(activity, activity.shared, settings)
    if len(profile) < settings.places_across / 3 or not profile.var() > 0:
        return np.zeros((len(widths), len(shapes.blur)))
    profile = profile - profile.mean()
    variance = float(profile.var())
    shifts = _shifts(settings)
    left = np.empty((len(widths), len(shifts), len(shapes.moving)))
    for w, width in enumerate(widths):
        for s, shift in enumerate(shifts):
            found = _at(shapes.moving, (place - shift * width) / width)
            found -= found.mean(axis=1, keepdims=True)
            power = (found**2).mean(axis=1)
            height = np.maximum(found @ profile / len(profile), 0) / np.maximum(power, 1e-12)
            left[w, s] = variance - height**2 * power
    score = -settings.moving_evidence / 2 * np.log(np.maximum(left / variance, 0) + settings.exact[0])
    score -= shifts[:, None] ** 2 / (2 * settings.shift_spread**2)
    score = score.reshape(len(widths), len(shifts), len(shapes.blur), len(settings.wallwards), len(settings.fillings))
    score[:, :, :, 1:] -= settings.wallwards_doubt
    return np.asarray(np.logaddexp.reduce(score, axis=(1, 3, 4)))


def _picture(activity: Activity, widths: Floats, settings: ActivitySettings) -> Floats:
    """The same by the mean picture: an even slope, the chord, and its derivative are fitted to it."""
    shapes = _shapes(settings.blurs_tried, settings.fillings, settings.wallwards)
    place, profile = _averaged(activity, activity.brightness, settings)
    if len(profile) < settings.places_across / 3 or not profile.var() > 0:
        return np.zeros((len(widths), len(shapes.blur)))
    # An even slope is taken out of everything: what is left is compared.
    even = np.linalg.qr(np.stack([np.ones_like(place), place], axis=1))[0]
    profile = profile - even @ (even.T @ profile)
    variance = float(profile @ profile)
    shifts = _shifts(settings)
    left = np.empty((len(widths), len(shifts), len(shapes.blur)))
    for w, width in enumerate(widths):
        for s, shift in enumerate(shifts):
            at = (place - shift * width) / width
            chord, slope = (found - (found @ even) @ even.T for found in (_at(shapes.chord, at), _at(shapes.slope, at)))
            cc, ss, cs = ((a * b).sum(axis=1) for a, b in ((chord, chord), (slope, slope), (chord, slope)))
            cp, sp = chord @ profile, slope @ profile
            free = np.maximum(cc * ss - cs**2, 1e-9 * cc * ss + 1e-12)
            left[w, s] = variance - (ss * cp**2 - 2 * cs * cp * sp + cc * sp**2) / free
    unexplained = settings.exact[1] + settings.texture_share * _texture(activity.brightness) * len(profile) / variance
    score = -settings.picture_evidence / 2 * np.log(np.maximum(left / variance, 0) + unexplained)
    score -= shifts[:, None] ** 2 / (2 * settings.shift_spread**2)
    return np.asarray(np.logaddexp.reduce(score, axis=1))


def _texture(brightness: Floats) -> float:
    """Return the variance that the tissue's texture leaves in a profile which is averaged along the vessel.

    From how the profile differs along the vessel, and over how far these differences are alike.
    """
    known = np.isfinite(brightness)
    number = known.sum(axis=1)
    mean = np.where(known, brightness, 0).sum(axis=1) / np.maximum(number, 1)
    apart = np.where(known, brightness - mean[:, None], 0)
    power = float((apart**2).sum())
    if not power > 0:
        return 0.0
    alike = float(np.clip((apart[:, 1:] * apart[:, :-1]).sum() / power, 0, 0.99))
    return power / max(int(known.sum()), 1) / max(float(np.median(number)) * (1 - alike) / (1 + alike), 1.0)


def _averaged(activity: Activity, values: Floats, settings: ActivitySettings) -> tuple[Floats, Floats]:
    """Average along the vessel: places across that are known in enough of it, and the values there."""
    known = np.isfinite(values)
    number = known.sum(axis=1)
    enough = number >= max(settings.least_places * values.shape[1], 1)
    total = np.where(known, values, 0).sum(axis=1)
    return activity.across[enough], total[enough] / number[enough]


def _doubted(score: Floats, doubt: float) -> Floats:
    """Log of a likelihood (W, B) that is worth nothing with the chance `doubt`."""
    score = score - np.logaddexp.reduce(score, axis=None)
    return np.asarray(np.logaddexp(np.log1p(-doubt) + score, np.log(doubt / score.size)))


def _shifts(settings: ActivitySettings) -> Floats:
    """Places of the lumen's middle off the centreline, in diameters."""
    return np.linspace(-2, 2, 5) * settings.shift_spread


def _at(shapes: Floats, places: Floats) -> Floats:
    """Sample shapes (K, n) at places in diameters; they are drawn finely enough for the nearest sample."""
    return shapes[:, np.clip(np.rint((places + _REACH) * _STEPS), 0, shapes.shape[1] - 1).astype(int)]


@cache
def _shapes(blurs: int, fillings: tuple[float, ...], wallwards: tuple[float, ...]) -> _Shapes:
    """Draw a lumen one diameter wide, under blurs from 1/50 to 3/5 of it."""
    u = 2 * np.linspace(-_REACH, _REACH, round(2 * _REACH * _STEPS) + 1)
    chord = np.sqrt(np.clip(1 - u**2, 0, None))
    inside = np.abs(u) < 1
    drawn = [
        inside * np.maximum(chord, 1e-12) ** (2 * power) * (1 + rise * u**2) for rise in wallwards for power in fillings
    ]
    blur = np.geomspace(0.02, 0.6, blurs)
    moving, plain = [], []
    for sigma in blur:
        for lumen in drawn:
            moving.append(ndimage.gaussian_filter1d(lumen, sigma * _STEPS) ** 2)
        plain.append(ndimage.gaussian_filter1d(chord, sigma * _STEPS))
    slope = np.gradient(np.array(plain), axis=1)
    tops = [np.abs(found).max(axis=1, keepdims=True) for found in (np.array(moving), slope)]
    return _Shapes(np.array(moving) / tops[0], np.array(plain), slope / tops[1], blur)
