"""What napari says of an old Qt, said where it covers nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from qtpy import QT5
from qtpy.QtWidgets import QApplication, QLabel

if TYPE_CHECKING:
    import napari

OLD_QT = "PyQt5 works with this napari; a later one will want PyQt6: pip install 'sam2flow[pyqt6]'"
_NAPARI_SAYS = "PyQt5 backend"


def say_that_qt_is_old(viewer: napari.Viewer) -> None:
    """Say in the status bar what napari says over the scale bar at every start, and take that away.

    PyQt5 is what this program installs unless it is told otherwise, so its user has nothing to mend.
    """
    if not QT5:
        return
    taken = False
    for widget in QApplication.allWidgets():
        if type(widget).__name__ == "NapariQtNotification" and _says_it(widget):
            with suppress(RuntimeError):  # it was on its way out
                widget.close()
                taken = True
    if taken:
        viewer.status = OLD_QT


def _says_it(notification: object) -> bool:
    labels = notification.findChildren(QLabel)  # type: ignore[attr-defined]
    return any(_NAPARI_SAYS in label.text() or _NAPARI_SAYS in label.toolTip() for label in labels)
