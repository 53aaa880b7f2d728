"""Drive the installed plugin as a user would: open the sample, click a vessel, run, export the tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import napari
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton, QWidget

import sam2flow_napari

PATIENCE_S = 900.0
FRAMES = 24


def until(condition: Callable[[], bool], what: str) -> None:
    """Let the window live until `condition` holds."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"{what}: not within {PATIENCE_S:.0f} s")
        QApplication.processEvents()
        time.sleep(0.01)
    print(f"{what}: done")


def press(dock: QWidget, text: str) -> None:
    """Click a button of the dock."""
    button = next(b for b in dock.findChildren(QPushButton) if b.text() == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def click_image(viewer: napari.Viewer, y: float, x: float) -> None:
    """Click on a place (y, x) um of the image."""
    canvas = viewer.window._qt_viewer.canvas.native
    zoom, (_, cy, cx) = viewer.camera.zoom, viewer.camera.center
    ratio = canvas.devicePixelRatioF()
    middle = canvas.rect().center()
    place = QPoint(round((x - cx) * zoom / ratio), round((y - cy) * zoom / ratio)) + middle
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def main() -> None:
    """Do it, and leave with an error if anything is not as it should be."""
    home = Path(sam2flow_napari.__file__)
    if not home.is_relative_to(sys.prefix):
        sys.exit(f"{home} is not what was installed into {sys.prefix}")
    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    _, dock = viewer.window.add_plugin_dock_widget("sam2flow", "SAM2Flow")
    press(dock, "Sample")
    bench = dock.bench
    until(lambda: bench.scene is not None, "the sample is open")
    end = time.monotonic() + 2
    until(lambda: time.monotonic() > end, "the window is drawn")
    scale = bench.scene.image.scale
    click_image(viewer, 201 * scale[1], 94 * scale[2])
    until(lambda: len(bench.session.state.prompts) == 1, "a click is a prompt")
    until(lambda: bool(bench.scene.frames.vessel_ids), "its mask is there")
    bench.choose_run(replace(bench.session.run_choices, stop=FRAMES))
    press(dock, "Run")
    until(lambda: not bench.runs.running and bench.runs.tables is not None, "the run")
    with TemporaryDirectory() as folder:
        dock.results.export_to(Path(folder))
        tables = sorted(path.name for path in Path(folder).iterdir())
        if tables != ["sample_per_frame.csv", "sample_summary.csv"]:
            sys.exit(f"exported: {tables}")
    velocity = bench.runs.tables.summary["v_mean_um_s"][0]
    print(f"exported: {', '.join(tables)}; vessel 1 at {velocity:.0f} um/s in {FRAMES} frames")
    dock.shut()
    until(lambda: not bench.busy, "closing")
    viewer.close()


if __name__ == "__main__":
    main()
