import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

pytest.importorskip("napari", reason="the plugin needs napari: pip install 'sam2flow[gui]'")

sys.path.insert(0, str(Path(__file__).parent))

from fake_engine import FakeEngine

from sam2flow_napari.widgets.dock import SAM2FlowDock
from sam2flow_napari.workbench import Workbench

FRAMES, HEIGHT, WIDTH = 40, 64, 96
PATIENCE = 60000  # ms; a test machine may be busy with other things


def write_recording(path, frames=FRAMES, height=HEIGHT, width=WIDTH, calibrated=True, seed=0):
    rng = np.random.default_rng(seed)
    video = rng.integers(20, 200, (frames, height, width), dtype=np.uint8)
    metadata = {"axes": "TYX"} | ({"unit": "um", "finterval": 0.01} if calibrated else {})
    resolution = {"resolution": (2.0, 2.0)} if calibrated else {}
    tifffile.imwrite(path, video, imagej=True, metadata=metadata, **resolution)
    return path


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Keep projects and settings of tests out of the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")


@pytest.fixture
def recording_path(tmp_path):
    return write_recording(tmp_path / "cells.tif")


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def make_bench(qtbot, engine):
    """Workbenches on viewer models, without windows; closed at the end."""
    from napari.components import ViewerModel

    made = []

    def make(viewer=None, engine=engine):
        bench = Workbench(viewer or ViewerModel(), engine)
        made.append(bench)
        return bench

    yield make
    engine.gate.set()
    engine.preview_gate.set()
    for bench in made:
        bench.close()
    qtbot.waitUntil(lambda: not any(bench.busy for bench in made), timeout=PATIENCE)


@pytest.fixture
def window(make_napari_viewer, qtbot, engine):
    """Viewer and dock in a real window."""
    viewer = make_napari_viewer(show=True)
    dock = SAM2FlowDock(viewer, engine)
    viewer.window.add_dock_widget(dock, name="SAM2Flow")
    viewer.window.resize(1280, 800)
    qtbot.wait(50)
    yield viewer, dock
    engine.gate.set()
    dock.shut()
    qtbot.waitUntil(lambda: not dock.bench.busy, timeout=PATIENCE)


@pytest.fixture
def bench(make_bench, recording_path):
    """A workbench with the recording open."""
    bench = make_bench()
    bench.open(recording_path)
    return bench
