"""A film of a run: the recording with masks in the colours of speed, numbers, scale bar and time, as MP4 or GIF."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sam2flow_core.errors import OutputError
from sam2flow_core.files import whole_file
from sam2flow_core.results import Results
from sam2flow_core.stack import Stack
from sam2flow_core.stack.plan import begins_of, held_pair

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

_ENDINGS = (".mp4", ".gif")
_SMALLEST_SIDE = 480
"""Smaller pictures are enlarged by a whole number: words have to be read."""
_STRIP_PX = 28
_OPACITY = 0.45
_SPEED_PERCENTILE = 98
_SAMPLED_FRAMES = 8
_BARS_UM = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class FilmChoices:
    """What of a run is filmed, and how fast.

    Attributes
    ----------
    start, stop : int
        Frames of the recording, `stop` not included; ``stop = 0`` is the end of the run. Those between the ranges of a
        run, or the places of a quick look, are left out.
    every : int
        Of so many frames one is shown.
    frames_per_second : float
        Of the film.
    overlays : bool
        Whether masks, speed and numbers are drawn.
    """

    start: int = 0
    stop: int = 0
    every: int = 1
    frames_per_second: float = 20.0
    overlays: bool = True


def write_film(
    path: Path, stack: Stack, results: Results, choices: FilmChoices
) -> Generator[tuple[int, int], None, None]:
    """Write a film, whole or not at all; closing the generator leaves no file.

    Parameters
    ----------
    path : Path
        Ends in ``.mp4`` or ``.gif``.
    stack : Stack
        The recording.
    results : Results
        Of the run.
    choices : FilmChoices

    Yields
    ------
    done, total : int
        Frames.

    Raises
    ------
    OutputError
        If the ending is another, no frame is chosen, or it cannot be written.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise OutputError("{path}: films are written as .mp4 or .gif; choose one of these endings", path=path)
    stop = choices.stop or results.header.stop
    finished = results.frames
    frames = finished[(finished >= choices.start) & (finished < stop)][:: max(choices.every, 1)].tolist()
    if not frames:
        raise OutputError(
            "no frame of the run lies in {start} to {end}: choose other frames", start=choices.start, end=stop - 1
        )
    painter = _Painter(stack, results, frames, choices.overlays)
    with whole_file(path) as part:
        yield from _encode(part, path.suffix.lower(), painter, frames, choices.frames_per_second)


