"""Ties a viewer to a session, its layers and the worker. Widgets and tests talk to this."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QObject, QTimer, Signal

from sam2flow_core.errors import Sam2FlowError
from sam2flow_core.prompts import check_prompts, read_prompts
from sam2flow_napari.files.sample import sample_path
from sam2flow_napari.layers import LayerFactory, Overlays, PromptLayer
from sam2flow_napari.layers.factory import PATH_KEY, STACK_KEY, recording_arguments
from sam2flow_napari.layers.flow_frames import FlowFrames
from sam2flow_napari.layers.keys import Key, bind, prompt_keys
from sam2flow_napari.preferences import read_preferences
from sam2flow_napari.previews import PreviewDesk
from sam2flow_napari.session import Recording, RunChoices, Session, SessionState, open_recording
from sam2flow_napari.work import Cancelled, Desk, Failed, Loaded, LoadJob, Masked, RunJob, RunProgress, WarmJob
from sam2flow_napari.work.engine import Engine
from sam2flow_napari.work.tables import RunTables

if TYPE_CHECKING:
    from sam2flow_core.engine.events import RunRequest


class Workbench(QObject):
    """One viewer's work.

    Parameters
    ----------
    viewer : ViewerModel
    engine : Engine, optional
        Does the work; the core's engine in a process of its own if not given.

    Signals
    -------
    progressed(object)
        A `RunProgress` of the present run.
    running_changed(bool)
    tables_changed(object)
        `RunTables`, or None when there are no results.
    help_wanted()
    """

    progressed = Signal(object)
    running_changed = Signal(bool)
    tables_changed = Signal(object)
    help_wanted = Signal()
    _save_failed = Signal(object)

    def __init__(self, viewer: ViewerModel, engine: Engine | None = None) -> None:
        super().__init__()
        self.viewer = viewer
        self.session = Session()
        self.follow = read_preferences().follow
        self.tables: RunTables | None = None
        self.frames: FlowFrames | None = None
        self.overlays: Overlays | None = None
        self.prompts: PromptLayer | None = None
        self.keys: tuple[Key, ...] = prompt_keys(viewer, self.session, self.help_wanted.emit)
        self._image: Layer | None = None
        self._run_id = 0
        self._run_folder: Path | None = None
        self._load_id = 0
        self._closed = False
        self._desk = Desk(engine, self)
        self._desk.answered.connect(self._on_answer)
        self._previews = PreviewDesk(self.session, self._desk)
        self.session.state_changed.connect(self._on_state)
        self.session.calibration_changed.connect(self._on_calibration)
        self.session.save_failed.connect(self._save_failed.emit)
        self._save_failed.connect(self.report)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        for layer in tuple(viewer.layers):
            self._consider(layer)

    # -- recording -------------------------------------------------------
    def open(self, path: str | Path) -> None:
        """Open a recording (a file, or a folder of frames) into the viewer; errors become notifications."""
        try:
            recording = open_recording(path)
        except Sam2FlowError as error:
            self.report(error)
            return
        self.viewer.add_image(recording.stack.as_array(), **recording_arguments(recording))

    def open_sample(self) -> None:
        """Open the bundled sample."""
        try:
            self.open(sample_path())
        except Sam2FlowError as error:
            self.report(error)

    def _on_inserted(self, event: Any) -> None:
        self._consider(event.value)

    def _consider(self, layer: Layer) -> None:
        if STACK_KEY in layer.metadata and PATH_KEY in layer.metadata and not self._closed:
            self._adopt(layer)

    def _adopt(self, layer: Layer) -> None:
        old = self._image
        self._let_go()
        self._image = layer
        recording = Recording(Path(layer.metadata[PATH_KEY]), layer.metadata[STACK_KEY])
        try:
            notice = self.session.open(recording)
        except (Sam2FlowError, OSError) as error:
            self._image = None
            self.report(error)
            return
        if old is not None and old in self.viewer.layers:
            # One recording at a time: another's layers could not be told from this one's.
            self.viewer.layers.remove(old)
        self._lay_out(layer)
        if notice:
            show_warning(notice)
        for problem in recording.stack.problems:
            show_info(problem)

    def _lay_out(self, layer: Layer) -> None:
        assert self.session.recording is not None
        recording = self.session.recording
        if not self.session.state.vessels:
            preferences = read_preferences()
            choices = replace(self.session.run_choices, device=preferences.device, model=preferences.model)
            self.session.choose_run(choices)
        factory = LayerFactory(recording.spacing)
        factory.restyle(layer)
        self.frames = FlowFrames(recording.shape)
        self._add_prompt_layer()
        self.overlays = Overlays(self.viewer, self.session, factory, self.frames)
        self.viewer.dims.set_current_step(0, min((p.frame for p in self.session.state.prompts), default=0))
        self._warm()
        if self.session.results is not None:
            self._load(self.session.results)
        self._previews.update(self.session.state)

    def _add_prompt_layer(self) -> None:
        assert self.session.recording is not None
        factory = LayerFactory(self.session.recording.spacing)
        self.prompts = PromptLayer(self.viewer, self.session, factory, show_warning)
        bind(self.prompts.layer, self.keys)
        # Deferred, because napari makes a layer the active one after all have heard that it was inserted.
        QTimer.singleShot(0, self.make_clickable)

    def make_clickable(self) -> None:
        """Make the prompts the active layer, ready for clicks."""
        if self.prompts is not None and self.prompts.layer in self.viewer.layers:
            self.viewer.layers.selection.active = self.prompts.layer
            self.prompts.layer.mode = "add"

    def _warm(self) -> None:
        recording, choices = self.session.recording, self.session.run_choices
        if recording is not None:
            self._desk.submit(lambda n: WarmJob(n, recording.path, choices.model, choices.device))

    def _let_go(self) -> None:
        """Close the session and take its layers away; the image layer stays."""
        self.cancel()
        self._image = None
        self._previews.forget()
        prompts, self.prompts = self.prompts, None
        if prompts is not None:
            prompts.close()
        overlays, self.overlays = self.overlays, None
        if overlays is not None:
            overlays.close()
        self.frames = None
        self._set_tables(None)
        self._load_id = 0
        self.session.close()

    def _on_removed(self, event: Any) -> None:
        if self._closed:
            return
        if event.value is self._image:
            self._let_go()
        if STACK_KEY in event.value.metadata:
            event.value.metadata[STACK_KEY].close()
        if self.prompts is not None and event.value is self.prompts.layer:
            QTimer.singleShot(0, self._restore_prompts)

    def _restore_prompts(self) -> None:
        if self.prompts is not None and self.prompts.layer not in self.viewer.layers:
            self.prompts.close()
            self._add_prompt_layer()
            show_info("Your clicks are kept: use Undo or the vessel list to take them back.")

    def _on_state(self, state: SessionState) -> None:
        if self.session.recording is not None and self.overlays is not None:
            self._previews.update(state)
            self._drop_lost_previews(state)

    def _drop_lost_previews(self, state: SessionState) -> None:
        assert self.frames is not None and self.overlays is not None
        lost = [v for v in self.frames.vessel_ids if not any(p.label for p in state.prompts_of(v))]
        for vessel_id in lost:
            self.frames.drop_preview(vessel_id)
        if lost:
            self.overlays.redraw()

    def _on_calibration(self) -> None:
        recording = self.session.recording
        if recording is None or self.overlays is None:
            return
        factory = LayerFactory(recording.spacing)
        for layer in (self._image, self.prompts.layer if self.prompts else None):
            if layer is not None:
                factory.restyle(layer)
        self.overlays.recalibrate(factory)

    def load_prompts(self, path: str | Path) -> None:
        """Replace all prompts by those of a ``prompts.csv`` (which can be undone)."""
        try:
            prompts = read_prompts(path)
            if self.session.recording is not None:
                check_prompts(prompts, self.session.recording.shape)
        except Sam2FlowError as error:
            self.report(error)
        else:
            self.session.set_prompts(prompts)

    # -- runs ------------------------------------------------------------
    @property
    def running(self) -> bool:
        """Whether a run is going on or waiting."""
        return self._run_id != 0

    @property
    def busy(self) -> bool:
        """Whether the worker has anything in hand."""
        return self._desk.busy

    def run(self) -> None:
        """Start a run with the session's prompts and settings; refused with a notification where it cannot be."""
        if self.running:
            return
        try:
            request = self._request()
        except Sam2FlowError as error:
            self.report(error)
            return
        assert self.frames is not None and self.overlays is not None
        self._run_folder = request.out
        self.frames.start_run(request.out)
        self.overlays.forget_flow()
        self._set_tables(None)
        self._run_id = self._desk.submit(lambda n: RunJob(n, request))
        self.running_changed.emit(True)

    def cancel(self) -> None:
        """Stop the run after its present frame; what is finished stays on disk and on screen."""
        if self.running and self._run_id in self._desk.cancel_runs():
            self._end_run()

    def _request(self) -> RunRequest:
        from sam2flow_core.engine.events import RunRequest
        from sam2flow_core.errors import PromptError, StackError

        recording, choices, state = self.session.recording, self.session.run_choices, self.session.state
        if recording is None or self.session.folder is None:
            raise StackError("no recording is open: open one first")
        if not state.prompts:
            raise PromptError("no vessel is marked: click on a vessel in the image first")
        check_prompts(state.prompts, recording.shape)
        return RunRequest(
            stack=recording.path,
            prompts=state.prompts,
            out=next_run_folder(self.session.folder),
            model=choices.model,
            device=choices.device,
            pixel_size_um=recording.edit.pixel_size_um,
            frame_rate_hz=recording.edit.frame_rate_hz,
            start=choices.start,
            stop=choices.stop or None,
            stabilise=choices.stabilise,
            names=tuple((v.vessel_id, v.name) for v in state.vessels if state.prompts_of(v.vessel_id)),
        )

    def _end_run(self) -> None:
        self._run_id = 0
        self.running_changed.emit(False)

    def _load(self, folder: Path) -> None:
        self._load_id = self._desk.submit(lambda n: LoadJob(n, folder))

    # -- answers of the worker ---------------------------------------------
    def _on_answer(self, answer: object) -> None:
        if self.overlays is None:
            return
        if isinstance(answer, Masked):
            self._on_mask(answer)
        elif isinstance(answer, RunProgress) and answer.job_id == self._run_id:
            self._on_progress(answer)
        elif isinstance(answer, Cancelled) and answer.job_id == self._run_id:
            show_info("Run cancelled. What was finished is kept in the project folder.")
            self._end_run()
        elif isinstance(answer, Loaded) and answer.job_id == self._load_id:
            self._on_loaded(answer.tables)
        elif isinstance(answer, Failed):
            self._on_failed(answer)

    def _on_mask(self, answer: Masked) -> None:
        if self._previews.expects(answer.job_id, answer.vessel.vessel_id):
            assert self.frames is not None and self.overlays is not None
            self.frames.preview(answer.vessel)
            self.overlays.show_masks()

    def _on_progress(self, progress: RunProgress) -> None:
        from sam2flow_core.engine.events import Finished, FrameDone

        assert self.frames is not None and self.overlays is not None
        if isinstance(progress.event, FrameDone):
            result = progress.event.result
            self.frames.add(result)
            self.overlays.show_frame(result.frame)
            if self.follow:
                self.viewer.dims.set_current_step(0, result.frame)
        self.progressed.emit(progress)
        if isinstance(progress.event, Finished):
            self.session.finish_run(progress.event.out)
            for notice in progress.event.notices:
                show_info(notice)
            self._end_run()
            self._load(progress.event.out)

    def _on_loaded(self, tables: RunTables) -> None:
        assert self.frames is not None and self.overlays is not None
        self.frames.show_results(tables.folder, tables.results)
        start = tables.results.header.start
        self.overlays.show_flow(start)
        if self.follow:
            # The slider stands on the last frame, which has no flow.
            self.viewer.dims.set_current_step(0, start)
        self._set_tables(tables)

    def _on_failed(self, failure: Failed) -> None:
        if failure.job_id == self._run_id:
            self._end_run()
        self.report(failure.error)

    def _set_tables(self, tables: RunTables | None) -> None:
        if tables is not self.tables:
            self.tables = tables
            self.tables_changed.emit(tables)

    # -- the rest ----------------------------------------------------------
    def choose_run(self, choices: RunChoices) -> None:
        """Keep run settings; a new model or device answers the next click."""
        warm = (choices.model, choices.device) != (self.session.run_choices.model, self.session.run_choices.device)
        self.session.choose_run(choices)
        if warm:
            self._warm()

    def report(self, error: Exception) -> None:
        """Show an error as a notification: the user's to mend in one line, a fault of the program with its kind."""
        if isinstance(error, Sam2FlowError):
            show_error(str(error))
        else:
            show_error(f"SAM2Flow failed: {type(error).__name__}: {error}. Your clicks are saved.")

    def close(self) -> None:
        """Stop the run, save and let go of the viewer."""
        if self._closed:
            return
        self._closed = True
        self.viewer.layers.events.inserted.disconnect(self._on_inserted)
        self.viewer.layers.events.removed.disconnect(self._on_removed)
        self._desk.close()
        self._let_go()


def next_run_folder(project: Path) -> Path:
    """Return the first unused ``run-001``, ``run-002``, ... of a project, so that no run replaces another."""
    taken = {path.name for path in project.glob("run-*")} if project.is_dir() else set()
    number = 1
    while f"run-{number:03d}" in taken:
        number += 1
    return project / f"run-{number:03d}"
