"""A line that is drawn along a vessel is measured by its space-time diagram, beside the flow."""

import numpy as np
import pytest
from conftest import PATIENCE
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, Qt

from sam2flow_core.errors import PromptError
from sam2flow_napari.worker.engine_process import EngineProcess
from sam2flow_napari.worker.jobs import LineJob
from sam2flow_napari.worker.run_tables import read_line


def draw(bench, *corners):
    bench.tools.draw_line()
    assert bench.line.drawing
    bench.line.layer.add_paths(np.array(corners, float))


def test_a_line_is_measured_kept_and_shown(bench, engine, qtbot):
    shown = []
    bench.line.measured.connect(shown.append)
    with qtbot.waitSignal(bench.line.measured, timeout=PATIENCE):
        draw(bench, (10, 10), (30, 80), (500, 90))
    qtbot.waitUntil(lambda: bool(shown) and shown[-1] is not None, timeout=PATIENCE)
    job = engine.lines[0]
    assert job.vertices == ((10, 10), (30, 80), (63, 90))  # inside the frame
    assert job.out == bench.session.folder / "line-001" == shown[-1].out
    assert shown[-1].words == "150 [125, 175] um/s, poor"
    assert not bench.line.drawing and bench.viewer.layers.selection.active is bench.scene.prompts.layer
    assert "drawn line" in bench.viewer.layers and not bench.session.state.prompts
    bench.tools.draw_line()
    assert shown[-1] is None and bench.viewer.layers["drawn line"].nshapes == 0
    bench.tools.draw_line()
    assert "drawn line" not in bench.viewer.layers


def test_a_line_that_cannot_be_read_is_said_in_one_line(bench, engine, qtbot):
    engine.error = PromptError("the line is 3 px long; draw at least 8 px along a vessel")
    notification_manager.records.clear()
    draw(bench, (10, 10), (10, 13))
    qtbot.waitUntil(lambda: any("3 px long" in n.message for n in notification_manager.records), timeout=PATIENCE)
    bench.viewer.layers.remove(bench.scene.image)
    assert "drawn line" not in bench.viewer.layers


def test_the_engine_measures_it(tmp_path):
    """Cells that go along x by two px a frame, from the engine in its own process."""
    import tifffile

    rng = np.random.default_rng(3)
    pattern = rng.normal(size=(24, 400)).cumsum(axis=1)
    pattern -= np.convolve(pattern.mean(axis=0), np.ones(21) / 21, "same")
    film = np.stack([pattern[:, 200 - 2 * t : 300 - 2 * t] for t in range(60)])
    film = np.clip(128 + 20 * film / film.std(), 0, 255).astype(np.uint8)
    tifffile.imwrite(tmp_path / "moving.tif", film, imagej=True, metadata={"axes": "TYX"})
    engine = EngineProcess()
    try:
        job = LineJob(1, tmp_path / "moving.tif", tmp_path / "p" / "line-001", ((12, 5), (12, 95)), None, None, False)
        engine.line(job)
    finally:
        engine.close()
    words, per_frame = read_line(job.out)
    assert per_frame["velocity_px_frame"].median() == pytest.approx(2, rel=0.05), words
    assert (job.out / "report.html").is_file()


def on_canvas(viewer, y, x):
    """Return the point of the canvas where a place of the recording, in um, is shown."""
    native = viewer.window._qt_viewer.canvas.native
    (_, cy, cx), zoom = viewer.camera.center, viewer.camera.zoom / native.devicePixelRatioF()
    return native, native.rect().center() + QPoint(round((x - cx) * zoom), round((y - cy) * zoom))


@pytest.mark.window
def test_corners_are_clicked_and_a_double_click_ends_the_line(window, qtbot, engine, recording_path):
    viewer, dock = window
    bench = dock.bench
    bench.open(recording_path)
    qtbot.wait(100)
    side = bench.scene.image.scale[-1]
    corners = [(10.0, 10.0), (20.0, 40.0), (12.0, 70.0)]
    native, _ = on_canvas(viewer, 0, 0)
    qtbot.keyClick(native, Qt.Key.Key_L)
    assert bench.line.drawing and "double click" in dock.vessels.guide.text()
    for number, (y, x) in enumerate(corners):
        place = on_canvas(viewer, y * side, x * side)[1]
        for on_the_way in (place + QPoint(-6, 0), place):
            qtbot.mouseMove(native, on_the_way)
            qtbot.wait(20)
        qtbot.mouseClick(native, Qt.MouseButton.LeftButton, pos=place)
        assert bench.line.drawing and not bench.line.measuring
        if number == len(corners) - 1:
            qtbot.mouseDClick(native, Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: not bench.line.drawing and not bench.line.measuring, timeout=PATIENCE)
    np.testing.assert_allclose(engine.lines[0].vertices, corners, atol=1)
    assert not bench.session.state.prompts and "double click" not in dock.vessels.guide.text()


@pytest.mark.window
@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_L])
def test_a_line_that_is_being_drawn_is_given_up_by_a_key(window, qtbot, recording_path, key):
    viewer, dock = window
    bench = dock.bench
    bench.open(recording_path)
    qtbot.wait(100)
    bench.tools.draw_line()
    native, place = on_canvas(viewer, 10, 10)
    qtbot.mouseMove(native, place)
    qtbot.mouseClick(native, Qt.MouseButton.LeftButton, pos=place)
    qtbot.keyClick(native, key)
    assert bench.line.layer is None and not bench.line.measuring
    assert viewer.layers.selection.active is bench.scene.prompts.layer
    assert "double click" not in dock.vessels.guide.text()
