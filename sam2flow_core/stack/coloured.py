"""Videos in colour, for networks that were trained on photographs; what is measured is grey."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from tifffile import TiffFile

from sam2flow_core.errors import StackError
from sam2flow_core.stack.brightness import LUMA
from sam2flow_core.stack.calibration import Calibration
from sam2flow_core.stack.file_series import natural_key
from sam2flow_core.stack.refusals import check_frame_claim, check_page_claim, check_regular, refuse_damage
from sam2flow_core.stack.sources import Frame

_PNG_SAMPLES = {2: 3, 6: 4}
"""Of the colour types RGB, and RGB with transparency."""
_NOTE = "frames are in colour: they are shown in grey where colour is not asked for"


class ColourSource:
    """RGB frames that are read one at a time.

    Parameters
    ----------
    read : callable
        Frame t (Y, X, 3 or 4) of a frame number.
    count : int
        Number of frames.
    paths : tuple of Path
        Files behind it.
    """

    def __init__(self, read: Callable[[int], Frame], count: int, paths: tuple[Path, ...] = ()) -> None:
        self._read = read
        first = read(0)
        self.shape = (count, first.shape[0], first.shape[1])
        self.dtype = first.dtype
        self.paths, self.problems = paths, (_NOTE,)
        self.calibration, self.declared_bits = Calibration(), None

    @classmethod
    def of_array(cls, array: Any) -> ColourSource:
        """Of any array (T, Y, X, 3 or 4)."""
        return cls(lambda t: np.asarray(array[t]), int(array.shape[0]))

    def colours(self, t: int) -> Frame:
        """Frame ``t`` as a new array (Y, X, 3)."""
        frame = np.array(self._read(t)[..., :3])
        if frame.shape[:2] != self.shape[1:] or frame.dtype != self.dtype:
            raise StackError(f"frame {t} has another size or type than the first one; all must be alike")
        return frame

    def read(self, t: int) -> Frame:
        """Brightness of frame ``t`` as a new array (Y, X)."""
        bright = self.colours(t).astype(np.float32) @ LUMA
        return (np.rint(bright) if self.dtype.kind in "iu" else bright).astype(self.dtype)

    def times(self) -> None:
        """Colours carry no times."""

    def close(self) -> None:
        """Nothing is held open."""


def is_rgb(shape: Sequence[int]) -> bool:
    """Whether an array is a video in colour, (T, Y, X, 3 or 4), by its shape."""
    return len(shape) == 4 and shape[0] > 1 and shape[-1] in (3, 4) and min(shape[1:3]) > 4


def open_coloured(path: Path) -> ColourSource | None:
    """Video of a folder of RGB PNG files or of an RGB TIFF file; None for anything else."""
    if path.is_dir():
        files = sorted((p for p in path.iterdir() if p.suffix.lower() == ".png" and p.name[0] != "."), key=natural_key)
        if len(files) > 1 and _is_colour_png(files[0]):
            return ColourSource(lambda t: _read_png(files[t]), len(files), tuple(files))
        return None
    if path.suffix.lower() not in (".tif", ".tiff") or not path.is_file():
        return None
    with refuse_damage(path.name, "not a TIFF file, though its name says so"), TiffFile(path) as tif:
        pages = len(tif.pages)
        page: Any = tif.pages.first
        check_page_claim(page, path.name)
        if pages < 2 or not is_rgb((pages, *page.shape)):
            return None
    return ColourSource(lambda t: _read_page(path, t), pages, (path,))


def _is_colour_png(path: Path) -> bool:
    check_regular(path)
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26 or head[25] not in _PNG_SAMPLES:
        return False
    width, height = (int.from_bytes(head[i : i + 4], "big") for i in (16, 20))
    check_frame_claim(height, width, max(1, head[24] // 8) * _PNG_SAMPLES[head[25]], path.stat().st_size, path.name)
    return True


def _read_png(path: Path) -> Frame:
    if not _is_colour_png(path):
        raise StackError(f"{path.name}: is grey, the first frame is in colour; all must be alike")
    with refuse_damage(path.name, "this frame cannot be read"):
        frame: Frame = imagecodecs.png_decode(path.read_bytes())
    return frame


def _read_page(path: Path, t: int) -> Frame:
    with refuse_damage(path.name, f"frame {t} cannot be read"), TiffFile(path) as tif:
        page: Any = tif.pages[t]
        check_page_claim(page, path.name)
        frame: Frame = page.asarray()
    return frame.astype(frame.dtype.newbyteorder("="), copy=False)
