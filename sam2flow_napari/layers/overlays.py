"""Vessel masks, speed and arrows as layers over the recording."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from superqt.utils import QSignalThrottler

from sam2flow_napari.layers.arrows import flow_arrows
from sam2flow_napari.layers.colours import vessel_colour
from sam2flow_napari.layers.factory import LayerFactory
from sam2flow_napari.layers.flow_frames import FlowFrames
from sam2flow_napari.layers.speed import LabelFrames, SpeedFrames
from sam2flow_napari.session import Session, SessionState

VESSELS, SPEED, ARROWS = "vessels", "speed", "flow arrows"
REDRAW_MS = 60


class Overlays:
    """The layers that show `FlowFrames`, made when there is first something to show.

    A layer that the user deletes stays away until the next run.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
        With an open recording.
    factory : LayerFactory
    frames : FlowFrames
    """

    def __init__(self, viewer: ViewerModel, session: Session, factory: LayerFactory, frames: FlowFrames) -> None:
        self._viewer = viewer
        self._session = session
        self._factory = factory
        self._frames = frames
        self._layers: dict[str, Layer] = {}
        self._limit_px = 0.0
        self._speed = SpeedFrames(frames, factory.spacing)
        # The slider and a run ask for new arrows far more often than they can be drawn.
        self._throttle = QSignalThrottler()
        self._throttle.setTimeout(REDRAW_MS)
        self._throttle.triggered.connect(self._redraw)
        self._stale = False
        viewer.dims.events.current_step.connect(self._on_step)
        session.state_changed.connect(self._on_state)
        self._on_state(session.state)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The overlay layers that are on screen."""
        return tuple(layer for layer in self._layers.values() if layer in self._viewer.layers)

    @property
    def speed_limit(self) -> float:
        """Upper end of the speed colours, in the units of the layer; 0 before any flow."""
        return self._limit_px * self._factory.spacing.speed_factor

    def close(self) -> None:
        """Stop listening and take the layers away."""
        # At the end of the program Qt may have deleted the throttle already.
        with suppress(RuntimeError):
            self._throttle.cancel()
        self._viewer.dims.events.current_step.disconnect(self._on_step)
        self._session.state_changed.disconnect(self._on_state)
        for layer in self.layers:
            with suppress(ValueError):
                self._viewer.layers.remove(layer)

    def show_masks(self) -> None:
        """Make the layer of vessel masks if it is not there, and redraw."""
        if VESSELS not in self._layers or self._layers[VESSELS] not in self._viewer.layers:
            self._add(VESSELS, self._factory.labels(VESSELS, LabelFrames(self._frames), self._colours()))
        self.redraw()

    def show_flow(self, frame: int) -> None:
        """Make the layers of flow if they are not there, with limits that suit `frame`, and redraw."""
        self.show_masks()
        self.widen_limit(frame)
        if SPEED not in self._layers or self._layers[SPEED] not in self._viewer.layers:
            name = f"{SPEED} ({self._factory.spacing.speed_unit})"
            self._add(SPEED, self._factory.speed(name, self._speed, self.speed_limit))
        if ARROWS not in self._layers or self._layers[ARROWS] not in self._viewer.layers:
            self._add(ARROWS, self._factory.arrows(ARROWS))
        self.redraw()

    def show_frame(self, frame: int) -> None:
        """Show a frame that the run has just answered.

        The layers are made at the first one; later ones are drawn when the throttle
        lets them, and a sample of them keeps the speed colours wide enough.
        """
        if ARROWS not in self._layers or frame % 10 == 0:
            self.show_flow(frame)
        elif frame == self._viewer.dims.current_step[0]:
            self.redraw()

    def widen_limit(self, frame: int) -> None:
        """Raise the upper end of the speed colours where `frame` is faster; it never falls during a run."""
        flow = self._frames.flow(frame).astype(np.float32)
        speed = np.hypot(flow[0], flow[1])
        inside = speed[speed > 0]
        wanted = float(np.percentile(inside, 98)) if inside.size else 0.0
        if wanted > self._limit_px or self._limit_px == 0:
            self._limit_px = max(1.25 * wanted, 0.5)
            if SPEED in self._layers:
                self._apply_limit()

    def forget_flow(self) -> None:
        """Take the layers of flow away and forget their limits (a new run starts)."""
        self._limit_px = 0.0
        for name in (SPEED, ARROWS):
            layer = self._layers.pop(name, None)
            if layer is not None and layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def recalibrate(self, factory: LayerFactory) -> None:
        """Place all layers anew and show speed in the new unit."""
        self._factory = factory
        self._speed.spacing = factory.spacing
        for layer in self.layers:
            factory.restyle(layer)
        if SPEED in self._layers:
            self._layers[SPEED].name = f"{SPEED} ({factory.spacing.speed_unit})"
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
        self._speed.hidden = frozenset(v.vessel_id for v in state.vessels if not v.visible)
        if VESSELS in self._layers:
            cast(Any, self._layers[VESSELS]).colormap = DirectLabelColormap(color_dict=self._colours())
            self.redraw()

    def _redraw(self) -> None:
        if self._stale:
            self._stale = False
            for name in (VESSELS, SPEED):
                if name in self._layers and self._layers[name].visible:
                    self._layers[name].refresh()
        arrows = self._layers.get(ARROWS)
        if arrows is not None and arrows.visible and arrows in self._viewer.layers:
            t = min(self._viewer.dims.current_step[0], self._frames.shape[0] - 1)
            data = flow_arrows(t, self._shown(self._frames.labels(t)), self._frames.flow(t), max(self._limit_px, 0.5))
            if len(data) or len(cast(Any, arrows).data):
                cast(Any, arrows).data = data

    # -- drawing -----------------------------------------------------------
    def _add(self, name: str, layer: Layer) -> None:
        active = self._viewer.layers.selection.active
        prompts = [i for i, other in enumerate(self._viewer.layers) if other is active]
        # Below the prompts, which stay the layer that is clicked.
        place = prompts[0] if prompts and active is not None and active.name == "prompts" else len(self._viewer.layers)
        self._viewer.layers.insert(place, layer)
        self._viewer.layers.selection.active = active
        self._layers[name] = layer

    def _shown(self, labels: NDArray[np.uint16]) -> NDArray[np.uint16]:
        if not self._speed.hidden:
            return labels
        return np.where(np.isin(labels, list(self._speed.hidden)), np.uint16(0), labels)

    def _colours(self) -> dict[int | None, Any]:
        colours: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
        for vessel in self._session.state.vessels:
            colours[vessel.vessel_id] = vessel_colour(vessel.vessel_id) if vessel.visible else "transparent"
        return colours

    def _apply_limit(self) -> None:
        layer = cast(Any, self._layers[SPEED])
        layer.contrast_limits_range = (0, max(self.speed_limit, 1e-6))
        layer.contrast_limits = (0, max(self.speed_limit, 1e-6))
