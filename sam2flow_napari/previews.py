"""Asks for the mask of a vessel whenever its clicks have changed."""

from __future__ import annotations

from sam2flow_core.project import SessionState
from sam2flow_core.prompts import Prompt
from sam2flow_napari.session import Session
from sam2flow_napari.work import Desk, PreviewJob


class PreviewDesk:
    """Knows which clicks the masks on screen answer.

    Parameters
    ----------
    session : Session
    desk : Desk
        Of the previews that wait for one vessel it does only the newest.
    """

    def __init__(self, session: Session, desk: Desk) -> None:
        self._session = session
        self._desk = desk
        self._asked: dict[int, tuple[Prompt, ...]] = {}
        self._jobs: dict[int, int] = {}

    def update(self, state: SessionState) -> None:
        """Ask for the masks of all vessels whose clicks have changed."""
        for vessel_id in {*state.vessel_ids, *self._asked}:
            prompts = state.prompts_of(vessel_id)
            if prompts != self._asked.get(vessel_id, ()):
                self._asked[vessel_id] = prompts
                self._jobs.pop(vessel_id, None)
                if any(p.label for p in prompts):
                    self._ask(vessel_id, prompts)

    def expects(self, job_id: int, vessel_id: int) -> bool:
        """Whether an answer is to the newest clicks; older ones are stale."""
        return self._jobs.get(vessel_id) == job_id

    def forget(self) -> None:
        """Forget everything (another recording is opened)."""
        self._asked.clear()
        self._jobs.clear()
        self._desk.drop_previews()

    def _ask(self, vessel_id: int, prompts: tuple[Prompt, ...]) -> None:
        recording, choices = self._session.recording, self._session.run_choices
        if recording is not None:
            frame = prompts[-1].frame
            self._jobs[vessel_id] = self._desk.submit(
                lambda n: PreviewJob(n, recording.path, choices.model, choices.device, vessel_id, frame, prompts)
            )
