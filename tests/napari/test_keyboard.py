"""The dock by keyboard alone: Tab goes through it in the order of reading, keys press its buttons."""

from collections import Counter
from itertools import pairwise

import pytest
from clicks import click
from conftest import PATIENCE
from napari._app_model import get_app_model
from napari.components import ViewerModel
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QColor, QFocusEvent
from qtpy.QtWidgets import QApplication, QPushButton

from sam2flow_napari.widgets.building_blocks import FocusFrame, in_order
from sam2flow_napari.widgets.dock import SAM2FlowDock


@pytest.fixture
def dock(qtbot, engine, recording_path):
    dock = SAM2FlowDock(ViewerModel(), engine)
    qtbot.addWidget(dock)
    dock.resize(440, 740)
    dock.show()
    qtbot.waitExposed(dock)
    dock.bench.open(recording_path)
    yield dock
    engine.gate.set()
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


def test_tab_reaches_every_button_from_top_to_bottom(dock):
    wanted = in_order(dock)
    chain, widget = [], wanted[0]
    while widget not in chain:
        chain.append(widget)
        widget = widget.nextInFocusChain()
    assert [w for w in chain if w in wanted] == wanted
    assert set(dock.findChildren(QPushButton)) <= set(wanted)
    tops = [w.mapTo(dock, w.rect().center()).y() for w in wanted if w.isVisible()]
    assert all(b >= a - 12 for a, b in pairwise(tops)), "in rows, downwards"


def frame_of(dock):
    (frame,) = dock.findChildren(FocusFrame)
    return frame


def led(widget, reason):
    """Let a widget hear that it has got the focus; a screen without a window manager gives it to none."""
    QApplication.sendEvent(widget, QFocusEvent(QEvent.Type.FocusIn, reason))


def test_a_frame_is_about_what_tab_has_reached_and_nothing_moves(dock, qtbot):
    wanted = [w for w in in_order(dock) if w.isVisible() and w.isEnabled()]
    places = [w.geometry() for w in wanted]
    for widget in wanted:
        led(widget, Qt.FocusReason.TabFocusReason)
        frame = frame_of(dock)
        assert frame.isVisible() and frame.parent() is widget.parent()
        assert frame.geometry().contains(widget.geometry()), widget
    assert len(wanted) > 20 and [w.geometry() for w in wanted] == places
    picture = frame_of(dock).grab().toImage()
    assert picture.pixelColor(picture.width() // 2, 1) == QColor(get_theme("dark").text.as_hex())
    QApplication.sendEvent(wanted[-1], QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.TabFocusReason))
    assert not frame_of(dock).isVisible()


def test_where_the_mouse_has_led_there_is_no_frame(dock):
    led(dock.vessels.undo, Qt.FocusReason.TabFocusReason)
    led(dock.vessels.sign, Qt.FocusReason.MouseFocusReason)
    assert not frame_of(dock).isVisible()


def test_no_keys_press_two_buttons_that_are_in_sight(dock):
    for page in range(2):
        dock.pages.setCurrentIndex(page)
        keys = Counter(b.shortcut().toString() for b in dock.findChildren(QPushButton) if b.isVisible())
        del keys[""]
        assert len(keys) >= 8 and set(keys.values()) == {1}
        assert not set(keys) & {f"Alt+{letter}" for letter in "FVLPWH"}, "those open the menus of napari"
    said = [b for b in dock.findChildren(QPushButton) if b.shortcut().toString()]
    assert all(b.shortcut().toString() in b.toolTip() for b in said)


@pytest.mark.window
def test_no_key_of_a_button_is_one_of_napari_s(window):
    """Of a key that two ask for, Qt says that it is ambiguous and neither gets it: Cancel could not be pressed."""
    _, dock = window
    theirs = {str(bound.keybinding) for bound in get_app_model().keybindings}
    ours = {b.shortcut().toString() for b in dock.findChildren(QPushButton)} - {""}
    assert {"Alt+S", "Alt+C"} < theirs and len(ours) >= 15
    assert ours & theirs <= {"Alt+T"}, "of its debug menu, which is there only where napari watches its own speed"


def test_from_nothing_to_a_table_without_the_mouse(dock, qtbot):
    dock.activateWindow()
    dock.vessels.table.setFocus()
    qtbot.waitUntil(dock.vessels.table.hasFocus, timeout=PATIENCE)

    def press(key, modifier=Qt.KeyboardModifier.AltModifier):
        qtbot.keyClick(dock.focusWidget() or dock, key, modifier)

    press(Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: bool(dock.bench.finder.proposals), timeout=PATIENCE)
    press(Qt.Key.Key_A)
    qtbot.waitUntil(lambda: len(dock.bench.session.state.vessels) == 3, timeout=PATIENCE)
    press(Qt.Key.Key_R)
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    assert dock.pages.currentIndex() == 1
    press(Qt.Key.Key_1)
    assert dock.pages.currentIndex() == 0
    press(Qt.Key.Key_2)
    assert dock.pages.currentIndex() == 1 and dock.results.model.rowCount() == 3


def test_a_key_acts_on_the_page_in_sight(dock, qtbot):
    click(dock.bench.session, 0, 20.0, 30.0)
    dock.pages.setCurrentIndex(1)
    dock.activateWindow()
    dock.results.table.setFocus()
    qtbot.waitUntil(dock.results.table.hasFocus, timeout=PATIENCE)
    qtbot.keyClick(dock.results.table, Qt.Key.Key_T, Qt.KeyboardModifier.AltModifier)
    assert len(dock.bench.session.state.vessels) == 1, "Alt+T deletes a vessel on the other page only"
