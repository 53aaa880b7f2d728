"""The session of one viewer: the only place where prompts change, with undo and redo."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from sam2flow_core.config.run import STANDARD
from sam2flow_core.errors import Sam2FlowError
from sam2flow_core.messages import Message
from sam2flow_core.project import (
    PROJECT_FILE,
    CalibrationEdit,
    Project,
    RunChoices,
    SessionState,
    kept_runs,
    read_project,
)
from sam2flow_core.prompts import BoxPrompt, MaskPrompt, Prompt
from sam2flow_core.stack import Measured, Stack, choose_resolution
from sam2flow_napari.session.recording import Autosaver, Recording, project_folder

Value = TypeVar("Value")


class History(Generic[Value]):
    """A line of immutable values with a current one.

    Values share what they have in common, so keeping all of them costs little.
    """

    def __init__(self, first: Value) -> None:
        self._past: list[Value] = []
        self._future: list[Value] = []
        self.current = first

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier value."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether an undone value can come back."""
        return bool(self._future)

    def push(self, value: Value) -> None:
        """Make `value` the current one; what was undone is forgotten."""
        self._past.append(self.current)
        self._future.clear()
        self.current = value

    def undo(self) -> Value:
        """Go back one value, if there is one, and return the current value."""
        if self._past:
            self._future.append(self.current)
            self.current = self._past.pop()
        return self.current

    def redo(self) -> Value:
        """Go forward one value, if there is one, and return the current value."""
        if self._future:
            self._past.append(self.current)
            self.current = self._future.pop()
        return self.current


