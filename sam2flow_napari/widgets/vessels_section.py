"""The Vessels section: which vessels, and what the next click means."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtWidgets import (
    QAction,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sam2flow_napari.still_pictures import PICTURE_WORDS, PICTURES
from sam2flow_napari.translation import shown_name, tr
from sam2flow_napari.widgets.building_blocks import Hint, button, relabel, rest, row_table, tell, turn_into
from sam2flow_napari.widgets.vessel_table import GroupDelegate, VesselTable, make_rows_movable
from sam2flow_napari.workbench import Workbench


class VesselsSection(QWidget):
    """List of vessels with add, delete, undo, redo and the sign of the next click.

    Attributes
    ----------
    guide : Hint
        What to do next. To be shown where it is always in sight.
    picture : QComboBox
        What to click on. To be shown with the recording.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        session = bench.session
        self.guide = Hint()
        self.model = VesselTable(session, bench.previews)
        self.table = row_table(
            self.model,
            tr(
                "Your vessels. Select one to click on it; tick to show, double-click or F2 to rename, drag to "
                "another place."
            ),
            stretch=1,
            on_row=self._on_row,
        )
        make_rows_movable(self.table)
        GroupDelegate.attach(self.table)
        self.more = QMenu(self)
        self.more.aboutToShow.connect(self._fill_more)
        self.sign = button(
            "",
            tr("What the next click means. T flips it; Shift or Alt + click means 'not this vessel' once."),
            lambda: session.set_sign(1 - session.sign),
        )
        self.paint = button(
            tr("Paint"),
            tr("Paint the selected vessel with a brush in this frame, then use it as prompt (key M)."),
            bench.tools.paint,
        )
        self.clear = button(
            tr("Clear"),
            tr(
                "Take box and painted mask of the selected vessel in this frame away; while you paint, give up "
                "(Escape)."
            ),
            bench.tools.clear,
        )
        self.picture = QComboBox()
        self.picture.setMinimumWidth(50)
        self.picture.addItems([tr(words) for words in PICTURE_WORDS])
        self.picture.setToolTip(
            tr(
                "What to click on: the film; the mean of its frames, as recorded or laid on the tissue; or its "
                "activity, which is bright where blood moves (key G). O hides and shows all that lies over it."
            )
        )
        self.picture.activated.connect(lambda number: bench.stills.show(PICTURES[number]))
        bench.stills.changed.connect(self._on_picture)
        self.undo = button(
            tr("Undo"), tr("Take back the last edit; while you paint, the last stroke (Ctrl+Z)."), bench.tools.undo
        )
        self.redo = button(tr("Redo"), tr("Bring back what was undone (Ctrl+Shift+Z)."), bench.tools.redo)
        self.find_all = button(
            tr("Find vessels"),
            tr("Propose all vessels of the recording: accept each with a click on its outline, or all (key Shift+F)."),
            bench.tools.find,
        )
        self.accept = button(
            tr("Accept all"), tr("Take all outlines on show as vessels (one Undo takes them back)."), self._all, "Alt+A"
        )
        self.dismiss = button(
            tr("Dismiss"), tr("Take the outlines away; vessels that were accepted stay."), self._dismiss, "Alt+I"
        )
        self.surer = QDoubleSpinBox()
        self.surer.setRange(0, 1)
        self.surer.setSingleStep(0.05)
        self.surer.setToolTip(
            tr("Outlines less sure than this are left out: the overlap that is expected of their masks.")
        )
        self.surer.valueChanged.connect(bench.finder.show_from)
        self._tools_row = QStackedWidget()
        self._tools_row.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 2)
        layout.addWidget(self.table, 1)
        layout.addLayout(self._build_buttons())
        session.state_changed.connect(self.refresh)
        session.recording_changed.connect(self.refresh)
        session.active_changed.connect(self.refresh)
        session.sign_changed.connect(self.refresh)
        bench.painting_changed.connect(self.refresh)
        bench.bending_changed.connect(self.refresh)
        bench.line.changed.connect(self.refresh)
        bench.opening.connect(self._on_opening)
        bench.previews.changed.connect(self.refresh)
        bench.runs.tables_changed.connect(self.refresh)
        bench.finder.changed.connect(self._on_proposals)
        for job in (bench.finder, bench.runs, bench.propagation, bench.batch):
            job.running_changed.connect(self.refresh)
        self.refresh()

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        session = self._bench.session
        self.model.disconnect_session()
        for signal in (session.state_changed, session.recording_changed, session.active_changed, session.sign_changed):
            signal.disconnect(self.refresh)
        self._bench.previews.changed.disconnect(self.refresh)
        self._bench.stills.changed.disconnect(self._on_picture)

    def _build_buttons(self) -> QVBoxLayout:
        bench, session = self._bench, self._bench.session
        first, second, third, proposals = QHBoxLayout(), QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        first.addWidget(
            button(tr("Add"), tr("Add a vessel; the next clicks speak of it (key N)."), session.begin_vessel)
        )
        first.addWidget(
            button(
                tr("Delete"), tr("Delete the selected vessel with its clicks (can be undone)."), self._delete, "Alt+T"
            )
        )
        for arrow, by in (("▲", -1), ("▼", 1)):
            up, down = tr("Move the selected vessel up in the list."), tr("Move the selected vessel down in the list.")
            move = button(arrow, up if by < 0 else down, partial(self._move, by))
            move.setMaximumWidth(30)
            first.addWidget(move)
        first.addWidget(self.undo)
        first.addWidget(self.redo)
        second.addWidget(self.sign, 1)
        second.addWidget(self.find_all)
        more = button(
            tr("More"),
            tr("Another mask for the clicks, bend the line, merge, split, or load a table of clicks."),
            lambda: None,
            "Alt+M",
        )
        more.setMenu(self.more)
        second.addWidget(more)
        second.addWidget(button(tr("Keys"), tr("Show the keys and mouse buttons (key H)."), bench.help_wanted.emit))
        box = tr("Drag a rectangle about the selected vessel in this frame (key B).")
        third.addWidget(button(tr("Box"), box, bench.tools.draw_box), 1)
        line = tr(
            "Draw a line along a vessel: it is measured by its space-time diagram alone, in all frames (key "
            "L). Click the corners; a double click ends it."
        )
        third.addWidget(button(tr("Line"), line, bench.tools.draw_line), 1)
        third.addWidget(self.paint, 2)
        third.addWidget(self.clear, 1)
        proposals.addWidget(self.accept, 1)
        proposals.addWidget(QLabel(tr("surer than")))
        proposals.addWidget(self.surer)
        proposals.addWidget(self.dismiss)
        # In one place: while vessels are proposed, what is to be done with them; nothing moves.
        for row in (third, proposals):
            row.setContentsMargins(0, 0, 0, 0)
            page = QWidget()
            page.setLayout(row)
            self._tools_row.addWidget(page)
        rows = QVBoxLayout()
        rows.setSpacing(4)
        rows.addLayout(first)
        rows.addWidget(self._tools_row)
        rows.addLayout(second)
        return rows

    def refresh(self, _changed: object = None) -> None:
        """Show the session's vessels."""
        session = self._bench.session
        painting = self._bench.tools.painting
        tell(self.guide, self._advice())
        turn_into(self.paint, tr("Use the mask") if painting else tr("Paint"))
        turn_into(self.clear, tr("Give up") if painting else tr("Clear"))
        self.sign.setText(tr("Click = this vessel  (+)") if session.sign else tr("Click = not this  (−)"))
        self.undo.setEnabled(session.can_undo or painting)
        self.redo.setEnabled(session.can_redo or painting)
        self.setEnabled(session.recording is not None)
        self.find_all.setEnabled(not self._bench.occupied)
        row = self.model.row_of(session.active)
        if row >= 0 and self.table.currentIndex().row() != row:
            self.table.setCurrentIndex(self.model.index(row, 1))

    def _advice(self) -> str:
        session, previews = self._bench.session, self._bench.previews
        state, active = session.state, session.active
        if session.recording is None:
            return tr("Open a recording or the sample, or drop a file on the window.")
        if self._bench.tools.painting:
            return tr("Paint the vessel (2 paints, 1 erases), then use the mask, or give up (Escape).")
        if self._bench.tools.bending:
            return tr("Drag the points of the line: the mask follows (2 and a click: one more, 1: one less). C: done.")
        if self._bench.line.drawing:
            return tr("Click along a vessel; a double click ends the line.")
        if self._bench.line.measuring:
            return tr("Measuring along the line…")
        if self._bench.line.words:
            return self._bench.line.words
        if (proposed := self._proposed()) and not previews.finding(active):
            return proposed
        if not state.prompts:
            return tr("Click on a vessel in the image, or have them all found (Find vessels).")
        for vessel in sorted(state.vessels, key=lambda v: v.vessel_id != active):
            if vessel.vessel_id == active and not state.is_prompted(active):
                return tr("Click on the vessel that is to be {name}.").format(name=shown_name(vessel))
            if vessel.vessel_id in previews.awaited:
                return tr("Looking for {name}…").format(name=shown_name(vessel))
            if said := previews.finding(vessel.vessel_id):
                return tr("⚠ {name}: {said}").format(name=shown_name(vessel), said=f"{said[:1].lower()}{said[1:]}")
        if self._bench.runs.running:
            return tr(
                "Measuring. The window stays free: move through the frames, click, mend masks; Cancel keeps all rows."
            )
        tables = self._bench.runs.tables
        if tables is not None and not self._bench.runs.outdated(state):
            if tables.provisional:
                return tr("The run was cut short: Resume, on Results, goes on with it. Run begins anew.")
            return tr(
                "Measured: see Results, and Export there. Click to mend a mask (Q: another one). N: a new vessel."
            )
        return previews.choice(active) or (
            tr("Click again to mend the mask (Shift: not this vessel). Q: another mask. N: a new vessel.")
        )

    def _proposed(self) -> str:
        finder = self._bench.finder
        if not finder.any_left:
            return ""
        if not finder.proposals:
            return tr("No vessel that is left is that sure: lower the bound, or dismiss them.")
        most, least = finder.confidences
        if len(finder.proposals) == 1:
            return tr("One vessel proposed, confidence {most:.2f}: click on its outline to accept it.").format(
                most=most
            )
        return tr(
            "{count} vessels proposed, confidence {most:.2f} to {least:.2f}: click on an outline to accept it."
        ).format(count=len(finder.proposals), most=most, least=least)

    def _on_proposals(self) -> None:
        finder = self._bench.finder
        if self._tools_row.currentIndex() != int(finder.any_left):
            self._tools_row.setCurrentIndex(int(finder.any_left))
            rest(self._tools_row)
        relabel(
            self.accept,
            tr("Accept all ({count})").format(count=len(finder.proposals)) if finder.proposals else tr("Accept all"),
        )
        self.accept.setEnabled(bool(finder.proposals))
        self.accept.setToolTip(
            tr("Take all outlines on show as vessels; one Undo takes them back (Alt+A).\n{density}").format(
                density=finder.density
            )
        )
        if self.surer.value() != finder.least_confidence:
            self.surer.blockSignals(True)
            self.surer.setValue(finder.least_confidence)
            self.surer.blockSignals(False)
        self.refresh()

    def _all(self) -> None:
        self._bench.finder.accept_all()

    def _dismiss(self) -> None:
        self._bench.finder.dismiss()

    def _on_row(self, row: int) -> None:
        self._bench.session.activate(self.model.vessel_id(row))

    def _on_picture(self, name: str) -> None:
        self.picture.setCurrentIndex(PICTURES.index(name))

    def _on_opening(self, name: str) -> None:
        """Say so at once: the thread that paints is the one that opens."""
        tell(self.guide, tr("Opening {name}…").format(name=name))
        self.guide.repaint()

    def _move(self, by: int) -> None:
        self._bench.session.move_vessel(self._bench.session.active, by)

    def _delete(self) -> None:
        if self._bench.session.active:
            self._bench.session.delete_vessel(self._bench.session.active)

    def _fill_more(self) -> None:
        session = self._bench.session
        self.more.clear()
        merge = self.more.addMenu(tr("Merge with"))
        assert merge is not None
        for vessel in session.state.vessels:
            if vessel.vessel_id != session.active:
                _offer(merge, f"{vessel.vessel_id}  {shown_name(vessel)}", partial(self._merge, vessel.vessel_id))
        merge.setEnabled(bool(session.active) and len(session.state.vessels) > 1)
        clicks = sum(click.vessel_id == session.active for click in session.state.clicks)
        ask_next = _offer(self.more, tr("Next mask that the clicks may mean (Q)"), self._bench.tools.next_mask)
        ask_next.setEnabled(clicks > 0)
        split = _offer(self.more, tr("Split off the selected clicks (else the newest)"), self._bench.tools.split)
        split.setEnabled(clicks > 1)
        bend = _offer(self.more, tr("Bend the middle line: the mask follows (C)"), self._bench.tools.bend)
        bend.setEnabled(bool(session.active) and session.state.is_shown(session.active))
        self.more.addSeparator()
        _offer(self.more, tr("Load prompts (CSV)…"), self._load)

    def _merge(self, other: int) -> None:
        self._bench.session.merge_vessels(self._bench.session.active, other)

    def _load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Load prompts"), self._bench.nearby, tr("Prompts (*.csv)"))
        if path:
            self._bench.load_prompts(path)


def _offer(menu: QMenu, words: str, act: Callable[[], None]) -> QAction:
    """Add a line to a menu."""
    action = QAction(words, menu)
    action.triggered.connect(lambda _checked: act())
    menu.addAction(action)
    return action
