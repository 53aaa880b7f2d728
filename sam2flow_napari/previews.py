"""Asks for the mask of a vessel whenever its prompts have changed, and keeps what is to be said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from sam2flow_core.project import SessionState
from sam2flow_core.prompts import AnyPrompt, Prompt
from sam2flow_napari.findings import finding, share_covered
from sam2flow_napari.session import Session
from sam2flow_napari.worker.jobs import Masked, PreviewJob
from sam2flow_napari.worker.worker import Worker

if TYPE_CHECKING:
    from sam2flow_core.inference.steps import VesselFlow

_SAME = 0.6
"""Share of the smaller of two masks inside the other from which they are one vessel; crossing ones share far less."""


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
