"""The two-minute film of the documentation: the window at work on the sample, by real mouse events and a real run.

    xvfb-run -s "-screen 0 1280x800x24" python docs/make_film.py [FILE]

The pointer and the captions are drawn into the pictures. What takes longer than a reader has is shown in parts: the
film is told picture by picture, not by the clock.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from make_screenshots import IMAGES, Photographer
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog, QPushButton, QWidget

from sam2flow_napari.file_menu import sample_path
from sam2flow_napari.widgets.batch_dialog import BatchDialog
from sam2flow_napari.widgets.export_dialog import ExportDialog

SIZE = 1280, 800
STRIP = 48
"""Height of the captions below the window, where they cover nothing; px."""
PICTURE = SIZE[0], SIZE[1] + STRIP
RATE = 8
QUALITY = "27"
"""Of x264: still pictures stay sharp, and two minutes are a few MB."""
CLICKS = ((75.0, 40.0), (75.0, 68.0))
"""One on each of two vessels of the sample, y and x."""
POINTER = ((0, 0), (0, 17), (4, 13), (7, 19), (10, 18), (7, 12), (12, 12))


class Film(Photographer):
    """A window, a pointer, a caption, and a file that grows."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent)
        self.viewer.window._qt_window.setGeometry(0, 0, *SIZE)
        self._container = av.open(str(path), "w")
        self._stream = self._container.add_stream("libx264", rate=Fraction(RATE))
        self._stream.width, self._stream.height = PICTURE
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": QUALITY, "preset": "slow", "movflags": "+faststart"}
        self._at = np.array([640.0, 400.0])
        self._font, self._large = (ImageFont.load_default(size) for size in (21, 34))
        self.caption = ""
        self.seconds = 0.0

    def say(self, words: str, seconds: float = 2.0) -> None:
        """Change the caption and hold the picture, so that it can be read."""
        self.caption = words
        self.hold(seconds)

    def hold(self, seconds: float) -> None:
        """Show the window as it is for so long."""
        self._write(self._grabbed(), max(round(seconds * RATE), 1))

    def card(self, title: str, lines: str, seconds: float) -> None:
        """Show words alone."""
        picture = Image.new("RGB", PICTURE, "#1b1e26")
        draw = ImageDraw.Draw(picture)
        draw.text((SIZE[0] / 2, 330), title, "white", self._large, anchor="mm")
        draw.multiline_text((SIZE[0] / 2, 420), lines, "#c8ccd6", self._font, anchor="mm", align="center", spacing=10)
        self._encode(np.asarray(picture), round(seconds * RATE))

    def press(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Lead the pointer to a widget and click on it."""
        place = place or (
            QPoint(12, widget.height() // 2) if "Check" in type(widget).__name__ else widget.rect().center()
        )
        there = widget.mapToGlobal(place)
        picture, start = self._grabbed(), self._at
        for step in range(1, 6):
            self._at = start + (np.array([there.x(), there.y()]) - start) * step / 5
            self._write(picture, 1)
        QTest.mouseMove(widget, place)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        self.wait(0.3)

    def press_button(self, words: str, within: QWidget | None = None) -> None:
        """Press the button that says so."""
        self.press(next(b for b in (within or self.dock).findChildren(QPushButton) if b.text() == words))

    def press_image(self, y: float, x: float) -> None:
        """Click on a place of the recording, in px."""
        canvas, camera = self.viewer.window._qt_viewer.canvas.native, self.viewer.scene.camera
        image = self.dock.bench.scene.image  # type: ignore[union-attr]
        place = np.array(image.data_to_world((0, y, x))[-2:])
        middle = np.array([canvas.height(), canvas.width()]) / 2
        down, right = (place - camera.center[-2:]) * camera.zoom + middle
        self.press(canvas, QPoint(round(right), round(down)))

    def play(self, frames: range, seconds: float) -> None:
        """Move the slider through frames."""
        for frame in frames:
            self.viewer.dims.set_current_step(0, frame)
            self.wait(0.05)
            self.hold(seconds / len(frames))

    def close(self) -> None:
        """Finish the file."""
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()

    def _grabbed(self) -> Image.Image:
        """Return the whole screen, dialogs included."""
        QApplication.processEvents()
        screen = QApplication.primaryScreen()
        assert screen is not None
        image = screen.grabWindow(0, 0, 0, *SIZE).toImage().convertToFormat(QImage.Format.Format_RGB888)
        data = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), np.uint8)  # type: ignore[union-attr]
        rows = data.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
        return Image.fromarray(rows.reshape(image.height(), image.width(), 3).copy())

    def _write(self, picture: Image.Image, count: int) -> None:
        shown = Image.new("RGB", PICTURE, "#1b1e26")
        shown.paste(picture)
        draw = ImageDraw.Draw(shown)
        draw.text((SIZE[0] / 2, SIZE[1] + STRIP / 2), self.caption, "white", self._font, anchor="mm")
        corners = [(x + self._at[0], y + self._at[1]) for x, y in POINTER]
        draw.polygon(corners, "white", "black")
        self._encode(np.asarray(shown), count)

    def _encode(self, rgb: NDArray[np.uint8], count: int) -> None:
        for _ in range(count):
            for packet in self._stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")):
                self._container.mux(packet)
        self.seconds += count / RATE


def mark(film: Film, recording: Path) -> None:
    """Open the sample, click two vessels, have the others found."""
    bench = film.dock.bench
    film.say("A recording is opened: a file, a folder of frames, a video, or the sample", 3)
    bench.open(recording)
    film.wait(1)
    film.say("Its pixel size and rate are read, and shown with where they come from", 3.5)
    film.say("Red cells on their way through capillaries", 0.5)
    film.play(range(0, 60, 2), 6)
    film.viewer.dims.set_current_step(0, 0)
    film.say("A click on a vessel…", 1.5)
    for number, place in enumerate(CLICKS, start=1):
        if number > 1:
            film.say("N, and a click on the next one", 1)
            bench.session.begin_vessel()
        film.press_image(*place)
        film.until(lambda v=number: v in bench.scene.frames.vessel_ids or not bench.busy)
        film.wait(0.3)
        film.say("…and its mask is there, however other vessels cross it", 3)
    film.say("Find vessels proposes the rest", 1.5)
    film.press_button("Find vessels")
    film.hold(1.5)
    film.until(lambda: not bench.finder.running)
    film.wait(0.5)
    film.say("What was found is outlined: a click accepts one, a button all", 4)
    film.press(film.dock.vessels.accept)
    film.until(lambda: len(bench.scene.frames.vessel_ids) == len(bench.session.state.vessels) or not bench.busy)
    film.wait(0.5)
    film.say("Nothing is measured that was not accepted; each step can be undone", 3.5)


def measure(film: Film) -> None:
    """Run, and watch masks, speed and arrows come."""
    bench = film.dock.bench
    film.say("Run measures the flow in every vessel", 1.5)
    film.press(film.dock.run.start)
    film.hold(1)
    frames = bench.scene.frames
    for frame in range(8, 168, 8):
        film.until(lambda f=frame: frames.answered(f) or not bench.runs.running)
        film.caption = "Masks, speed and arrows come as the run goes on (shown faster); the window stays free"
        film.wait(0.3)
        film.hold(0.7)
    film.until(lambda: bench.runs.tables is not None)
    film.wait(1.5)


def read(film: Film) -> None:
    """Look at the table, the plots and the overlays."""
    dock, results = film.dock, film.dock.results
    film.say("One row a vessel: velocity with its 95 % interval, a grade, and what to keep in mind", 4)
    film.viewer.dims.set_current_step(0, 40)
    for row, words in ((2, "A row selects its vessel"), (0, "Below it stands why it got its grade")):
        place = results.table.visualRect(results.model.index(row, 0)).center()
        film.press(results.table.viewport(), place)
        film.say(words, 3)
    film.say("Velocity against time: the heartbeat. The band is the interval of the selected vessel", 4)
    bar = results.plots.tabBar()
    film.press(bar, bar.tabRect(1).center())
    film.say("Space-time: each streak is a cell, its slope the velocity. Lines show what was measured", 4.5)
    film.press(bar, bar.tabRect(0).center())
    film.caption = "Colours by the direction of flow, and tracers that drift with it"
    for box in (results.switches.directions, results.switches.tracers):
        film.press(box)
    hidden = [layer for layer in film.viewer.layers if layer.name.startswith(("speed", "flow arrows", "centrelines"))]
    for layer in hidden:
        layer.visible = False
    film.play(range(40, 110, 2), 8)
    for box in (results.switches.directions, results.switches.tracers):
        film.press(box)
    for layer in hidden:
        layer.visible = True
    dock.bench.viewer.dims.set_current_step(0, 40)
    film.hold(1)


def take_home(film: Film) -> None:
    """Show export and batch."""
    film.say("Export takes it home", 1)
    film.press_button("Export…")
    show_dialog(
        film, ExportDialog, "Tables, workbook, report, figures, masks, space-time images, a film with overlays", 4.5
    )
    film.caption = "Several recordings, before and after"
    bar = film.dock.pages.tabBar()
    film.press(bar, bar.tabRect(0).center())
    film.press_button("Batch…")
    show_dialog(film, BatchDialog, "A batch measures them with the same settings, and compares them on a page", 4.5)


def show_dialog(film: Film, kind: type[QDialog], words: str, seconds: float) -> None:
    """Hold a dialog that has been opened, and close it."""
    film.until(lambda: film.dock.findChild(kind) is not None)
    dialog = film.dock.findChild(kind)
    dialog.move(300, 150)
    film.wait(0.4)
    film.say(words, seconds)
    dialog.close()
    film.wait(0.3)


def main() -> None:
    """Play everything, and write the film."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES / "sam2flow.mp4"
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "sample.tif"
        recording.write_bytes(sample_path().read_bytes())
        film = Film(path)
        film.card(
            "SAM2Flow", "Blood velocity per vessel, from microscopy recordings\nin napari and on the command line", 4
        )
        mark(film, recording)
        measure(film)
        read(film)
        take_home(film)
        film.card("Everything is kept beside the recording", "The command line makes the same files, to the byte", 4)
        film.close()
        print(f"{path.name}: {film.seconds:.0f} s, {path.stat().st_size / 1e6:.1f} MB")
        film.dock.shut()
        film.until(lambda: not film.dock.bench.busy)
        film.viewer.close()


if __name__ == "__main__":
    main()
