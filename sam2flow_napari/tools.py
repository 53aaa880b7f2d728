"""What buttons and keys ask for: draw, paint, give up, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sam2flow_napari.workbench import Workbench


class Tools:
    """The ways to mark a vessel other than clicks, and the way back.

    While the user paints, undo and redo are about strokes of the brush.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    @property
    def painting(self) -> bool:
        """Whether the user paints a mask."""
        scene = self._bench.scene
        return scene is not None and scene.brush.painting

    def draw_box(self) -> None:
        """Let the user drag a box about the active vessel, or go back to clicks."""
        if self._bench.scene is not None:
            self._bench.scene.draw_box()

    def paint(self) -> None:
        """Let the user paint the active vessel, or use what is painted."""
        if self._bench.scene is not None:
            self._bench.scene.paint()

    def give_up(self) -> None:
        """Forget what is being painted; the next click is a click again."""
        if self._bench.scene is not None:
            self._bench.scene.give_up()

    def clear(self) -> None:
        """Take box and mask of the active vessel in the frame on screen away; while the user paints, give up."""
        if self.painting:
            self.give_up()
        else:
            session = self._bench.session
            session.clear_regions(session.active, self._bench.viewer.dims.current_step[0])

    def undo(self) -> None:
        """Take back the last stroke or edit."""
        scene = self._bench.scene
        if scene is None or not scene.brush.painting:
            self._bench.session.undo()
        elif not scene.brush.undo():
            scene.give_up()

    def redo(self) -> None:
        """Bring back what was undone last."""
        scene = self._bench.scene
        if scene is not None and scene.brush.painting:
            scene.brush.layer.redo()
        else:
            self._bench.session.redo()

    def switch_overlays(self) -> None:
        """Hide all that lies over the recording, or show it again."""
        if self._bench.scene is not None:
            self._bench.scene.switch_overlays()

    def next_picture(self) -> None:
        """Show the next still picture in place of the film; after the last one, the film."""
        self._bench.stills.next()

    def show_help(self) -> None:
        """Show the keys."""
        self._bench.help_wanted.emit()
