"""The frame rate of a video, and whether its frames come at an even pace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sam2flow_core.config.stack import CalibrationLimits, VideoSettings
from sam2flow_core.stack.calibration import Calibration, Measured, frame_rate_from_tag
from sam2flow_core.stack.time_stamps import Times, interval_problems

_LIMITS = CalibrationLimits()
_SETTINGS = VideoSettings()


@dataclass(frozen=True)
class VideoRate:
    """Pace of a video.

    Attributes
    ----------
    calibration : Calibration
        Without a pixel size: videos have none.
    times : ndarray, shape (T,), or None
        Seconds of each frame, without the rounding of the file. None where they only count the frames at an even pace:
        such time stamps were written without a look at the clock, and do not show that no frame was lost.
    """

    calibration: Calibration
    times: Times | None


def video_rate(times: Times | None, played: float | None, tick: float) -> tuple[VideoRate, tuple[str, ...]]:
    """Frame rate of a video by the time stamps of its frames.

    Parameters
    ----------
    times : ndarray, shape (T,), or None
        Seconds of each frame; None where the file has no time stamps to speak of.
    played : float or None
        Frames per second as the file declares them.
    tick : float
        Seconds to which time stamps are rounded.

    Returns
    -------
    rate : VideoRate
    problems : tuple of str
    """
    if times is None or len(times) < 2 or not np.median(np.diff(times)) > 0:
        return VideoRate(_rate(played), None), ()
    steps = np.diff(times)
    usual = float(np.median(steps))
    odd = np.abs(steps - usual) > max(1.5 * tick, _LIMITS.agreement * usual)
    if odd.mean() > _SETTINGS.variable_share:
        text = (
            f"variable frame rate: frames follow each other by {1000 * steps.min():.3g} to {1000 * steps.max():.3g} ms;"
            " export the recording with a constant one"
        )
        return VideoRate(Calibration(frame_rate_hz=Measured(1 / float(steps.mean()), "video", False)), times), (text,)
    # a rounded time stamp says little of one interval, and much of many
    rate = 1 / float(steps[~odd].mean())
    if played and abs(played / rate - 1) <= _LIMITS.agreement:
        rate = played
    count = np.rint(times * rate)
    if (np.abs(times - count / rate) > tick).any():
        return VideoRate(_rate(rate), times), interval_problems(steps, usual, None)
    if (np.diff(count) == 1).all():
        return VideoRate(_rate(rate), None), ()
    return VideoRate(_rate(rate), count / rate), interval_problems(np.diff(count) / rate, 1 / rate, None)


def _rate(value: float | None) -> Calibration:
    return Calibration(frame_rate_hz=frame_rate_from_tag(value, "video"))
