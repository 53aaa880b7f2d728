"""Find vessels in recordings with known ones, and count: ``python docs/finding_trial.py``.

Recordings of both generators, none of them in the benchmark, and none on which anything was fitted or chosen. Each
proposal's clicks are answered as a person's would be, and a proposal is right where its mask and a vessel's, between
forks and ends, have an IoU of 0.5, one for one. Asked for are vessels along at least half of which a cell passes while
they are filmed: of others nothing moves, and where one is found, it is neither right nor wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sam2flow_core.config.tracing import FindingSettings
from sam2flow_core.evaluation.case_sources import GENERATORS, development_case
from sam2flow_core.evaluation.cases import Case
from sam2flow_core.evaluation.metrics import mask_iou
from sam2flow_core.inference import SAM2FlowPredictor
from sam2flow_core.inference.vessel_finder import find_vessels
from sam2flow_core.spreadsheets import write_csv
from sam2flow_core.stack import open_stack

SIDE, FRAMES = 192, 40
FIRST = 900
"""Number of the first recording; those that intervals were fitted and confidences chosen on have lower ones."""
RIGHT = 0.5
PERFUSED = 0.5
"""Of a vessel that is asked for, the share of its px that cells pass."""
LEVELS = (0.5, 0.55, 0.6, 0.65, 0.7)
"""Confidences below which proposals are left out."""

Masks = Sequence[NDArray[np.bool_]]


def proposals(predictor: SAM2FlowPredictor, case: Case) -> list[tuple[float, NDArray[np.bool_]]]:
    """Confidence of each proposal, and the mask (Y, X) that its clicks give."""
    state = predictor.init_state(open_stack(case.video), pixel_size_um=case.pixel_size_um)
    found = find_vessels(predictor, state, FindingSettings())
    masks = []
    for number, vessel in enumerate(found, 1):
        clicks = vessel.prompts(number, 0)
        points, labels = [(c.x, c.y) for c in clicks], [c.label for c in clicks]
        answer = predictor.add_new_points_or_box(state, 0, number, points, labels)
        assert answer is not None
        _, ids, logits = answer
        masks.append((vessel.confidence, logits[ids.index(number), 0].numpy() > 0))
    return masks


def matched(found: Masks, vessels: Masks) -> list[int]:
    """Vessels that agree with one of the masks each, the best first."""
    iou = np.zeros((len(found), len(vessels)))
    for row, mask in enumerate(found):
        iou[row] = [mask_iou(mask, vessel) for vessel in vessels]
    agree = list[int]()
    while iou.size and iou.max() >= RIGHT:
        row, column = np.unravel_index(iou.argmax(), iou.shape)
        iou[row], iou[:, column] = 0, 0
        agree.append(int(column))
    return agree


def score(predictor: SAM2FlowPredictor, generator: str, number: int) -> list[dict[str, object]]:
    """One row a level of confidence of a recording."""
    case = development_case(generator, number, SIDE, FRAMES, most_vessels=None)
    found, vessels = proposals(predictor, case), [vessel.mask for vessel in case.vessels]
    asked = [vessel.perfused >= PERFUSED for vessel in case.vessels]
    rows: list[dict[str, object]] = []
    for level in LEVELS:
        sure = [mask for confidence, mask in found if confidence >= level]
        agree = matched(sure, vessels)
        right = sum(asked[vessel] for vessel in agree)
        counts = {"vessels": sum(asked), "proposals": len(sure) - len(agree) + right, "right": right}
        rows.append({"generator": generator, "number": number, "least_confidence": level, **counts})
    return rows


def main() -> None:
    """Print recall and precision by generator and least confidence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--recordings", type=int, default=12, help="of each generator")
    parser.add_argument("--csv", type=Path, help="write the counts of every recording there")
    given = parser.parse_args()
    predictor = SAM2FlowPredictor.from_pretrained(given.model, "cpu")
    numbers = range(FIRST, FIRST + given.recordings)
    table = pd.DataFrame([row for g in GENERATORS for n in numbers for row in score(predictor, g, n)])
    if given.csv:
        write_csv(given.csv, table)
    print("| generator | least confidence | vessels | proposals | recall | precision |\n|---|---|---|---|---|---|")
    sums = table.groupby(["generator", "least_confidence"], sort=False)[["vessels", "proposals", "right"]].sum()
    for (generator, level), row in sums.iterrows():
        recall, precision = row.right / row.vessels, row.right / max(row.proposals, 1)
        print(f"| {generator} | {level:g} | {row.vessels} | {row.proposals} | {recall:.2f} | {precision:.2f} |")


if __name__ == "__main__":
    main()
