"""All layers of one open recording."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.notifications import show_info, show_warning
from numpy.typing import NDArray
from qtpy.QtCore import QTimer
from superqt.utils import QSignalThrottler

from sam2flow_core.project import SessionState
from sam2flow_core.prompts import MaskPrompt
from sam2flow_core.stack import open_stack
from sam2flow_napari.layers import BoxLayer, BrushLayer, CentrelineLayer, LayerFactory, Overlays, PromptLayer
from sam2flow_napari.layers.factory import STACK_KEY, lay_on
from sam2flow_napari.layers.flow_frames import FlowFrames, first_answered
from sam2flow_napari.layers.frame_on_screen import show_frame
from sam2flow_napari.layers.prompt_layer import Key, bind
from sam2flow_napari.session import Session
from sam2flow_napari.translation import tr
from sam2flow_napari.worker.run_tables import RunTables

if TYPE_CHECKING:
    from sam2flow_core.inference.steps import FrameFlow, VesselFlow


FOLLOW_MS = 250


class Scene:
    """Puts layers over a recording and takes them away again.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
        With the recording open.
    image : Image
        The recording's layer, which is there already.
    keys : tuple of Key
        To be bound on the layers of prompts.
    accept : callable
        Asked with each click ``(y, x)`` whether it was for something else than a vessel's prompt.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        image: Image,
        keys: tuple[Key, ...],
        accept: Callable[[float, float], bool],
    ) -> None:
        assert session.recording is not None
        self.image = image
        self._accept = accept
        self._viewer = viewer
        self._session = session
        self._keys = keys
        factory = LayerFactory(session.recording.spacing)
        factory.restyle(image)
        # napari 0.9 has moved the bar.
        getattr(getattr(viewer, "canvas", None), "overlays", viewer).scale_bar.visible = True
        self.frames = FlowFrames(session.recording.shape)
        self.overlays = Overlays(viewer, session, factory, self.frames, image)
        self.brush = BrushLayer(viewer, session, factory, self.frames, show_warning)
        self.boxes = BoxLayer(viewer, session, factory, show_warning, self.make_clickable)
        self.prompts = self._new_prompts()
        self.course = CentrelineLayer(viewer, session, factory, self.frames, self.overlays.line_of, show_warning)
        for layer in (self.brush.layer, self.boxes.layer, self.course.layer):
            self.bind_keys(layer)
        for change in (image.events.scale, image.events.translate, image.events.rotate, image.events.shear):
            change.connect(self._on_moved)
        image.events.affine.connect(self._on_moved)
        self._target = 0
        self._follow = QSignalThrottler()
        self._follow.setTimeout(FOLLOW_MS)
        self._follow.triggered.connect(self._move)
        show_frame(viewer, min(session.state.prompted_frames, default=0))

    def close(self) -> None:
        """Take the layers over the recording away; its own stays."""
        for event in ("scale", "translate", "rotate", "shear", "affine"):
            getattr(self.image.events, event).disconnect(self._on_moved)
        with suppress(RuntimeError):  # deleted by Qt at the end of the program
            self._follow.cancel()
            self._follow.deleteLater()
        for layer in (self.prompts, self.boxes, self.brush, self.course, self.overlays):
            layer.close()

    # -- where the recording lies ----------------------------------------------
    @property
    def _laid_on(self) -> tuple[Layer, ...]:
        """The layers that go wherever the recording's own layer goes."""
        return (*self.overlays.layers, self.boxes.layer, self.brush.layer, self.course.layer, *self._clickable())

    def _clickable(self) -> tuple[Layer, ...]:
        return (self.prompts.layer,) if hasattr(self, "prompts") else ()

    def lay_on_image(self, layer: Layer) -> None:
        """Put a layer of this plugin that was just added where the recording's own layer lies."""
        if layer in self._laid_on:
            lay_on(layer, self.image)

    def _on_moved(self) -> None:
        for layer in self._laid_on:
            lay_on(layer, self.image)
        self.brush.place()

    # -- prompts -----------------------------------------------------------
    def _new_prompts(self) -> PromptLayer:
        assert self._session.recording is not None
        factory = LayerFactory(self._session.recording.spacing)
        prompts = PromptLayer(self._viewer, self._session, factory, show_warning, self._accept)
        lay_on(prompts.layer, self.image)  # which the user may have moved before this layer came
        self.bind_keys(prompts.layer)
        # Deferred, because napari makes a layer the active one after all have heard that it was inserted.
        QTimer.singleShot(0, self.make_clickable)
        return prompts

    def bind_keys(self, layer: Layer) -> None:
        """Let the keys of the session count on a layer of this plugin while it is the active one."""
        bind(layer, self._keys)

    def make_clickable(self) -> None:
        """Make the prompts the active layer, ready for clicks."""
        if self.prompts.layer in self._viewer.layers:
            self._viewer.layers.selection.active = self.prompts.layer
            self.prompts.layer.mode = "add"

    def draw_box(self) -> None:
        """Let the user drag a box, or go back to clicks where a box is being drawn."""
        self.course.end()
        if self.boxes.drawing:
            self.make_clickable()
        else:
            self.boxes.start()

    def bend(self) -> None:
        """Let the user bend the middle line of the active vessel, or go back to clicks where it is being bent."""
        if self.course.working:
            self.give_up()
        else:
            self.brush.end()
            self.course.start()

    def paint(self) -> None:
        """Let the user paint the active vessel, or make what is painted its mask."""
        self.course.end()
        if not self.brush.working:
            self.brush.start()
        elif self.brush.use():
            self.make_clickable()

    def give_up(self) -> None:
        """Forget what is being painted and go back to clicks; what was bent stays."""
        self.brush.end()
        self.course.end()
        self.make_clickable()

    def switch_overlays(self, others: tuple[Layer, ...]) -> None:
        """Hide all that lies over the recording, other layers of this plugin included, or show it again."""
        hands = (self.prompts.layer, self.boxes.layer, self.brush.layer, self.course.layer, *others)
        self.overlays.switch_all(tuple(layer for layer in hands if layer in self._viewer.layers))

    def notice_removed(self, layer: Layer) -> None:
        """Bring the prompts back soon if it is their layer that the user has deleted."""
        if layer is self.prompts.layer:
            QTimer.singleShot(0, self._restore_prompts)

    def _restore_prompts(self) -> None:
        if self.image in self._viewer.layers and self.prompts.layer not in self._viewer.layers:
            self.prompts.close()
            self.prompts = self._new_prompts()
            show_info(tr("Your clicks are kept: use Undo or the vessel list to take them back."))

    # -- masks and flow ------------------------------------------------------
    def show_mask(self, vessel: VesselFlow) -> None:
        """Show the mask that prompts gave."""
        self.frames.preview(vessel)
        self.overlays.show_masks()

    def annotation(self, frame: int) -> NDArray[Any]:
        """Labels (Y, X) of a frame to be carried to others.

        Those of a selected labels layer that is not of this plugin; else the masks of the vessels, as painted where
        they were painted.
        """
        active = self._viewer.layers.selection.active
        if isinstance(active, Labels) and active not in (self.brush.layer, *self.overlays.layers):
            if active.data.shape == self.frames.shape:
                return np.asarray(active.data[frame])
            if active.data.shape == self.frames.shape[1:]:
                return np.asarray(active.data)
        labels = self.frames.labels(frame).copy()
        for region in self._session.state.regions:
            if isinstance(region, MaskPrompt) and region.frame == frame:
                labels[region.mask] = region.vessel_id
        return labels

    def show_propagated(self, masks: Path) -> None:
        """Add the masks of a TIFF (T, Y, X) as a layer; raises `StackError` if it cannot be read."""
        assert self._session.recording is not None
        factory = LayerFactory(self._session.recording.spacing)
        active = self._viewer.layers.selection.active
        self._viewer.add_layer(factory.propagated(masks.stem, open_stack(masks)))
        self._viewer.layers.selection.active = active

    def drop_lost_masks(self, state: SessionState) -> None:
        """Take away the masks of vessels that nothing shows any more."""
        lost = [v for v in self.frames.vessel_ids if not state.is_shown(v)]
        for vessel_id in lost:
            self.frames.drop_preview(vessel_id)
        if lost:
            self.overlays.redraw()

    def set_outdated(self, vessel_ids: frozenset[int]) -> None:
        """Show the newest masks of vessels whose results are of earlier clicks."""
        if vessel_ids != self.frames.outdated:
            self.frames.set_outdated(vessel_ids)
            self.overlays.redraw()

    def start_run(self, folder: Path | None) -> None:
        """Take earlier results away; those of the run that starts, if one does, come frame by frame."""
        self.frames.start_run(folder)
        self.overlays.start_run()

    def show_frame(self, frame: FrameFlow) -> None:
        """Show a frame that the run has just answered."""
        self.frames.add(frame)
        self.overlays.show_frame(frame.frame)

    def follow(self, frame: int) -> None:
        """Move the time slider to `frame` soon; frames come faster than napari can draw them."""
        self._target = frame
        self._follow.throttle()

    def go_to(self, frame: int) -> None:
        """Move the time slider to `frame` at once, in place of a move that waits."""
        self._follow.cancel()
        show_frame(self._viewer, frame)

    def _move(self) -> None:
        show_frame(self._viewer, self._target)

    def show_results(self, tables: RunTables) -> None:
        """Show the results of a finished run."""
        self.frames.show_results(tables.folder, tables.results)
        self.overlays.show_flow(first_answered(tables.results))
        self.overlays.show_lines(tables.lines)

    def recalibrate(self) -> None:
        """Place all layers by the calibration that the user has entered."""
        assert self._session.recording is not None
        factory = LayerFactory(self._session.recording.spacing)
        of_this_recording = (layer for layer in self._viewer.layers if STACK_KEY in layer.metadata)
        for layer in (*of_this_recording, self.prompts.layer, self.boxes.layer, self.course.layer):
            factory.restyle(layer)
        self.brush.recalibrate(factory)
        self.overlays.recalibrate(factory)
