"""Take the pictures of the user guide from the real program: ``xvfb-run -a python docs/make_screenshots.py``.

Opens the bundled sample in a window of 1280 x 800, clicks its vessels, runs and photographs every state.
A short film of it goes beside them. Two arguments are for trying it: a folder for the pictures and a checkpoint.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import napari
from napari.settings import get_settings
from PIL import Image
from qtpy.QtWidgets import QApplication, QScrollArea

from sam2flow_core.prompts import read_prompts
from sam2flow_napari.file_menu import sample_path
from sam2flow_napari.widgets.batch_dialog import BatchDialog
from sam2flow_napari.widgets.dock import SAM2FlowDock
from sam2flow_napari.widgets.export_dialog import ExportDialog

IMAGES = Path(__file__).parent / "images"
PATIENCE_S = 1200.0
FILM_PX, FILM_COLOURS = (720, 450), 255


class Photographer:
    """A window with the dock, and a camera."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.film: list[tuple[Image.Image, int]] = []
        settings = get_settings().application
        settings.save_window_geometry = False
        # Warnings about this installation (an old Qt) are nothing that the guide is about.
        settings.gui_notification_level = "error"
        self.viewer = napari.Viewer(show=True)
        self.dock = SAM2FlowDock(self.viewer)
        self.viewer.window.add_dock_widget(self.dock, name="SAM2Flow")
        self.viewer.window.resize(1280, 800)
        self.wait(1.5)

    def wait(self, seconds: float) -> None:
        """Let the window live for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the window live until `condition` holds."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("the program did not get there in ten minutes")
            self.wait(0.05)

    def scroll_down(self, dock: SAM2FlowDock) -> None:
        """Bring the end of the dock, with the plots, into view."""
        self.wait(0.5)
        for area in dock.findChildren(QScrollArea):
            area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())

    def shoot(self, name: str) -> None:
        """Photograph the window."""
        self.wait(0.3)
        path = self.folder / f"plugin-{name}.png"
        self.viewer.window.screenshot(str(path), flash=False, canvas_only=False)
        print(path.name)
        self.roll(1600)

    def roll(self, ms: int) -> None:
        """Take a picture for the film, to be shown for so long."""
        QApplication.processEvents()
        picture = Image.fromarray(self.viewer.window.screenshot(flash=False, canvas_only=False)[..., :3])
        small = picture.resize(FILM_PX, Image.Resampling.LANCZOS)
        octree = Image.Quantize.FASTOCTREE  # keeps the colours of vessels; the others spend all on greys
        self.film.append((small.quantize(FILM_COLOURS, octree, dither=Image.Dither.NONE), ms))

    def develop(self) -> None:
        """Write the film."""
        pictures, times = zip(*self.film, strict=True)
        path = self.folder / "sam2flow.gif"
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=times, loop=0, optimize=True)
        print(path.name, f"{path.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """Walk through the tutorial."""
    images = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    images.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.tif"
        sample.write_bytes(sample_path().read_bytes())
        walk(Photographer(images), sample)


def walk(camera: Photographer, sample: Path) -> None:
    """Open, click, run, look at the results."""
    dock, bench = camera.dock, camera.dock.bench
    camera.shoot("empty")
    bench.open(sample)
    if len(sys.argv) > 2:
        bench.choose_run(replace(bench.session.run_choices, model=sys.argv[2]))
    camera.wait(0.5)
    camera.shoot("opened")
    bench.tools.find()
    camera.until(lambda: not bench.finder.running)
    camera.shoot("found")
    bench.finder.dismiss()
    session = bench.session
    layer = bench.scene.prompts.layer if bench.scene else sys.exit("the sample did not open")
    for vessel, clicks in enumerate(clicks_of_vessels(sample_path().with_name("sample_prompts.csv")), start=1):
        if vessel > 1:
            session.begin_vessel()
        for prompt in clicks:
            layer.add((prompt.frame, prompt.y, prompt.x))
            # The first answer waits for the model.
            camera.until(lambda v=vessel: v not in bench.previews.awaited or not bench.busy)
            camera.wait(0.2)
            camera.roll(700)
            if not bench.previews.finding(vessel):  # as its user would: another click where the program doubts the mask
                break
    session.group_vessel(1, "artery")
    session.group_vessel(2, "vein")
    frames = bench.scene.frames
    camera.until(lambda: len(frames.vessel_ids) == len(session.state.vessels) or not bench.busy)
    if not frames.vessel_ids:
        sys.exit("no click was answered: is the model in place?")
    camera.shoot("clicked")
    bench.stills.show("activity")
    camera.until(lambda: bench.stills.layer is not None)
    camera.shoot("activity")
    bench.stills.show("film")
    session.activate(1)
    bench.tools.paint()
    camera.shoot("painting")
    bench.tools.give_up()
    bench.tools.bend()
    camera.shoot("bending")
    bench.tools.give_up()
    bench.runs.start()
    for frame in range(8, 60, 8):
        camera.until(lambda f=frame: frames.answered(f) or not bench.runs.running)
        camera.wait(0.3)
        camera.roll(250)
    camera.until(lambda: frames.answered(60) or not bench.runs.running)
    camera.shoot("running")
    camera.until(lambda: bench.runs.tables is not None or not bench.runs.running)
    camera.until(lambda: bench.runs.tables is not None)
    session.activate(1)
    camera.wait(1)
    camera.viewer.dims.set_current_step(0, 40)
    camera.scroll_down(dock)
    camera.shoot("results")
    dock.results.plots.setCurrentWidget(dock.results.space_time)
    camera.scroll_down(dock)
    camera.shoot("space-time")
    dock.results.plots.setCurrentWidget(dock.results.plot)
    show_directions(camera)
    camera.develop()
    dock.results._export()
    camera.wait(0.5)
    export = dock.findChild(ExportDialog)
    if export is not None:
        export.grab().save(str(camera.folder / "plugin-export.png"))
        export.reject()
    batch = BatchDialog(bench, dock)
    batch.show()
    camera.wait(0.5)
    batch.grab().save(str(camera.folder / "plugin-batch.png"))
    batch.close()
    bench.help_wanted.emit()
    camera.wait(0.3)
    box = QApplication.activeModalWidget()
    if box is not None:
        box.grab().save(str(camera.folder / "plugin-help.png"))
        box.close()
    camera.viewer.theme = "light"
    camera.shoot("light")
    dock.shut()
    camera.until(lambda: not bench.busy)
    camera.viewer.close()


def show_directions(camera: Photographer) -> None:
    """Photograph flow directions and tracers, which are off otherwise."""
    switches, layers = camera.dock.results.switches, camera.viewer.layers
    hidden = [layer for layer in layers if layer.visible and layer.name.startswith(("speed", "flow arrows", "centre"))]
    for box in (switches.directions, switches.tracers):
        box.click()
    for layer in hidden:
        layer.visible = False
    camera.scroll_down(camera.dock)
    camera.shoot("directions")
    for frame in range(40, 100, 4):
        camera.viewer.dims.set_current_step(0, frame)
        camera.wait(0.1)
        camera.roll(120)
    camera.viewer.dims.set_current_step(0, 40)
    for layer in hidden:
        layer.visible = True
    for box in (switches.directions, switches.tracers):
        box.click()
    camera.wait(0.3)


def clicks_of_vessels(table: Path) -> list:
    """Return the clicks on each vessel of a prompts table."""
    clicks = {}
    for prompt in read_prompts(table):
        clicks.setdefault(prompt.vessel_id, []).append(prompt)
    return list(clicks.values())


if __name__ == "__main__":
    main()
