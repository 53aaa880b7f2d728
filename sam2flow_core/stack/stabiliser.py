"""Follow the tissue: register each frame against a running reference, undo its motion, sum frames to stills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.stack import StabiliserSettings
from sam2flow_core.errors import StackError
from sam2flow_core.stack.registration import (
    Correlator,
    Image,
    Look,
    Target,
    Tissue,
    View,
    binned,
    look,
    placed,
    translate,
)
from sam2flow_core.stack.stack import Stack

_Point = tuple[float, float]


@dataclass(frozen=True)
class Shift:
    """Where the tissue stands in one frame.

    Attributes
    ----------
    dy, dx : float
        Displacement in px against the first frame: what lies at (y, x) there lies at (y + dy, x + dx) here.
    quality : float
        0 = not seen, the last believed shift is repeated; 1 = certain.
    """

    dy: float
    dx: float
    quality: float


class Stabiliser:
    """Streaming whole-frame registration, sub-pixel, against a running mean of the aligned frames.

    Cells that flow blur out of the mean, so what is left to correlate with is the tissue. The reference
    stays in the coordinates of the first frame, so errors do not add up from frame to frame. A frame that
    shows nothing to hold on to repeats the last believed shift with quality 0.

    Parameters
    ----------
    settings : StabiliserSettings, optional

    Examples
    --------
    >>> stabiliser = Stabiliser()
    >>> stabiliser.prime(stack.frame(t) for t in range(len(stack)))  # doctest: +SKIP
    >>> for t in range(len(stack)):  # doctest: +SKIP
    ...     shift = stabiliser.register(stack.frame(t))
    """

    def __init__(self, settings: StabiliserSettings | None = None) -> None:
        self.settings = settings or StabiliserSettings()
        self._shape: tuple[int, int] | None = None
        self._standing = True
        # these are made when the first frame tells the size
        self._bin: int
        self._correlator: Correlator
        self._tissue: Tissue
        self._last: _Point
        self._origin: _Point

    def prime(self, frames: Iterable[NDArray[Any]]) -> None:
        """Build the reference from the first few frames, before `register` is called on those same frames.

        A single frame shows cells as clearly as tissue. The mean of the first frames does not: it is taken
        unaligned, then aligned to itself. Without this the first frame alone is the reference to begin with,
        and the first shifts are up to some tenths of a px less accurate.

        Parameters
        ----------
        frames : iterable of ndarray (Y, X)
            In order, from the first; only the first `prime_frames` are taken.
        """
        images, standing = [], _StandingPicture(self.settings)
        for frame in islice(frames, self.settings.prime_frames):  # not kept: large ones fill the memory
            images.append(self._image(frame))
            standing.add(frame)
        self._standing = standing.found()
        if not self._standing or not self._shows_tissue(images):
            return
        for image in images:
            self._tissue.add(image, (0.0, 0.0))
        for _ in range(2):
            self._tissue = self._aligned(images)
            self._last = (0.0, 0.0)
        if not self._tissue.empty:
            self._origin = self._last = self._locate(images[0], self._view())[0]

    def _shows_tissue(self, images: list[Look]) -> bool:
        """Whether two means that share no frame have something in common: noise has not."""
        if len(images) < 2:
            return False
        halves = [Tissue(self._correlator.shape, self.settings) for _ in range(2)]
        for t, image in enumerate(images):
            halves[t % 2].add(image, (0.0, 0.0))
        pairs = ([half.coarse for half in halves], [half.fine for half in halves])
        spectra = ([self._correlator.spectrum(part.weighted()) for part in pair] for pair in pairs)
        return any(self._correlator.displacement(a, b).height >= self.settings.detection for a, b in spectra)

    def _aligned(self, images: list[Look]) -> Tissue:
        """Mean of the frames aligned to the present reference; empty where most of them do not fit it."""
        aligned = Tissue(self._correlator.shape, self.settings)
        if self._tissue.empty:
            return aligned
        believed = 0
        view = self._view()
        for image in images:
            shift, height = self._locate(image, view)
            if height >= self.settings.detection:
                aligned.add(image, shift)
                self._last = shift
                believed += 1
        return aligned if 2 * believed > len(images) else Tissue(self._correlator.shape, self.settings)

    def register(self, frame: NDArray[Any]) -> Shift:
        """Find where the tissue stands in the next frame (Y, X) and add the frame to the reference.

        Raises
        ------
        StackError
            If the frame's size differs from that of the first one.
        """
        image = self._image(frame)
        if not self._standing:
            return Shift(0.0, 0.0, 0.0)
        if self._tissue.empty:
            self._tissue.add(image, (0.0, 0.0))
            return Shift(0.0, 0.0, 1.0)
        shift, height = self._locate(image, self._view())
        low, high = self.settings.detection, self.settings.certain
        if height >= low:
            self._last = shift
            self._tissue.add(image, shift)
        dy, dx = ((s - o) * self._bin for s, o in zip(self._last, self._origin, strict=True))
        return Shift(dy, dx, float(np.clip((height - low) / (high - low), 0, 1)))

    def rewind(self) -> None:
        """Expect the first frame next, keeping what has been learned of the tissue."""
        if self._shape is not None:
            self._last = self._origin

    def align(self, frame: NDArray[Any], shift: Shift) -> NDArray[np.float32]:
        """Return the frame (Y, X) as float32 in the coordinates of the first frame; edges are repeated."""
        if max(abs(shift.dy), abs(shift.dx)) < self.settings.smallest_shift_px:
            return np.array(frame, dtype=np.float32)
        return translate(frame, shift.dy, shift.dx)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Everything that `set_state` needs to go on exactly from here; empty before the first frame."""
        if self._shape is None:
            return {}
        own = {"shape": np.array(self._shape), "last": np.array(self._last), "origin": np.array(self._origin)}
        own["standing"] = np.array(self._standing)
        return own | self._tissue.arrays()

    def set_state(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from what `get_state` returned."""
        self._shape = None
        if state:
            self._begin((int(state["shape"][0]), int(state["shape"][1])))
            self._standing = bool(np.all(state.get("standing", True)))
            self._last = (float(state["last"][0]), float(state["last"][1]))
            self._origin = (float(state["origin"][0]), float(state["origin"][1]))
            self._tissue.restore(state)

    def _begin(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._bin = max(1, round(float(np.sqrt(shape[0] * shape[1] / self.settings.work_pixels))))
        work = (shape[0] // self._bin, shape[1] // self._bin)
        self._correlator = Correlator(work, self.settings)
        self._tissue = Tissue(work, self.settings)
        self._last = (0.0, 0.0)
        self._origin = (0.0, 0.0)

    def _image(self, frame: NDArray[Any]) -> Look:
        shape = (int(frame.shape[0]), int(frame.shape[1]))
        if self._shape is None:
            self._begin(shape)
        if shape != self._shape:
            raise StackError(
                "a frame of {shape} px among frames of {shape_2} px; all must have one size",
                shape=shape,
                shape_2=self._shape,
            )
        return look(binned(frame, self._bin), self.settings)

    def _view(self) -> View:
        return View(self._tissue, self._correlator)

    def _locate(self, frame: Look, view: View) -> tuple[_Point, float]:
        """Tissue position of a frame in binned px, and the height of its peak.

        The coarse look says where the tissue is and the fine one says it more exactly. Where they differ, the
        fine look hangs on something that is fixed to the camera, and the coarse one is right.
        """
        coarse, height = self._seek(view.coarse, frame.coarse, self._last)
        if height < self.settings.detection:
            return self._seek(view.fine, frame.fine, self._last)
        fine, fine_height = self._seek(view.fine, frame.fine, coarse, near_only=True)
        apart = max(abs(f - c) for f, c in zip(fine, coarse, strict=True))
        agreed = fine_height >= self.settings.detection and apart <= self.settings.agreement_px
        return (fine, max(height, fine_height)) if agreed else (coarse, height)

    def _seek(self, target: Target, image: Image, expected: _Point, near_only: bool = False) -> tuple[_Point, float]:
        base = target.base
        guess = (round(expected[0]), round(expected[1]))
        for _ in range(2):
            # the frame is first put where it is expected, so that both windows cover the same tissue
            there = placed(image, guess[0] - base[0], guess[1] - base[1])
            peak = self._correlator.displacement(target.spectrum, self._correlator.spectrum(there), near_only)
            found = (guess[0] + peak.dy, guess[1] + peak.dx)
            if max(abs(peak.dy), abs(peak.dx)) < self.settings.close_px or peak.height < self.settings.detection:
                break
            guess = (round(found[0]), round(found[1]))
        return found, peak.height


class _StandingPicture:
    """Whether frames share a standing picture; where it was taken off, only blood is left to hold on to."""

    def __init__(self, settings: StabiliserSettings) -> None:
        self._settings = settings
        self._count = 0
        self._total: NDArray[np.float64]
        self._square: NDArray[np.float64]

    def add(self, frame: NDArray[Any]) -> None:
        """Add a frame (Y, X)."""
        if not self._count:
            self._total, self._square = np.zeros(frame.shape), np.zeros(frame.shape)
        self._count += 1
        self._total += frame
        self._square += np.square(frame, dtype=float)

    def found(self) -> bool:
        """Whether there is one, as far as the frames tell; to be asked once, after the last."""
        if self._count < self._settings.enough_frames:
            return True
        mean, square = self._total, self._square
        mean /= self._count
        square /= self._count
        square -= mean**2
        change = float(square.mean())
        return float(mean.var()) > self._settings.by_chance * max(change, 0) / self._count


SAMPLES = 48
"""Pairs of frames that are looked at, all over the recording: more make no difference to the eye."""


@dataclass(frozen=True)
class Stills:
    """Pictures (Y, X) of float32.

    Attributes
    ----------
    mean : ndarray
        Mean of the frames as they were recorded.
    stabilised : ndarray
        Mean of the frames laid on the tissue of the first one: sharp where the tissue moves.
    activity : ndarray
        Mean change from one frame to the next, laid on the tissue likewise: bright where blood moves.
    """

    mean: NDArray[np.float32]
    stabilised: NDArray[np.float32]
    activity: NDArray[np.float32]


def still_pictures(stack: Stack, samples: int = SAMPLES) -> Stills:
    """Return the still pictures of a recording from some of its frames.

    Parameters
    ----------
    stack : Stack
    samples : int
        Pairs of frames to look at.

    Raises
    ------
    StackError
        If a frame cannot be read.
    """
    last = stack.shape[0] - 1
    chosen = np.unique(np.linspace(0, max(last - 1, 0), samples).astype(int))
    stabiliser = Stabiliser()
    stabiliser.prime(stack.frame(int(t)) for t in chosen)
    mean, stabilised, activity = (np.zeros(stack.shape[1:], np.float32) for _ in range(3))
    for t in chosen:
        now = stack.frame(int(t)).astype(np.float32)
        after = stack.frame(min(int(t) + 1, last)).astype(np.float32)
        shift = stabiliser.register(now)
        mean += now
        stabilised += translate(now, shift.dy, shift.dx)
        activity += translate(np.abs(after - now), shift.dy, shift.dx)
    return Stills(*((picture / len(chosen)).astype(np.float32) for picture in (mean, stabilised, activity)))
