"""What frames spread over a range say together, gathered before the first answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sam2flow_core.config.inference import InferenceSettings
from sam2flow_core.inference.working_frames import WorkingFrames
from sam2flow_core.model.motion_statistics import MotionStatistics, halved_frames, smoothed
from sam2flow_core.model.strips import Window, strips
from sam2flow_core.stack import Shift, Stabiliser
from sam2flow_core.tracing.field_map import FieldMap

_MULTIPLE = 32
_SMOOTHED = 4
"""Rows beyond its own that a row of `smoothed` looks at, and one more."""
_STILL = Shift(0.0, 0.0, 1.0)


@dataclass
class RecordingSummary:
    """A range of a recording as it is known before its frames are answered one by one.

    Attributes
    ----------
    background, activity : Tensor (H, W)
        As `InputMaker` wants them.
    motion : list of Tensor (18, h, w)
        One, from `MotionStatistics`, of padded frames; none any more once the vessel field has been made of it.
    pairs : list of Tensor (2 P, h, w)
        One, of the first frames of some of the pairs and then the second ones, padded, at the same stride; none any
        more, as `motion`.
    padding : tuple of int
        As ``torch.nn.functional.pad`` wants it, to multiples of 32 px.
    stabiliser : dict
        State of a stabiliser that has seen the tissue and expects the first frame; empty without stabilisation.
    maps : list of FieldMap
        The vessel field, once it has been asked for.
    """

    background: Tensor
    activity: Tensor
    motion: list[Tensor]
    pairs: list[Tensor]
    padding: tuple[int, int, int, int]
    stabiliser: dict[str, NDArray[Any]]
    maps: list[FieldMap] = field(default_factory=list)


def aligned_frame(
    video: WorkingFrames, t: int, stabiliser: Stabiliser | None, shifts: dict[int, Shift]
) -> NDArray[np.float32]:
    """Return what frame ``t`` shows, (h, w) of its picture, in tissue coordinates; its shift is kept in ``shifts``."""
    frame = video.seen(t)
    if stabiliser is None:
        shifts[t] = _STILL
        return frame
    if t not in shifts:
        shifts[t] = stabiliser.register(frame)
    return stabiliser.align(frame, shifts[t])


def _that_moves(video: WorkingFrames, t: int, last: int, most: float, settings: InferenceSettings) -> tuple[int, float]:
    """The pair at ``t`` or, where a frame only repeats the one before, one soon after; and how much it changes.

    A frame is a repeat where it changes by little of the ``most`` that other pairs do.
    """
    found: list[tuple[float, int]] = []
    before = video.seen(t)[::2, ::2]
    for first in range(t, max(min(t + settings.pair_tries, last), t + 1)):
        after = video.seen(min(first + 1, last))[::2, ::2]
        found.append((float(np.abs(after - before).mean()), -first))
        if found[-1][0] > settings.repeated_change * most:
            break
        before = after
    change, first = max(found)
    return -first, change


def _spread(ranges: Sequence[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """First frames of pairs spread evenly over ranges, each with the last frame of its range."""
    pairs = np.concatenate([np.arange(a, max(b - 1, a + 1)) for a, b in ranges])
    lasts = np.concatenate([np.full(max(b - 1 - a, 1), b - 1) for a, b in ranges])
    chosen = np.unique(np.linspace(0, len(pairs) - 1, count).round().astype(int))
    return [(int(pairs[k]), int(lasts[k])) for k in chosen]


def _smooth_rows(frames: Tensor, rows: Window) -> Tensor:
    """Some rows of frames (T, H, W) after `smoothed`."""
    more = Window(rows.top - _SMOOTHED, rows.bottom + _SMOOTHED, rows.left, rows.right)
    there = more.within((int(frames.shape[-2]), int(frames.shape[-1])))
    return smoothed(there.of(frames))[:, rows.top - there.top :][:, : rows.bottom - rows.top]


class _KeptPairs:
    """Pairs, spread evenly over those that are looked at, in which the motion of clicked vessels is read later.

    Parameters
    ----------
    count : int
        Pairs that are looked at.
    pixels : int
        Of a frame: of large ones fewer are kept.
    settings : InferenceSettings
    """

    def __init__(self, count: int, pixels: int, settings: InferenceSettings) -> None:
        most = max(settings.kept_pixels // (2 * pixels), 1)
        wanted = min(settings.tracing.motion.pairs, most, count)
        self._chosen = set(np.linspace(0, count - 1, wanted).round().astype(int).tolist())
        self._pairs: list[Tensor] = []

    def add(self, number: int, frames: Tensor) -> None:
        """Keep a pair (2, H, W), if it is one of those."""
        if number in self._chosen:
            self._pairs.append(halved_frames(frames))

    def stacked(self) -> Tensor:
        """All first frames, then all second ones (2 P, H / 2, W / 2)."""
        return torch.stack(self._pairs, 1).flatten(0, 1) if self._pairs else torch.zeros(0, 1, 1)


def summarise_ranges(
    video: WorkingFrames,
    ranges: Sequence[tuple[int, int]],
    stabilise: bool,
    settings: InferenceSettings,
    device: torch.device,
) -> RecordingSummary:
    """Look at frames spread over some ranges.

    Parameters
    ----------
    video : WorkingFrames
    ranges : sequence of (int, int)
        First frame and end, ascending; the first one defines the tissue coordinates.
    stabilise : bool
        Take the frame's own motion out.
    settings : InferenceSettings
    device : torch.device
    """
    stabiliser = Stabiliser() if stabilise else None
    if stabiliser is not None:
        stabiliser.prime(video.seen(t) for t in range(*ranges[0]))

    shifts: dict[int, Shift] = {}  # in a short recording pairs overlap
    height, width = video.shape
    padding = (0, -width % _MULTIPLE, 0, -height % _MULTIPLE)
    firsts = _spread(ranges, max(settings.sampled_frames // 2, 1))
    total, level, square = (torch.zeros(height, width, dtype=torch.float64) for _ in range(3))
    motion = MotionStatistics()
    most = 0.0
    kept = _KeptPairs(len(firsts), (height + padding[3]) * (width + padding[1]), settings)
    for number, (place, last) in enumerate(firsts):
        t, change = _that_moves(video, place, last, most, settings)
        most = max(most, change)
        pair = [aligned_frame(video, f, stabiliser, shifts) for f in (t, min(t + 1, last))]
        frames = torch.from_numpy(np.stack(pair)).to(device)
        del pair
        for rows in strips((height, width)):
            soft = _smooth_rows(frames, rows).double().cpu()
            rows.of(total).add_(rows.of(frames).double().cpu().sum(0))
            rows.of(level).add_(soft.sum(0))
            rows.of(square).add_((soft**2).sum(0))
        both = F.pad(frames[:, None], padding, mode="replicate")
        motion.add(*both)
        kept.add(number, both[:, 0])
        del both
    del frames
    count = 2 * len(firsts)
    for sums in (total, level, square):
        sums.div_(count)
    spread = square.sub_(level.square_()).clamp_min_(0).sqrt_()
    state: dict[str, NDArray[Any]] = {}
    if stabiliser is not None:
        # It knows the tissue now; the frames are registered anew, each once, in order.
        stabiliser.rewind()
        state = stabiliser.get_state()
    background, activity = total.float().to(device), spread.float().to(device)
    del total, level, square, spread
    return RecordingSummary(background, activity, [motion.channels()], [kept.stacked()], padding, state)
