"""What `sam2flow info` prints of a recording."""

from __future__ import annotations

from sam2flow_core.stack.calibration import Measured
from sam2flow_core.stack.resolution import choose_resolution
from sam2flow_core.stack.stack import Stack

_SOURCES = {
    "user": "given by you",
    "ome": "OME metadata",
    "imagej": "ImageJ tags",
    "tiff": "TIFF resolution tag",
    "video": "video file",
    "none": "",
}


def describe_stack(stack: Stack) -> str:
    """Aligned text: shape, type, axes, calibration with sources, and problems found, without a final line break."""
    frames, height, width = stack.shape
    pixel, rate = stack.calibration.pixel_size_um, stack.calibration.frame_rate_hz
    rows = [
        ("name", stack.name),
        ("file" if len(stack.paths) == 1 else "files", _files(stack)),
        ("shape", f"{frames} frames of {height} x {width} px (T, Y, X)"),
        ("pixels", f"{stack.dtype}, {stack.bit_depth} bits in use, {_size(stack)} in memory"),
        ("pixel size", _measured(pixel, "um/px")),
        ("frame rate", _measured(rate, "Hz")),
    ]
    if stack.calibration.usable_pixel_size_um:
        um = stack.calibration.usable_pixel_size_um
        rows.append(("field", f"{height * um:.4g} x {width * um:.4g} um"))
    if stack.calibration.usable_frame_rate_hz:
        rows.append(("duration", f"{frames / stack.calibration.usable_frame_rate_hz:.4g} s"))
    rows.append(("worked on", str(choose_resolution(stack, stack.calibration.pixel_size_um))))
    problems = stack.problems or ("none found",)
    rows += [("problems" if i == 0 else "", text) for i, text in enumerate(problems)]
    return "\n".join(f"{label:<12}{value}".rstrip() for label, value in rows)


def _measured(value: Measured, unit: str) -> str:
    if value.value is None:
        return "unknown"
    text = f"{value.value:.6g} {unit}  ({_SOURCES[value.source]})"
    return text if value.plausible else f"{text}  not plausible, not used"


def _files(stack: Stack) -> str:
    if not stack.paths:
        return "none (an array)"
    if len(stack.paths) == 1:
        return str(stack.paths[0])
    return f"{len(stack.paths)}, {stack.paths[0]} to {stack.paths[-1].name}"


def _size(stack: Stack) -> str:
    size = float(stack.as_array().nbytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
