"""Boxes and masks as records: back and forth, and refused where they cannot be meant."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sam2flow_core.errors import PromptError
from sam2flow_core.prompts import (
    BoxPrompt,
    MaskPrompt,
    Prompt,
    check_prompts,
    check_regions,
    regions_from_json,
    regions_to_json,
)

SHAPE = (10, 6, 8)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=48, max_size=48))
def test_a_mask_comes_back_as_it_was_painted(pixels):
    mask = np.array(pixels).reshape(6, 8)
    painted = MaskPrompt.of(3, 2, mask)
    np.testing.assert_array_equal(painted.mask, mask)
    assert regions_from_json(json.loads(json.dumps(regions_to_json([painted])))) == (painted,)


def test_kinds_and_order_survive_the_file():
    regions = (BoxPrompt(1, 0, 1, 2, 4, 5), MaskPrompt.of(1, 0, np.eye(6, 8, dtype=bool)), BoxPrompt(2, 1, 0, 0, 3, 3))
    assert regions_from_json(regions_to_json(regions)) == regions


@pytest.mark.parametrize(
    ("region", "words"),
    [
        (BoxPrompt(1, 10, 1, 1, 3, 3), "outside the recording (0 to 9)"),
        (BoxPrompt(0, 0, 1, 1, 3, 3), "ids run from 1"),
        (BoxPrompt(1, 0, 1, 1, 3, 9), "does not lie in the image (6 x 8 px)"),
        (BoxPrompt(1, 0, 3, 1, 3, 4), "does not lie in the image"),
        (BoxPrompt(1, 0, float("nan"), 1, 3, 4), "does not lie in the image"),
        (MaskPrompt.of(1, 0, np.ones((8, 6), bool)), "paint it again"),
        (MaskPrompt.of(1, 4, np.zeros((6, 8), bool)), "the mask in frame 4 is empty"),
    ],
)
def test_regions_that_cannot_be_meant(region, words):
    with pytest.raises(PromptError) as caught:
        check_regions([region], SHAPE)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_full_mask_is_no_empty_one():
    check_regions([MaskPrompt.of(1, 0, np.ones((6, 8), bool))], SHAPE)


def test_a_box_says_where_a_vessel_is_so_that_negative_clicks_may_mend_it():
    no = (Prompt(1, 0, 3, 3, 0),)
    check_prompts((*no, BoxPrompt(1, 0, 1, 1, 4, 4)), SHAPE)
    with pytest.raises(PromptError, match="vessel 1 has negative clicks only"):
        check_prompts((*no, BoxPrompt(2, 0, 1, 1, 4, 4)), SHAPE)
