"""What the engine asks of a predictor; `SAM2FlowPredictor` fulfils it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from sam2flow_core.inference.steps import FrameFlow
from sam2flow_core.results.resume import Snapshot
from sam2flow_core.stack import FramePlan, Stack


class Predictor(Protocol):
    """Frames in, masks and flow out."""

    @property
    def description(self) -> Mapping[str, Any]:
        """JSON values that name the model, among them `sha256` of the weights and `device`."""

    def init_state(
        self,
        stack: Stack,
        /,
        stabilise: bool = True,
        start: int = 0,
        stop: int | None = None,
        *,
        working_resolution: float | None = None,
        plan: FramePlan | None = None,
    ) -> Any:
        """Begin with frames `start` to `stop` (not included) of a recording, or with those of a plan.

        Of the state that is returned the engine reads `crops`: the crop size ``(h, w)`` in px of each prompted vessel,
        constant over the run.
        """

    def add_new_points_or_box(
        self,
        state: Any,
        /,
        frame_idx: int,
        obj_id: int,
        *,
        points: Any = None,
        labels: Any = None,
        clear_old_points: bool = True,
        box: Any = None,
        need_output: bool = True,
    ) -> Any:
        """Say which vessel is meant by clicks ``(x, y)`` with labels, by a box ``(x0, y0, x1, y1)``, or by both.

        None is answered where no output is needed: the masks of all vessels are as large as so many frames.
        """

    def add_new_mask(
        self, state: Any, /, frame_idx: int, obj_id: int, mask: NDArray[Any], *, need_output: bool = True
    ) -> Any:
        """Say which vessel is meant by a mask (Y, X)."""

    def stream(self, state: Any) -> Iterator[FrameFlow]:
        """Answer the frames that are still to be answered, in order."""

    def snapshot(self, state: Any) -> Snapshot:
        """Return what `restore` needs to go on after the frame that was answered last."""

    def restore(self, state: Any, snapshot: Snapshot) -> None:
        """Go back to where `snapshot` was taken; the next answers are the same to the bit."""
