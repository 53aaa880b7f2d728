"""An image layer of another reader as a recording: its own file if that can be read, else a TIFF of what it shows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sam2flow_core.errors import Sam2FlowError, StackError

if TYPE_CHECKING:
    from napari.layers import Image

_UM = {"micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3}
_SECONDS = {"second": 1.0, "millisecond": 1e-3, "microsecond": 1e-6}


def recording_of_layer(layer: Image) -> Path:
    """Return the file of the recording that a layer shows.

    A file that another reader has opened and that this program reads as well is used as it is. Anything else is
    written once as a TIFF with the layer's scale and units, because what measures runs in a process of its own.

    Raises
    ------
    StackError
        If the layer is no film in shades of grey.
    OSError
        If the TIFF cannot be written.
    """
    from sam2flow_core.stack import open_stack

    source = Path(layer.source.path) if layer.source.path else None
    if source is not None:
        try:
            open_stack(source).close()
        except Sam2FlowError:
            pass  # of a kind that only the other reader knows
        else:
            return source
    data = layer.data[0] if layer.multiscale else layer.data
    if layer.rgb or data.ndim != 3:
        raise StackError(f"{layer.name}: a film in shades of grey is wanted, with axes (t, y, x); this has {data.ndim}")
    return _written(layer, data)


def _written(layer: Image, data: Any) -> Path:
    import tifffile

    from sam2flow_core.files import whole_file

    sides, seconds = _scale(layer)
    key = hashlib.sha256(np.asarray(data[0]).tobytes() + repr((data.shape, sides, seconds)).encode()).hexdigest()[:12]
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in layer.name) or "layer"
    path = Path.home() / ".sam2flow" / "layers" / f"{name}-{key}.tif"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata: dict[str, Any] = {"axes": "TYX", "unit": "um"} | ({"finterval": seconds} if seconds else {})
    kept = data.dtype if data.dtype in (np.uint8, np.uint16, np.float32) else np.float32
    with whole_file(path) as part:
        tifffile.imwrite(
            part,
            (np.asarray(data[t], kept) for t in range(len(data))),
            shape=data.shape,
            dtype=kept,
            imagej=True,
            metadata=metadata,
            resolution=(1 / sides, 1 / sides) if sides else None,
        )
    return path


def _scale(layer: Image) -> tuple[float | None, float | None]:
    """Return um per pixel and seconds per frame, each None where the layer's units do not say it."""
    time, _, across = (str(unit) for unit in layer.units[-3:])
    sides = float(layer.scale[-1]) * _UM[across] if across in _UM else None
    seconds = float(layer.scale[-3]) * _SECONDS[time] if time in _SECONDS else None
    return sides, seconds
