"""Videos on disk as a microscope would leave them: integers in a TIFF with ImageJ calibration tags."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from sam2flow_core.files import whole_file

BITS = (8, 12, 16)


def quantise(video: NDArray[np.float32], bits: int) -> NDArray[np.unsignedinteger]:
    """Turn intensities (full well = 1) into counts of 8, 12 (in 16-bit words) or 16 bits."""
    counts = np.rint(np.clip(video, 0, 1) * (2**bits - 1))
    result: NDArray[np.unsignedinteger] = counts.astype(np.uint8 if bits == 8 else np.uint16)
    return result


def write_tiff(
    path: Path,
    counts: NDArray[np.unsignedinteger],
    pixel_size_um: float,
    frame_rate_hz: float,
    compressed: bool = False,
) -> None:
    """Write a (T, Y, X) stack with pixel size, frame interval and frame rate in its ImageJ tags."""
    with whole_file(path) as part:
        tifffile.imwrite(
            part,
            counts,
            imagej=True,
            resolution=(1 / pixel_size_um, 1 / pixel_size_um),
            metadata={"axes": "TYX", "unit": "um", "finterval": 1 / frame_rate_hz, "fps": frame_rate_hz},
            compression="zlib" if compressed else None,
            predictor=compressed,
        )
