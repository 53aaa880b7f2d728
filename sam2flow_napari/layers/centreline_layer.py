"""The middle line of one vessel, which the user bends by its points; the vessel's mask follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Shapes
from napari.layers.base import ActionType
from numpy.typing import NDArray

from sam2flow_core.project import SessionState
from sam2flow_core.prompts import AnyPrompt, MaskPrompt
from sam2flow_napari.layers.factory import LayerFactory
from sam2flow_napari.layers.flow_frames import FlowFrames
from sam2flow_napari.layers.frame_on_screen import frame_on_screen
from sam2flow_napari.layers.hand_layer import HandLayer
from sam2flow_napari.session import Session
from sam2flow_napari.translation import tr, tr_later

if TYPE_CHECKING:
    from sam2flow_core.velocity.centreline import BentVessel

NAME = tr_later("middle line")
Line = Callable[[int, int], NDArray[np.float64] | None]


class CentrelineLayer(HandLayer):
    """Holds the line of one vessel in one frame while the user bends it.

    What is bent becomes the vessel's mask in that frame, as if it were painted: each point that is let go of is an
    edit of the session, which can be undone.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    factory : LayerFactory
    frames : FlowFrames
        Where the mask to begin with comes from.
    measured : callable
        Gives the centreline (N, 2) that a vessel was measured along, in a frame; None where it was not.
    warn : callable
        Shows a line to the user.
    """

    layer: Shapes

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        factory: LayerFactory,
        frames: FlowFrames,
        measured: Line,
        warn: Callable[[str], None],
    ) -> None:
        self._session, self._frames = session, frames
        self._measured, self._warn = measured, warn
        self._known: dict[tuple[AnyPrompt, ...], BentVessel] = {}
        self._syncing = False
        super().__init__(viewer, factory.middle_line(NAME))
        self.layer.events.data.connect(self._on_data)
        session.state_changed.connect(self._on_state)

    def close(self) -> None:
        """Stop listening and take the layer away."""
        self._session.state_changed.disconnect(self._on_state)
        self.layer.events.data.disconnect(self._on_data)
        super().close()

    def start(self) -> bool:
        """Show the line of the active vessel in the frame on screen, to be bent; return whether there is one."""
        # Only here: what measures takes its time to load, and the window need not wait for it at its start.
        from sam2flow_core.velocity.centreline import BentVessel

        self._vessel, self._frame = self._session.active, frame_on_screen(self._viewer)
        mask = self._frames.mask_of(self._frame, self._vessel)
        vessel = None if mask is None else BentVessel.of(mask, self._measured(self._vessel, self._frame))
        if vessel is None:
            self._warn(
                tr("There is no mask whose middle could be bent: click on the vessel first, and wait for its mask.")
            )
            return False
        self._known = {self._marks(self._session.state): vessel}
        self._show(vessel)
        self._begin()
        self.layer.mode = "direct"
        return True

    def end(self) -> None:
        """Take the line away; what was bent stays."""
        self._known = {}
        super().end()

    # -- listening ---------------------------------------------------------
    def _on_data(self, event: Any) -> None:
        if self._syncing or not self.working or event.action not in (ActionType.CHANGED, ActionType.REMOVED):
            return
        before = self._known.get(self._marks(self._session.state))
        if before is None or not len(self.layer.data):
            self.end()
            return
        knots = np.asarray(self.layer.data[0], float)[:, 1:]
        vessel = before.through(knots)
        mask = vessel.mask(self._frames.shape[1:])
        if not mask.any():
            self._warn(tr("That lies outside the image: the vessel stays where it was."))
            self._show(before)
        elif not np.array_equal(knots, before.knots):
            painted = MaskPrompt.of(self._vessel, self._frame, mask)
            # Before the session tells, which comes back here.
            self._known[self._marks(self._session.state.with_mask(painted))] = vessel
            self._session.add_mask(self._vessel, self._frame, mask)

    def _on_state(self, state: SessionState) -> None:
        """Show the line of what is marked now: after an undo the earlier one; end where something else was done."""
        if self.working:
            vessel = self._known.get(self._marks(state))
            if vessel is None or self._session.active != self._vessel:
                self.end()
            else:
                self._show(vessel)

    # -- drawing -----------------------------------------------------------
    def _marks(self, state: SessionState) -> tuple[AnyPrompt, ...]:
        return tuple(p for p in state.prompts_of(self._vessel) if p.frame == self._frame)

    def _show(self, vessel: BentVessel) -> None:
        corners = np.insert(vessel.knots, 0, self._frame, axis=1)
        if len(self.layer.data) == 1 and np.allclose(self.layer.data[0], corners):
            return
        self._syncing = True
        try:
            self.layer.selected_data = set(range(self.layer.nshapes))
            self.layer.remove_selected()
            self.layer.add_paths([corners])
            self.layer.selected_data = {0}  # its points are drawn only then
        finally:
            self._syncing = False
