"""Frames of a video file (AVI, MP4 and their relatives), each by its own number, and their rate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from sam2flow_core.config.stack import CalibrationLimits, VideoSettings
from sam2flow_core.errors import StackError
from sam2flow_core.messages import Message
from sam2flow_core.stack.brightness import grey, is_coloured, rgb
from sam2flow_core.stack.calibration import Calibration, Measured, frame_rate_from_tag
from sam2flow_core.stack.refusals import check_frame_claim, check_regular, refuse_damage
from sam2flow_core.stack.sources import Frame, single_frame
from sam2flow_core.stack.timing import Times, interval_problems, telling

_LIMITS = CalibrationLimits()
_SETTINGS = VideoSettings()
VIDEO_SUFFIXES = (".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg", ".mts", ".ts")
# demuxers of single files: others would follow the names of further files, or addresses, that stand in a text
_FORMATS = "avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,mpeg,mpegts,mpegvideo,mxf,dv"
_WITHOUT_LOSS = (
    *(
        "rawvideo",
        "ffv1",
        "huffyuv",
        "ffvhuff",
        "utvideo",
        "png",
        "qtrle",
        "lagarith",
        "magicyuv",
        "zlib",
        "mszh",
        "tiff",
    ),
    *("v210", "v308", "v408", "v410", "r210", "msrle", "cscd", "aasc", "bmp"),
)


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
        text = Message(
            "variable frame rate: frames follow each other by {least:.3g} to {most:.3g} ms; "
            "export the recording with a constant one",
            least=1000 * steps.min(),
            most=1000 * steps.max(),
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


@dataclass(frozen=True)
class _Index:
    """Which frames a video holds, in the order in which they are shown.

    Attributes
    ----------
    stamps : ndarray of int64, shape (T,)
        Time stamp of each frame, in units of the stream's time base.
    keys : ndarray of int64
        Frames at which decoding can begin.
    counted : bool
        Time stamps of this file do not tell frames apart; frames are counted from the first.
    """

    stamps: NDArray[np.int64]
    keys: NDArray[np.int64]
    counted: bool


class VideoSource:
    """One video file, decoded on demand.

    Frames are found by their time stamps, so the frame of a number is the same however it is come to: going on reads
    the next one, going back starts at the key frame before it.
    """

    def __init__(
        self,
        path: Path,
        axes: str | None = None,
        settings: VideoSettings | None = None,
        shown: Callable[[Any], Frame] = grey,
    ) -> None:
        if axes and axes.upper() != "TYX":
            raise StackError("{name}: axes of a video are TYX, not '{axes}'", name=path.name, axes=axes)
        self._path = path
        self._settings = settings or VideoSettings()
        self._lock, self._shown = Lock(), shown
        self._coloured: VideoSource | None = None
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self._at = self._begun = 0
        self._stream: Any = None
        self._container = _open(path)
        try:
            with refuse_damage(path.name, "this video cannot be read"):
                self._describe()
        except BaseException:
            self._container.close()
            raise

    def _describe(self) -> None:
        name = self._path.name
        stream = _pictures(self._container, name)
        context = stream.codec_context
        check_frame_claim(context.height, context.width, 3, None, name)
        declared, base = int(stream.frames or 0), float(stream.time_base or 0)
        played = float(stream.average_rate) if stream.average_rate else None
        self._index = _read_index(self._container, stream, name)
        self._restart()
        first = next(self._frames, None)
        if first is None:
            raise StackError("{name}: no frame of this video can be decoded; copy or export it again", name=name)
        skipped = int(np.searchsorted(self._index.stamps, first.pts)) if not self._index.counted else 0
        if skipped:
            keys = self._index.keys - skipped
            self._index = _Index(self._index.stamps[skipped:], keys[keys >= 0], False)
        count = len(self._index.stamps)
        if count < 2:
            raise single_frame(name)
        self._size = (first.height, first.width)
        picture = grey(first)
        self.shape = (count, *picture.shape)
        self.dtype = picture.dtype
        self.paths = (self._path,)
        self.declared_bits = min(first.format.components[0].bits, 8 * picture.itemsize)
        stamps = self._index.stamps - self._index.stamps[0]
        times: Times | None = None if self._index.counted else np.asarray(stamps * base, np.float64)
        pace, self.problems = video_rate(times, played, base)
        self.calibration, self._times = pace.calibration, pace.times
        self.problems += self._oddities(first, declared, skipped)
        self._restart()

    def _oddities(self, first: Any, declared: int, skipped: int) -> tuple[str, ...]:
        stream = self._stream
        count, codec = self.shape[0], str(stream.codec_context.name)
        found = []
        if codec not in _WITHOUT_LOSS:
            found.append(
                Message(
                    "compressed by {codec}, which changes what frames show: measure from the original recording",
                    codec=codec,
                )
            )
        self._in_colour = is_coloured(first)
        if self._in_colour:
            found.append(Message("colour camera: frames are converted to grey"))
        if first.interlaced_frame:
            found.append(
                Message("interlaced video: odd and even rows are of different moments; record progressive pictures")
            )
        ratio = stream.sample_aspect_ratio
        if ratio and ratio != 1:
            found.append(
                Message(
                    "pixels are not square ({ratio:.4g} times as wide as high): resample the recording",
                    ratio=float(ratio),
                )
            )
        if len(self._container.streams.video) > 1:
            found.append(
                Message(
                    "{count} more video streams in the file are not read", count=len(self._container.streams.video) - 1
                )
            )
        if skipped:
            found.append(Message("the first {skipped} frames cannot be decoded and are left out", skipped=skipped))
        if declared > count + skipped:
            found.append(
                Message(
                    "file is truncated: {count} of {declared} frames are readable; copy or export it again",
                    count=count,
                    declared=declared,
                )
            )
        return tuple(found)

    def read(self, t: int) -> Frame:
        """Frame ``t`` as a new array (Y, X), in grey; in colour (Y, X, 3) where the source was made for that."""
        with self._lock, refuse_damage(self._path.name, f"frame {t} cannot be read"):
            if t not in self._kept:
                try:
                    self._decode_to(t)
                except BaseException:
                    self._at = self.shape[0]  # where the decoder stands is not known: begin anew
                    raise
            self._kept.move_to_end(t)
            return self._kept[t].copy()

    def colours(self, t: int) -> Frame | None:
        """Frame ``t`` (Y, X, 3) of 8 bits where the first frame shows colours, else None."""
        if not self._in_colour:
            return None
        if self._coloured is None:  # a decoder of its own, so that neither loses its place
            self._coloured = VideoSource(self._path, None, self._settings, rgb)
        return self._coloured.read(t)

    def times(self) -> Times | None:
        """Seconds at which the frames are shown, where they do not just come at an even pace."""
        return None if self._times is None else telling(self._times.tolist())

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        if self._coloured is not None:
            self._coloured.close()

    def _decode_to(self, t: int) -> None:
        """Decode on to frame ``t``: from where the decoder stands, from a key frame before, or from the beginning."""
        keys = self._index.keys[self._index.keys <= t]
        last = int(keys[-1]) if len(keys) else 0
        if last <= self._at <= t and self._reaches(t):
            return
        for key in [] if self._index.counted else keys[::-1][: self._settings.key_frames_tried].tolist():
            if key > 0:
                self._restart(key)
                if self._reaches(t):
                    return
        self._restart()
        if not self._reaches(t):
            raise StackError(
                "{name}: frame {t} cannot be decoded; the file may be damaged or truncated", name=self._path.name, t=t
            )

    def _reaches(self, t: int) -> bool:
        """Decode on; False where frame ``t`` is not met, because decoding began too late or its data are not there.

        Some formats find a time stamp by the share of the file that lies before it, and miss.
        """
        for frame in self._frames:
            if not self._index.counted:
                at = int(np.searchsorted(self._index.stamps, frame.pts))
                if at == len(self._index.stamps) or self._index.stamps[at] != frame.pts:
                    continue  # no frame of the list, such as what is shown while the first one is waited for
                if at > t:
                    return False
                self._at = at
            if self._at >= self._begun:  # what comes before the key frame lacks the frames it was made from
                self._check(frame)
                self._keep(self._at, self._shown(frame))
            self._at += 1
            if self._at > t:
                return t in self._kept
        return False

    def _check(self, frame: Any) -> None:
        if frame.is_corrupt:
            raise StackError(
                "{name}: frame {at} is damaged; copy or export the video again", name=self._path.name, at=self._at
            )
        if (frame.height, frame.width) != self._size:
            found, first = f"{frame.height} x {frame.width}", f"{self._size[0]} x {self._size[1]}"
            raise StackError(
                "{name}: frame {at} is {found} px, the first one {first}",
                name=self._path.name,
                at=self._at,
                found=found,
                first=first,
            )

    def _restart(self, key: int = 0) -> None:
        """Decode from a key frame on, or from the beginning."""
        if key:
            self._container.seek(int(self._index.stamps[key]), stream=self._stream)
        else:
            self._container.close()
            self._container = _open(self._path)
            self._stream = _pictures(self._container, self._path.name)
        self._frames: Iterator[Any] = self._container.decode(self._stream)
        self._at = self._begun = key

    def _keep(self, t: int, frame: Frame) -> None:
        """Keep the frames decoded last, for a look back over a few of them."""
        self._kept[t] = frame
        while len(self._kept) > 1 and len(self._kept) * frame.nbytes > self._settings.kept_bytes:
            self._kept.popitem(last=False)


def _open(path: Path) -> Any:
    check_regular(path)
    try:
        return av.open(str(path.absolute()), options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"})
    except FileNotFoundError:
        raise StackError("{path}: no such file", path=path) from None
    except PermissionError:
        raise StackError("{path}: no permission to read this file", path=path) from None
    except Exception:  # whatever the reader raises on a file that lies
        if path.stat().st_size == 0:
            raise StackError("{name}: the file is empty", name=path.name) from None
        raise StackError(
            "{name}: damaged, cut off, or no video of a kind that is known; export it again (AVI or MP4)",
            name=path.name,
        ) from None


def _pictures(container: Any, name: str) -> Any:
    stream = container.streams.best("video")
    if stream is None or stream.codec_context is None:
        raise StackError("{name}: no pictures in this video file, or of a kind that cannot be decoded", name=name)
    return stream


def _read_index(container: Any, stream: Any, name: str) -> _Index:
    """List the frames by a walk over the packets, without decoding them."""
    stamps: list[int | None] = []
    keys: list[bool] = []
    for packet in container.demux(stream):
        if packet.size and not packet.is_discard and not packet.is_corrupt:
            stamps.append(packet.dts if packet.pts is None else packet.pts)
            keys.append(bool(packet.is_keyframe))
    if not stamps:
        raise StackError("{name}: no frames in this video; it is empty or damaged", name=name)
    # AVI keeps no time stamps: with frames that are stored out of order their numbers are a guess
    guessed = container.format.name == "avi" and stream.codec_context.has_b_frames
    known = [s for s in stamps if s is not None]
    if guessed or len(set(known)) < len(stamps):
        return _Index(np.arange(_count(container), dtype=np.int64), np.zeros(1, np.int64), True)
    order = np.argsort(np.array(known, np.int64), kind="stable")
    return _Index(np.array(known, np.int64)[order], np.flatnonzero(np.array(keys)[order]), False)


def _count(container: Any) -> int:
    """Number of frames, by decoding all of them."""
    with _open(Path(container.name)) as again:
        return sum(1 for _ in again.decode(_pictures(again, Path(container.name).name)))
