"""Which frame of the recording the slider shows, whatever other layers the viewer has.

The steps of napari's slider are those of all layers together: beside a layer with four axes time is the second of
them, and beside one that is sampled more finely, or begins earlier, a step is no frame.
"""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Layer

from sam2flow_napari.layers.factory import OWNER_KEY

_AXES = 3


def frame_on_screen(viewer: ViewerModel) -> int:
    """Return the frame of the recording that the slider shows, or the nearest one that it has."""
    start, step, count = _times(viewer)
    frame: int = round((viewer.dims.point[_axis(viewer)] - start) / step)
    return min(max(frame, 0), count - 1)


def show_frame(viewer: ViewerModel, frame: int) -> None:
    """Move the slider to a frame of the recording."""
    start, step, _ = _times(viewer)
    viewer.dims.set_point(_axis(viewer), start + step * frame)


def _axis(viewer: ViewerModel) -> int:
    """Return which of the viewer's axes is the recording's time: layers lie on each other by their last axes."""
    axis: int = max(viewer.dims.ndim - _AXES, 0)
    return axis


def _times(viewer: ViewerModel) -> tuple[float, float, int]:
    """Return where the recording begins in the world's time, how far apart its frames are, and how many there are."""
    recording: Layer | None = next((layer for layer in viewer.layers if OWNER_KEY in layer.metadata), None)
    if recording is None:
        slider = viewer.dims.range[_axis(viewer)]
        return slider.start, slider.step, round((slider.stop - slider.start) / slider.step) + 1
    return float(recording.translate[0]), float(recording.scale[0]), int(recording.data.shape[0])
