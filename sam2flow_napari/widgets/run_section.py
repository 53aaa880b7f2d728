"""The Run section: a bar that is always in sight (run, cancel, how far), and the settings of a run."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox, ComboBox, LineEdit, SpinBox
from qtpy.QtWidgets import QAbstractSpinBox, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget
from superqt import QElidingLabel
from superqt.utils import QSignalThrottler

from sam2flow_core.config.run import EVERY, QUICK, STANDARD
from sam2flow_core.errors import StackError
from sam2flow_core.project import RunChoices, SessionState
from sam2flow_napari.translation import told, tr, tr_later
from sam2flow_napari.widgets.building_blocks import button, tell
from sam2flow_napari.workbench import Workbench
from sam2flow_napari.worker.jobs import RunProgress

if TYPE_CHECKING:
    from sam2flow_core.engine.batch import BatchStep
    from sam2flow_core.engine.events import FrameDone

_TELL_MS = 100

DETAIL_WORDS = {QUICK: tr_later("quick"), STANDARD: tr_later("standard"), EVERY: tr_later("every frame")}
DEVICES = ("auto", "cpu", "cuda", "mps")
_AUTO = 0.0


class RunSection(QWidget):
    """Run, progress with time remaining, cancel; `settings` holds frame range, device and model.

    Attributes
    ----------
    settings : QWidget
        To be shown elsewhere: the bar itself must stay small.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self.first = SpinBox(min=0, max=0, tooltip=tr("First frame of the run."))
        self.last = SpinBox(min=0, max=0, tooltip=tr("Last frame of the run."))
        self.further = LineEdit(
            tooltip=tr(
                "Further ranges, each with rows of its own in the tables, such as a response after a baseline: "
                "90-120, 150-179."
            )
        )
        self.device = ComboBox(choices=DEVICES, tooltip=tr("Where to compute; auto takes a GPU where there is one."))
        self.model = LineEdit(value="tiny", tooltip=tr("Name of a model preset, or the path of a checkpoint."))
        self.resolution = ComboBox(
            choices=_resolutions(),
            tooltip=tr(
                "The resolution at which masks and flow are sought; auto makes cells as large as the model knows."
            ),
        )
        self.detail = ComboBox(
            choices=[(tr(words), detail) for detail, words in DETAIL_WORDS.items()],
            value=STANDARD,
            tooltip=tr(
                "Quick: pairs of frames at places all over the recording, a first table; standard: 40 pairs a "
                "second, which is what a heartbeat needs; every frame: all pairs. Each answer is made from all "
                "frames around it."
            ),
        )
        self.follow = CheckBox(
            text=tr("Follow"), value=bench.follow, tooltip=tr("Move the time slider along with the run.")
        )
        self.start = button(
            tr("Run"), tr("Measure the flow in the marked vessels, frame by frame."), bench.runs.start, "Alt+R"
        )
        self.cancel = button(
            tr("Cancel"), tr("Stop after the present frame; what is finished is kept."), bench.cancel, "Alt+X"
        )
        self.propagate = button(
            tr("Masks to all frames"),
            tr(
                "Carry the masks of the frame on screen, or of a selected labels layer, to all frames, as a new "
                "labels layer without flow. The model may be weights of SAM 2."
            ),
            bench.propagate,
        )
        self.progress = QProgressBar()
        self.progress.setToolTip(tr("Frames done, and the time the rest will take."))
        self._hint = QElidingLabel("")
        # Every word that changes has the whole window painted, which takes longer than a fast frame.
        self._frame: FrameDone | None = None
        self._frames = QSignalThrottler(parent=self)
        self._frames.setTimeout(_TELL_MS)
        self._frames.triggered.connect(self._tell_frame)
        self.settings = QWidget()
        self._lay_out_settings()
        self._lay_out()
        for box in (self.first, self.last):
            box.native.setKeyboardTracking(False)
            box.changed.connect(self._on_choice)
        self.device.changed.connect(self._on_choice)
        self.resolution.changed.connect(self._on_choice)
        self.detail.changed.connect(self._on_choice)
        for text in (self.model, self.further):
            text.native.editingFinished.connect(self._on_choice)
        self.follow.changed.connect(self._on_follow)
        bench.runs.progressed.connect(self._on_progress)
        bench.runs.running_changed.connect(self._on_running)
        bench.propagation.progressed.connect(self._on_carried)
        bench.propagation.running_changed.connect(self._on_running)
        bench.finder.progressed.connect(self._on_looked)
        bench.finder.running_changed.connect(self._on_running)
        bench.batch.progressed.connect(self._on_batch)
        bench.batch.running_changed.connect(self._on_running)
        bench.loaded.connect(self._on_loaded)
        for job in (bench.runs, bench.propagation, bench.finder, bench.batch):
            job.stopping_began.connect(self._on_stopping)
        bench.session.recording_changed.connect(self._on_recording)
        bench.session.state_changed.connect(self._on_state)
        bench.session.calibration_changed.connect(self._on_calibration)
        self._on_recording()
        self._on_running(bench.runs.running)

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        self._bench.session.recording_changed.disconnect(self._on_recording)
        self._bench.session.state_changed.disconnect(self._on_state)
        self._bench.session.calibration_changed.disconnect(self._on_calibration)

    def _lay_out_settings(self) -> None:
        grid = QGridLayout(self.settings)
        grid.setContentsMargins(6, 2, 6, 2)
        grid.setVerticalSpacing(3)
        grid.addWidget(QLabel(tr("Frames")), 0, 0)
        frames = QHBoxLayout()
        frames.setSpacing(4)
        for widget in (self.first.native, QLabel(tr("to")), self.last.native, QLabel("+"), self.further.native):
            frames.addWidget(widget)
        self.further.native.setPlaceholderText("90-120")
        # Narrower than their hints: the dock has to fit beside the image on a small screen.
        for box, width in ((self.first, 70), (self.last, 70), (self.further, 58), (self.device, 50)):
            box.native.setMinimumWidth(width)
        for box in (self.first, self.last):
            box.native.setMaximumWidth(92)
            # Keys and wheel step it; buttons would leave room for three digits.
            box.native.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        for box in (self.resolution, self.detail):
            box.native.setMinimumWidth(50)
        grid.addLayout(frames, 0, 1, 1, 3)
        grid.addWidget(QLabel(tr("Device")), 1, 0)
        grid.addWidget(self.device.native, 1, 1)
        grid.addWidget(QLabel(tr("Model")), 1, 2)
        grid.addWidget(self.model.native, 1, 3)
        grid.addWidget(QLabel(tr("Scale")), 2, 0)
        grid.addWidget(self.resolution.native, 2, 1)
        grid.addWidget(QLabel(tr("Detail")), 2, 2)
        grid.addWidget(self.detail.native, 2, 3)
        grid.addWidget(self.propagate, 3, 0, 1, 4)
        self.model.native.setMinimumWidth(40)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.start, 2)
        row.addWidget(self.cancel, 1)
        row.addWidget(self.follow.native)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 4)
        layout.setSpacing(3)
        layout.addLayout(row)
        layout.addWidget(self.progress)
        layout.addWidget(self._hint)

    # -- what the user chooses ---------------------------------------------
    def _on_choice(self, _value: object = None) -> None:
        recording = self._bench.session.recording
        if recording is None:
            return
        if not self._range_fault():
            first, last, further = int(self.first.value), int(self.last.value), self._further()
            whole = first == 0 and last == recording.shape[0] - 1 and not further
            choices = replace(
                self._bench.session.run_choices,
                start=first,
                stop=0 if whole else last + 1,
                device=str(self.device.value),
                model=str(self.model.value).strip() or "tiny",
                working_resolution=float(self.resolution.value) or None,
                detail=str(self.detail.value),
                further=further,
            )
            self._bench.choose_run(choices)
        self._on_state(self._bench.session.state)

    def _further(self) -> tuple[tuple[int, int], ...]:
        """The further ranges; raises `StackError` where they cannot be read."""
        return ranges_from_words(str(self.further.value))

    def _range_fault(self) -> str:
        """What is wrong with the ranges, in a line; empty where nothing is."""
        recording = self._bench.session.recording
        first, last = int(self.first.value), int(self.last.value)
        try:
            ranges = sorted(((first, last + 1), *self._further()))
        except StackError as error:
            return told(error)
        for start, stop in ranges:
            if start >= stop:
                return tr("Frames {start} to {stop}: the first comes after the last. Mend the range.").format(
                    start=start, stop=stop - 1
                )
            if recording is not None and stop > recording.shape[0]:
                return tr("Frames {start} to {stop}: the recording ends with frame {shape}.").format(
                    start=start, stop=stop - 1, shape=recording.shape[0] - 1
                )
            if stop - start < 2:
                return tr("Frames {start} to {stop}: two frames at least are needed to see motion.").format(
                    start=start, stop=stop - 1
                )
        for (a, b), (c, d) in pairwise(ranges):
            if c < b:
                return tr("Frames {a} to {b} and {c} to {d} overlap. Give ranges that are apart.").format(
                    a=a, b=b - 1, c=c, d=d - 1
                )
        return ""

    def _on_follow(self, follow: bool) -> None:
        self._bench.follow = follow

    # -- what happens ------------------------------------------------------
    def _on_recording(self) -> None:
        recording = self._bench.session.recording
        self.setEnabled(recording is not None)
        self.settings.setEnabled(recording is not None)
        if recording is not None:
            self._show(self._bench.session.run_choices, recording.shape[0])
        self._on_state(self._bench.session.state)

    def _show(self, choices: RunChoices, frames: int) -> None:
        with self.first.changed.blocked(), self.last.changed.blocked():
            self.first.max = self.last.max = frames - 1
            self.first.value = choices.start
            self.last.value = (choices.stop or frames) - 1
        with self.further.changed.blocked():
            self.further.value = ", ".join(f"{start}-{stop - 1}" for start, stop in choices.further)
        with self.device.changed.blocked(), self.model.changed.blocked(), self.resolution.changed.blocked():
            self.resolution.value = choices.working_resolution or _AUTO
        with self.detail.changed.blocked():
            self.detail.value = choices.detail if choices.detail in DETAIL_WORDS else STANDARD
            self.device.value = choices.device if choices.device in DEVICES else "auto"
            self.model.value = choices.model

    def _on_state(self, state: SessionState) -> None:
        ready = bool(state.prompts) and not self._range_fault()
        busy = self._bench.occupied
        self.start.setEnabled(ready and not busy)
        self.propagate.setEnabled(not busy)
        if not busy:
            tell(self._hint, self._advice(state))

    def _advice(self, state: SessionState) -> str:
        if self._bench.session.recording is None:
            return ""
        if fault := self._range_fault():
            return fault
        if not state.prompts:
            return tr("Mark a vessel first; then Run measures it.")
        pairs, seconds = self._bench.runs.expected()
        if seconds is None:
            return tr("Ready: {pairs} pairs of frames.").format(pairs=pairs)
        return tr("Ready: {pairs} pairs, about {value} ({pairs_2:.2g} a second).").format(
            pairs=pairs, value=duration(seconds), pairs_2=pairs / seconds
        )

    def _on_calibration(self) -> None:
        self._on_state(self._bench.session.state)

    def _on_running(self, running: bool) -> None:
        self.cancel.setEnabled(running)
        self._on_state(self._bench.session.state)
        self.progress.setTextVisible(running)
        self.progress.setRange(0, 0 if running else 1)
        self.progress.setValue(0)
        if running:
            self._tell_what_comes_first()

    def _tell_what_comes_first(self) -> None:
        """Say what goes on before there is any progress to tell."""
        tell(self._hint, tr("Loading the model…") if self._bench.loading else tr("Reading the recording…"))

    def _on_loaded(self) -> None:
        if self._bench.occupied and not self._bench.stopping:
            self._tell_what_comes_first()

    def _on_stopping(self) -> None:
        """Say at once that the click on Cancel has arrived: the present frame may take seconds."""
        self._frames.cancel()
        self.cancel.setEnabled(False)
        self.progress.setRange(0, 0)
        tell(self._hint, tr("Stopping after the present frame…"))

    def _on_carried(self, frames_done: int) -> None:
        recording = self._bench.session.recording
        if recording is not None and not self._bench.stopping:
            self.progress.setRange(0, recording.shape[0])
            self.progress.setValue(frames_done)
            tell(
                self._hint,
                tr("Masks carried to {frames_done} of {shape} frames").format(
                    frames_done=frames_done, shape=recording.shape[0]
                ),
            )

    def _on_looked(self, share: float) -> None:
        if self._bench.stopping:
            return
        self.progress.setRange(0, 100)
        self.progress.setValue(round(100 * share))
        tell(self._hint, tr("Looking for vessels: {value:.0f} % of the field").format(value=100 * share))

    def _on_batch(self, step: BatchStep) -> None:
        if self._bench.stopping:
            return
        self.progress.setRange(0, max(step.frames_total, 1))
        self.progress.setValue(step.frames_done)
        words = (
            tr("Batch: recording {number}, frame {frames_done} of {frames_total}")
            if step.frames_total
            else tr("Batch: recording {number} is being read…")
        )
        words = words.format(number=step.number + 1, frames_done=step.frames_done, frames_total=step.frames_total)
        tell(self._hint, words)

    def _on_progress(self, progress: RunProgress) -> None:
        from sam2flow_core.engine.events import FrameDone, Stage, Started

        event = progress.event
        if self._bench.stopping:
            return
        if isinstance(event, Started):
            self.progress.setRange(0, event.frames_total)
            self.progress.setValue(event.frames_done)
        elif isinstance(event, FrameDone):
            self._frame = event
            self._frames.throttle()
        elif isinstance(event, Stage):
            self._frames.cancel()
            tell(self._hint, f"{_sentence(told(event.name))}…")

    def _tell_frame(self) -> None:
        event = self._frame
        if event is None or not self._bench.runs.running or self._bench.stopping:
            return
        if self.progress.maximum() != event.frames_total:
            self.progress.setRange(0, event.frames_total)
        self.progress.setValue(event.frames_done)
        left = duration(event.seconds_left)
        tell(
            self._hint,
            tr("Frame {frames_done} of {frames_total}, {left} left").format(
                frames_done=event.frames_done, frames_total=event.frames_total, left=left
            ),
        )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _resolutions() -> list[tuple[str, float]]:
    """What a frame may be brought to before it is looked at, in words and as recorded px to a px of the network."""
    shrunk = [(tr("shrunk by {factor}").format(factor=factor), float(factor)) for factor in range(2, 9)]
    return [(tr("auto"), _AUTO), (tr("enlarged by 2"), 0.5), (tr("as recorded"), 1.0), *shrunk]


def ranges_from_words(words: str) -> tuple[tuple[int, int], ...]:
    """Return ranges of frames, their ends not included, from what a user types.

    Raises
    ------
    StackError
        If a part is not two whole numbers.

    Examples
    --------
    >>> ranges_from_words("90-120, 150 - 179")
    ((90, 121), (150, 180))
    """
    found = []
    for part in words.replace(";", ",").split(","):
        if part.strip():
            ends = re.fullmatch(r"\s*(\d{1,9})\s*(?:-|–|:|to)\s*(\d{1,9})\s*", part, re.ASCII)
            if ends is None:
                raise StackError(
                    tr("'{value}' is no range: give first and last frame, such as 90-120.").format(value=part.strip())
                )
            found.append((int(ends[1]), int(ends[2]) + 1))
    return tuple(found)


def duration(seconds: float) -> str:
    """Return a time in words a person reads at a glance.

    Examples
    --------
    >>> duration(75)
    '1 min 15 s'
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return tr("{whole} min {whole_2} s").format(whole=whole // 60, whole_2=whole % 60)
    return tr("{whole} h {whole_2} min").format(whole=whole // 3600, whole_2=whole % 3600 // 60)
