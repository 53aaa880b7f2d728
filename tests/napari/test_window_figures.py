"""What a window costs: clicks to a table, time of a slider move, memory of a long scrub. `-s` prints the figures."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from clicks import click
from conftest import PATIENCE, write_recording
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog, QPushButton

from sam2flow_napari.layers.overlays import TRACERS, WHEEL
from sam2flow_napari.widgets.dock import SAM2FlowDock
from sam2flow_napari.widgets.export_dialog import ExportDialog

pytestmark = [pytest.mark.window, pytest.mark.slow]
MIB = 2**20
STATUS = Path("/proc/self/status")


def test_from_the_sample_to_a_table_in_six_clicks(window, qtbot, tmp_path, monkeypatch):
    viewer, dock = window
    clicks = 0

    def click(widget, place=None):
        nonlocal clicks
        clicks += 1
        qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place or widget.rect().center())
        qtbot.wait(50)

    def press(text):
        click(next(b for b in dock.findChildren(QPushButton) if b.text() == text))

    press("Sample")
    native = viewer.window._qt_viewer.canvas.native
    click(native, native.rect().center())
    press("Run")
    qtbot.waitUntil(lambda: dock.bench.runs.tables is not None, timeout=PATIENCE)
    # The dialog's own Choose is a click as well.
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    press("Export…")
    dialog = dock.findChild(ExportDialog)
    click(dialog.start)
    clicks += 1
    qtbot.waitUntil(lambda: (tmp_path / "sample.xlsx").is_file(), timeout=PATIENCE)
    print(f"\nclicks from the dock to a table: {clicks}")
    assert (tmp_path / "sample_summary.csv").is_file() and (tmp_path / "sample_per_frame.csv").is_file()
    assert clicks <= 6


REAL = Path(__file__).parents[3] / "shared" / "data" / "ncflowspeed" / "ncflowspeed_240f.tif"
VESSELS = (
    ((61, 190), (46, 271), (81, 127)),
    ((60, 379), (100, 404)),
    ((8, 388),),
    ((93, 377),),
    ((24, 119), (60, 146)),
    ((19, 171),),
    ((41, 62), (76, 89)),
    ((79, 41), (68, 16)),
)
"""Places along each of eight vessels, y and x, seen in the mean picture; no two vessels share one."""
FURTHER = ((12, 350), (50, 30))
"""Places in two more, which may be found or not."""
TISSUE = ((75, 300), (30, 220), (95, 220), (20, 330), (95, 20))


@pytest.mark.skipif(not REAL.is_file(), reason="needs the real recording, which is not part of the project")
@pytest.mark.timeout(1200)
def test_eight_vessels_of_a_real_recording_in_nine_clicks(make_napari_viewer, qtbot, tmp_path):
    recording = tmp_path / REAL.name
    recording.write_bytes(REAL.read_bytes())
    dock = SAM2FlowDock(make_napari_viewer(show=True))
    dock.resize(440, 740)
    dock.show()
    qtbot.addWidget(dock)
    bench, clicks = dock.bench, 0

    def click(widget, place=None):
        nonlocal clicks
        clicks += 1
        qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place or widget.rect().center())

    bench.open(recording)
    click(dock.vessels.find_all)
    qtbot.waitUntil(lambda: not bench.finder.running and bool(bench.finder.proposals), timeout=10 * PATIENCE)
    click(dock.vessels.accept)
    qtbot.waitUntil(lambda: not bench.previews.awaited, timeout=10 * PATIENCE)
    table = dock.vessels.table
    for vessel in [v.vessel_id for v in bench.session.state.vessels if bench.previews.finding(v.vessel_id)]:
        index = dock.vessels.model.index(dock.vessels.model.row_of(vessel), 1)
        table.scrollTo(index)
        click(table.viewport(), table.visualRect(index).center())
        click(next(b for b in dock.findChildren(QPushButton) if b.text() == "Delete" and b.isVisible()))
    masks = {v: bench.scene.frames.mask_of(0, v) for v in bench.session.state.vessel_ids}
    named = [{v for v, mask in masks.items() if all(mask[place] for place in places)} for places in VESSELS]
    print(f"\nclicks for {len(masks)} vessels: {clicks}")
    dock.shut()
    qtbot.waitUntil(lambda: not bench.busy, timeout=PATIENCE)
    assert clicks <= 9
    assert all(named) and len(set.union(*named)) == len(VESSELS)
    more = masks.keys() - set.union(*named)
    assert all(any(masks[vessel][place] for place in FURTHER) for vessel in more), "a mask on no vessel that is seen"
    assert not any(mask[place] for mask in masks.values() for place in TISSUE)


START = """
import time
import napari
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer()
bare = time.process_time()
viewer.window.add_plugin_dock_widget("sam2flow", "SAM2Flow")
QApplication.processEvents()
import os, sys
assert not {"torch", "zarr"} & set(sys.modules), "what an engine needs and a window does not"
print(time.perf_counter() - started, time.process_time(), time.process_time() - bare, flush=True)
os._exit(0)  # the window is not closed
"""


def test_the_start_with_the_dock_loads_no_engine_and_its_time_is_told():
    code = f"import time; started = time.perf_counter(); {START.lstrip()}"
    times = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        times.append([float(value) for value in done.stdout.split()[-3:]])
    wall, spent, dock = np.min(times, axis=0)
    print(f"\nnapari with the dock: {spent:.1f} s of processor time ({dock:.1f} the dock's), {wall:.1f} s by the clock")


def draw_ms(viewer, frames):
    """Median time that the window computes for one move of the slider, drawn, in ms."""
    spent = []
    for t in frames:
        start = time.thread_time()
        viewer.dims.set_current_step(0, t)
        QApplication.processEvents()
        spent.append(1000 * (time.thread_time() - start))
    return float(np.median(spent))


def test_the_slider_moves_with_all_overlays_and_its_time_is_told(window, qtbot, tmp_path):
    viewer, dock = window
    dock.bench.open(write_recording(tmp_path / "cells.tif", frames=200, height=512, width=512))
    bench = dock.bench
    for vessel in range(6):
        bench.session.add_vessel()
        click(bench.session, 0, 40.0 + 80 * vessel, 250.0)
    dock.run.start.click()
    qtbot.waitUntil(lambda: bench.runs.tables is not None, timeout=3 * PATIENCE)
    for name in (WHEEL, TRACERS):
        bench.scene.overlays.show(name, True)
    overlays = [layer for layer in viewer.layers if layer is not bench.scene.image]
    seen = {layer: layer.visible for layer in overlays}
    plain, full = [], []
    for _ in range(3):
        for layer in overlays:
            layer.visible = False
        qtbot.wait(200)
        plain.append(draw_ms(viewer, range(0, 120, 2)))
        for layer, visible in seen.items():
            layer.visible = visible
        qtbot.wait(200)
        full.append(draw_ms(viewer, range(0, 120, 2)))
    print(f"\na move of the slider: plain {min(plain):.1f} ms, with {sum(seen.values())} overlays {min(full):.1f} ms")
    # The goal is twice the image's time. It is told, not tested: without a graphics card every layer is drawn by the
    # processor, which has other things to do.
    assert all(seen[layer] for layer in overlays if layer.name in (WHEEL, TRACERS))
    assert len(next(layer for layer in overlays if layer.name == TRACERS).data)


def resident():
    """Bytes of memory that are this process's own; pages of the file itself can be taken back at any time."""
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


@pytest.mark.skipif(not STATUS.exists(), reason="reads the memory from /proc")
@pytest.mark.timeout(900)
def test_scrubbing_four_gigabytes_takes_little_memory(window, qtbot, tmp_path):
    viewer, dock = window
    path, frames, side = tmp_path / "long.tif", 16000, 512
    # A sparse file of 4 GB: its frames are read like others and take no room on the disk.
    stack = tifffile.memmap(path, shape=(frames, side, side), dtype=np.uint8, photometric="minisblack", bigtiff=True)
    stack[:: frames // 8] = 120
    stack.flush()
    del stack
    dock.bench.open(path)
    qtbot.wait(500)
    before = resident()
    for t in np.random.default_rng(0).permutation(frames)[:400]:
        viewer.dims.set_current_step(0, int(t))
        QApplication.processEvents()
    grown = resident() - before
    print(f"\nmemory after 400 frames of a {path.stat().st_size / 2**30:.1f} GiB stack: {grown / MIB:+.0f} MiB")
    assert path.stat().st_size > 4e9
    assert grown < 300 * MIB
