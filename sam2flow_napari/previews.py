"""Asks for the mask of a vessel whenever its prompts have changed, and keeps what is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from psygnal import Signal

from sam2flow_core.project import SessionState
from sam2flow_core.prompts import AnyPrompt, Prompt, clicks_of
from sam2flow_napari.session import Session
from sam2flow_napari.translation import shown_name, tr
from sam2flow_napari.worker.jobs import Masked, PreviewJob
from sam2flow_napari.worker.loop import Worker

if TYPE_CHECKING:
    from sam2flow_core.engine.preview import Reading
    from sam2flow_core.inference.steps import VesselFlow

_SLACK_PX = 2
"""How far beside a mask a click may be and still count as on it: walls are not sharper than that."""
_SURE = 0.3
"""Expected overlap of a mask with its vessel from which the vessel counts as there."""


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
        return tr("No vessel was found there. Click nearer to the middle of one, or paint it (M).")
    clicks = [p for p in prompts if isinstance(p, Prompt) and p.frame == frame]
    if any(click.label and not _covers(vessel, click, _SLACK_PX) for click in clicks):
        return tr("The mask lies beside a click: no vessel was found under it. Undo it, or paint the vessel (M).")
    if any(not click.label and _covers(vessel, click, 0) for click in clicks):
        return tr("The mask still holds a place that you have excluded. Click there again, or paint the vessel (M).")
    if vessel.mask_iou < _SURE:
        return tr("There may be no vessel here. Click again on its middle, or paint it (M).")
    return ""


def _covers(vessel: VesselFlow, click: Prompt, slack: int) -> bool:
    y, x = round(click.y) - vessel.offset[0], round(click.x) - vessel.offset[1]
    near = vessel.mask[max(y - slack, 0) : max(y + slack + 1, 0), max(x - slack, 0) : max(x + slack + 1, 0)]
    return bool(np.any(near))


class Named(NamedTuple):
    """One of the masks that clicks may mean, and how it is told.

    Attributes
    ----------
    given : tuple of Prompt, BoxPrompt or MaskPrompt
        What a person has marked of the vessel.
    prompts : tuple of Prompt, BoxPrompt or MaskPrompt
        What stands in the session for it: the same, and a click that says which mask is meant.
    frame, number, masks : int
        The frame whose clicks were read, and which mask of how many, from 0.
    """

    given: tuple[AnyPrompt, ...]
    prompts: tuple[AnyPrompt, ...]
    frame: int
    number: int
    masks: int


class _Wanted(NamedTuple):
    given: tuple[AnyPrompt, ...]
    frame: int
    number: int


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
        self._wanted: dict[int, _Wanted] = {}
        self._named: list[Named] = []

    @property
    def awaited(self) -> frozenset[int]:
        """Vessels whose mask is being computed."""
        return frozenset(self._jobs)

    def finding(self, vessel_id: int) -> str:
        """Return what is to be said of a vessel's mask; empty where it is as it should be."""
        twin = self._session.state.vessel(self._twins.get(vessel_id, 0))
        if twin is not None:
            return tr("This is {name}, which is marked already. Undo it (Ctrl+Z), or select {name} to mend it.").format(
                name=shown_name(twin)
            )
        return self._findings.get(vessel_id, "")

    def choice(self, vessel_id: int) -> str:
        """Return which of the masks that its clicks may mean is shown; empty where nobody has asked."""
        named = self._name_of(self._asked.get(vessel_id, ()))
        if named is None:
            return ""
        if named.masks == 1:
            return tr("These clicks mean one mask only. Click again to mend it.")
        return tr("Mask {number} of {masks} that the click may mean. Q: the next; Ctrl+Z: back.").format(
            number=named.number + 1, masks=named.masks
        )

    def standing(self, vessel_id: int) -> str:
        """Return in a word how it stands with a vessel's mask; empty where nothing is marked."""
        if vessel_id in self.awaited:
            return tr("looking…")
        mask = self._masks.get(vessel_id)
        if mask is None:
            return tr("none") if self._session.state.is_prompted(vessel_id) else ""
        if not mask.mask.any():
            return tr("none")
        return tr("check") if self.finding(vessel_id) else tr("found")

    def update(self, state: SessionState) -> None:
        """Ask for the masks of all vessels whose prompts have changed."""
        known_ids = dict.fromkeys((*state.vessel_ids, *self._asked))
        changed = [v for v in known_ids if state.prompts_of(v) != self._asked.get(v, ())]
        before = {vessel_id: self._asked.get(vessel_id, ()) for vessel_id in changed}
        # What was the same as one of them may be so no more.
        again = [v for v, twin in self._twins.items() if twin in changed and v not in changed and v in state.vessel_ids]
        for vessel_id in (*changed, *again):
            self._asked[vessel_id] = state.prompts_of(vessel_id)
            for known in (self._jobs, self._findings, self._masks, self._twins, self._wanted):
                known.pop(vessel_id, None)
        waiting = [v for v in (*changed, *again) if state.is_shown(v)]
        for place, vessel_id in enumerate(waiting):
            # Of two that are the same the one that is asked for later is the copy.
            self._ask(state, vessel_id, before.get(vessel_id, ()), frozenset(waiting[place:]))
        if changed:
            self.changed.emit()

    def ask_for_next(self, vessel_id: int, frame: int) -> None:
        """Ask for the next mask that the clicks of a vessel may mean.

        Parameters
        ----------
        vessel_id : int
        frame : int
            On screen; where no click of the vessel lies in it, its newest click says the frame.
        """
        state, prompts = self._session.state, self._session.state.prompts_of(vessel_id)
        frames = [click.frame for click in clicks_of(prompts) if click.label]
        if not frames:
            return
        frame = frame if frame in frames else frames[-1]
        last = self._wanted.get(vessel_id) or self._name_of(prompts)
        if last is not None and last.frame == frame:
            wanted = _Wanted(last.given, frame, last.number + 1)
        else:
            wanted = _Wanted(prompts, frame, 1)
        self._submit(state, vessel_id, wanted.given, frame, frozenset((vessel_id,)), wanted.number)
        self._wanted[vessel_id] = wanted
        self.changed.emit()

    def take(self, answer: Masked) -> bool:
        """Take an answer; return whether it is to the newest prompts, as older ones are stale."""
        vessel_id = answer.vessel.vessel_id
        if self._jobs.get(vessel_id) != answer.job_id:
            return False
        del self._jobs[vessel_id]
        said = finding(answer.vessel, answer.frame, answer.reading.prompts)
        self._findings[vessel_id] = said
        self._masks[vessel_id] = answer.vessel
        twin = answer.vessel.same_as
        self._twins.pop(vessel_id, None)
        if twin is not None:
            self._twins[vessel_id] = twin
        wanted = self._wanted.pop(vessel_id, None)
        if wanted is not None:
            self._use(vessel_id, wanted, answer.reading)
        self.changed.emit()
        return True

    def _use(self, vessel_id: int, wanted: _Wanted, reading: Reading) -> None:
        """Let the clicks that name a mask be those of its vessel; their mask is here already."""
        clicks = clicks_of(reading.prompts)
        prompts = self._session.state.with_clicks_of(vessel_id, clicks).prompts_of(vessel_id)
        named = Named(wanted.given, prompts, wanted.frame, reading.number, reading.count)
        self._named = [name for name in self._named if name.prompts != prompts] + [named]
        self._asked[vessel_id] = prompts
        self._session.set_clicks_of(vessel_id, clicks)

    def _name_of(self, prompts: tuple[AnyPrompt, ...]) -> Named | None:
        """Return which mask was chosen by the prompts of a vessel."""
        return next((name for name in self._named if prompts and name.prompts == prompts), None)

    def fail(self, job_id: int) -> None:
        """Wait no longer for a job that has failed."""
        for vessel_id in [vessel for vessel, job in self._jobs.items() if job == job_id]:
            del self._jobs[vessel_id]
            self._wanted.pop(vessel_id, None)
        self.changed.emit()

    def ask_again(self) -> None:
        """Ask for all masks anew (what decides them beside the prompts has changed)."""
        self._asked.clear()
        self.update(self._session.state)

    def forget(self) -> None:
        """Forget everything (another recording is opened)."""
        self._asked.clear()
        self._named.clear()
        for known in (self._jobs, self._findings, self._masks, self._twins, self._wanted):
            known.clear()
        self._worker.drop_previews()

    def _ask(
        self, state: SessionState, vessel_id: int, before: tuple[AnyPrompt, ...], unanswered: frozenset[int]
    ) -> None:
        prompts = state.prompts_of(vessel_id)
        # The frame that the user works on: where something is new, a click rather than a box or a mask.
        new = [p for p in prompts if p not in before] or prompts
        newest = sorted(new, key=lambda p: isinstance(p, Prompt))[-1]
        self._submit(state, vessel_id, prompts, newest.frame, unanswered)

    def _submit(
        self,
        state: SessionState,
        vessel_id: int,
        prompts: tuple[AnyPrompt, ...],
        frame: int,
        unanswered: frozenset[int],
        number: int = 0,
    ) -> None:
        recording, choices = self._session.recording, self._session.preview_choices
        if recording is not None:
            marked = frozenset(v for v in state.vessel_ids if state.is_shown(v)) - unanswered
            self._jobs[vessel_id] = self._worker.submit(
                lambda n: PreviewJob(n, recording.path, choices, vessel_id, frame, prompts, marked, number)
            )
