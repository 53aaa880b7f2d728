"""The Recording section: what is open, and how far its calibration can be trusted."""

from __future__ import annotations

from dataclasses import replace

from magicgui.widgets import CheckBox, FloatSpinBox
from qtpy.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget
from superqt import QElidingLabel

from sam2flow_core.config.stack import CalibrationLimits
from sam2flow_core.errors import CalibrationError
from sam2flow_core.project import CalibrationEdit
from sam2flow_core.stack.calibration import Measured
from sam2flow_napari.translation import told, tr, tr_later
from sam2flow_napari.widgets.batch_dialog import show_batch
from sam2flow_napari.widgets.building_blocks import Hint, button, recordings_filter, tell
from sam2flow_napari.workbench import Workbench

_SOURCES = {
    "user": tr_later("typed by you"),
    "ome": tr_later("OME file"),
    "imagej": tr_later("ImageJ file"),
    "tiff": tr_later("TIFF tag"),
    "video": tr_later("video file"),
    "none": tr_later("not in file"),
}

_VALUE_PX = 146
"""Width of a box for a number: of its buttons, and of 18000.000 or *unknown* in any language."""


class RecordingSection(QWidget):
    """Open a recording, see and mend its calibration."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._name = QElidingLabel("")
        self._facts = QElidingLabel("")
        self._problems = Hint(1)
        self.pixel_size = FloatSpinBox(min=0, max=1e4, step=0.01, tooltip=tr("Side of a pixel in um. 0 = unknown."))
        self.frame_rate = FloatSpinBox(min=0, max=1e5, step=1, tooltip=tr("Frames per second. 0 = unknown."))
        self._pixel_source, self._rate_source = QElidingLabel(""), QElidingLabel("")
        self.stabilise = CheckBox(
            text=tr("Stabilise"), tooltip=tr("Take the movement of the tissue out of the flow (recommended).")
        )
        self._filled = self._build_filled()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 2)
        layout.addWidget(self._filled)
        layout.addLayout(self._build_buttons())
        for box in (self.pixel_size, self.frame_rate):
            box.native.setDecimals(3)
            box.native.setSpecialValueText(tr("unknown"))
            box.native.setKeyboardTracking(False)
            box.native.setFixedWidth(_VALUE_PX)
            box.changed.connect(self._on_edited)
        self.stabilise.changed.connect(self._on_stabilise)
        bench.foreign_added.connect(self._on_foreign)
        bench.session.recording_changed.connect(self.refresh)
        bench.session.calibration_changed.connect(self.refresh)
        self.refresh()
        if bench.foreign is not None and bench.session.recording is None:
            self._on_foreign(bench.foreign.name)

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        self._bench.session.recording_changed.disconnect(self.refresh)
        self._bench.session.calibration_changed.disconnect(self.refresh)

    def _build_filled(self) -> QWidget:
        filled = QWidget()
        grid = QGridLayout(filled)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        what = QHBoxLayout()
        what.addWidget(self._name, 1)
        what.addWidget(self._facts, 2)
        grid.addLayout(what, 0, 0, 1, 3)
        rows = (
            (tr("Pixel size (um)"), self.pixel_size, self._pixel_source),
            (tr("Rate (Hz)"), self.frame_rate, self._rate_source),
        )
        for row, (text, box, source) in enumerate(rows, start=2):
            grid.addWidget(QLabel(text), row, 0)
            grid.addWidget(box.native, row, 1)
            grid.addWidget(source, row, 2)
        grid.addWidget(self.stabilise.native, 4, 0)
        grid.addWidget(self._problems, 5, 0, 1, 3)
        grid.setColumnMinimumWidth(1, _VALUE_PX)  # napari's style takes the boxes' own least width away
        grid.setColumnStretch(2, 1)
        return filled

    def add(self, picture: QWidget) -> None:
        """Put the switch of pictures beside what is said of the recording."""
        grid = self._filled.layout()
        assert isinstance(grid, QGridLayout)
        grid.addWidget(picture, 4, 1, 1, 2)

    def _build_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(
            button(
                tr("Open…"),
                tr("Open a TIFF or a video (AVI, MP4); any size, it is read a frame at a time."),
                self._open,
                "Alt+O",
            )
        )
        row.addWidget(button(tr("Folder…"), tr("Open a folder of single frames."), self._open_folder, "Alt+D"))
        row.addWidget(
            button(
                tr("Layer"),
                tr("Take the selected image layer, whatever reader opened it."),
                self._bench.use_layer,
                "Alt+Y",
            )
        )
        row.addWidget(button(tr("Sample"), tr("Open the bundled sample recording."), self._bench.open_sample, "Alt+K"))
        several = tr("Measure several recordings with the same settings, and compare them: before and after, say.")
        row.addWidget(button(tr("Batch…"), several, self._batch, "Alt+B"))
        return row

    def refresh(self) -> None:
        """Show the session's recording."""
        recording = self._bench.session.recording
        self._filled.setEnabled(recording is not None)
        self._facts.setVisible(recording is not None)
        if recording is None:
            self._name.setText(tr("No recording is open."))
            for label in (self._facts, self._pixel_source, self._rate_source):
                label.setText("")
            tell(self._problems, "")
            return
        frames, height, width = recording.shape
        stack, calibration = recording.stack, recording.calibration
        self._name.setText(str(recording.path.name))
        self._name.setToolTip(str(recording.path))
        self._facts.setText(
            tr("{frames} frames, {width} x {height} px, {bit_depth} bit").format(
                frames=frames, width=width, height=height, bit_depth=stack.bit_depth
            )
        )
        problems = stack.problems_left(calibration)
        tell(self._problems, " ".join(told(problem) for problem in problems))
        limits = CalibrationLimits()
        for box, measured, label, usual in (
            (self.pixel_size, calibration.pixel_size_um, self._pixel_source, limits.plausible_pixel_size_um),
            (self.frame_rate, calibration.frame_rate_hz, self._rate_source, limits.plausible_frame_rate_hz),
        ):
            with box.changed.blocked():
                box.value = measured.value or 0
            label.setText(tr(_SOURCES[measured.source]) + _doubt(measured, usual))
            label.setToolTip(
                tr("{value}. Usual are {usual:g} to {usual_2:g}. Type another value to replace it.").format(
                    value=label.text(), usual=usual[0], usual_2=usual[1]
                )
            )
        with self.stabilise.changed.blocked():
            self.stabilise.value = self._bench.session.run_choices.stabilise

    def _on_edited(self) -> None:
        recording = self._bench.session.recording
        if recording is None:
            return
        # What equals the file's own value stays the file's, so that its source is told truly.
        own = recording.stack.calibration
        edit = CalibrationEdit(
            _edited(self.pixel_size.value, own.pixel_size_um.value, recording.edit.pixel_size_um),
            _edited(self.frame_rate.value, own.frame_rate_hz.value, recording.edit.frame_rate_hz),
        )
        try:
            self._bench.session.calibrate(edit)
        except CalibrationError as error:
            self._bench.report(error)
            self.refresh()

    def _on_stabilise(self, stabilise: bool) -> None:
        self._bench.choose_run(replace(self._bench.session.run_choices, stabilise=stabilise))

    def _on_foreign(self, name: str) -> None:
        tell(self._problems, tr("{name} came through another reader: press Layer to measure it.").format(name=name))

    def _batch(self) -> None:
        show_batch(self._bench, self)

    def _open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Open a recording"), self._bench.nearby, recordings_filter())
        if path:
            self._bench.open(path)

    def _open_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Open a folder of frames"), self._bench.nearby)
        if path:
            self._bench.open(path)


def _doubt(measured: Measured, usual: tuple[float, float]) -> str:
    """Return what is to be doubted of a value: one of a file is not used then, the user's word is."""
    if measured.value is None:
        return ""
    if not measured.plausible:
        return tr(", doubtful: not used")
    return "" if usual[0] <= measured.value <= usual[1] else tr(", doubtful: check it")


def _edited(shown: float, own: float | None, before: float | None) -> float | None:
    """Return what the user entered; None where it is empty or what the file says anyway."""
    if shown <= 0:
        return None
    # The box rounds: a value that looks the same was not edited.
    if own is not None and abs(shown - own) < 1e-4 and before is None:
        return None
    return shown
