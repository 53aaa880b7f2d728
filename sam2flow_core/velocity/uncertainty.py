"""How wrong the velocities may be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.velocity import SeriesSettings

Z95 = 1.96


def frame_standard_error(
    scale: NDArray[np.float64], round_trip: NDArray[np.float32], length_px: float, settings: SeriesSettings
) -> NDArray[np.float64]:
    """Return the standard error of each frame's lumen mean, px per frame, shape (T - 1,).

    The model's own doubt and the forward-backward error are added: each sees errors that the other does not. They are
    alike over `error_length_px` along the vessel: a vessel holds that many independent ones, however many pixels it
    has.

    Parameters
    ----------
    scale : ndarray, shape (T - 1,)
        The model's expected absolute error, lumen mean, px per frame.
    round_trip : ndarray, shape (T - 1,)
        Forward-backward error in px, NaN where it was not checked: there it is taken from the checks around.
    length_px : float
        Of the vessel.
    settings : SeriesSettings
    """
    independent = max(length_px / settings.error_length_px, 1.0)
    checked = np.flatnonzero(np.isfinite(round_trip))
    if len(checked):
        back = np.interp(np.arange(len(scale)), checked, round_trip[checked])
    else:
        back = settings.usual_round_trip * scale
    result: NDArray[np.float64] = (settings.scale_gain * scale + settings.round_trip_gain * back) / np.sqrt(independent)
    return result


def block_bootstrap(velocity: NDArray[np.float64], block: int, samples: int, generator: np.random.Generator) -> float:
    """Return the standard error of the mean over time by the moving-block bootstrap (Kunsch 1989), px per frame.

    Parameters
    ----------
    velocity : ndarray, shape (T,)
        NaN in gaps.
    block : int
        Frames; at least a heartbeat, since frames are autocorrelated.
    """
    values = velocity[np.isfinite(velocity)]
    block = int(np.clip(block, 1, max(len(values) // 3, 1)))
    if len(values) < 4:
        return float("nan")
    sums = np.convolve(values, np.ones(block), mode="valid")
    number = max(len(values) // block, 1)
    starts = generator.integers(0, len(sums), size=(samples, number))
    return float((sums[starts].sum(axis=1) / (number * block)).std())


def mean_standard_error(
    error_series: NDArray[np.float64],
    frame_error: NDArray[np.float64],
    method_difference_px: float,
    kymograph_px: float,
    settings: SeriesSettings,
    spacing: float = 1.0,
) -> float:
    """Return the standard error of the mean velocity over the recorded frames, px per frame, without calibration.

    In quadrature: the block bootstrap over time of what is error and not heartbeat, the error of the frames, and half
    the distance to the space-time diagram, where there is one. Measured against truth, what the model gets wrong in a
    vessel it gets wrong in every frame: its scale does not shrink with the length of the recording. The heartbeat
    itself is no error: the interval speaks of this recording, not of the next one.

    The diagram shares no code with the flow. Where it can be read and agrees, the flow is hardly further from the truth
    than the two are from each other and the diagram is by itself, whatever the model fears: the two variances are
    combined as those of independent measurements.

    Parameters
    ----------
    error_series : ndarray, shape (T,)
        Flow less a second view of the same velocity: the space-time diagram or, without one, the smoothed flow.
    frame_error : ndarray, shape (T,)
        From `frame_standard_error`; NaN in gaps.
    method_difference_px : float
        px per frame; NaN where the diagram says nothing.
    kymograph_px : float
        Mean velocity by the diagram, px per frame.
    settings : SeriesSettings
    spacing : float
        Frames from one answered pair to the next.
    """
    if np.isfinite(frame_error).sum() < 4:
        return float("nan")
    block = max(round(settings.error_frames / spacing), 1)
    generator = np.random.default_rng(settings.seed)
    sampling = np.nan_to_num(block_bootstrap(error_series, block, settings.bootstrap_samples, generator))
    model = float(np.sqrt(np.nanmean(frame_error**2)))
    if not np.isfinite(method_difference_px):
        return float(np.hypot(sampling, model))
    diagram = float(np.hypot(settings.diagram_error * kymograph_px, method_difference_px))
    model *= diagram / max(float(np.hypot(model, diagram)), 1e-12)
    return float(np.sqrt(sampling**2 + model**2 + (0.5 * method_difference_px) ** 2))


def calibration_error(settings: SeriesSettings) -> float:
    """Return the relative standard error of um/s per px per frame."""
    return float(np.hypot(settings.pixel_size_error, settings.frame_rate_error))