def _encode(
    part: Path, ending: str, painter: _Painter, frames: list[int], rate: float
) -> Generator[tuple[int, int], None, None]:
    import av

    with av.open(str(part), "w", format=ending[1:]) as container:
        film = ending == ".mp4"
        codec, layout = ("libx264", "yuv420p") if film else ("gif", "pal8")
        stream: Any = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1000))
        stream.height, stream.width = painter.size
        stream.pix_fmt = layout
        if film:
            stream.options = {"crf": "18"}
        palette = None if film else _palette(painter.picture(frames[len(frames) // 2]))
        for done, t in enumerate(frames, start=1):
            rgb = painter.picture(t)
            if palette is None:
                picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            else:
                picture = av.VideoFrame.from_ndarray(_in_colours(rgb, palette), format="pal8")  # type: ignore[arg-type]
            for packet in stream.encode(picture):
                container.mux(packet)
            yield done, len(frames)
        for packet in stream.encode():
            container.mux(packet)


def _palette(rgb: NDArray[np.uint8]) -> Image:
    """Return a picture with the 256 colours that suit a frame, which the film as a whole is drawn in."""
    from PIL import Image

    return Image.fromarray(rgb).quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _in_colours(rgb: NDArray[np.uint8], palette: Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a frame as places in a palette, and the palette as opacity, red, green, blue, as GIF wants them."""
    from PIL import Image

    places = np.asarray(Image.fromarray(rgb).quantize(palette=palette, dither=Image.Dither.NONE))
    colours = np.frombuffer(bytes(palette.getpalette() or []), np.uint8).reshape(-1, 3)
    table = np.full((256, 4), 255, np.uint8)
    table[: len(colours), 1:] = colours
    return np.ascontiguousarray(places), table


class _Painter:
    """Draws frames of a run."""

    def __init__(self, stack: Stack, results: Results, frames: list[int], overlays: bool) -> None:
        self._stack, self._results, self._overlays = stack, results, overlays
        height, width = stack.shape[1:]
        self._times = max(1, -(-_SMALLEST_SIDE // min(height, width)))
        # Even sides, as the codec wants them.
        rows, columns = height * self._times + _STRIP_PX, width * self._times
        self.size = (rows + rows % 2, columns + columns % 2)
        self._low, self._high = stack.contrast_limits()
        self._pixel_um = _usable(results, "pixel_size_um")
        self._rate_hz = _usable(results, "frame_rate_hz")
        factor = self._pixel_um * self._rate_hz if self._pixel_um and self._rate_hz else 1.0
        self._unit = "um/s" if self._pixel_um and self._rate_hz else "px/frame"
        self._factor = factor
        self._pairs, self._begins = results.pairs.tolist(), begins_of(results.frames).tolist()
        self._shifts = dict(zip(results.frames.tolist(), results.shifts, strict=True))
        self._limit = self._speed_limit(frames)
        self._colours = _colours()

    def picture(self, t: int) -> NDArray[np.uint8]:
        """Return a frame, shape (rows, columns, 3)."""
        from PIL import Image, ImageDraw

        grey = self._stack.frame(t).astype(np.float32)
        grey = np.clip((grey - self._low) / max(self._high - self._low, 1e-9), 0, 1)
        rgb = np.repeat((255 * grey)[..., None], 3, axis=-1)
        labels = np.asarray(self._results.labels[t])
        if self._overlays:
            inside = labels > 0
            rgb[inside] = (1 - _OPACITY) * rgb[inside] + _OPACITY * self._painted(t, inside)
        enlarged = np.repeat(np.repeat(rgb, self._times, axis=0), self._times, axis=1).astype(np.uint8)
        whole = np.zeros((*self.size, 3), np.uint8)
        whole[: enlarged.shape[0], : enlarged.shape[1]] = enlarged
        image = Image.fromarray(whole)
        draw = ImageDraw.Draw(image)
        if self._overlays:
            self._write_numbers(draw, labels)
        self._write_strip(draw, t)
        return np.asarray(image)

    def _painted(self, t: int, inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the colours of speed of the pixels inside vessels, shape (P, 3); white where nothing was answered."""
        speed = self._speed(t)[inside]
        known = np.isfinite(speed)
        painted = np.full((len(speed), 3), 255, np.float32)
        painted[known] = self._colours[np.clip(255 * speed[known] / self._limit, 0, 255).astype(int)]
        return painted

    def _speed(self, t: int) -> NDArray[np.float32]:
        """Return speed in px per frame, shape (Y, X), NaN where there is none: that of the pair shown in frame `t`."""
        shown = held_pair(t, self._pairs, self._begins)
        if shown is None:
            return np.full(self._stack.shape[1:], np.nan, np.float32)
        speed: NDArray[np.float32] = np.hypot(*np.asarray(self._results.flow[shown]).astype(np.float32))
        speed[np.asarray(self._results.labels[shown]) == 0] = np.nan
        if shown != t:  # an answer that is held moves along with the tissue
            dy, dx = np.rint(self._shifts[t] - self._shifts[shown]).astype(int)
            speed = np.roll(speed, (dy, dx), (0, 1))
        return speed

    def _speed_limit(self, frames: list[int]) -> float:
        """Return the speed of the last colour, from some of the pairs that the film shows."""
        shown = sorted({pair for t in frames if (pair := held_pair(t, self._pairs, self._begins)) is not None})
        speeds = [self._speed(t) for t in shown[:: max(1, len(shown) // _SAMPLED_FRAMES)]]
        moving = [speed[np.isfinite(speed) & (speed > 0)] for speed in speeds]
        found = np.concatenate(moving) if moving else np.zeros(0)
        return float(np.percentile(found, _SPEED_PERCENTILE)) if found.size else 1.0

    def _write_numbers(self, draw: ImageDraw, labels: NDArray[np.uint16]) -> None:
        for vessel in np.unique(labels[labels > 0]):
            inside = np.argwhere(labels == vessel)
            y, x = inside[np.argmin(((inside - inside.mean(axis=0)) ** 2).sum(axis=1))] * self._times
            draw.text((x, y), str(vessel), fill="white", stroke_fill="black", stroke_width=2, anchor="mm", font_size=18)

    def _write_strip(self, draw: ImageDraw, t: int) -> None:
        """Write time, scale bar and the colours of speed below the picture, where they cover nothing."""
        top = self._stack.shape[1] * self._times
        middle, right = top + _STRIP_PX // 2, self.size[1] - 8
        time = f"{t / self._rate_hz:.2f} s" if self._rate_hz else f"frame {t}"
        draw.text((8, middle), time, fill="white", anchor="lm", font_size=14)
        if self._overlays:
            left = 100
            for step, colour in enumerate(self._colours[::4]):
                draw.line((left + step, middle - 5, left + step, middle + 5), fill=tuple(int(c) for c in colour))
            words = f"0 to {self._limit * self._factor:.3g} {self._unit}"
            draw.text((left + 72, middle), words, fill="white", anchor="lm", font_size=12)
        if self._pixel_um:
            px_per_um = self._times / self._pixel_um
            bar = max((um for um in _BARS_UM if um * px_per_um <= self.size[1] / 5), default=_BARS_UM[0])
            draw.line((right - bar * px_per_um, middle + 7, right, middle + 7), fill="white", width=3)
            draw.text((right, middle - 4), f"{bar} um", fill="white", anchor="rm", font_size=12)


def _colours() -> NDArray[np.float32]:
    """Return the colours of speed, slow to fast, shape (256, 3), as the window shows them."""
    from matplotlib import colormaps

    return (255 * colormaps["viridis"](np.linspace(0.1, 1, 256))[:, :3]).astype(np.float32)


def _usable(results: Results, name: str) -> float | None:
    measured = results.header.calibration.get(name)
    return measured["value"] if measured and measured.get("plausible") else None
