"""Keys of the layers of prompts, bound on the layers because a viewer's keys lose to those of the active layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from napari.components import ViewerModel
from napari.layers import Layer

from sam2flow_napari.session import Session


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
