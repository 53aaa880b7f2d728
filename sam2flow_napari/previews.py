"""Asks for the mask of a vessel whenever its prompts have changed, and keeps what is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from sam2flow_core.project import SessionState
from sam2flow_core.prompts import AnyPrompt, Prompt
from sam2flow_napari.session import Session
from sam2flow_napari.worker.jobs import Masked, PreviewJob
from sam2flow_napari.worker.loop import Worker

if TYPE_CHECKING:
    from sam2flow_core.inference.steps import VesselFlow

_SLACK_PX = 2
"""How far beside a mask a click may be and still count as on it: walls are not sharper than that."""
_SURE = 0.3
"""Expected overlap of a mask with its vessel from which the vessel counts as there."""
_SAME = 0.6
"""Share of the smaller of two masks inside the other from which they are one vessel; crossing ones share far less."""


def finding(vessel: VesselFlow, frame: int, prompts: Sequence[AnyPrompt]) -> str:
    """Return what is wrong with a mask and what to do about it.

    Parameters
    ----------
    vessel : VesselFlow
        With the mask in the coordinates of the recorded frame.
    frame : int
        The frame that the mask belongs to.
    prompts : sequence of Prompt, BoxPrompt or MaskPrompt
        What the mask answers; clicks in other frames are left out, as the tissue may lie elsewhere there.

    Returns
    -------
    str
        Empty where nothing is wrong.
    """
    if not vessel.mask.any():
        return "No vessel was found there. Click nearer to the middle of one, or paint it (M)."
    clicks = [p for p in prompts if isinstance(p, Prompt) and p.frame == frame]
    if any(click.label and not _covers(vessel, click, _SLACK_PX) for click in clicks):
        return "The mask lies beside a click: no vessel was found under it. Undo it, or paint the vessel (M)."
    if any(not click.label and _covers(vessel, click, 0) for click in clicks):
        return "The mask still holds a place that you have excluded. Click there again, or paint the vessel (M)."
    if vessel.mask_iou < _SURE:
        return "There may be no vessel here. Click again on its middle, or paint it (M)."
    return ""


def share_covered(vessel: VesselFlow, other: VesselFlow) -> float:
    """Return which share of the smaller of two masks lies in the other one, as both lie in the recorded frame."""
    smaller = min(int(vessel.mask.sum()), int(other.mask.sum()))
    if not smaller:
        return 0.0
    first, second = np.array(vessel.offset), np.array(other.offset)
    begin = np.maximum(first, second)
    end = np.minimum(first + vessel.mask.shape, second + other.mask.shape)
    if (end <= begin).any():
        return 0.0

    def part(each: VesselFlow, offset: NDArray[np.intp]) -> NDArray[np.bool_]:
        return each.mask[tuple(slice(a, b) for a, b in zip(begin - offset, end - offset, strict=True))]

    return float((part(vessel, first) & part(other, second)).sum() / smaller)


def _covers(vessel: VesselFlow, click: Prompt, slack: int) -> bool:
    y, x = round(click.y) - vessel.offset[0], round(click.x) - vessel.offset[1]
    near = vessel.mask[max(y - slack, 0) : max(y + slack + 1, 0), max(x - slack, 0) : max(x + slack + 1, 0)]
    return bool(np.any(near))


class Previews:
    """Knows which prompts the masks on screen answer, and how well.

    Parameters
    ----------
    session : Session
    worker : Worker
        Of the previews that wait for one vessel it does only the newest.

    Signals
    -------
    changed()
        Another vessel is waited for, or something else is to be said.
    """

    changed = Signal()

    def __init__(self, session: Session, worker: Worker) -> None:
        self._session = session
        self._worker = worker
        self._asked: dict[int, tuple[AnyPrompt, ...]] = {}
        self._jobs: dict[int, int] = {}
        self._findings: dict[int, str] = {}
        self._masks: dict[int, VesselFlow] = {}
        self._twins: dict[int, int] = {}

    @property
    def awaited(self) -> frozenset[int]:
        """Vessels whose mask is being computed."""
        return frozenset(self._jobs)

    def finding(self, vessel_id: int) -> str:
        """Return what is to be said of a vessel's mask; empty where it is as it should be."""
        twin = self._session.state.vessel(self._twins.get(vessel_id, 0))
        if twin is not None and twin.vessel_id in self._masks:
            return f"This is {twin.name}, which is marked already. Undo it (Ctrl+Z), or select {twin.name} to mend it."
        return self._findings.get(vessel_id, "")

    def standing(self, vessel_id: int) -> str:
        """Return in a word how it stands with a vessel's mask; empty where nothing is marked."""
        if vessel_id in self.awaited:
            return "looking…"
        mask = self._masks.get(vessel_id)
        if mask is None:
            return "none" if self._session.state.is_prompted(vessel_id) else ""
        if not mask.mask.any():
            return "none"
        return "check" if self.finding(vessel_id) else "found"

    def update(self, state: SessionState) -> None:
        """Ask for the masks of all vessels whose prompts have changed."""
        for vessel_id in {*state.vessel_ids, *self._asked}:
            prompts, before = state.prompts_of(vessel_id), self._asked.get(vessel_id, ())
            if prompts != before:
                self._asked[vessel_id] = prompts
                for known in (self._jobs, self._findings, self._masks, self._twins):
                    known.pop(vessel_id, None)
                if state.is_shown(vessel_id):
                    self._ask(state, vessel_id, before)
                self.changed.emit()

    def take(self, answer: Masked) -> bool:
        """Take an answer; return whether it is to the newest prompts, as older ones are stale."""
        vessel_id = answer.vessel.vessel_id
        if self._jobs.get(vessel_id) != answer.job_id:
            return False
        del self._jobs[vessel_id]
        said = finding(answer.vessel, answer.frame, self._asked[vessel_id])
        if said:
            self._findings[vessel_id] = said
        self._masks[vessel_id] = answer.vessel
        twin = self._twin(answer.vessel)
        if twin and self._twins.get(twin) != vessel_id:
            self._twins[vessel_id] = twin
        self.changed.emit()
        return True

    def _twin(self, vessel: VesselFlow) -> int:
        """Return the vessel that has the same mask already; 0 where there is none."""
        others = (other for other in self._masks.values() if other.vessel_id != vessel.vessel_id)
        return next((other.vessel_id for other in others if share_covered(vessel, other) > _SAME), 0)

    def fail(self, job_id: int) -> None:
        """Wait no longer for a job that has failed."""
        self._jobs = {vessel: job for vessel, job in self._jobs.items() if job != job_id}
        self.changed.emit()

    def ask_again(self) -> None:
        """Ask for all masks anew (what decides them beside the prompts has changed)."""
        self._asked.clear()
        self.update(self._session.state)

    def forget(self) -> None:
        """Forget everything (another recording is opened)."""
        self._asked.clear()
        for known in (self._jobs, self._findings, self._masks, self._twins):
            known.clear()
        self._worker.drop_previews()

    def _ask(self, state: SessionState, vessel_id: int, before: tuple[AnyPrompt, ...]) -> None:
        recording, choices = self._session.recording, self._session.preview_choices
        if recording is not None:
            prompts = state.prompts_of(vessel_id)
            # The frame that the user works on: where something is new, a click rather than a box or a mask.
            new = [p for p in prompts if p not in before] or prompts
            newest = sorted(new, key=lambda p: isinstance(p, Prompt))[-1]
            self._jobs[vessel_id] = self._worker.submit(
                lambda n: PreviewJob(n, recording.path, choices, vessel_id, newest.frame, prompts)
            )
