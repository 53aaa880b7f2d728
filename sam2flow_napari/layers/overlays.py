"""Masks, speed, directions, arrows, tracers and centrelines as layers over the recording."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Vectors
from napari.utils.colormaps.standardize_color import transform_color
from numpy.typing import NDArray
from psygnal import Signal
from superqt.utils import QSignalThrottler

from sam2flow_core.project import SessionState
from sam2flow_napari.layers.factory import TRACER_COLOUR, TRACER_ON_WHEEL, LayerFactory
from sam2flow_napari.layers.flow_frames import FlowFrames
from sam2flow_napari.layers.frame_on_screen import frame_on_screen
from sam2flow_napari.layers.frame_vectors import keep_shaders, show_vectors
from sam2flow_napari.layers.lazy_layers import LabelFrames, SpeedFrames, WheelFrames, number_places
from sam2flow_napari.layers.overlay_lines import Tracers, flow_arrows, line_segments
from sam2flow_napari.session import Session
from sam2flow_napari.translation import tr, tr_later

if TYPE_CHECKING:
    from sam2flow_core.results import VesselLine

VESSELS, SPEED = tr_later("vessels"), tr_later("speed")
ARROWS, LINES = tr_later("flow arrows"), tr_later("centrelines")
WHEEL, TRACERS, NUMBERS = tr_later("flow directions"), tr_later("tracers"), tr_later("vessel numbers")
REDRAW_MS = 80
SAMPLED_FRAMES = 10
"""During a run every tenth frame is looked at for the range of the speed colours."""


class Overlays:
    """The layers that show `FlowFrames`.

    Masks and numbers are there with the recording, speed and arrows from the
    start of a run, because napari takes far longer to add a layer than a window
    may stand still at a click or during a run; centrelines come with results,
    flow directions and tracers when the user wants them. One that the user
    deletes stays away until the next run.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
        With an open recording.
    factory : LayerFactory
    frames : FlowFrames
    image : Layer
        The recording's layer, over which the others go.

    Signals
    -------
    shown_changed()
        A layer was shown or hidden, or the speed of the strongest colour has changed.
    """

    shown_changed = Signal()

    def __init__(
        self, viewer: ViewerModel, session: Session, factory: LayerFactory, frames: FlowFrames, image: Layer
    ) -> None:
        self._viewer = viewer
        self._session = session
        self._factory = factory
        self._frames = frames
        self._image = image
        self._layers: dict[str, Layer] = {}
        self._switched_off: tuple[Layer, ...] = ()
        self._limit_px = 0.0
        self._flow_shown = False
        self._lines: tuple[VesselLine, ...] = ()
        self._labels = LabelFrames(frames)
        self._speed = SpeedFrames(frames, factory.spacing)
        self._wheel = WheelFrames(frames)
        self._tracers = Tracers(frames.flow, self._labels.frame)
        # The slider and a run ask for new arrows far more often than they can be drawn; and a window that has just
        # sliced the images should see to its user before it sees to the arrows.
        self._throttle = QSignalThrottler(QSignalThrottler.EmissionPolicy.Trailing)
        self._throttle.setTimeout(REDRAW_MS)
        self._throttle.triggered.connect(self._redraw)
        self._stale = False
        self._make(VESSELS, NUMBERS)
        viewer.dims.events.current_step.connect(self._on_step)
        session.state_changed.connect(self._on_state)
        self._on_state(session.state)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The overlay layers that have not been deleted."""
        return tuple(layer for layer in self._layers.values() if layer in self._viewer.layers)

    @property
    def speed_limit(self) -> float:
        """Upper end of the speed colours, in the units of the layer."""
        return max(self._limit_px, 0.5) * self._factory.spacing.speed_factor

    def is_shown(self, name: str) -> bool:
        """Whether a layer is there and visible."""
        layer = self._layers.get(name)
        return layer is not None and layer in self._viewer.layers and bool(layer.visible)

    def show(self, name: str, shown: bool) -> None:
        """Show or hide a layer; one that was deleted comes back."""
        if shown:
            self._make(name)
        if name in self._layers:
            self._layers[name].visible = shown
            self.redraw()

    def switch_all(self, others: tuple[Layer, ...]) -> None:
        """Hide all that lies over the recording, these other layers included, or show again what this has hidden."""
        there = (*self.layers, *others)
        if any(layer.visible for layer in there):
            self._switched_off = tuple(layer for layer in there if layer.visible)
            for layer in self._switched_off:
                layer.visible = False
        else:
            for layer in self._switched_off or there:
                layer.visible = True

    def close(self) -> None:
        """Stop listening and take the layers away."""
        # At the end of the program Qt may have deleted the throttle already.
        with suppress(RuntimeError):
            self._throttle.cancel()
            self._throttle.deleteLater()
        self._viewer.dims.events.current_step.disconnect(self._on_step)
        self._session.state_changed.disconnect(self._on_state)
        for layer in self.layers:
            with suppress(ValueError):
                self._viewer.layers.remove(layer)

    # -- what is shown -------------------------------------------------------
    def show_masks(self) -> None:
        """Show the vessel masks as they are now."""
        self.redraw()

    def show_flow(self, frame: int) -> None:
        """Show masks and flow as they are now, with speed colours that reach at least as far as `frame` does."""
        if not self._flow_shown:
            self._flow_shown = True
            if SPEED not in self._layers:
                self._make(SPEED, ARROWS)
            for name in (SPEED, ARROWS):
                self._layers[name].visible = True
        self._widen_limit(frame)
        self.redraw()

    def show_lines(self, lines: tuple[VesselLine, ...]) -> None:
        """Show the centrelines of a finished run."""
        self._lines = lines
        if lines:
            if LINES not in self._layers:
                self._make(LINES)
            self._layers[LINES].visible = True
        self.redraw()

    def line_of(self, vessel_id: int, frame: int) -> NDArray[np.float64] | None:
        """Centreline (N, 2) that a vessel was measured along, in a frame; None where none is on show."""
        shown = (line for line in self._lines if line.vessel_id == vessel_id)
        line = None if vessel_id in self._frames.outdated else next(shown, None)
        return None if line is None else line.at(frame)

    def show_frame(self, frame: int) -> None:
        """Show a frame that the run has just answered."""
        if not self._flow_shown:
            self.show_flow(frame)
            return
        if frame % SAMPLED_FRAMES == 0 or not self._limit_px:  # the first pairs may be repeats, without flow
            self._widen_limit(frame)
        if frame == frame_on_screen(self._viewer):
            self.redraw()

    def start_run(self) -> None:
        """Hide the flow of earlier runs, and bring back layers that were deleted."""
        self._limit_px = 0.0
        self._lines = ()
        self._flow_shown = False
        self._make(VESSELS, NUMBERS, SPEED, ARROWS, *(name for name in (LINES,) if name in self._layers))
        for name in (SPEED, ARROWS, LINES):
            if name in self._layers:
                self._layers[name].visible = False
        self._apply_limit()
        self.redraw()

    def recalibrate(self, factory: LayerFactory) -> None:
        """Place all layers anew and show speed in the new unit."""
        self._factory = factory
        self._speed.spacing = factory.spacing
        for layer in self.layers:
            factory.restyle(layer)
        if SPEED in self._layers:
            self._layers[SPEED].name = self._speed_name
        self._apply_limit()
        self.redraw()

    def redraw(self) -> None:
        """Redraw soon."""
        self._stale = True
        self._throttle.throttle()

    # -- listening ---------------------------------------------------------
    def _on_step(self) -> None:
        self._throttle.throttle()

    def _on_state(self, state: SessionState) -> None:
        hidden = frozenset(v.vessel_id for v in state.vessels if not v.visible)
        if hidden != self._speed.hidden:
            self._speed.hidden = self._labels.hidden = self._wheel.hidden = hidden
            self.redraw()

    def _on_visible(self) -> None:
        self._throttle.throttle()
        self.shown_changed.emit()

    # -- drawing -----------------------------------------------------------
    @property
    def _speed_name(self) -> str:
        return f"{tr(SPEED)} ({tr(self._factory.spacing.speed_unit)})"

    def _make(self, *wanted: str) -> None:
        """Make these layers where they are missing, each in its place over the recording."""
        makers: dict[str, Callable[[], Layer]] = {
            VESSELS: lambda: self._factory.labels(VESSELS, self._labels),
            SPEED: lambda: self._factory.speed(self._speed_name, self._speed, self.speed_limit),
            WHEEL: lambda: self._factory.wheel(WHEEL, self._wheel),
            ARROWS: lambda: self._factory.arrows(ARROWS),
            TRACERS: lambda: self._factory.tracers(TRACERS),
            LINES: lambda: self._factory.centrelines(LINES),
            NUMBERS: lambda: self._factory.numbers(NUMBERS, 0.1 * min(self._frames.shape[1:])),
        }
        active = self._viewer.layers.selection.active
        below = self._image
        for name, make in makers.items():
            there = self._layers.get(name)
            if name in wanted and (there is None or there not in self._viewer.layers):
                there = self._layers[name] = make()
                there.events.visible.connect(self._on_visible)
                self._viewer.layers.insert(self._viewer.layers.index(below) + 1, there)
                if isinstance(there, Vectors):
                    keep_shaders(self._viewer, there)
            if there is not None and there in self._viewer.layers:
                below = there
        self._viewer.layers.selection.active = active

    def _redraw(self) -> None:
        t = frame_on_screen(self._viewer)
        if self._stale:
            self._stale = False
            for name in (VESSELS, SPEED, WHEEL):
                if self.is_shown(name):
                    self._layers[name].refresh()
            self._redraw_numbers(t)
        self._redraw_arrows(t)
        self._redraw_tracers(t)
        self._redraw_lines(t)

    def _redraw_arrows(self, t: int) -> None:
        if self.is_shown(ARROWS):
            arrows = flow_arrows(self._labels.frame(t), self._frames.flow(t), max(self._limit_px, 0.5))
            show_vectors(cast(Vectors, self._layers[ARROWS]), arrows)

    def _redraw_tracers(self, t: int) -> None:
        if self.is_shown(TRACERS):
            layer = cast(Vectors, self._layers[TRACERS])
            show_vectors(layer, self._tracers.streaks(t))
            colour = TRACER_ON_WHEEL if self.is_shown(WHEEL) else TRACER_COLOUR
            if (layer.edge_color != transform_color(colour)).any():
                layer.edge_color = colour

    def _redraw_lines(self, t: int) -> None:
        if self.is_shown(LINES):
            unseen = self._labels.hidden | self._frames.outdated
            shown = [line for line in self._lines if line.vessel_id not in unseen]
            show_vectors(cast(Vectors, self._layers[LINES]), line_segments(shown, t))

    def _redraw_numbers(self, t: int) -> None:
        """Put each vessel's number on its mask, when masks have changed; they move too little to follow the slider."""
        if self.is_shown(NUMBERS):
            layer = cast(Any, self._layers[NUMBERS])
            places = number_places(self._labels.frame(t))
            if list(places) != list(layer.features["number"]) or not np.array_equal(list(places.values()), layer.data):
                layer.data = np.array(list(places.values()), float).reshape(-1, 2)
                layer.features = {"number": np.array(list(places), int)}

    def _widen_limit(self, frame: int) -> None:
        # It never falls during a run: colours that change their meaning from frame to frame would mislead.
        flow = self._frames.flow(frame).astype(np.float32)
        speed = np.hypot(flow[0], flow[1])
        inside = speed[speed > 0]
        wanted = float(np.percentile(inside, 98)) if inside.size else 0.0
        if wanted > self._limit_px:
            self._limit_px = 1.25 * wanted
            self._apply_limit()

    def _apply_limit(self) -> None:
        if SPEED in self._layers:
            layer = cast(Any, self._layers[SPEED])
            layer.contrast_limits_range = (0, self.speed_limit)
            layer.contrast_limits = (0, self.speed_limit)
        self._wheel.limit = max(self._limit_px, 0.5)
        self.shown_changed.emit()
