"""Asks for the mask of a vessel whenever its prompts have changed."""

from __future__ import annotations

from sam2flow_core.project import SessionState
from sam2flow_core.prompts import Prompt
from sam2flow_core.regions import Region
from sam2flow_napari.session import Session
from sam2flow_napari.work import Desk, PreviewJob

Mark = Prompt | Region


class PreviewDesk:
    """Knows which prompts the masks on screen answer.

    Parameters
    ----------
    session : Session
    desk : Desk
        Of the previews that wait for one vessel it does only the newest.
    """

    def __init__(self, session: Session, desk: Desk) -> None:
        self._session = session
        self._desk = desk
        self._asked: dict[int, tuple[Mark, ...]] = {}
        self._jobs: dict[int, int] = {}

    def update(self, state: SessionState) -> None:
        """Ask for the masks of all vessels whose prompts have changed."""
        for vessel_id in {*state.vessel_ids, *self._asked}:
            prompts, regions = state.prompts_of(vessel_id), state.regions_of(vessel_id)
            before = self._asked.get(vessel_id, ())
            if (*prompts, *regions) != before:
                self._asked[vessel_id] = (*prompts, *regions)
                self._jobs.pop(vessel_id, None)
                if state.is_shown(vessel_id):
                    self._ask(vessel_id, prompts, regions, before)

    def expects(self, job_id: int, vessel_id: int) -> bool:
        """Whether an answer is to the newest prompts; older ones are stale."""
        return self._jobs.get(vessel_id) == job_id

    def forget(self) -> None:
        """Forget everything (another recording is opened)."""
        self._asked.clear()
        self._jobs.clear()
        self._desk.drop_previews()

    def _ask(
        self, vessel_id: int, prompts: tuple[Prompt, ...], regions: tuple[Region, ...], before: tuple[Mark, ...]
    ) -> None:
        recording, choices = self._session.recording, self._session.run_choices
        if recording is not None:
            marks = (*regions, *prompts)
            # The frame that the user works on: where something is new.
            newest = ([m for m in marks if m not in before] or marks)[-1]
            self._jobs[vessel_id] = self._desk.submit(
                lambda n: PreviewJob(
                    n, recording.path, choices.model, choices.device, vessel_id, newest.frame, prompts, regions
                )
            )
