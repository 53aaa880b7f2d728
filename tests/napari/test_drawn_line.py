"""A line that is drawn along a vessel is measured by its space-time diagram, beside the flow."""

import numpy as np
import pytest
from conftest import PATIENCE
from napari.utils.notifications import notification_manager

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
