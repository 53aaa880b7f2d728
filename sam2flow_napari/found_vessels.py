"""Vessels that are proposed without a click: looked for, shown as outlines, accepted by a click each or all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from napari.components import ViewerModel
from napari.layers import Vectors
from napari.utils.notifications import show_info
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from sam2flow_core.errors import PromptError, StackError
from sam2flow_core.project import SessionState
from sam2flow_core.prompts import Prompt
from sam2flow_napari.layers.factory import PROPOSAL_COLOUR, LayerFactory, lay_on
from sam2flow_napari.recording_layers import Scene
from sam2flow_napari.session import Session
from sam2flow_napari.session_runs import OneJob
from sam2flow_napari.translation import told, tr, tr_later
from sam2flow_napari.worker.jobs import Cancelled, FindJob, FindProgress, Found
from sam2flow_napari.worker.loop import Worker

if TYPE_CHECKING:
    from sam2flow_core.engine.field_findings import Findings
    from sam2flow_core.inference.steps import FoundVessel

NAME = tr_later("proposals")
_COVERED = 0.6
"""Share of a centreline inside masks that are there from which nothing new is proposed."""
_NEAR_PX = 3.0
"""How far beside a thin vessel's middle a click may be."""
_SIDE_PX = 8.0
"""How near to a side of the picture points that were outside it may lie, by the movement of the tissue."""
_FAINTEST = 0.35
"""Opacity of the outline that is least sure."""


class Proposal(NamedTuple):
    """A vessel that was found.

    Attributes
    ----------
    vessel : FoundVessel
    frame : int
        The one that its centreline and clicks lie in.
    """

    vessel: FoundVessel
    frame: int

    def clicks(self, vessel_id: int) -> tuple[Prompt, ...]:
        """Clicks that name it."""
        return self.vessel.prompts(vessel_id, self.frame)

    def distance(self, y: float, x: float) -> float:
        """How far a place is from its centreline, in halves of its width."""
        reach = max(self.vessel.width_px / 2, _NEAR_PX)
        return float(np.hypot(*(self.vessel.centreline - (y, x)).T).min() / reach)


