"""Forward-backward error: who goes with the flow to the next frame, and with the flow back again, should be back.

The way back is answered from the same frames in the other order, without the
memory of the way there, so that it is a second opinion and not an echo. It
costs what some pairs cost, so that only a few pairs of a recording are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from torch import Tensor

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.inference.heap import give_back
from sam2flow_core.model.cost_volume import pairs_around
from sam2flow_core.model.flow_net import CellLayout, FlowAnswer, FlowNet
from sam2flow_core.model.memory_bank import MemoryEntry


def answer_back(
    net: FlowNet,
    layout: CellLayout,
    features: Callable[[int], Tensor],
    contrast: Callable[[int], Tensor],
    times: Collection[int],
    t: int,
    context: Tensor,
    updates: int | None = None,
) -> FlowAnswer:
    """Flow of the vessels from time ``t + 1`` back to ``t``, in steps.

    Parameters
    ----------
    net : FlowNet
    layout : CellLayout
    features : callable
        Time to the matching features (1, D, rows, columns) of its frame.
    contrast : callable
        Time to how much moves around each cell (N,) there.
    times : collection of int
        At which there is a frame.
    t : int
    context : Tensor (1, d_model, h, w)
    updates : int, optional
        As `PairSettings` has them.
    """
    pair = -(t + 1)  # backwards in time, what was at f comes at -f
    volumes, weights = _volumes_back(net, layout, features, contrast, times, pair)
    cost_volume = net.cost_volume(volumes, pair, layout, causal=False, contrast=weights)
    del volumes  # of many vessels they are hundreds of megabytes, and what follows takes as much again
    give_back()
    nothing: list[list[MemoryEntry]] = [[] for _ in range(layout.vessels)]
    result: FlowAnswer = net(features(t + 1), features(t), cost_volume, context, layout, nothing, pair, updates)
    return result


def round_trip_error(
    there: NDArray[np.float32],
    back: NDArray[np.float32],
    mask: NDArray[np.bool_],
    inside: float = InferenceSettings.round_trip_inside,
    fewest: int = InferenceSettings.round_trip_pixels,
) -> float:
    """Median distance in px between where a pixel of the mask begins and where it comes back to.

    Parameters
    ----------
    there, back : ndarray, shape (2, h, w)
        ``(dx, dy)`` px from a frame to the next, and from there to the first.
    mask : ndarray of bool, shape (h, w)
    inside, fewest
        ``round_trip_inside`` and ``round_trip_pixels`` of `InferenceSettings`.

    Returns
    -------
    float
        NaN where too few pixels stay in the mask.
    """
    y, x = np.nonzero(mask)
    dx, dy = there[:, y, x]
    target = np.stack([y + dy, x + dx])
    weight = map_coordinates(mask.astype(np.float32), target, order=1)
    stays = weight > inside
    if stays.sum() < fewest:
        return float("nan")
    home = [map_coordinates(part * mask, target[:, stays], order=1) / weight[stays] for part in back]
    return float(np.median(np.hypot(dx[stays] + home[0], dy[stays] + home[1])))


def _volumes_back(
    net: FlowNet,
    layout: CellLayout,
    features: Callable[[int], Tensor],
    contrast: Callable[[int], Tensor],
    times: Collection[int],
    pair: int,
) -> tuple[Mapping[tuple[int, int], Tensor], Mapping[int, Tensor]]:
    """Correlations around a pair, backwards in time, with no more frames at hand than the longest lag spans.

    And the contrast of their first frames.
    """
    lags, window = net.config.match.lags, max(net.config.match.windows)
    wanted = pairs_around(pair, {-time for time in times}, lags, window, causal=False)
    volumes: dict[tuple[int, int], Tensor] = {}
    at_hand: dict[int, Tensor] = {}
    weights: dict[int, Tensor] = {}
    first, last = min(-k - lags[row] for row, k in wanted), max(-k for _, k in wanted)
    for time in range(first, last + 1):
        if time in times:
            at_hand[-time], weights[-time] = features(time), contrast(time)
        for row, lag in enumerate(lags):
            if (row, -time) in wanted and lag - time in at_hand:
                volumes[row, -time] = net.correlation(at_hand, row, -time, layout)
        at_hand.pop(max(lags) - time, None)
    return volumes, weights
