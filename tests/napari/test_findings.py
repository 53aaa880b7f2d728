"""What the dock says of a mask that does not answer its clicks."""

import numpy as np
import pytest

from sam2flow_core.inference.steps import VesselFlow
from sam2flow_core.prompts import BoxPrompt, Prompt
from sam2flow_napari.previews import finding


def vessel(fit=1.0, filled=True, score=1.0):
    """A mask over rows 10 to 19, columns 30 to 49."""
    return VesselFlow.of(1, (10, 30), np.full((10, 20), filled), None, None, fit, score)


def click(y, x, label=1, frame=0):
    return Prompt(1, frame, y, x, label)


@pytest.mark.parametrize(
    ("mask", "marks", "words"),
    [
        (vessel(), [click(15, 40)], ""),
        (vessel(), [click(21, 40)], ""),
        (vessel(), [click(15, 40), click(25, 40)], "beside a click"),
        (vessel(), [click(-3, 2)], "beside a click"),
        (vessel(), [click(15, 40), click(80, 2, frame=7)], ""),
        (vessel(), [click(15, 40), click(12, 31, label=0)], "excluded"),
        (vessel(), [click(15, 40), click(21, 40, label=0)], ""),
        (vessel(), [BoxPrompt(1, 0, 5, 5, 40, 60)], ""),
        (vessel(fit=0.2), [click(15, 40)], "may be no vessel"),
        (vessel(score=0.1), [click(15, 40)], ""),
        (vessel(filled=False), [click(15, 40)], "No vessel was found"),
    ],
)
def test_a_mask_that_does_not_answer_its_clicks_is_told(mask, marks, words):
    said = finding(mask, 0, marks)
    assert words in said if words else said == ""