class Session:
    """Recording, vessels and prompts of one viewer, with undo and autosave.

    Layers and widgets only display a session: they call its methods and listen
    to its signals.

    Signals
    -------
    state_changed(SessionState), active_changed(int), sign_changed(int)
    recording_changed(), calibration_changed(), run_choices_changed()
    save_failed(Exception)
        Emitted in the writing thread.
    """

    state_changed = Signal(SessionState)
    active_changed = Signal(int)
    sign_changed = Signal(int)
    recording_changed = Signal()
    calibration_changed = Signal()
    run_choices_changed = Signal()
    save_failed = Signal(Exception)

    def __init__(self) -> None:
        self._history: History[SessionState] = History(SessionState())
        self._recording: Recording | None = None
        self._fingerprint = ""
        self._autosaver: Autosaver | None = None
        self._active = 0
        self._sign = 1
        self._run = RunChoices()
        self._results = ""

    # -- what is there ---------------------------------------------------
    @property
    def state(self) -> SessionState:
        """Vessels and prompts as they are now."""
        return self._history.current

    @property
    def recording(self) -> Recording | None:
        """The open recording."""
        return self._recording

    @property
    def folder(self) -> Path | None:
        """Project folder of the open recording."""
        return self._autosaver.folder if self._autosaver else None

    @property
    def project(self) -> Project | None:
        """All of the session that is kept."""
        if self._recording is None:
            return None
        path, edit = self._recording.path.resolve(), self._recording.edit
        return Project(path, self._fingerprint, self.state, edit, self._run, self._results)

    @property
    def results(self) -> Path | None:
        """Folder of the newest finished run."""
        return self.folder / self._results if self.folder and self._results else None

    @property
    def run_choices(self) -> RunChoices:
        """Run settings."""
        return self._run

    @property
    def preview_choices(self) -> RunChoices:
        """Run settings with the working resolution that follows from the pixel size, typed by hand or not.

        Where none is known the pattern decides, in a preview as in a run; that takes longer than a window may.
        """
        pixel = self._recording.calibration.pixel_size_um if self._recording else Measured()
        if self._recording is None or self._run.working_resolution is not None or pixel.usable is None:
            return replace(self._run, detail=STANDARD)  # which decides no mask
        return replace(
            self._run, detail=STANDARD, working_resolution=choose_resolution(self._recording.stack, pixel).factor
        )

    @property
    def active(self) -> int:
        """Id of the vessel that the next click speaks of; 0 = a new one."""
        return self._active

    @property
    def sign(self) -> int:
        """Label of the next click: 1 = vessel, 0 = not this vessel."""
        return self._sign

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is something to redo."""
        return self._history.can_redo

    # -- recording -------------------------------------------------------
    def open(self, recording: Recording) -> str:
        """Make `recording` the session's and take up its project where one exists.

        Returns
        -------
        str
            What the user should know (a recording that changed since), or an empty string.
        """
        self.close()
        folder = project_folder(recording.path)
        self._fingerprint = recording.stack.fingerprint()
        self._autosaver = Autosaver(folder, self.save_failed.emit)
        notice = ""
        state = SessionState()
        self._run, self._results = RunChoices(), ""
        if (folder / PROJECT_FILE).is_file():
            notice, project = self._read(folder, recording.stack)
            if project is not None:
                state, self._run, self._results = project.state, project.run, project.results
                if recording.edit == CalibrationEdit():
                    recording = replace(recording, edit=project.edit)
        self._recording = recording
        self._history = History(state)
        self._active = state.vessel_ids[0] if state.vessels else 0
        self._sign = 1
        self.recording_changed.emit()
        self._announce()
        return notice

    def _read(self, folder: Path, stack: Stack) -> tuple[str, Project | None]:
        try:
            project = read_project(folder)
        except Sam2FlowError as error:
            return Message("{error}. {kept}", error=error.message, kept=_put_aside(folder)), None
        inside = project.state.within(stack.shape)
        if inside != project.state:
            notice = Message(
                "Marks of {name} that lie outside this recording were left out. {kept}",
                name=folder.name,
                kept=_put_aside(folder),
            )
            return notice, replace(project, state=inside)
        if not stack.has_fingerprint(project.fingerprint):
            return Message(
                "The recording has changed since its prompts were placed: check them before you run."
            ), project
        return "", project

    def close(self) -> None:
        """Save and let go of the recording, whose files stay open: a layer may still show them."""
        if self._autosaver is None:
            return
        self.save()
        self._autosaver.close()
        self._autosaver, self._recording, self._fingerprint = None, None, ""
        self._history = History(SessionState())
        self._active = 0
        self.recording_changed.emit()
        self._announce()

    def calibrate(self, edit: CalibrationEdit) -> None:
        """Take the user's calibration.

        Raises
        ------
        CalibrationError
            If a value is absurd; nothing changes then.
        """
        if self._recording is not None and edit != self._recording.edit:
            self._recording = self._recording.edited(edit)
            self.calibration_changed.emit()
            self.save()

    # -- edits -----------------------------------------------------------
    def add_vessel(self, name: str = "") -> int:
        """Add a vessel, make it the active one and return its id."""
        self._push(self.state.with_vessel(name))
        self.activate(self.state.vessel_ids[-1])
        return self._active

    def delete_vessel(self, vessel_id: int) -> None:
        """Delete a vessel with its prompts."""
        self._push(self.state.without_vessel(vessel_id))

    def rename_vessel(self, vessel_id: int, name: str) -> None:
        """Give a vessel another name."""
        if name.strip():
            self._push(self.state.renamed(vessel_id, name.strip()))

    def group_vessel(self, vessel_id: int, group: str) -> None:
        """Sort a vessel by another group, such as its type."""
        self._push(self.state.grouped(vessel_id, group.strip()))

    def merge_vessels(self, vessel_id: int, other: int) -> None:
        """Make all marks of another vessel this one's."""
        self._push(self.state.merged(vessel_id, other))
        self.activate(vessel_id)

    def split_vessel(self, clicks: tuple[Prompt, ...]) -> None:
        """Make some clicks those of a new vessel, which becomes the active one."""
        new = self.state.next_id()
        self._push(self.state.split(clicks))
        self.activate(new)

    def move_vessel(self, vessel_id: int, by: int) -> None:
        """Move a vessel so many places down the list; up where `by` is negative."""
        self._push(self.state.moved(vessel_id, by))

    def show_vessel(self, vessel_id: int, visible: bool) -> None:
        """Draw or hide a vessel."""
        self._push(self.state.shown(vessel_id, visible))

    def add_box(self, frame: int, sides: tuple[float, float, float, float]) -> None:
        """Put a box ``(top, left, bottom, right)`` about the active vessel, in place of its earlier one there."""
        state = self._with_active()
        self._push(state.with_boxes((*state.boxes, BoxPrompt(self._active, frame, *sides))))

    def add_mask(self, vessel_id: int, frame: int, mask: NDArray[np.bool_]) -> None:
        """Take a painted mask (Y, X), in place of all that was marked of the vessel in that frame before."""
        self._push(self.state.with_mask(MaskPrompt.of(vessel_id, frame, mask)))

    def set_boxes(self, boxes: tuple[BoxPrompt, ...]) -> None:
        """Replace all boxes (some moved or deleted)."""
        self._push(self.state.with_boxes(boxes))

    def clear_regions(self, vessel_id: int, frame: int) -> None:
        """Take box and painted mask of a vessel in a frame away."""
        self._push(self.state.without_regions(vessel_id, frame))

    def set_clicks(self, clicks: tuple[Prompt, ...]) -> None:
        """Replace all clicks (points moved, deleted or pasted; a table opened)."""
        self._push(self.state.with_clicks(clicks))

    def set_clicks_of(self, vessel_id: int, clicks: tuple[Prompt, ...]) -> None:
        """Replace the clicks of one vessel (another mask that they may mean is chosen)."""
        self._push(self.state.with_clicks_of(vessel_id, clicks))

    def undo(self) -> None:
        """Take back the last edit."""
        if self.can_undo:
            self._history.undo()
            self.save()
            self._announce()

    def redo(self) -> None:
        """Bring back the last undone edit."""
        if self.can_redo:
            self._history.redo()
            self.save()
            self._announce()

    # -- choices that are not undone ---------------------------------------
    def activate(self, vessel_id: int) -> None:
        """Let the next clicks speak of this vessel."""
        if vessel_id != self._active and (vessel_id == 0 or self.state.vessel(vessel_id)):
            self._active = vessel_id
            self.active_changed.emit(vessel_id)

    def begin_vessel(self) -> None:
        """Let the next clicks speak of a new vessel: one that nothing marks yet, made where there is none."""
        empty = [v for v in self.state.vessel_ids if not self.state.is_prompted(v)]
        if empty:
            self.activate(empty[-1])
        else:
            self.add_vessel()

    def activate_next(self) -> None:
        """Go to the next vessel of the list; after the last one, to a new vessel."""
        ids = self.state.vessel_ids
        place = ids.index(self._active) + 1 if self._active in ids else len(ids)
        if place < len(ids):
            self.activate(ids[place])
        elif not ids or self.state.is_prompted(ids[-1]):
            self.add_vessel()
        else:
            # The last vessel is still empty: a second empty one would help nobody.
            self.activate(ids[0] if self._active == ids[-1] else ids[-1])

    def set_sign(self, label: int) -> None:
        """Let the next clicks mean 1 = vessel or 0 = not this vessel."""
        if label != self._sign:
            self._sign = label
            self.sign_changed.emit(label)

    def choose_run(self, run: RunChoices) -> None:
        """Keep the run settings."""
        if run != self._run:
            self._run = run
            self.save()
            self.run_choices_changed.emit()

    def finish_run(self, out: Path) -> None:
        """Keep the folder of a finished run inside the project as the newest."""
        self._results = out.name
        self.save()

    def forget_run(self, folder: Path) -> None:
        """Keep another finished run as the newest, where this one was it and is gone."""
        finished = [run.folder for run in kept_runs(self.folder) if run.finished] if self.folder else []
        if folder.name == self._results and folder not in finished:
            self._results = finished[-1].name if finished else ""
            self.save()

    def save(self) -> None:
        """Have the project written, away from this thread."""
        project = self.project
        if self._autosaver and project:
            self._autosaver.save(project)

    def save_now(self) -> None:
        """Have the project written, and wait for it: something else is about to read it."""
        self.save()
        if self._autosaver:
            self._autosaver.wait()

    def _with_active(self) -> SessionState:
        """Return the state with an active vessel, made where there is none."""
        state = self.state
        if state.vessel(self._active) is None:
            state = state.with_vessel()
            self._active = state.vessel_ids[-1]
            self.active_changed.emit(self._active)
        return state

    def _push(self, state: SessionState) -> None:
        if state != self.state:
            self._history.push(state)
            self.save()
            self._announce()

    def _announce(self) -> None:
        if self.state.vessel(self._active) is None:
            self._active = self.state.vessel_ids[-1] if self.state.vessels else 0
            self.active_changed.emit(self._active)
        self.state_changed.emit(self.state)


def _put_aside(folder: Path) -> str:
    """Move a project's file out of the way, never over another one: somebody's clicks are in it. Say where to."""
    names = (f"{PROJECT_FILE}.damaged{'' if number == 1 else number}" for number in count(1))
    kept = next(folder / name for name in names if not (folder / name).exists())
    try:
        (folder / PROJECT_FILE).rename(kept)
    except OSError:
        return Message("It could not be put aside: what you mark now replaces it.")
    return Message("It was kept as {name}.", name=kept.name)
