"""What buttons and keys ask for: draw, paint, bend, give up, undo."""

from __future__ import annotations

from typing import Any, Protocol

from napari.components import ViewerModel

from sam2flow_napari.drawn_line import DrawnLine
from sam2flow_napari.found_vessels import Finder
from sam2flow_napari.layers.frame_on_screen import frame_on_screen, show_frame
from sam2flow_napari.layers.prompt_layer import Key
from sam2flow_napari.previews import Previews
from sam2flow_napari.recording_layers import Scene
from sam2flow_napari.session import Session
from sam2flow_napari.still_pictures import StillPictures
from sam2flow_napari.translation import tr


class Bench(Protocol):
    """What the tools work on: the workbench."""

    viewer: ViewerModel
    session: Session
    scene: Scene | None
    stills: StillPictures
    line: DrawnLine
    previews: Previews
    finder: Finder
    help_wanted: Any
    """A Qt signal, which types know too little of."""

    @property
    def occupied(self) -> bool:
        """Whether something long goes on."""


class Tools:
    """The ways to mark a vessel other than clicks, and the way back.

    While the user paints, undo and redo are about strokes of the brush.

    Parameters
    ----------
    bench : Bench
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @property
    def painting(self) -> bool:
        """Whether the user paints a mask."""
        scene = self._bench.scene
        return scene is not None and scene.brush.working

    def draw_box(self) -> None:
        """Let the user drag a box about the active vessel, or go back to clicks."""
        if self._bench.scene is not None:
            self._bench.scene.draw_box()

    @property
    def bending(self) -> bool:
        """Whether the user bends the line of a vessel."""
        scene = self._bench.scene
        return scene is not None and scene.course.working

    def bend(self) -> None:
        """Let the user bend the middle line of the active vessel, whose mask follows, or go back to clicks."""
        if self._bench.scene is not None:
            self._bench.scene.bend()

    def draw_line(self) -> None:
        """Let the user draw a line along a vessel, which is measured by its space-time diagram alone."""
        self._bench.line.start()

    def paint(self) -> None:
        """Let the user paint the active vessel, or use what is painted."""
        if self._bench.scene is not None:
            self._bench.scene.paint()

    def give_up(self) -> None:
        """Forget what is being painted or drawn; the next click is a click again."""
        self._bench.line.give_up()
        if self._bench.scene is not None:
            self._bench.scene.give_up()

    def clear(self) -> None:
        """Take box and mask of the active vessel in the frame on screen away; while the user paints, give up."""
        if self.painting:
            self.give_up()
        else:
            session = self._bench.session
            session.clear_regions(session.active, frame_on_screen(self._bench.viewer))

    def split(self) -> None:
        """Make the clicks that are selected in the image a vessel of its own; without any, the newest of the active."""
        session, scene = self._bench.session, self._bench.scene
        if scene is None:
            return
        newest = [click for click in session.state.clicks if click.vessel_id == session.active][-1:]
        session.split_vessel(scene.prompts.selected or tuple(newest))

    def find(self) -> None:
        """Propose all vessels of the recording."""
        if not self._bench.occupied:
            self._bench.finder.start()

    def next_mask(self) -> None:
        """Show the next mask that the clicks on the active vessel may mean."""
        if self._bench.scene is not None:
            self._bench.previews.ask_for_next(self._bench.session.active, frame_on_screen(self._bench.viewer))

    def undo(self) -> None:
        """Take back the last stroke or edit, or the line that is being drawn."""
        scene = self._bench.scene
        if self._bench.line.drawing:
            self._bench.line.give_up()
        elif scene is None or not scene.brush.working:
            self._bench.session.undo()
        elif not scene.brush.undo():
            scene.give_up()

    def redo(self) -> None:
        """Bring back what was undone last."""
        scene = self._bench.scene
        if scene is not None and scene.brush.working:
            scene.brush.layer.redo()
        else:
            self._bench.session.redo()

    def switch_overlays(self) -> None:
        """Hide all that lies over the recording, or show it again."""
        if self._bench.scene is not None:
            others = (self._bench.finder.layer, self._bench.line.layer)
            self._bench.scene.switch_overlays(tuple(layer for layer in others if layer is not None))

    def next_picture(self) -> None:
        """Show the next still picture in place of the film; after the last one, the film."""
        self._bench.stills.next()

    def show_help(self) -> None:
        """Show the keys."""
        self._bench.help_wanted.emit()


def prompt_keys(viewer: ViewerModel, session: Session, tools: Tools) -> tuple[Key, ...]:
    """Return the keys of a session."""
    return (
        Key("N", tr("a new vessel"), session.begin_vessel),
        Key("Shift-N", tr("the next vessel of the list"), session.activate_next),
        Key("T", tr("flip the sign of the next click"), lambda: session.set_sign(1 - session.sign)),
        Key("Q", tr("another mask for the clicks: the vessel that crosses, to the fork, past it"), tools.next_mask),
        Key("Shift-F", tr("find all vessels: they are proposed, a click on an outline accepts one"), tools.find),
        Key("B", tr("drag a box about the vessel (again: back to clicks)"), tools.draw_box),
        Key(
            "L",
            tr("draw a line along a vessel to measure it classically (again: back to clicks)"),
            tools.draw_line,
        ),
        Key("C", tr("bend the middle line of the vessel: its mask follows (again: back to clicks)"), tools.bend),
        Key("M", tr("paint the mask of the vessel (again: use it as prompt)"), tools.paint),
        Key("Escape", tr("give up painting, bending or drawing, back to clicks"), tools.give_up),
        Key("Control-Z", tr("undo (while you paint: the last stroke)"), tools.undo),
        Key("Control-Shift-Z", tr("redo"), tools.redo),
        Key(".", tr("go to the next frame with a prompt"), lambda: go_to_prompt(viewer, session, forward=True)),
        Key(",", tr("go to the previous frame with a prompt"), lambda: go_to_prompt(viewer, session, forward=False)),
        Key("O", tr("hide or show all that lies over the recording"), tools.switch_overlays),
        Key("G", tr("another picture to click on: the film, its mean, its activity"), tools.next_picture),
        Key("H", tr("show this help"), tools.show_help),
    )


def go_to_prompt(viewer: ViewerModel, session: Session, forward: bool) -> None:
    """Move the slider to the next or previous frame that has a prompt, round the end."""
    frames = session.state.prompted_frames
    if not frames:
        return
    now = frame_on_screen(viewer)
    if forward:
        target = next((f for f in frames if f > now), frames[0])
    else:
        target = next((f for f in reversed(frames) if f < now), frames[-1])
    show_frame(viewer, target)
