"""Picture of the masks of twelve clicks on a real recording: ``python docs/make_real_picture.py ncflowspeed_240f.tif``.

The recording is NCFLOWSPEED's ((c) 2021 Juwell Wu, MIT licence), which is not part of this repository: 240 frames of
110 x 425 px with bright plasma. Masks that run over one another are shown in two rows, or they would hide each other.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.stack import open_stack

IMAGE = Path(__file__).parent / "images" / "real-masks.png"
# (y, x), one for each vessel, as in docs/trust.md.
CLICKS = ((63, 75), (95, 67), (102, 112), (20, 56), (32, 120), (80, 129), (33, 160), (54, 175), (50, 255), (48, 330))
CLICKS += ((45, 379), (88, 375))
ROWS = 2


def masks_of(predictor: SAM2FlowPredictor, recording: Path) -> tuple[NDArray[np.float32], list[NDArray[np.bool_]]]:
    """First frame (Y, X), and the mask of each click in it."""
    stack = open_stack(recording)
    state, masks = predictor.init_state(stack), []
    for vessel, (y, x) in enumerate(CLICKS, 1):
        answer = predictor.add_new_points_or_box(state, 0, vessel, [(float(x), float(y))], [1])
        assert answer is not None
        _, ids, logits = answer
        masks.append(logits[ids.index(vessel), 0].numpy() > 0)
    return stack.frame(0).astype(np.float32), masks


def show(axes: Axes, vessels: range, frame: NDArray[np.float32], masks: list[NDArray[np.bool_]]) -> None:
    """Outline some vessels on the frame, with their clicks and numbers."""
    axes.imshow(frame, cmap="gray", vmax=np.percentile(frame, 99.8))
    for vessel in vessels:
        (y, x), colour = CLICKS[vessel], f"C{vessel % 10}"
        axes.contour(masks[vessel], [0.5], colors=colour, linewidths=1.5)
        axes.plot(x, y, "+", color=colour, markersize=9, markeredgewidth=2)
        axes.annotate(str(vessel + 1), (x, y), (4, 4), textcoords="offset points", color="white", fontsize=10)
    axes.axis("off")


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recording", type=Path)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--out", type=Path, default=IMAGE)
    given = parser.parse_args()
    frame, masks = masks_of(SAM2FlowPredictor.from_pretrained(given.model, "cpu"), given.recording)
    figure, rows = plt.subplots(ROWS, 1, figsize=(12, 6.6), layout="constrained")
    for first, axes in enumerate(rows):
        show(axes, range(first, len(CLICKS), ROWS), frame, masks)
    figure.savefig(given.out, dpi=65)


if __name__ == "__main__":
    main()
