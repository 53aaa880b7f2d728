"""Ties a viewer to a session, its layers and the worker. Widgets and tests talk to this."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Layer
from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QObject, QTimer, Signal

from sam2flow_core.errors import Sam2FlowError, StackError
from sam2flow_core.inference.hub import is_hub_name
from sam2flow_core.project import RunChoices, SessionState
from sam2flow_core.prompts import check_prompts, read_prompts
from sam2flow_napari.drawn_line import DrawnLine
from sam2flow_napari.file_menu import is_bundled, recording_of_layer, sample_path
from sam2flow_napari.found_vessels import Finder
from sam2flow_napari.layers.factory import OWNER_KEY, PATH_KEY, STACK_KEY, LayerFactory, recording_arguments
from sam2flow_napari.layers.flow_frames import first_answered
from sam2flow_napari.layers.frame_on_screen import frame_on_screen
from sam2flow_napari.layers.prompt_layer import Key
from sam2flow_napari.preferences import read_preferences
from sam2flow_napari.previews import Previews
from sam2flow_napari.recording_layers import Scene
from sam2flow_napari.session import Recording, Session, open_recording
from sam2flow_napari.session_runs import Batch, Propagation, Runs
from sam2flow_napari.still_pictures import StillPictures
from sam2flow_napari.tools import Tools, prompt_keys
from sam2flow_napari.translation import told, tr
from sam2flow_napari.worker.jobs import Failed, Masked, RunProgress, Warmed, WarmJob
from sam2flow_napari.worker.loop import Engine, Worker


class Workbench(QObject):
    """One viewer's work.

    Parameters
    ----------
    viewer : ViewerModel
    engine : Engine, optional
        Does the work; the core's engine in a process of its own if not given.

    Attributes
    ----------
    session : Session
    runs : Runs
    previews : Previews
    propagation : Propagation
    line : DrawnLine
        A line along a vessel, measured classically.
    finder : Finder
        Vessels that are proposed without a click.
    batch : Batch
        Several recordings, measured one after the other.
    tools : Tools
        What buttons and keys ask for.
    stills : StillPictures
        What is shown in place of the film.
    scene : Scene or None
        Layers of the open recording.
    follow : bool
        Whether the time slider moves along with a run.

    Signals
    -------
    help_wanted()
    opening(str)
        A recording of that name is about to be opened, which may take seconds.
    painting_changed(bool)
        Whether the user paints a mask.
    bending_changed(bool)
        Whether the user bends the line of a vessel.
    overlays_changed()
        Layers over the recording were shown or hidden.
    loaded()
        The model was loaded, or could not be.
    switch_wanted(object)
        The image layer of another recording was added during a run: `switch` says whether to go over to it.
    foreign_added(str)
        An image came from another reader: `use_layer` takes it.
    closed()
        It has let go of the viewer: its dock was closed, or another took over its recording.
    """

    help_wanted = Signal()
    opening = Signal(str)
    painting_changed = Signal(bool)
    bending_changed = Signal(bool)
    overlays_changed = Signal()
    closed = Signal()
    loaded = Signal()
    switch_wanted = Signal(object)
    foreign_added = Signal(str)
    _save_failed = Signal(object)

    def __init__(self, viewer: ViewerModel, engine: Engine | None = None) -> None:
        super().__init__()
        self.viewer = viewer
        self.session = Session()
        self.follow = read_preferences().follow
        self.tools = Tools(self)
        self.keys: tuple[Key, ...] = prompt_keys(viewer, self.session, self.tools)
        self.scene: Scene | None = None
        self._closed = False
        self._warmed: RunChoices | None = None
        self._warming = 0
        self._told = ""
        self.stills = StillPictures(viewer, self.session, self.report)
        self._worker = Worker(engine, self)
        # Deleted by the event loop: the garbage collector may run in the worker's thread, where Qt objects must not go.
        self._worker.closed.connect(self.deleteLater)
        self.previews = Previews(self.session, self._worker)
        self.runs = Runs(self.session, self._worker, self.report, self)
        self.propagation = Propagation(self.session, self._worker, self.report, self)
        self.line = DrawnLine(viewer, self.session, self._worker, lambda: self.scene, self)
        self.finder = Finder(self.session, self._worker, self.report, viewer, lambda: self.scene, self)
        self.batch = Batch(self.session, self._worker, self.report, self)
        self._listen()
        for layer in tuple(viewer.layers):
            self._consider(layer)

    def _listen(self) -> None:
        self._worker.answered.connect(self._on_answer)
        self.runs.started.connect(self._on_run_started)
        self.runs.progressed.connect(self._on_progress)
        self.runs.tables_changed.connect(self._on_tables)
        self.propagation.finished.connect(self._on_propagated)
        self.session.state_changed.connect(self._on_state)
        self.session.calibration_changed.connect(self._on_calibration)
        self.session.save_failed.connect(self._save_failed.emit)
        self._save_failed.connect(self.report)
        self.viewer.layers.events.inserted.connect(self._on_inserted)
        self.viewer.layers.events.removed.connect(self._on_removed)

    @property
    def busy(self) -> bool:
        """Whether the worker has anything in hand."""
        return self._worker.busy

    @property
    def loading(self) -> bool:
        """Whether the model is being loaded, which all else waits for."""
        return self._warming != 0

    @property
    def occupied(self) -> bool:
        """Whether something long goes on, beside which no other begins."""
        return any(job.running for job in (self.runs, self.propagation, self.finder, self.batch))

    @property
    def nearby(self) -> str:
        """Where a file dialog begins: beside the recording that is open; where Qt wants, if it is the sample."""
        recording = self.session.recording
        if recording is None or is_bundled(recording.path):
            return ""
        return str(recording.path.parent)

    @property
    def stopping(self) -> bool:
        """Whether what goes on was cancelled, and has not come to its end."""
        return any(job.stopping for job in (self.runs, self.propagation, self.finder, self.batch))

    # -- recording -------------------------------------------------------
    def open(self, path: str | Path) -> None:
        """Open a recording (a file, or a folder of frames) into the viewer; errors become notifications."""
        self.opening.emit(Path(path).name)
        try:
            recording = open_recording(path)
        except Sam2FlowError as error:
            self.report(error)
            self.session.recording_changed.emit()  # what was said of the opening is no longer true
        else:
            self.viewer.add_image(recording.stack.as_array(), **recording_arguments(recording))

    def open_sample(self) -> None:
        """Open the bundled sample."""
        try:
            self.open(sample_path())
        except Sam2FlowError as error:
            self.report(error)

    def load_prompts(self, path: str | Path) -> None:
        """Replace all prompts by those of a ``prompts.csv`` (which can be undone)."""
        try:
            prompts = read_prompts(path)
            if self.session.recording is not None:
                check_prompts(prompts, self.session.recording.shape)
        except Sam2FlowError as error:
            self.report(error)
        else:
            self.session.set_clicks(prompts)

    def _on_inserted(self, event: Any) -> None:
        layer = event.value
        if self._consider(layer):
            # napari looks at the first layer of a window only; deferred, because the layer is not quite there yet.
            QTimer.singleShot(0, self._show_all)
        elif self.scene is not None:
            self.scene.lay_on_image(layer)

    def _show_all(self) -> None:
        if not self._closed and self.scene is not None:
            self.viewer.reset_view()

    def _consider(self, layer: Layer) -> bool:
        """Work on the layer if it is a recording's; return whether that was done."""
        if not isinstance(layer, Image) or STACK_KEY not in layer.metadata:
            if self._is_foreign(layer):
                self.foreign_added.emit(layer.name)
            return False
        if self.session.recording is not None and (self.runs.running or self.propagation.running):
            layer.visible = False
            # Until it is asked for: of layers in different units napari warns at the next drawing.
            LayerFactory(self.session.recording.spacing).restyle(layer)
            # Deferred, because the layer is not quite there yet.
            QTimer.singleShot(0, partial(self.switch_wanted.emit, layer))
            return False
        self._adopt(layer)
        return True

    def _is_foreign(self, layer: Layer) -> bool:
        """Whether a layer is an image that is none of ours: a film that another reader has opened, it may be."""
        ours = self.scene is not None and (layer in self.scene.overlays.layers or layer is self.stills.layer)
        return isinstance(layer, Image) and STACK_KEY not in layer.metadata and not ours

    @property
    def foreign(self) -> Image | None:
        """The selected image layer, or the topmost, that another reader has opened."""
        chosen = self.viewer.layers.selection.active
        return next((layer for layer in (chosen, *reversed(self.viewer.layers)) if self._is_foreign(layer)), None)

    def use_layer(self) -> None:
        """Work on the image layer that another reader has opened; errors are notified."""
        layer = self.foreign
        if layer is None:
            self.report(StackError(tr("no image of another reader is open: use Open, or drop a file on the window")))
            return
        self.opening.emit(layer.name)  # to write it as a recording takes its time
        try:
            path = recording_of_layer(layer)
        except (Sam2FlowError, OSError) as error:
            self.report(error)
            self.session.recording_changed.emit()  # what was said of the opening is no longer true
        else:
            self.viewer.layers.remove(layer)
            self.open(path)

    def switch(self, image: Image, stop: bool) -> None:
        """Stop what is going on and work on the recording of another layer, or take that layer away again."""
        if self._closed or image not in self.viewer.layers:
            return
        if stop:
            image.visible = True
            self._adopt(image)
            self._show_all()
        else:
            self.viewer.layers.remove(image)
            if self.scene is not None:
                self.scene.make_clickable()  # napari had selected the layer that came, and selects none in its place

    def _adopt(self, image: Image) -> None:
        owner = image.metadata.get(OWNER_KEY, lambda: None)()
        if owner is not None and owner is not self:
            owner.close()  # two of them would draw every layer twice
        # Weakly, so that napari can copy the layer with its metadata.
        image.metadata[OWNER_KEY] = weakref.ref(self)
        old = self.scene.image if self.scene else None
        self._let_go()
        recording = Recording(Path(image.metadata[PATH_KEY]), image.metadata[STACK_KEY])
        try:
            notice = told(self.session.open(recording))
        except (Sam2FlowError, OSError) as error:
            self.report(error)
            return
        if old is not None and old in self.viewer.layers:
            # One recording at a time: another's layers could not be told from this one's.
            self.viewer.layers.remove(old)
            image.name = recording.stack.name  # napari had numbered it beside one of that name
        preferences = read_preferences()
        model = self.session.run_choices.model
        if is_hub_name(model) and model != preferences.model:
            # The project may come from anybody; what it names is fetched when the user types it.
            self.choose_run(replace(self.session.run_choices, model="tiny"))
            notice = tr(
                "{notice} The project asks for the model '{model}' of the Hugging Face hub; to fetch it, type it."
            ).format(notice=notice, model=model)
        if not self.session.state.vessels:
            self.choose_run(replace(self.session.run_choices, device=preferences.device, model=preferences.model))
        self.scene = Scene(self.viewer, self.session, image, self.keys, self.finder.accept_at)
        self.stills.begin(image)
        self.scene.brush.working_changed.connect(self.painting_changed.emit)
        self.scene.course.working_changed.connect(self.bending_changed.emit)
        self.scene.overlays.shown_changed.connect(self.overlays_changed.emit)
        # A full search for garbage among all that napari and Qt have made stops the window for a third of a second.
        # What is there now is left out of it until the recording is closed; what comes is collected as ever.
        gc.freeze()
        # What earlier runs have measured is read before the model is loaded, which takes far longer.
        self.runs.load_newest()
        self._warm()
        self.previews.update(self.session.state)
        problems = [told(problem) for problem in recording.stack.problems]
        if notice:
            show_warning("\n".join((notice, *problems)))
        elif problems:
            show_info("\n".join(problems))  # in one: of two, napari leaves the first over the picture for good

    def _let_go(self) -> None:
        """Close the session and take its layers away; the recording's own stays."""
        gc.unfreeze()
        if self.scene is not None:
            self.scene.image.metadata.pop(OWNER_KEY, None)
        scene, self.scene = self.scene, None
        self.stills.forget()
        self.runs.forget()
        self.propagation.forget()
        self.line.forget()
        self.finder.forget()
        self.previews.forget()
        if scene is not None:
            scene.close()
        self.session.close()

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        if self.scene is not None and layer is self.scene.image:
            self._let_go()
        elif self.scene is not None:
            self.scene.notice_removed(layer)
        if STACK_KEY in layer.metadata:
            layer.metadata[STACK_KEY].close()

    # -- session ---------------------------------------------------------
    def choose_run(self, choices: RunChoices) -> None:
        """Keep run settings; the masks are asked for anew, as a run with these settings will begin with them."""
        self.session.choose_run(choices)
        self._renew_previews()

    def propagate(self) -> None:
        """Carry the masks of the frame on screen to all frames."""
        if self.scene is not None and not self.occupied:
            frame = frame_on_screen(self.viewer)
            self.propagation.start(self.scene.annotation(frame), frame)

    def cancel(self) -> None:
        """Stop the run, the carrying of masks or the search for vessels, after its present step."""
        for job in (self.runs, self.propagation, self.finder, self.batch):
            job.cancel()

    def _renew_previews(self) -> None:
        if self.scene is not None and self.session.preview_choices != self._warmed:
            self._warm()
            self.previews.ask_again()

    def _warm(self) -> None:
        recording, choices = self.session.recording, self.session.preview_choices
        self._warmed = choices
        if recording is not None:
            self._warming = self._worker.submit(lambda n: WarmJob(n, recording.path, choices))

    def _on_state(self, state: SessionState) -> None:
        if self.scene is not None:
            self.previews.update(state)
            self.scene.drop_lost_masks(state)
            self.scene.set_outdated(self.runs.outdated(state))

    def _on_calibration(self) -> None:
        if self.scene is not None:
            self.scene.recalibrate()
            self._renew_previews()

    # -- worker ----------------------------------------------------------
    def _on_answer(self, answer: object) -> None:
        if isinstance(answer, (Warmed, Failed)) and answer.job_id == self._warming:
            self._warming = 0
            self.loaded.emit()
        self.batch.take(answer)  # which no recording need be open for
        if self.scene is None:
            if isinstance(answer, Failed) and self.batch.fail(answer):
                self.report(answer.error)
            return
        if isinstance(answer, Masked):
            self._told = ""
            if self.previews.take(answer):
                self.scene.show_mask(answer.vessel)
        elif isinstance(answer, Failed):
            self._on_failed(answer)
        else:
            self.runs.take(answer)
            self.propagation.take(answer)
            self.finder.take(answer)
            self.line.take(answer)

    def _on_failed(self, failure: Failed) -> None:
        self.previews.fail(failure.job_id)
        # Every click would say again what is wrong with the model; a run that fails always says it.
        jobs = (self.runs.fail, self.propagation.fail, self.finder.fail, self.line.fail, self.batch.fail)
        long = any(fail(failure) for fail in jobs)
        if long or str(failure.error) != self._told:
            self.report(failure.error)
        self._told = str(failure.error)

    def _on_run_started(self, folder: Path) -> None:
        assert self.scene is not None
        self.scene.start_run(folder)
        self.scene.set_outdated(frozenset())

    def _on_progress(self, progress: RunProgress) -> None:
        from sam2flow_core.engine.events import FrameDone

        if self.scene is not None and isinstance(progress.event, FrameDone):
            frame = progress.event.result
            self.scene.show_frame(frame)
            if self.follow:
                self.scene.follow(frame.frame)

    def _on_tables(self, tables: Any) -> None:
        if self.scene is None:
            return
        if tables is None:
            if self.runs.shown is None:  # its run was deleted; where another begins, that clears the scene
                self.scene.start_run(None)
            return
        self.scene.show_results(tables)
        self.scene.set_outdated(self.runs.outdated(self.session.state))
        if self.follow:
            # After a run the slider stands on the last frame, which has no flow.
            self.scene.go_to(first_answered(tables.results))

    def _on_propagated(self, masks: Path) -> None:
        if self.scene is None:
            return
        try:
            self.scene.show_propagated(masks)
        except Sam2FlowError as error:
            self.report(error)
        else:
            show_info(
                tr("The masks of all frames are in the layer {stem}, and in {masks}").format(
                    stem=masks.stem, masks=masks
                )
            )

    # -- the rest ----------------------------------------------------------
    def report(self, error: Exception) -> None:
        """Show an error as a notification: the user's to mend in one line, a fault of the program with its kind."""
        if isinstance(error, Sam2FlowError):
            show_error(told(error))
        else:
            show_error(
                tr("SAM2Flow failed: {kind}: {error}. Your clicks are saved.").format(
                    kind=type(error).__name__, error=error
                )
            )

    def close(self) -> None:
        """Stop the run, save and let go of the viewer; may be called twice."""
        if self._closed:
            return
        self._closed = True
        if self.runs.running:
            show_info(tr("The run was stopped; what it has finished is kept in the project folder."))
        self.viewer.layers.events.inserted.disconnect(self._on_inserted)
        self.viewer.layers.events.removed.disconnect(self._on_removed)
        self._let_go()
        self.batch.forget()
        self._worker.close()
        self.closed.emit()

    def leave(self) -> None:
        """Close when the viewer's window is gone: nothing is told of layers that go, as nothing can draw them."""
        with self.viewer.layers.selection.events.blocker_all():
            self.close()
