"""Every layer of the plugin is made here, so that none misses scale, units, axis labels, a name or its colour.

One layer without units beside layers in um drops the units of the whole viewer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from napari.layers import Image, Labels, Layer, Points, Shapes, Vectors
from napari.utils.colormaps import Colormap, CyclicLabelColormap, DirectLabelColormap, ensure_colormap
from numpy.typing import NDArray

from sam2flow_core.stack.stack import LazyFrames
from sam2flow_napari.layers.lazy_layers import LabelFrames, SpeedFrames, WheelFrames, wheel_colours
from sam2flow_napari.session import Recording, Spacing
from sam2flow_napari.translation import tr

if TYPE_CHECKING:
    from sam2flow_core.stack import Stack

# Okabe and Ito (2008), told apart by colour-blind readers; black left out because it vanishes on a dark canvas.
_HUES = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2")
# After the seventh vessel the same hues come back lighter, then darker: three steps are told apart by anyone, and the
# number beside each vessel says the rest.
_TINTS = (("#FFFFFF", 0.0), ("#FFFFFF", 0.55), ("#000000", 0.4))
AXES = ("t", "y", "x")
STACK_KEY = "sam2flow_stack"
PATH_KEY = "sam2flow_path"
TRACER_COLOUR, LINE_COLOUR = "#FF9F1C", "#FF2D95"
"""Neither is among the colours of speed, and arrows are white: each stands out from the others."""
TRACER_ON_WHEEL = "#000000"
"""The wheel of directions has all colours but the dark ones."""
PROPOSAL_COLOUR = (0.35, 0.95, 1.0)
"""Red, green and blue of the outlines of vessels that are proposed."""
_LIGHTEST_LINE = 0.3
_BEHIND_NUMBERS, _NUMBER_PX = "#00000099", 26
_POINT_PX = (0, 10_000)
"""From nothing on: where a frame has no point, napari draws one without size at the corner, as large as the least."""
OWNER_KEY = "sam2flow_owner"
"""In the metadata of a recording's layer: a weak reference to the workbench that works on it."""


def palette() -> tuple[str, ...]:
    """Return the colours of vessels 1, 2, 3, ... before they repeat."""
    return tuple(_mixed(hue, towards, share) for towards, share in _TINTS for hue in _HUES)


def vessel_colour(vessel_id: int) -> str:
    """Return the colour of a vessel as ``#RRGGBB``."""
    colours = palette()
    return colours[(vessel_id - 1) % len(colours)]


def readable_on(colour: str, background: str) -> str:
    """Return a colour as it is, or darker where it would fade into a light background."""
    light, shown = _lightness(background) > 0.5, colour
    while light and _lightness(shown) > _LIGHTEST_LINE:
        shown = _mixed(shown, "#000000", 0.1)
    return shown


def _lightness(colour: str) -> float:
    """Return the share of the light of white that a colour ``#RRGGBB`` gives off."""
    values = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return float(values**2.2 @ (0.2126, 0.7152, 0.0722))


