"""The pop-up that lists keys and mouse buttons."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget

from sam2flow_napari.layers.keys import Key

_MOUSE = (
    ("Click", "this vessel"),
    ("Shift or Alt + click", "not this vessel"),
    ("Drag, wheel", "move and zoom the image"),
    ("3, then drag or Delete", "select points to move or delete; 2 to click again"),
)


def help_text(keys: tuple[Key, ...]) -> str:
    """Return the help as rich text."""
    rows = [*_MOUSE, *((key.shown, key.does) for key in keys)]
    cells = "".join(f"<tr><td><b>{escape(a)}</b>&nbsp;&nbsp;</td><td>{escape(b)}</td></tr>" for a, b in rows)
    where = "In the dock, and over the image with the layer <i>prompts</i> (<i>boxes</i>, <i>brush</i>) selected:"
    return f"<p>{where}</p><table>{cells}</table>"


def show_help(parent: QWidget, keys: tuple[Key, ...]) -> QMessageBox:
    """Show the pop-up without blocking the window."""
    box = QMessageBox(parent)
    box.setWindowTitle("SAM2Flow: keys")
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setText(help_text(keys))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box
