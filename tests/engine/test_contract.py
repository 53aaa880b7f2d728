"""In which order clicks, boxes and masks reach the predictor."""

import numpy as np

from sam2flow_core.engine.contract import give_prompts
from sam2flow_core.prompts import BoxPrompt, MaskPrompt, Prompt


class Recorder:
    def __init__(self):
        self.heard = []

    def add_new_points_or_box(
        self, state, frame, vessel, points, labels, clear_old_points=True, box=None, need_output=True
    ):
        self.heard.append((vessel, frame, points, labels, clear_old_points, box))
        return vessel, frame

    def add_new_mask(self, state, frame, vessel, mask, need_output=True):
        self.heard.append((vessel, frame, int(mask.sum())))
        return vessel, frame


CLICKS = (Prompt(2, 7, 1.0, 5.0, 1), Prompt(1, 4, 2.0, 6.0, 1), Prompt(1, 0, 3.0, 7.0, 0))
BOX = BoxPrompt(1, 0, 10.0, 20.0, 30.0, 40.0)
MASK = MaskPrompt.of(1, 4, np.eye(6, dtype=bool))


def test_vessels_in_the_order_of_the_prompts_and_frames_in_time():
    predictor = Recorder()
    give_prompts(predictor, None, (*CLICKS, BOX, MASK))
    assert predictor.heard == [
        (2, 7, [[5.0, 1.0]], [1], True, None),
        (1, 0, [[7.0, 3.0]], [0], True, (20.0, 10.0, 40.0, 30.0)),
        (1, 4, 6),
        # The click comes after the mask and mends it.
        (1, 4, [[6.0, 2.0]], [1], False, None),
    ]


def test_the_frame_that_is_looked_at_comes_last():
    predictor = Recorder()
    assert give_prompts(predictor, None, (*CLICKS[1:], BOX, MASK), last=0) == (1, 0)
    assert [call[1] for call in predictor.heard] == [4, 4, 0]
