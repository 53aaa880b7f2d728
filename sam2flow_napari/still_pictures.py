"""A still picture in place of the film, to click on: mean, stabilised mean, activity."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from napari.qt.threading import create_worker
from numpy.typing import NDArray
from psygnal import Signal

from sam2flow_napari.layers.factory import LayerFactory, lay_on
from sam2flow_napari.session import Session
from sam2flow_napari.translation import tr, tr_later

if TYPE_CHECKING:
    from sam2flow_core.stack.stabiliser import Stills

FILM = "film"
PICTURES = (FILM, "mean", "stabilised", "activity")
PICTURE_WORDS = (
    tr_later("Show film"),
    tr_later("Show mean"),
    tr_later("Show stabilised"),
    tr_later("Show activity"),
)


class StillPictures:
    """Which picture of the recording is on show; the stills are computed when one is first wanted.

    Parameters
    ----------
    viewer : ViewerModel
    session : Session
    report : callable
        Shows an error to the user.

    Signals
    -------
    changed(str)
        Name of the picture on show, one of `PICTURES`.
    """

    changed = Signal(str)

    def __init__(self, viewer: ViewerModel, session: Session, report: Callable[[Exception], None]) -> None:
        self._viewer = viewer
        self._session = session
        self._report = report
        self._image: Image | None = None
        self._layer: Image | None = None
        self._stills: Stills | None = None
        self._waiting = False
        self.shown = FILM

    @property
    def layer(self) -> Image | None:
        """The layer of the still picture, where there is one."""
        return self._layer if self._layer in self._viewer.layers else None

    def begin(self, image: Image) -> None:
        """Show the film of another recording."""
        self.forget()
        self._image = image

    def forget(self) -> None:
        """Take the still picture away (the recording is closed)."""
        layer, self._image, self._stills, self._waiting = self.layer, None, None, False
        self._layer = None
        if layer is not None:
            self._viewer.layers.remove(layer)
        self._set(FILM)

    def next(self) -> None:
        """Show the next picture; after the last one, the film."""
        self.show(PICTURES[(PICTURES.index(self.shown) + 1) % len(PICTURES)])

    def show(self, name: str) -> None:
        """Show one of `PICTURES`."""
        if self._image is None:
            return
        self._set(name)
        if name != FILM and self._stills is None:
            self._compute()
        else:
            self._draw()

    def _set(self, name: str) -> None:
        if name != self.shown:
            self.shown = name
            self.changed.emit(name)

    def _compute(self) -> None:
        recording = self._session.recording
        if self._waiting or recording is None:
            return
        self._waiting = True
        self._viewer.status = tr("Looking through the recording for a still picture…")
        worker = create_worker(_read, recording.path, _start_thread=False)
        image = self._image
        worker.returned.connect(lambda answer: self._take(image, answer))
        worker.start()

    def _take(self, image: Image | None, answer: Stills | Exception) -> None:
        if image is not self._image or image is None:
            return  # of a recording that was closed
        self._waiting = False
        if isinstance(answer, Exception):
            self._set(FILM)
            self._report(answer)
        else:
            self._stills = answer
            self._draw()

    def _draw(self) -> None:
        if self.shown == FILM or self._stills is None:
            if self.layer is not None:
                self.layer.visible = False
            return
        picture: NDArray[np.float32] = getattr(self._stills, self.shown)
        layer = self.layer or self._add(picture)
        if self._image is not None:
            lay_on(layer, self._image)  # the user may have moved it since
        layer.data = picture
        low, high = np.percentile(picture, (0.5, 99.5))
        layer.contrast_limits_range = layer.contrast_limits = (float(low), float(max(high, low + 1e-6)))
        layer.visible = True

    def _add(self, picture: NDArray[np.float32]) -> Image:
        assert self._image is not None and self._session.recording is not None
        active = self._viewer.layers.selection.active
        self._layer = LayerFactory(self._session.recording.spacing).still(tr_later("still picture"), picture)
        self._viewer.layers.insert(self._viewer.layers.index(self._image) + 1, self._layer)
        self._viewer.layers.selection.active = active
        return self._layer


def _read(path: Path) -> Stills | Exception:
    """Return the stills, or what went wrong: superqt would swallow a `RuntimeError`."""
    from sam2flow_core.stack import open_stack
    from sam2flow_core.stack.stabiliser import still_pictures

    try:
        with open_stack(path) as stack:
            return still_pictures(stack)
    except Exception as error:
        return error