def _mixed(colour: str, towards: str, share: float) -> str:
    """Return a colour ``#RRGGBB`` mixed with a share of another."""
    pairs = [(int(colour[i : i + 2], 16), int(towards[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


def placement(spacing: Spacing, ndim: int = 3) -> dict[str, Any]:
    """Return the arguments that place a (t, y, x) or a (y, x) layer in the world."""
    return {"scale": spacing.scale[-ndim:], "units": spacing.units[-ndim:], "axis_labels": AXES[-ndim:]}


def recording_arguments(recording: Recording) -> dict[str, Any]:
    """Return the arguments of the image layer of a recording."""
    stack = recording.stack
    return {
        "name": stack.name,
        # Given, so that napari does not look through the whole stack for them.
        "contrast_limits": stack.contrast_limits(),
        "metadata": {STACK_KEY: stack, PATH_KEY: str(recording.path)},
        **placement(recording.spacing),
    }


def speed_colours() -> Colormap:
    """Return a colour map that is transparent at zero, where there is no vessel; safe for colour-blind eyes."""
    colours = ensure_colormap("viridis").map(np.linspace(0.1, 1, 255))
    controls = [0, *np.linspace(1e-3, 1, 255)]
    return Colormap(np.vstack([[0, 0, 0, 0], colours]), name="SAM2Flow speed", controls=controls)


def lazy(frames: LabelFrames | SpeedFrames | WheelFrames) -> LazyFrames:
    """Wrap computed frames as an array for a layer; each is computed when it is looked at."""
    # LazyFrames asks a stack for shape, dtype and frames only.
    return LazyFrames(cast("Stack", frames))


def _vessel_colours() -> CyclicLabelColormap:
    return CyclicLabelColormap(colors=["transparent", *palette()])


class LayerFactory:
    """Makes the layers that lie on one recording.

    Parameters
    ----------
    spacing : Spacing
        Scale and units of the recording.

    Notes
    -----
    Names are given in English and shown in the language of the window.
    """

    def __init__(self, spacing: Spacing) -> None:
        self.spacing = spacing

    def points(self, name: str, size: float) -> Points:
        """Return an empty points layer with the features of a prompt."""
        return Points(
            np.empty((0, 3)),
            name=tr(name),
            ndim=3,
            size=size,
            border_color="white",
            canvas_size_limits=_POINT_PX,
            features={"vessel_id": np.empty(0, int), "label": np.empty(0, int)},
            **placement(self.spacing),
        )

    def labels(self, name: str, frames: LabelFrames) -> Labels:
        """Return a labels layer in the colours of the vessels."""
        layer = Labels(
            lazy(frames),
            name=tr(name),
            opacity=0.45,
            colormap=_vessel_colours(),
            **placement(self.spacing),
        )
        # Masks come from clicks; painting into them would be lost.
        layer.editable = False
        return layer

    def propagated(self, name: str, masks: Stack) -> Labels:
        """Return a labels layer of masks on disk, in the colours of the vessels; it closes them when it is removed."""
        return Labels(
            masks.as_array(),
            name=name,
            opacity=0.45,
            colormap=_vessel_colours(),
            metadata={STACK_KEY: masks},
            **placement(self.spacing),
        )

    def speed(self, name: str, frames: SpeedFrames, limit: float) -> Image:
        """Return a float image of speed with fixed contrast limits ``(0, limit)``."""
        return Image(
            lazy(frames),
            name=tr(name),
            colormap=speed_colours(),
            contrast_limits=(0, limit),
            blending="translucent",
            opacity=0.7,
            interpolation2d="nearest",
            **placement(self.spacing),
        )

    def still(self, name: str, picture: NDArray[np.float32]) -> Image:
        """Return an image layer (Y, X) of a still picture; it lies under the same place of every frame."""
        return Image(picture, name=tr(name), colormap="gray", **placement(self.spacing, ndim=2))

    def wheel(self, name: str, frames: WheelFrames) -> Labels:
        """Return a labels layer in the colours of the flow wheel."""
        colours = {None: (0.0, 0.0, 0.0, 0.0), 0: (0.0, 0.0, 0.0, 0.0)}
        colours |= {value: (*colour, 1.0) for value, colour in enumerate(wheel_colours(), start=1)}
        layer = Labels(
            lazy(frames),
            name=tr(name),
            opacity=0.7,
            colormap=DirectLabelColormap(color_dict=colours),
            **placement(self.spacing),
        )
        layer.editable = False
        return layer

    def tracers(self, name: str) -> Vectors:
        """Return an empty vectors layer for the tracers of one frame."""
        return self._vectors(name, vector_style="line", edge_color=TRACER_COLOUR, edge_width=2)

    def arrows(self, name: str) -> Vectors:
        """Return an empty vectors layer for the arrows of one frame."""
        return self._vectors(name, vector_style="arrow", edge_color="white", edge_width=1.0)

    def centrelines(self, name: str) -> Vectors:
        """Return an empty vectors layer for the centrelines in one frame."""
        return self._vectors(name, vector_style="line", edge_color=LINE_COLOUR, edge_width=2)

    def proposals(self, name: str) -> Vectors:
        """Return an empty vectors layer for the outlines of vessels that are proposed."""
        return self._vectors(name, vector_style="line", edge_color="white", edge_width=1.5)

    def numbers(self, name: str, size: float) -> Points:
        """Return an empty points layer (y, x) whose points show a number on a dark disc, readable on any colour."""
        return Points(
            np.empty((0, 2)),
            name=tr(name),
            ndim=2,
            size=size,
            face_color=_BEHIND_NUMBERS,
            border_color="transparent",
            canvas_size_limits=(0, _NUMBER_PX),
            features={"number": np.empty(0, int)},
            text={"string": "{number}", "size": 12, "color": "white", "anchor": "center"},
            **placement(self.spacing, ndim=2),
        )

    def boxes(self, name: str) -> Shapes:
        """Return an empty shapes layer for boxes about vessels."""
        return Shapes(
            None,
            name=tr(name),
            ndim=3,
            edge_width=2,
            edge_color="white",
            face_color="transparent",
            **placement(self.spacing),
        )

    def line(self, name: str) -> Shapes:
        """Return an empty shapes layer (y, x) for a line along a vessel."""
        return Shapes(
            None,
            name=tr(name),
            ndim=2,
            edge_width=2,
            edge_color="cyan",
            face_color="transparent",
            **placement(self.spacing, ndim=2),
        )

    def middle_line(self, name: str) -> Shapes:
        """Return an empty shapes layer for the line of a vessel, whose points are dragged."""
        return Shapes(
            None,
            name=tr(name),
            ndim=3,
            edge_width=1.5,
            edge_color=LINE_COLOUR,
            face_color="transparent",
            **placement(self.spacing),
        )

    def brush(self, name: str, size: tuple[int, int]) -> Labels:
        """Return an empty labels layer of one frame (Y, X) to paint in, in the colours of the vessels."""
        return Labels(
            np.zeros((1, *size), np.uint8),
            name=tr(name),
            opacity=0.6,
            colormap=_vessel_colours(),
            **placement(self.spacing),
        )

    def restyle(self, layer: Layer) -> None:
        """Give a layer this factory's scale and units (the calibration was edited)."""
        layer.scale = self.spacing.scale[-layer.ndim :]
        layer.units = self.spacing.units[-layer.ndim :]

    def _vectors(self, name: str, **style: Any) -> Vectors:
        """Return an empty vectors layer (y, x) for what is drawn of one frame.

        Without an axis of time the last arrows stay until the next are there, and the slider has nothing to slice.
        """
        return Vectors(np.empty((0, 2, 2)), name=tr(name), ndim=2, **style, **placement(self.spacing, ndim=2))


def lay_on(layer: Layer, image: Layer) -> None:
    """Scale, move and turn a layer as the recording's own, which the user may have scaled, moved or turned."""
    count = layer.ndim
    layer.scale = image.scale[-count:]
    layer.translate = image.translate[-count:]
    layer.rotate = image.rotate[-count:, -count:]
    layer.shear = image.shear if count == image.ndim else image.shear[-1:]
    layer.affine = image.affine.set_slice(list(range(image.ndim - count, image.ndim)))