class Finder(OneJob):
    """At most one search at a time, and the proposals that it left; each is one until its clicks are in the session.

    Parameters
    ----------
    session : Session
    worker : Worker
    report : callable
        Shows an error to the user.
    viewer : ViewerModel
    scene : callable
        Gives the layers of the open recording, or None.
    parent : QObject, optional

    Attributes
    ----------
    least_confidence : float
        Less sure proposals are not shown.

    Signals
    -------
    progressed(float)
        Share of the field that has been looked at, 0 to 1.
    changed()
        Other proposals are on show.
    """

    progressed = Signal(float)
    changed = Signal()

    def __init__(
        self,
        session: Session,
        worker: Worker,
        report: Callable[[Exception], None],
        viewer: ViewerModel,
        scene: Callable[[], Scene | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(session, worker, report, parent)
        self._viewer, self._scene = viewer, scene
        self._found: tuple[Proposal, ...] = ()
        self._layer: Vectors | None = None
        self._drawn: tuple[Proposal, ...] = ()
        self.density = ""
        self.least_confidence = 0.0
        session.state_changed.connect(self._on_state)
        session.calibration_changed.connect(self._on_calibration)

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """The proposals on show, the surest first."""
        return tuple(proposal for proposal in self._left if proposal.vessel.confidence >= self.least_confidence)

    @property
    def _left(self) -> tuple[Proposal, ...]:
        """The proposals that are not accepted."""
        clicks = {(click.frame, click.y, click.x) for click in self._session.state.clicks}
        return tuple(
            proposal
            for proposal in self._found
            if not {(click.frame, click.y, click.x) for click in proposal.clicks(1)} <= clicks
        )

    @property
    def layer(self) -> Vectors | None:
        """The layer of the outlines, where there is one."""
        return self._layer if self._layer in self._viewer.layers else None

    @property
    def any_left(self) -> bool:
        """Whether there are proposals that are not accepted, be they too unsure to be shown now."""
        return bool(self._left)

    @property
    def confidences(self) -> tuple[float, float]:
        """Of the surest and the least sure of the proposals on show, of which there must be one."""
        shown = self.proposals
        return shown[0].vessel.confidence, shown[-1].vessel.confidence

    def start(self) -> None:
        """Look for all vessels; refused with a notification where it cannot be."""
        recording = self._session.recording
        if self.running:
            return
        if recording is None:
            self._report(StackError(tr("no recording is open: open one first")))
            return
        choices, size = self._session.preview_choices, recording.calibration.pixel_size_um.usable
        self._begin(lambda n: FindJob(n, recording.path, choices, size))

    def take(self, answer: object) -> None:
        """Take an answer of the worker; others than the present search's are dropped."""
        if isinstance(answer, FindProgress) and answer.job_id == self._job_id:
            self.progressed.emit(answer.share)
        elif isinstance(answer, Found) and answer.job_id == self._job_id:
            self._end()
            self._on_found(answer.findings)
        elif isinstance(answer, Cancelled) and answer.job_id == self._job_id:
            show_info(tr("Cancelled: no vessels were proposed."))
            self._end()

    def forget(self) -> None:
        """Stop, and let go of the proposals (another recording is opened)."""
        if self.running:
            self._worker.cancel_long()
            self._end()
        self.dismiss()

    def show_from(self, least_confidence: float) -> None:
        """Show only proposals that are at least as sure as this."""
        self.least_confidence = least_confidence
        self._show()

    def accept_at(self, y: float, x: float) -> bool:
        """Accept the proposal under a click, in px of a frame; return whether there was one."""
        near = min(self.proposals, key=lambda proposal: proposal.distance(y, x), default=None)
        if near is None or near.distance(y, x) > 1:
            return False
        self._accept((near,))
        return True

    def accept_all(self) -> None:
        """Accept all proposals on show, which is one edit."""
        self._accept(self.proposals)

    def dismiss(self) -> None:
        """Take the proposals away."""
        layer, self._layer = self.layer, None
        self._found, self._drawn, self.density = (), (), ""
        if layer is not None:
            self._viewer.layers.remove(layer)
        self.changed.emit()

    def _accept(self, proposals: tuple[Proposal, ...]) -> None:
        state = self._session.state
        clicks = list(state.clicks)
        # A vessel that nothing marks yet is what the first one is for, as it is for a click.
        empty = state.vessel(self._session.active) is not None and not state.is_prompted(self._session.active)
        free = [self._session.active] if empty else []
        first = state.next_id()
        ids = [*free, *range(first, first + len(proposals))][: len(proposals)]
        for vessel_id, proposal in zip(ids, proposals, strict=True):
            clicks += proposal.clicks(vessel_id)
        self._session.set_clicks(tuple(clicks))
        if ids:
            self._session.activate(ids[-1])

    # -- what comes in -----------------------------------------------------
    def _on_found(self, findings: Findings) -> None:
        scene = self._scene()
        if scene is None:
            return
        labels = scene.frames.labels(findings.frame) > 0
        new = tuple(v for v in findings.vessels if _share_inside(v.centreline, labels) < _COVERED)
        if not new:
            what = tr("no vessel was found in this recording; click them by hand")
            self._report(PromptError(tr("every vessel that was found is marked already") if findings.vessels else what))
            return
        self._found = tuple(Proposal(vessel, findings.frame) for vessel in new)
        self.density = "\n".join(told(line) for line in findings.density.lines())
        self.least_confidence = 0.0
        show_info(self.density)
        self._show()

    def _on_state(self, _state: SessionState) -> None:
        if self._found:
            self._show()

    def _on_calibration(self) -> None:
        if self.layer is not None and self._session.recording is not None:
            LayerFactory(self._session.recording.spacing).restyle(self.layer)

    # -- drawing -----------------------------------------------------------
    def _show(self) -> None:
        scene, recording, shown = self._scene(), self._session.recording, self.proposals
        if scene is None or recording is None:
            return
        if not self._left:  # all are accepted: their layer comes back with an Undo
            layer, self._layer, self._drawn = self.layer, None, ()
            if layer is not None:
                self._viewer.layers.remove(layer)
        elif shown != self._drawn or self.layer is None:
            self._drawn = shown
            self._draw(scene, LayerFactory(recording.spacing))
        self.changed.emit()

    def _draw(self, scene: Scene, factory: LayerFactory) -> None:
        lines = [outline(proposal.vessel, scene.frames.shape[1:]) for proposal in self._drawn]
        opacity = _opacities([proposal.vessel.confidence for proposal in self._drawn])
        if self.layer is None:
            self._layer = factory.proposals(NAME)
            self._viewer.add_layer(self._layer)
            lay_on(self._layer, scene.image)
            scene.make_clickable()
        assert self._layer is not None
        self._layer.data = np.concatenate([np.zeros((0, 2, 2)), *lines])
        colours = [
            np.tile([*PROPOSAL_COLOUR, share], (len(line), 1)) for line, share in zip(lines, opacity, strict=True)
        ]
        if colours:
            self._layer.edge_color = np.concatenate(colours)


def outline(vessel: FoundVessel, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the segments of the outline of a vessel, start and projection ``(y, x)``, shape (n, 2, 2).

    Parameters
    ----------
    vessel : FoundVessel
    shape : tuple of int
        ``(Y, X)`` of the recording, which the outline does not leave.
    """
    last = np.array(shape) - 1
    line = _without_ends_on_a_side(vessel.centreline, last)
    ahead = np.gradient(line, axis=0)
    ahead /= np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    across = vessel.width_px / 2 * np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
    corners = np.concatenate([line + across, (line - across)[::-1], (line + across)[:1]]).clip(-0.5, last + 0.5)
    return np.stack([corners[:-1], np.diff(corners, axis=0)], axis=1)


def _without_ends_on_a_side(line: NDArray[np.float64], last: NDArray[np.intp]) -> NDArray[np.float64]:
    """Drop the points at both ends that were outside the picture: they have slid along its side, off their way."""
    on_side = (line < _SIDE_PX) | (line > last - _SIDE_PX)
    slid = (on_side[:-1] & on_side[1:] & (np.diff(line, axis=0) == 0)).any(axis=1)
    apart = np.flatnonzero(~slid)
    return line[apart[0] : apart[-1] + 2] if len(apart) > len(slid) // 2 else line


def _opacities(confidences: list[float]) -> NDArray[np.float64]:
    """Return how strongly each proposal is drawn: the surest in full."""
    values = np.array(confidences)
    if not len(values) or np.ptp(values) == 0:
        return np.ones(len(values))
    return np.asarray(_FAINTEST + (1 - _FAINTEST) * (values - values.min()) / np.ptp(values))


def _share_inside(line: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    y, x = np.clip(np.rint(line).astype(int), 0, np.array(inside.shape) - 1).T
    return float(inside[y, x].mean())
