"""Keys of the layers of prompts, bound on the layers because a viewer's keys lose to those of the active layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari.components import ViewerModel
from napari.layers import Layer

from sam2flow_napari.session import Session

if TYPE_CHECKING:
    from sam2flow_napari.tools import Tools


@dataclass(frozen=True)
class Key:
    """One key with what it does, in words for the help pop-up."""

    sequence: str
    does: str
    action: Callable[[], None]

    @property
    def shown(self) -> str:
        """The key as Qt and people write it: ``Ctrl+Shift+Z``; napari writes ``Control-Shift-Z``."""
        return self.sequence.replace("Control", "Ctrl").replace("-", "+")


def prompt_keys(viewer: ViewerModel, session: Session, tools: Tools) -> tuple[Key, ...]:
    """Return the keys of a session."""
    return (
        Key("N", "a new vessel", session.begin_vessel),
        Key("Shift-N", "the next vessel of the list", session.activate_next),
        Key("T", "flip the sign of the next click", lambda: session.set_sign(1 - session.sign)),
        Key("B", "drag a box about the vessel (again: back to clicks)", tools.draw_box),
        Key("M", "paint the mask of the vessel (again: use it as prompt)", tools.paint),
        Key("Escape", "give up painting, back to clicks", tools.give_up),
        Key("Control-Z", "undo (while you paint: the last stroke)", tools.undo),
        Key("Control-Shift-Z", "redo", tools.redo),
        Key(".", "go to the next frame with a prompt", lambda: go_to_prompt(viewer, session, forward=True)),
        Key(",", "go to the previous frame with a prompt", lambda: go_to_prompt(viewer, session, forward=False)),
        Key("O", "hide or show all that lies over the recording", tools.switch_overlays),
        Key("G", "another picture to click on: the film, its mean, its activity", tools.next_picture),
        Key("H", "show this help", tools.show_help),
    )


def bind(layer: Layer, keys: tuple[Key, ...]) -> None:
    """Bind the keys on a layer."""
    for key in keys:
        layer.bind_key(key.sequence, _handler(key.action), overwrite=True)


def _handler(action: Callable[[], None]) -> Callable[[Layer], None]:
    return lambda layer: action()


def go_to_prompt(viewer: ViewerModel, session: Session, forward: bool) -> None:
    """Move the slider to the next or previous frame that has a prompt, round the end."""
    frames = session.state.prompted_frames
    if not frames:
        return
    now = viewer.dims.current_step[0]
    if forward:
        target = next((f for f in frames if f > now), frames[0])
    else:
        target = next((f for f in reversed(frames) if f < now), frames[-1])
    viewer.dims.set_current_step(0, target)
