"""A look at a few frames when a recording is opened, and where in them the picture is.

Black or grey margins, a time stamp, a scale bar and corners that show nothing are no tissue, but they would decide
every mean and spread over the field. They are found by what no lens can draw: pixels that never change, and steps as
high as the picture's whole range from one pixel to the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sam2flow_core.config.stack import PictureSettings, SamplingSettings
from sam2flow_core.errors import StackError
from sam2flow_core.messages import Message
from sam2flow_core.stack.sources import FrameSource

Box = tuple[int, int, int, int]
_Image = NDArray[np.float32]
_WORTH_SAYING = 0.002
"""Share of the picture."""


@dataclass(frozen=True, eq=False)
class Picture:
    """The part of the frames that shows something.

    Attributes
    ----------
    box : tuple of int
        ``(top, left, bottom, right)`` px of the recorded frame, the last two not included.
    covered : ndarray of bool, shape (h, w), or None
        Of the box: what shows no tissue.
    mirrored : ndarray of int, shape (C,), or None
        Flat indices into the box of the pixels that are shown instead of covered ones: of the same frame, beyond the
        nearest edge. So they have its noise; a hole in which nothing changes would be like no tissue, and shift what a
        network makes of the rest.
    problems : tuple of str
        In words, for the user.
    """

    box: Box
    covered: NDArray[np.bool_] | None = None
    mirrored: NDArray[np.int64] | None = None
    problems: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """``(h, w)`` of the box."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    @property
    def origin(self) -> tuple[int, int]:
        """``(y, x)`` of the box's first pixel in the recorded frame."""
        return self.box[0], self.box[1]

    def inside(self, y: float, x: float) -> bool:
        """Whether a place of the recorded frame lies in the box."""
        top, left, bottom, right = self.box
        return top - 0.5 <= y < bottom - 0.5 and left - 0.5 <= x < right - 0.5

    def cut(self, frame: NDArray[Any]) -> _Image:
        """The picture (h, w) of a recorded frame (Y, X), what covers it replaced by what is beside it."""
        top, left, bottom, right = self.box
        image = np.array(frame[top:bottom, left:right], np.float32)
        if self.covered is not None and self.mirrored is not None:
            image[self.covered] = image.ravel()[self.mirrored]
        return image

    def laid_out(self, image: NDArray[Any], shape: tuple[int, int], outside: float = 0) -> NDArray[Any]:
        """An image (h, w) of the box in a frame (Y, X)."""
        if image.shape == shape:
            return image
        out = np.full(shape, outside, image.dtype)
        out[self.box[0] : self.box[2], self.box[1] : self.box[3]] = image
        return out


class PictureFinder:
    """Gathers a few frames spread over a recording; memory does not grow with their number."""

    def __init__(self, settings: PictureSettings | None = None) -> None:
        self.settings = settings or PictureSettings()
        self._count = 0
        self._low: NDArray[Any]
        self._high: NDArray[Any]
        self._total: _Image
        self._drawn: NDArray[np.uint8]

    def add(self, frame: NDArray[Any]) -> None:
        """Add a frame (Y, X)."""
        drawn = _drawn(frame, self.settings)
        if not self._count:
            self._low, self._high = frame.copy(), frame.copy()
            self._total, self._drawn = np.zeros(frame.shape, np.float32), np.zeros(frame.shape, np.uint8)
        np.minimum(self._low, frame, out=self._low)
        np.maximum(self._high, frame, out=self._high)
        self._total += frame
        self._drawn += drawn
        self._count += 1

    def find(self) -> Picture:
        """Say where the picture is."""
        shape = self._total.shape
        whole: Box = (0, 0, shape[0], shape[1])
        mean = self._total / np.float32(self._count)
        change = self._high.astype(np.float32) - self._low.astype(np.float32)
        alive = change[change > 0]
        if not len(alive) or self._count < self.settings.least_frames:
            return Picture(whole)
        usual = float(np.median(alive))
        often = self._drawn >= max(self.settings.often * self._count, 2)
        often &= self._count >= self.settings.enough_frames
        written = _written(often, self.settings)
        blank = _blank(mean, change, self.settings.dead * usual)
        dark = _dark_or_bright(blank, written, mean, change, usual, self.settings)
        box = _box(blank | written | dark, self.settings)
        inside = np.s_[box[0] : box[2], box[1] : box[3]]
        # The edge of a margin is as sharp as a stroke.
        rims = [(2 * (box[0] > 0), 2 * (box[2] < shape[0])), (2 * (box[1] > 0), 2 * (box[3] < shape[1]))]
        rows, columns = (slice(low, size - high) for (low, high), size in zip(rims, often[inside].shape, strict=True))
        strokes = np.zeros_like(often[inside])
        strokes[rows, columns] = often[inside][rows, columns]
        written = _written(strokes, self.settings)
        covered = written | ndimage.binary_dilation(dark[inside], np.ones((5, 5), bool))
        if covered.mean() > self.settings.most_covered:
            covered = np.zeros_like(covered)
        problems = _problems(box, shape, written & covered, covered)
        if not covered.any():
            return Picture(box, problems=problems)
        return Picture(box, covered, _mirrored(covered), problems)


def _drawn(frame: NDArray[Any], settings: PictureSettings) -> NDArray[np.bool_]:
    """Pixels of strokes that were drawn and not seen: even, and cut off from one pixel to the next."""
    image = np.asarray(frame, np.float32)
    every = max(1, max(image.shape) // 256)
    low, high = np.percentile(image[::every, ::every], (5, 95))
    least = settings.step * max(float(high - low), 1e-6 * float(np.ptp(image)))
    if np.ptp(image) < least or not least > 0:
        return np.zeros(image.shape, bool)
    down, across = np.abs(np.diff(image, axis=0)), np.abs(np.diff(image, axis=1))
    steep = np.zeros(image.shape, bool)
    for cut, axis in ((down >= least, 0), (across >= least, 1)):
        ends = [(1, 0), (0, 1)]
        steep |= np.pad(cut, [ends[0] if axis == 0 else (0, 0), ends[0] if axis == 1 else (0, 0)])
        steep |= np.pad(cut, [ends[1] if axis == 0 else (0, 0), ends[1] if axis == 1 else (0, 0)])
    if not steep.any():
        return steep
    same = np.zeros(image.shape, np.uint8)
    tolerance = settings.even * least
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if dy or dx:
                same += np.abs(image - np.roll(image, (dy, dx), (0, 1))) <= tolerance
    return steep & (same >= 2)


def _written(strokes: NDArray[np.bool_], settings: PictureSettings) -> NDArray[np.bool_]:
    """Rectangles around groups of strokes."""
    out = np.zeros(strokes.shape, bool)
    if not strokes.any():
        return out
    reach = settings.letter_px
    groups, count = ndimage.label(ndimage.binary_dilation(strokes, np.ones((reach, reach), bool)))
    numbers = ndimage.sum_labels(strokes, groups, np.arange(1, count + 1))
    for number, place in zip(numbers, ndimage.find_objects(groups), strict=True):
        if number >= settings.least_strokes and place is not None:
            high, wide = (part.stop - part.start - 2 * (reach // 2) for part in place)
            # Figures that were not seen to change go on along the line.
            line = max(high, wide) >= 2 * min(high, wide) and min(high, wide) <= settings.letter_high_px
            further = round(0.6 * min(high, wide)) if line else 0
            rims = (settings.rim_px + further * (high > wide), settings.rim_px + further * (wide > high))
            rows, columns = (
                slice(max(part.start + reach // 2 - rim, 0), part.stop - reach // 2 + rim)
                for part, rim in zip(place, rims, strict=True)
            )
            out[rows, columns] = True
    return out


def _blank(mean: _Image, change: _Image, least: float) -> NDArray[np.bool_]:
    """Pixels that never change and look like their neighbours."""
    down, across = (np.abs(np.diff(mean, axis=axis)) <= least for axis in (0, 1))
    above, below = (np.pad(down, (ends, (0, 0)), constant_values=True) for ends in ((1, 0), (0, 1)))
    left, right = (np.pad(across, ((0, 0), ends), constant_values=True) for ends in ((1, 0), (0, 1)))
    return np.asarray((change <= least) & ((above & left) | (below & right)))


def _box(nothing: NDArray[np.bool_], settings: PictureSettings) -> Box:
    """The frame without the rows and columns at its sides that show nothing; its whole where no edge is sharp."""
    top, left, bottom, right = 0, 0, *nothing.shape
    for _ in range(2):
        top, bottom = _ends(nothing[:, left:right].mean(axis=1), settings)
        left, right = _ends(nothing[top:bottom].mean(axis=0), settings)
    return top, left, bottom, right


def _ends(empty: NDArray[np.float64], settings: PictureSettings) -> tuple[int, int]:
    """First and last (not included) line that shows something, by the share of each that is empty."""
    shown = np.flatnonzero(empty < settings.empty)
    if not len(shown):
        return 0, len(empty)
    first, last = int(shown[0]), int(shown[-1]) + 1
    # A margin ends at once. Where fewer and fewer pixels change, tissue is dark or without noise.
    if first < settings.least_margin_px or empty[min(first + 1, len(empty) - 1)] > settings.begun:
        first = 0
    if len(empty) - last < settings.least_margin_px or empty[max(last - 2, 0)] > settings.begun:
        last = len(empty)
    return (first, last) if last - first >= settings.least_side_px else (0, len(empty))


def _dark_or_bright(
    blank: NDArray[np.bool_],
    written: NDArray[np.bool_],
    mean: _Image,
    change: _Image,
    usual: float,
    settings: PictureSettings,
) -> NDArray[np.bool_]:
    """Areas outside the lens, or overexposed: at the end of the range, even, and as good as still."""
    out = np.zeros(mean.shape, bool)
    least = settings.quiet * usual
    around = ndimage.uniform_filter(change, 5)
    still, noisy = around <= least, around <= usual
    seen = mean[~noisy & ~written]
    if not len(seen):
        return out
    low, dim, bright, high = np.percentile(seen, (1, 5, 95, 99))
    smooth = np.abs(mean - ndimage.uniform_filter(mean, 5)) <= least
    far = 0.5 * (bright - dim)  # so far outside that noise alone does not make a picture of it
    below, above, ends = mean < low, mean > high, (mean == mean.min()) | (mean == mean.max())
    found = ((below & still), (above & still), (mean < low - far) & noisy, (mean > high + far) & noisy, ends & still)
    for extreme, kind in zip(found, (below, above, below, above, ends), strict=True):
        areas = ndimage.binary_opening(extreme & (smooth | blank), np.ones((5, 5), bool))
        groups, count = ndimage.label(areas)
        sizes = np.bincount(groups.ravel(), minlength=count + 1)
        sizes[0] = 0
        large = (sizes >= max(settings.least_area * mean.size, 64))[groups]
        out |= ndimage.binary_dilation(large, iterations=3, mask=kind) if large.any() else large
    return out


def _mirrored(covered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Flat indices of what is put in the place of covered pixels: what lies as far beyond the nearest edge."""
    nearest = ndimage.distance_transform_edt(covered, return_distances=False, return_indices=True)
    places = np.argwhere(covered)
    edge = nearest[:, covered].T
    beyond = np.clip(2 * edge - places, 0, np.array(covered.shape) - 1)
    taken = np.where(covered[tuple(beyond.T)][:, None], edge, beyond)
    return np.asarray(np.ravel_multi_index(tuple(taken.T), covered.shape), np.int64)


def _problems(
    box: Box, shape: tuple[int, ...], written: NDArray[np.bool_], covered: NDArray[np.bool_]
) -> tuple[str, ...]:
    said: list[str] = []
    above, below, left, right = box[0], shape[0] - box[2], box[1], shape[1] - box[3]
    sides = (
        Message("{px} px above", px=above),
        Message("{px} px below", px=below),
        Message("{px} px left", px=left),
        Message("{px} px right", px=right),
    )
    wide = [side for side in sides if side.values["px"]]
    if wide:
        all_of_them = reduce(lambda one, other: Message("{one}, {other}", one=one, other=other), wide)
        said.append(Message("margins that show nothing are left out: {sides}", sides=all_of_them))
    for place in ndimage.find_objects(ndimage.label(written)[0]):
        (top, bottom), (left, right) = ((p.start + o, p.stop + o - 1) for p, o in zip(place, box[:2], strict=True))
        said.append(
            Message(
                "something covers rows {top} to {bottom}, columns {left} to {right}: it is left out "
                "(a time stamp, a scale bar, an overexposed spot)",
                top=top,
                bottom=bottom,
                left=left,
                right=right,
            )
        )
    empty = covered & ~written
    if empty.mean() > _WORTH_SAYING:
        share = empty.mean()
        said.append(
            Message("{share:.1%} of the picture shows nothing, dark or overexposed, and is left out", share=share)
        )
    return tuple(said)


@dataclass(frozen=True)
class Inspection:
    """What a few frames tell of a recording.

    Attributes
    ----------
    bit_depth : int
    contrast_limits : tuple of float
    problems : tuple of str
    picture : Picture
        The part of the frames that shows something.
    """

    bit_depth: int
    contrast_limits: tuple[float, float]
    problems: tuple[str, ...]
    picture: Picture


def inspect_frames(source: FrameSource, name: str, settings: SamplingSettings | None = None) -> Inspection:
    """Look at pairs of consecutive frames spread over the recording.

    Raises
    ------
    StackError
        If the pictures are too small, hold NaN or infinite pixels, or such as cannot be counted with, show nothing, or
        are no numbers.
    """
    settings = settings or SamplingSettings()
    _check_kind(source, name, settings)
    seen = _look(source, name, settings)
    if seen.low == seen.high:
        raise StackError(
            "{name}: every pixel looked at is {low:g}: there is no picture in this recording", name=name, low=seen.low
        )
    largest, spread = max(abs(seen.low), abs(seen.high)), seen.high - seen.low
    if largest > settings.largest or spread < settings.least_spread:
        raise StackError(
            "{name}: pixels from {low:g} to {high:g} cannot be counted with; multiply them so that they lie between 0 "
            "and 65535, and save the recording again",
            name=name,
            low=seen.low,
            high=seen.high,
        )
    bits, bit_problems = _bit_depth(seen, source)
    picture = seen.finder.find()
    problems = source.calibration.problems + bit_problems + _repeat_problems(seen) + picture.problems
    return Inspection(bits, _limits(seen, settings), problems, picture)


@dataclass
class _Seen:
    """What the frames looked at have in common; pixels are kept of every few rows and columns only."""

    low: float = math.inf
    high: float = -math.inf
    low_bits: int = 0
    pairs: int = 0
    repeated: list[int] = field(default_factory=list)
    thinned: list[NDArray[Any]] = field(default_factory=list)
    finder: PictureFinder = field(default_factory=PictureFinder)


def _look(source: FrameSource, name: str, settings: SamplingSettings) -> _Seen:
    seen = _Seen()
    step = max(1, max(source.shape[1:]) // settings.thinned_side_px)
    last = -1
    for t in (int(t) for t in np.unique(np.linspace(0, source.shape[0] - 2, settings.places).astype(int))):
        frame, following = source.read(t), source.read(t + 1)
        require_finite(frame, t, name)
        require_finite(following, t + 1, name)
        seen.low, seen.high = min(seen.low, float(frame.min())), max(seen.high, float(frame.max()))
        if frame.dtype.kind == "u":
            seen.low_bits |= int(np.bitwise_or.reduce(frame, axis=None)) & 15
        seen.pairs += 1
        for number, picture in ((t, frame), (t + 1, following)):
            if number > last:  # in a short recording pairs overlap
                seen.finder.add(picture)
        last = t + 1
        seen.repeated += [t] * bool(np.array_equal(frame, following))
        seen.thinned.append(frame[::step, ::step])
    return seen


def require_finite(frame: NDArray[Any], t: int, name: str) -> None:
    """Raise `StackError` where frame ``t`` holds NaN or infinite pixels."""
    if frame.dtype.kind != "f" or np.isfinite(frame).all():
        return
    bad = int(np.count_nonzero(~np.isfinite(frame)))
    raise StackError(
        "{name}: frame {t} holds {bad} NaN or infinite pixels; replace them by numbers first", name=name, t=t, bad=bad
    )


def _check_kind(source: FrameSource, name: str, settings: SamplingSettings) -> None:
    if source.dtype.kind not in "uif" or source.dtype.itemsize > 8:
        raise StackError(
            "{name}: pixels of type {dtype}; save the recording as 8, 16 or 32 bit greyscale",
            name=name,
            dtype=source.dtype,
        )
    if min(source.shape[1:]) < settings.minimum_side_px:
        raise StackError(
            "{name}: frames of {height} x {width} px are too small; at least {minimum_side_px} px a side are "
            "needed (are the axes right?)",
            name=name,
            height=source.shape[1],
            width=source.shape[2],
            minimum_side_px=settings.minimum_side_px,
        )


def _bit_depth(seen: _Seen, source: FrameSource) -> tuple[int, tuple[str, ...]]:
    """Bits in use: as declared, or the smallest camera depth that holds the brightest pixel."""
    stored = source.dtype.itemsize * 8
    if source.declared_bits is not None:
        return min(source.declared_bits, stored), ()
    if source.dtype.kind == "f" or stored != 16 or seen.low < 0:
        return stored, ()
    if source.dtype.kind == "u" and not seen.low_bits:
        return 12, ("pixel values are multiples of 16: 12-bit data shifted up in 16 bits",)
    return next(bits for bits in (8, 10, 12, 14, 16) if seen.high < 2**bits), ()


def _limits(seen: _Seen, settings: SamplingSettings) -> tuple[float, float]:
    low, high = (float(v) for v in np.percentile(np.stack(seen.thinned), settings.contrast_percentiles))
    return (low, high) if low < high else (seen.low, seen.high)


def _repeat_problems(seen: _Seen) -> tuple[str, ...]:
    if not seen.repeated:
        return ()
    t = seen.repeated[0]
    return (
        Message(
            "{repeated} of {pairs} frame pairs looked at are identical (first: {first} and {second})",
            repeated=len(seen.repeated),
            pairs=seen.pairs,
            first=t,
            second=t + 1,
        ),
    )
